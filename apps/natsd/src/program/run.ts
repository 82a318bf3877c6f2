import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CommandLine,
  ConfigError,
  checkServerFile,
  loadServerOptions,
  parseCommandLine,
  type ServerConfig,
} from '@nats-ts/config/server';
import { ListenError } from '@nats-ts/server';
import { keptAlive } from '../runtime/kept-alive.ts';
import { LineLogger } from '../runtime/line-logger.ts';
import { type EmbeddedServer, startServer } from '../start-server.ts';
import { PortsFile, writePidFile } from './files.ts';
import { machineLimits } from './machine-limits.ts';
import { startOptions } from './server-options.ts';

const PROGRAM = 'nats-server';
/** The nats-server whose behaviour this one has. */
const FOLLOWED_VERSION = '2.15.1';

/** This software's own version. */
export function ownVersion(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}

type RunLine = Extract<CommandLine, { kind: 'run' | 'check' }>;

/** natsd: reads the command line and does what it says. Resolves with the exit code, or null when a server runs. */
export async function run(args: readonly string[]): Promise<number | null> {
  const line = parseCommandLine(args, PROGRAM);
  switch (line.kind) {
    case 'version':
      process.stdout.write(`${PROGRAM}: v${FOLLOWED_VERSION}\n`);
      return 0;
    case 'about':
      process.stdout.write(
        `natsd ${ownVersion()} (nats-ts), behaves as nats-server ${FOLLOWED_VERSION}, Node ${process.versions.node}\n`,
      );
      return 0;
    case 'help':
      process.stdout.write(line.text);
      return 0;
    case 'error':
      process.stderr.write(`${line.message}\n`);
      if (line.usage !== null) process.stdout.write(line.usage);
      return line.exitCode;
    case 'check':
      return check(line);
    case 'run':
      return serve(line);
  }
}

const inputs = { env: process.env, readFile: (path: string): Uint8Array => readFileSync(path) };

function check({ flags }: RunLine): number {
  try {
    const digest = checkServerFile(flags, inputs);
    process.stderr.write(`${PROGRAM}: configuration file ${flags.configFile} is valid (${digest})\n`);
    return 0;
  } catch (error) {
    return complain(error);
  }
}

function complain(error: unknown): number {
  if (!(error instanceof Error)) throw error;
  process.stderr.write(`${PROGRAM}: ${error.message}\n`);
  return 1;
}

async function serve({ flags }: RunLine): Promise<number | null> {
  let config: ServerConfig;
  try {
    const loaded = loadServerOptions(flags, inputs);
    config = await withMachineLimits(loaded.config);
    for (const warning of loaded.warnings) process.stderr.write(`${warning}\n`);
  } catch (error) {
    return complain(error);
  }
  let log: LineLogger;
  try {
    log = openLog(config);
  } catch (error) {
    process.stderr.write(`error opening file: ${(error as Error).message}\n`);
    return 1;
  }
  return start(config, log);
}

/** Where streams are kept unless something else is said; that of nats-server. */
const DEFAULT_STORE_DIR = join(tmpdir(), 'nats');

async function withMachineLimits(config: ServerConfig): Promise<ServerConfig> {
  const { jetstream } = config;
  if (!jetstream.enabled) return config;
  return {
    ...config,
    jetstream: { ...jetstream, ...(await machineLimits(jetstream, jetstream.storeDir || DEFAULT_STORE_DIR)) },
  };
}

function openLog(config: ServerConfig): LineLogger {
  return new LineLogger({
    debug: config.debug,
    trace: config.trace,
    time: config.logtime,
    utc: config.logtimeUtc,
    file: config.logFile === '' ? null : config.logFile,
    sizeLimitBytes: config.logSizeLimitBytes,
    filesMax: config.logMaxFiles,
  });
}

async function start(config: ServerConfig, log: LineLogger): Promise<number | null> {
  const ports =
    config.portsFileDir === '' ? null : new PortsFile(config.portsFileDir, process.env['NATS_TS_ARGV0'] || 'natsd');
  try {
    if (config.pidFile !== '') writePidFile(config.pidFile);
  } catch (error) {
    log.fatal(`Could not write pidfile: ${(error as Error).message}`);
    return 1;
  }
  // From here on, so that a signal during a long recovery finds somebody.
  const signals = handleSignals(log, ports);
  let embedded: EmbeddedServer;
  try {
    embedded = await startServer({
      ...startOptions(config, DEFAULT_STORE_DIR),
      gitCommit: `nats-ts-${ownVersion()}`,
      runtimeVersion: `node${process.versions.node}`,
      logger: log,
      onRecovering: (storeDir) => logJetStream(config, log, storeDir),
    });
  } catch (error) {
    log.fatal(startError(error, config));
    return 1;
  }
  signals.embedded = embedded;
  try {
    ports?.write(embedded);
  } catch (error) {
    log.error(`Error writing ports file to ${config.portsFileDir}: ${(error as Error).message}`);
  }
  return null;
}

