import {
  ConfigError,
  type LoadedEventsConfig,
  loadEventsConfig,
  printEventsConfig,
  printEventsReference,
} from '@nats-ts/config';
import { askHealth } from './health.ts';
import { machineInputs } from './machine.ts';
import { versionLine } from './version.ts';

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
      return server();
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
  const { line, code } = await askedHealth();
  process.stdout.write(`${line}\n`);
  return code;
}

async function askedHealth(): Promise<{ line: string; code: number }> {
  try {
    return await askHealth(loadEventsConfig(machineInputs(process.env)).config.debug.addr);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { line: `unhealthy: ${error.problems.map(({ text }) => text).join('; ')}`, code: 1 };
  }
}

async function server(): Promise<number | null> {
  const loaded = load();
  if (loaded === null) return 1;
  // grpc-js writes its own lines to standard error, beside the JSON log; what they say comes as an error too.
  process.env['GRPC_VERBOSITY'] ??= 'NONE';
  // Loaded for this command only: probes ask for health every few seconds.
  const { serve } = await import('./serve.ts');
  return serve(loaded);
}
