import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { ConfigError, type LoadedEventsConfig, loadEventsConfig } from '@nats-ts/config';
import { ListenError } from '@nats-ts/natsd';
import { EventsService } from './events-service.ts';
import { askHealth } from './health.ts';
import { openLogger, type ServiceLogger } from './logger.ts';

const USAGE = `NAME:
   events-service - starts the events broker of an oCIS or OpenCloud stack

USAGE:
   events-service command

COMMANDS:
   server   start the service
   health   ask the running service whether it is ready: exit code 0 or 1
   version  print the versions
   help     print this text

Everything else is set in the environment and in nats.yaml: see docs/events-service.md.
`;

/** This software's own version. */
function ownVersion(): string {
  return (createRequire(import.meta.url)('../package.json') as { version: string }).version;
}

/** Runs a command. Resolves with the exit code, or null when a service runs. */
export async function run(args: readonly string[]): Promise<number | null> {
  const [command, ...more] = args;
  if (command?.startsWith('-') && command !== '-h' && command !== '--help') {
    process.stdout.write(`Incorrect Usage: flag provided but not defined: ${command}\n\n${USAGE}`);
    return 1;
  }
  if (more.length > 0 && !more.every((arg) => arg === '-h' || arg === '--help')) {
    process.stdout.write(
      `Incorrect Usage: ${command} takes no arguments, got ${JSON.stringify(more.join(' '))}\n\n${USAGE}`,
    );
    return 1;
  }
  if (command === undefined || more.length > 0) return usage();
  switch (command) {
    case 'server':
      return serve();
    case 'health':
      return health();
    case 'version':
      process.stdout.write(
        `events-service ${ownVersion()} (nats-ts), behaves as nats-server 2.15.1, Node ${process.versions.node}\n`,
      );
      return 0;
    case 'help':
    case '-h':
    case '--help':
      return usage();
    default:
      process.stdout.write(`No help topic for '${command}'\n`);
      return 3;
  }
}

function usage(): number {
  process.stdout.write(USAGE);
  return 0;
}

function load(): LoadedEventsConfig | null {
  try {
    return loadEventsConfig({ env: process.env, readFile: (path) => readFileSync(path), home: homedir(), canMake });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  }
}

/** Whether a directory can be written to, or made below one that can. */
function canMake(directory: string): boolean {
  for (let at = directory; ; at = dirname(at)) {
    try {
      if (!statSync(at).isDirectory()) return false;
    } catch {
      if (dirname(at) === at) return false;
      continue;
    }
    try {
      accessSync(at, constants.W_OK | constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }
}

async function health(): Promise<number> {
  const loaded = load();
  if (loaded === null) return 1;
  const { line, code } = await askHealth(loaded.config.debug.addr);
  process.stdout.write(`${line}\n`);
  return code;
}

async function serve(): Promise<number | null> {
  const loaded = load();
  if (loaded === null) return 1;
  let log: ServiceLogger;
  try {
    log = await openLogger(loaded.config.log);
  } catch (error) {
    process.stderr.write(`NATS_LOG_FILE: cannot open ${loaded.config.log.file}: ${(error as Error).message}\n`);
    return 1;
  }
  for (const warning of loaded.warnings) log.warn(warning);
  const service = new EventsService(loaded.config, log, ownVersion());
  handleSignals(service, log);
  try {
    await service.start();
  } catch (error) {
    log.fatal(startError(error as Error));
    return 1;
  }
  return null;
}

/** Why it cannot start; a taken port in the original's words. */
function startError(error: Error): string {
  return error instanceof ListenError
    ? `Error listening on port: ${error.address}, "${error.message}"`
    : `cannot start: ${error.message}`;
}

/** All four stop gracefully, SIGHUP too, as in the original (spec/ocis.md 1). */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const;

function handleSignals(service: EventsService, log: ServiceLogger): void {
  let isStopping = false;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      log.info('Shutting down server', { signal });
      service.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error(`shutting down: ${(error as Error).message}`);
          process.exit(1);
        },
      );
    });
  }
}