function startError(error: unknown, config: ServerConfig): string {
  if (error instanceof ListenError) return `Error listening on port: ${error.address}, "${error.message}"`;
  if (error instanceof ConfigError) return error.message;
  const text = error instanceof Error ? error.message : String(error);
  return config.jetstream.enabled ? `Can't start JetStream: ${text}` : text;
}

/** The lines nats-server prints before it recovers streams. */
function logJetStream(config: ServerConfig, log: LineLogger, storeDir: string): void {
  const { jetstream } = config;
  log.info('Starting JetStream');
  log.info('---------------- JETSTREAM ----------------');
  log.info(`  Strict:          ${jetstream.strict}`);
  log.info(`  Max Memory:      ${formatBytes(jetstream.maxMemoryBytes)}`);
  log.info(`  Max Storage:     ${formatBytes(jetstream.maxStoreBytes)}`);
  log.info(`  Store Directory: "${join(storeDir, 'jetstream')}"`);
  log.info(
    `  Sync:            ${jetstream.syncAlways ? 'before every acknowledgement' : `every ${jetstream.syncIntervalMs} ms`}`,
  );
  log.info('  API Level:       5');
  log.info('-------------------------------------------');
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(2)} ${UNITS[unit]}`;
}

const SIGNAL_NAMES: Partial<Record<NodeJS.Signals, string>> = {
  SIGINT: 'interrupt',
  SIGTERM: 'terminated',
  SIGHUP: 'hangup',
  SIGUSR1: 'user defined signal 1',
  SIGUSR2: 'user defined signal 2',
};

/** What signals act on: nothing yet while the server starts. */
interface SignalTarget {
  embedded: EmbeddedServer | null;
}

function handleSignals(log: LineLogger, ports: PortsFile | null): SignalTarget {
  const target: SignalTarget = { embedded: null };
  const on = (signal: NodeJS.Signals, handle: () => void): void => {
    process.on(signal, () => {
      log.info(`Trapped "${SIGNAL_NAMES[signal]}" signal`);
      handle();
    });
  };
  let isStopping = false;
  const begin = (): void => {
    if (isStopping) return;
    isStopping = true;
    void shutDown(target.embedded, log, ports);
  };
  const stop = (signal: NodeJS.Signals): void => {
    process.on(signal, () => {
      log.info(`Trapped "${SIGNAL_NAMES[signal]}" signal`);
      // As nats-server: whoever runs it may send SIGTERM after SIGUSR2 without cutting the goodbye short; SIGINT does that.
      if (signal === 'SIGTERM' && target.embedded?.server.isLameDuck) return;
      begin();
    });
  };
  stop('SIGINT');
  stop('SIGTERM');
  on('SIGUSR1', () => log.reopen());
  on('SIGUSR2', () => {
    const { embedded } = target;
    if (isStopping || embedded?.server.isLameDuck) return;
    // A server that still starts has nobody to say goodbye to.
    if (embedded === null) begin();
    else void keptAlive(lameDuck(embedded, log)).then(begin);
  });
  on('SIGHUP', () => log.error('Failed to reload server configuration: reloading is not supported yet by nats-ts'));
  return target;
}

/** Lame duck mode until the clients are gone; JetStream stops first. */
async function lameDuck({ server, jetstream }: EmbeddedServer, log: LineLogger): Promise<void> {
  await server.lameDuck(async () => {
    if (jetstream === null) return;
    log.info('Initiating JetStream Shutdown...');
    // What fails here is told by the shutdown at the end, which waits for the same promise.
    await jetstream.shutdown().then(
      () => log.info('JetStream Shutdown'),
      () => {},
    );
  });
}

/** A server that still starts has acknowledged nothing: it is left where it stands, as a kill would leave it. */
async function shutDown(embedded: EmbeddedServer | null, log: LineLogger, ports: PortsFile | null): Promise<void> {
  log.info('Initiating Shutdown...');
  // A lame duck's JetStream is stopped already, or about to be.
  const stopsJetStream = embedded !== null && embedded.jetstream !== null && !embedded.server.isLameDuck;
  if (stopsJetStream) log.info('Initiating JetStream Shutdown...');
  let code = 0;
  try {
    await embedded?.stop();
    if (stopsJetStream) log.info('JetStream Shutdown');
  } catch (error) {
    log.error(`Shutdown: ${(error as Error).message}`);
    code = 1;
  }
  ports?.remove();
  log.info('Server Exiting..');
  process.exit(code);
}
