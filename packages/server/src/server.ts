import { CLOSE_REASONS, type ServerInfo } from '@nats-ts/protocol';
import { Acceptor } from './acceptor.ts';
import { Account, GLOBAL_ACCOUNT, SYSTEM_ACCOUNT } from './account.ts';
import { Authenticator } from './auth/authenticator.ts';
import { Arena } from './connection/arena.ts';
import type { Connection } from './connection/connection.ts';
import type { ConnectionContext } from './connection/context.ts';
import { FlushQueue } from './connection/flush-queue.ts';
import { FramePool } from './connection/frame-pool.ts';
import { SlabPool } from './connection/slabs.ts';
import { ConnectionRegistry } from './connection-registry.ts';
import { ServerCounters } from './counters.ts';
import { Router } from './delivery/router.ts';
import { JetStreamHost } from './host/jetstream-host.ts';
import { createIdentity, type ServerIdentity } from './identity.ts';
import { LameDuck } from './lame-duck.ts';
import { hostPort, Listener } from './listener.ts';
import type { JetStreamView } from './monitor/jetstream-view.ts';
import type { Monitor } from './monitor/monitor.ts';
import type { ServerView } from './monitor/view.ts';
import { resolveOptions, type ServerOptions, type Settings } from './options.ts';
import type { ServerDependencies } from './ports.ts';
import { RateLimitedLog } from './rate-limited-log.ts';
import { clientInfoLine, lameDuckInfoLine, serverInfo } from './server-info.ts';
import { type SlowConsumer, SlowConsumers } from './slow-consumers.ts';
import { logStart } from './start-lines.ts';
import { collectStatistics, type ServerStatistics } from './statistics.ts';
import { TimerWheel } from './timer-wheel.ts';
import type { TlsMaterial } from './tls-options.ts';

/** Granularity of ping intervals, log-in timeouts and write deadlines. */
const WHEEL_TICK_MS = 25;

/**
 * A NATS server. Start it in two steps: `bind` takes the ports, so that a port in use is found out before anything else
 * is opened; `ready` begins to serve clients, those first that came in between.
 */
export class NatsServer implements AsyncDisposable {
  /** JetStream's way in; satisfies the `Host` port of `@nats-ts/jetstream`. */
  readonly host: JetStreamHost;
  readonly settings: Settings;
  readonly #deps: ServerDependencies;
  readonly #identity: ServerIdentity = createIdentity();
  readonly #name: string;
  readonly #counters = new ServerCounters();
  readonly #slowConsumers = new SlowConsumers();
  readonly #registry: ConnectionRegistry;
  readonly #wheel: TimerWheel;
  readonly #context: ConnectionContext;
  readonly #listener: Listener;
  readonly #acceptor: Acceptor;
  readonly #accounts = new Map<string, Account>();
  #monitor: Monitor | null = null;
  readonly #startMs: number;
  readonly #startedMs: number;
  #info: ServerInfo;
  #jetstream: JetStreamView | null = null;
  #isReady = false;
  #lameDuck: LameDuck | null = null;
  #leaving: Promise<void> | null = null;
  #isShutDown = false;

