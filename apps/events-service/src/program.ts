import {
  ConfigError,
  type LoadedEventsConfig,
  loadEventsConfig,
  printEventsConfig,
  printEventsReference,
} from '@nats-ts/config';
import { ListenError } from '@nats-ts/natsd';
import { EventsService } from './events-service.ts';
import { askHealth } from './health.ts';
import { openLogger, type ServiceLogger } from './logger.ts';
import { machineInputs } from './machine.ts';
import { SystemdNotifier } from './systemd-notify.ts';
import { ownVersion, versionLine } from './version.ts';

const USAGE = `NAME:
   events-service - starts the events broker of an oCIS or OpenCloud stack

USAGE:
   events-service command

COMMANDS:
   server   start the service
   health   ask the running service whether it is ready: exit code 0 or 1
   config   print the configuration in effect and where each value comes from;
            with --reference: every setting there is
   version  print versions and commit
   help     print this text

Everything else is set in the environment and in nats.yaml: see docs/events-service.md.
`;

/** Makes `config` print what there is instead of what is in effect. */
const REFERENCE_FLAG = '--reference';

/** Runs a command. Resolves with the exit code, or null when a service runs. */
export async function run(args: readonly string[]): Promise<number | null> {
  const [command, ...more] = args;
  if (command?.startsWith('-') && command !== '-h' && command !== '--help') {
    process.stdout.write(`Incorrect Usage: flag provided but not defined: ${command}\n\n${USAGE}`);
    return 1;
  }
  if (command === 'config' && more.length === 1 && more[0] === REFERENCE_FLAG) {
    process.stdout.write(printEventsReference());
    return 0;
  }
  if (more.length > 0 && !more.every((arg) => arg === '-h' || arg === '--help')) {
    process.stdout.write(
      `Incorrect Usage: ${command} takes no ${command === 'config' ? `arguments but ${REFERENCE_FLAG}` : 'arguments'}, got ${JSON.stringify(more.join(' '))}\n\n${USAGE}`,
    );
    return 1;
  }
  if (command === undefined || more.length > 0) return usage();
  switch (command) {
    case 'server':
      return serve();
    case 'health':
      return health();
    case 'config':
      return showConfig();
    case 'version':
      process.stdout.write(`${versionLine()}\n`);
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
    return loadEventsConfig(machineInputs(process.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return null;
  }
}

function showConfig(): number {
  const loaded = load();
  if (loaded === null) return 1;
  for (const warning of loaded.warnings) process.stderr.write(`${warning}\n`);
  process.stdout.write(printEventsConfig(loaded));
  return 0;
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
  const service = new EventsService(loaded.config, log, ownVersion(), { shownSettings: loaded.settings });
  const systemd = SystemdNotifier.fromEnvironment(process.env, log);
  handleSignals(service, log, systemd);
  systemd?.starting(() => service.status);
  try {
    await service.start();
    systemd?.ready(`serving clients on port ${service.port}`);
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

function handleSignals(service: EventsService, log: ServiceLogger, systemd: SystemdNotifier | null): void {
  let isStopping = false;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      log.info('Shutting down server', { signal });
      Promise.all([service.stop(), systemd?.stopping()]).then(
        () => process.exit(0),
        (error: unknown) => {
          log.error(`shutting down: ${(error as Error).message}`);
          process.exit(1);
        },
      );
    });
  }
}
