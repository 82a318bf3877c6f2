import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileStorage, JetStream, JetStreamOptions, StorageDependencies } from '@nats-ts/jetstream';
import { type Clock, type Ids, type Logger, NatsServer, type ServerOptions } from '@nats-ts/server';
import { keptAlive } from './runtime/kept-alive.ts';
import { SystemClock } from './runtime/system-clock.ts';
import { SystemIds } from './runtime/system-ids.ts';

/** JetStream of an embedded server. */
export interface EmbeddedJetStream extends Partial<JetStreamOptions> {
  /**
   * Folder above `jetstream/`. Default: a fresh temporary folder that goes away with the server.
   * Equivalent to store_dir in nats-server.
   */
  readonly storeDir?: string;
  /** Milliseconds between syncs; 0 (default) = synced before every acknowledgement. Equivalent to sync_interval. */
  readonly syncIntervalMs?: number;
  /** Memory for message blocks that were read back, bytes; default BLOCK_CACHE_BYTES_MAX of @nats-ts/jetstream. */
  readonly blockCacheBytes?: number;
  /** File operations; tests break the disk with it. Default: those of the machine. */
  readonly fileSystem?: StorageDependencies['fs'];
}

/** Options of `startServer`: those of NatsServer, with defaults that suit a test. */
export interface StartOptions extends Omit<ServerOptions, 'jetstream' | 'jetstreamLimits'> {
  /** Absent or false: core NATS only. */
  readonly jetstream?: boolean | EmbeddedJetStream;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /** Time; a clock that tests move by hand drives ack waits, expiry and pings. Default: the machine's. */
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** Called between binding the port and serving clients, when streams are being recovered. */
  readonly onRecovering?: (storeDir: string) => void;
  /** Called when clients are served, with the address they connect to. */
  readonly onReady?: (address: string) => void;
}

const SILENT: Logger = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {}, trace: () => {} };
const UNLIMITED = {
  maxMemory: -1,
  maxStorage: -1,
  maxStreams: -1,
  maxConsumers: -1,
  maxAckPending: -1,
  memoryMaxStreamBytes: -1,
  storageMaxStreamBytes: -1,
  maxBytesRequired: false,
};

/** libuv's threads unless UV_THREADPOOL_SIZE says otherwise. */
const POOL_THREADS = 4;

/** Syncs that may run at once: all of libuv's threads but one, so that reads and lookups are never stuck behind the disk. */
function concurrentSyncs(): number {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? POOL_THREADS);
  return Math.max(1, (Number.isInteger(threads) && threads > 0 ? threads : POOL_THREADS) - 1);
}

/** A NATS server inside this process. */
export class EmbeddedServer implements AsyncDisposable {
  readonly server: NatsServer;
  /** Null without JetStream. */
  readonly jetstream: JetStream | null;
  /** Null without JetStream. */
  readonly storage: FileStorage | null;
  readonly #temporaryFolder: string | null;
  #stopping: Promise<void> | null = null;

  constructor(
    server: NatsServer,
    jetstream: JetStream | null,
    storage: FileStorage | null,
    temporaryFolder: string | null,
  ) {
    this.server = server;
    this.jetstream = jetstream;
    this.storage = storage;
    this.#temporaryFolder = temporaryFolder;
  }

  /** Port that clients connect to. */
  get port(): number {
    return this.server.port;
  }

  /** `nats://host:port` for a client in this machine. */
  get url(): string {
    const { host } = this.server.settings;
    const reachable =
      host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
    return `nats://${reachable}:${this.port}`;
  }

  /** Stops it: acknowledgements that are under way go out first, then connections close and the port is free. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /**
   * Stops it gently, as nats-server does on SIGUSR2: no new clients from now on; JetStream answers what it has taken and
   * stops; clients are told (INFO with `ldm`), after `lameDuckGracePeriodMs` closed one by one within
   * `lameDuckDurationMs`. Resolves when the server is stopped; `stop` in between ends it at once. A second call waits for
   * the first one. Rejects, as `stop`, with what the disk refused.
   */
  async lameDuck(): Promise<void> {
    // What fails here fails in `stop` again: it waits for the same shutdown.
    if (this.#stopping === null) {
      await keptAlive(this.server.lameDuck(async () => this.jetstream?.shutdown().catch(() => {})));
    }
    await this.stop();
  }

  async #stop(): Promise<void> {
    this.server.stopAccepting();
    try {
      await this.jetstream?.shutdown();
    } finally {
      // Whatever the disk refused: clients get their last bytes, and the port is free.
      await this.server.shutdown();
      if (this.#temporaryFolder !== null) await rm(this.#temporaryFolder, { recursive: true, force: true });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/**
 * Starts a NATS server in this process: `await using server = await startServer({ port: 0, jetstream: true })`.
 * Resolves when clients are served; rejects when the port is taken or the store cannot be opened.
 */
export async function startServer(options: StartOptions = {}): Promise<EmbeddedServer> {
  const clock = options.clock ?? new SystemClock();
  const ids = options.ids ?? new SystemIds();
  const logger = options.logger ?? SILENT;
  const js = options.jetstream === true ? {} : options.jetstream || null;
  const { jetstream: _jetstream, logger: _logger, clock: _clock, ids: _ids, onRecovering, onReady, ...rest } = options;
  const server = new NatsServer(
    {
      ...rest,
      host: options.host ?? '127.0.0.1',
      jetstream: js !== null,
      ...(js ? { jetstreamLimits: UNLIMITED } : {}),
    },
    { clock, ids, logger },
  );
  // The port first: nats-server locks no directory, so a second one on the same store is stopped by its port.
  await server.bind();
  let storage: FileStorage | null = null;
  let jetstream: JetStream | null = null;
  let temporaryFolder: string | null = null;
  try {
    if (js) {
      temporaryFolder = js.storeDir === undefined ? await mkdtemp(join(tmpdir(), 'nats-ts-')) : null;
      const storeDir = js.storeDir ?? temporaryFolder ?? '';
      const syncIntervalMs = js.syncIntervalMs ?? 0;
      // Half of all there is to load, which a server without streams can do without.
      const { BLOCK_CACHE_BYTES_MAX, FileStorage, JetStream, NodeFileSystem } = await import('@nats-ts/jetstream');
      storage = await FileStorage.open(storeDir, {
        clock,
        ids,
        log: logger,
        fs: js.fileSystem ?? new NodeFileSystem(concurrentSyncs()),
        syncIntervalMs,
        blockCacheBytesMax: js.blockCacheBytes ?? BLOCK_CACHE_BYTES_MAX,
        observer: js.observer,
      });
      onRecovering?.(storeDir);
      jetstream = await JetStream.open(server.host, storage, {
        ...js,
        shown: { storeDir: join(storeDir, 'jetstream'), syncAlways: syncIntervalMs === 0, syncIntervalMs },
      });
      server.attachJetStream(jetstream);
    }
    server.ready();
    const { host } = server.settings;
    onReady?.(`${host.includes(':') ? `[${host}]` : host}:${server.port}`);
  } catch (error) {
    if (jetstream) await jetstream.shutdown();
    else await storage?.close();
    await server.shutdown();
    if (temporaryFolder !== null) await rm(temporaryFolder, { recursive: true, force: true });
    throw error;
  }
  return new EmbeddedServer(server, jetstream, storage, temporaryFolder);
}