  /** @throws OptionsError for options that do not fit together. */
  constructor(options: ServerOptions, deps: ServerDependencies) {
    const settings = resolveOptions(options);
    const { clock, ids, logger } = deps;
    this.settings = settings;
    this.#deps = deps;
    this.#startMs = clock.now();
    this.#startedMs = clock.monotonicMs();
    this.#name = settings.serverName ?? this.#identity.serverId;
    this.#registry = new ConnectionRegistry(settings.maxClosedClients, this.#counters);
    this.#wheel = new TimerWheel(clock, WHEEL_TICK_MS);
    this.#listener = new Listener(Math.max(1, settings.maxConnections));
    const globalAccount = new Account(GLOBAL_ACCOUNT, false, clock.now(), settings.noSublistCache);
    this.#accounts.set(GLOBAL_ACCOUNT, globalAccount);
    if (!settings.noSystemAccount) {
      this.#accounts.set(SYSTEM_ACCOUNT, new Account(SYSTEM_ACCOUNT, true, clock.now(), settings.noSublistCache));
    }
    const authenticator = new Authenticator(settings.authorization, settings.noAuthUser);
    const arena = Arena.create();
    this.#context = {
      settings,
      clock,
      ids,
      logger,
      rateLimited: new RateLimitedLog(clock),
      wheel: this.#wheel,
      slabs: new SlabPool(arena),
      frames: new FramePool(arena),
      flushQueue: new FlushQueue(),
      router: new Router(ids, logger, settings.noFastProducerStall, arena),
      authenticator,
      counters: this.#counters,
      slowConsumers: this.#slowConsumers,
      globalAccount,
      serverName: this.#name,
      encodeInfo: (connection, isSecond) => clientInfoLine(this.#info, connection, isSecond),
      onClosed: (connection) => this.#closed(connection),
    };
    this.#acceptor = new Acceptor(this.#context, this.#registry);
    this.#info = this.#makeInfo(settings.port);
    this.host = new JetStreamHost({
      clock,
      ids,
      logger,
      serverId: this.#identity.serverId,
      serverName: this.#name,
      clusterName: settings.clusterName,
      maxPayload: settings.maxPayload,
      router: this.#context.router,
      flushQueue: this.#context.flushQueue,
      counters: this.#counters,
    });
    for (const account of this.#accounts.values()) {
      this.host.add(account, account.isSystem ? null : settings.jetstreamLimits);
    }
  }

  /** Server id, `N…`. */
  get id(): string {
    return this.#identity.serverId;
  }

  get name(): string {
    return this.#name;
  }

  /** What INFO tells all clients. */
  get info(): Readonly<ServerInfo> {
    return this.#info;
  }

  /** Port for clients, known after `bind`. */
  get port(): number {
    return this.#listener.port;
  }

  /** Port of the monitoring endpoint, known after `bind`; 0 = there is none. */
  get monitorPort(): number {
    return this.#monitor?.port ?? 0;
  }

  /** Open client connections. */
  get connectionCount(): number {
    return this.#registry.open.size;
  }

  /**
   * Clients that were closed for not taking their messages, the last one first: who they are, how often, and what they
   * subscribe to. Connections of the same client are one entry; the last SLOW_CONSUMERS_MAX (128) are remembered.
   */
  slowConsumers(): SlowConsumer[] {
    return this.#slowConsumers.list();
  }

  /**
   * Figures of this moment, for metrics. Adds up what is counted anyway, in a time that grows with the connections
   * (about 0.1 µs each); to be asked for every few seconds.
   */
  statistics(): ServerStatistics {
    return collectStatistics({
      registry: this.#registry,
      counters: this.#counters,
      accounts: this.#accounts,
      slowConsumers: this.#slowConsumers,
    });
  }

  /**
   * Logs the start-up lines and takes the port. Clients that connect wait until `ready`.
   * @throws ListenError if the port cannot be had.
   */
  async bind(): Promise<void> {
    logStart(this.#deps.logger, this.settings, this, this.#context.authenticator.hasPlainPasswords);
    const { host, port } = this.settings;
    await this.#listener.open(host, port);
    this.#info = this.#makeInfo(this.#listener.port);
    await this.#openMonitor();
  }

  /** JetStream is running: monitoring shows it. */
  attachJetStream(view: JetStreamView): void {
    this.#jetstream = view;
  }

  /** Begins to serve clients. */
  ready(): void {
    const { logger } = this.#deps;
    logger.info(`Listening for client connections on ${hostPort(this.settings.host, this.port)}`);
    if (this.settings.tls !== null) {
      logger.info(`TLS ${this.settings.allowNonTls ? 'available' : 'required'} for client connections`);
    }
    this.#listener.serve((socket) => this.#acceptor.accept(socket));
    this.#isReady = true;
    logger.info('Server is ready');
  }

  /** `bind` and `ready` in one. */
  async start(): Promise<void> {
    await this.bind();
    this.ready();
  }

  /**
   * New connections get this certificate, and clients' certificates are held against this authority; connections that are
   * there stay. Equivalent to a reload of the tls block of nats-server, cert_file, key_file and ca_file only.
   * @throws OptionsError without TLS, or for a certificate or key that cannot be read: the old ones stay then.
   */
  replaceTls(material: TlsMaterial): void {
    this.#acceptor.replaceTls(material);
    this.#monitor?.replaceTls(material);
  }

  /** Frees the client port; connections stay. The first step of a shutdown in steps. */
  stopAccepting(): void {
    this.#isReady = false;
    this.#listener.close();
  }

  /** It is in lame duck mode. */
  get isLameDuck(): boolean {
    return this.#leaving !== null;
  }

  /**
   * Lame duck mode: frees the client port, tells clients to look for another server (INFO with `ldm`), and after
   * `lameDuckGracePeriodMs` closes them one by one until `lameDuckDurationMs` are over. Resolves when the last one is
   * closed, at once when there is none, and when `shutdown` comes in between; `shutdown` is left to the caller.
   * A second call waits for the first one; before `ready` and after `stopAccepting` it does nothing.
   * Equivalent to SIGUSR2 of nats-server.
   * @param stopServices stops what clients are served with beside core NATS; called when the port is free, and awaited
   * before clients are told. What it rejects with is the caller's business, clients are closed all the same.
   */
  lameDuck(stopServices: () => Promise<void> = async () => {}): Promise<void> {
    if (this.#leaving === null && !this.#isReady) return Promise.resolve();
    this.#leaving ??= this.#leave(stopServices);
    return this.#leaving;
  }

  /**
   * Closes everything: connections get their last bytes, within 100 ms. To be called when JetStream has committed and
   * answered what it had taken. A second call does nothing.
   */
  async shutdown(): Promise<void> {
    if (this.#isShutDown) return;
    this.#isShutDown = true;
    this.stopAccepting();
    this.#lameDuck?.cancel();
    this.#context.flushQueue.flush();
    const open = [...this.#registry.open.values()];
    const closed = open.map((connection) => connection.closed());
    for (const connection of open) connection.close(CLOSE_REASONS.serverShutdown);
    await Promise.all([...closed, this.#monitor?.close()]);
    this.#wheel.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** Tells the clients, and closes them. */
  async #sendOff(): Promise<void> {
    const connections = [...this.#registry.open.values()];
    if (this.#isShutDown || connections.length === 0) return;
    for (const connection of connections) {
      // The others cannot read it, or learn of the server with their first PING only.
      if (connection.options.protocol < 1 || !connection.pinger.hasAnsweredFirst) continue;
      connection.outbound.append(lameDuckInfoLine(this.#info, connection));
    }
    this.#context.flushQueue.flush();
    const { lameDuckDurationMs: durationMs, lameDuckGracePeriodMs: gracePeriodMs } = this.settings;
    this.#lameDuck = new LameDuck({ ...this.#deps, connections, durationMs, gracePeriodMs });
    await this.#lameDuck.run();
  }

  async #leave(stopServices: () => Promise<void>): Promise<void> {
    this.#deps.logger.info('Entering lame duck mode, stop accepting new clients');
    this.stopAccepting();
    try {
      await stopServices();
    } finally {
      this.#jetstream = null;
      await this.#sendOff();
    }
  }

  #view(): ServerView {
    const server = this;
    return {
      settings: this.settings,
      clock: this.#deps.clock,
      logger: this.#deps.logger,
      registry: this.#registry,
      counters: this.#counters,
      accounts: this.#accounts,
      startMs: this.#startMs,
      startedMs: this.#startedMs,
      authTimeoutMs: this.#acceptor.authTimeoutMs,
      get info() {
        return server.#info;
      },
      get monitorHost() {
        return server.#monitor?.host ?? '';
      },
      get monitorPort() {
        return server.monitorPort;
      },
      get isReady() {
        return server.#isReady;
      },
      get jetstream() {
        return server.#jetstream;
      },
    };
  }

  async #openMonitor(): Promise<void> {
    const { monitor } = this.settings;
    if (monitor === null) return;
    // Loaded only when asked for: Node's HTTP server takes longer to load than all of this package.
    const { Monitor } = await import('./monitor/monitor.ts');
    this.#monitor = new Monitor(this.#view(), monitor, this.settings);
    await this.#monitor.open();
  }

  #makeInfo(port: number): ServerInfo {
    const { authenticator } = this.#context;
    const isAuthRequired = authenticator.isRequired && authenticator.noAuthUser === null;
    return serverInfo(this.settings, this.#identity, this.#name, port, isAuthRequired);
  }

  #closed(connection: Connection): void {
    this.#registry.remove(connection);
    this.#counters.closed(connection.closeReason);
    connection.account.connections.delete(connection);
    connection.account.past.add(connection);
  }
}
