import type { Socket } from 'node:net';
import { CLOSE_REASONS, type ServerInfo, WIRE_ERRORS } from '@nats-ts/protocol';
import { Account, GLOBAL_ACCOUNT, SYSTEM_ACCOUNT } from './account.ts';
import { Authenticator } from './auth/authenticator.ts';
import { Connection } from './connection/connection.ts';
import type { ConnectionContext } from './connection/context.ts';
import { FlushQueue } from './connection/flush-queue.ts';
import { SlabPool } from './connection/slabs.ts';
import { attach } from './connection/socket-events.ts';
import { ConnectionRegistry } from './connection-registry.ts';
import { ServerCounters } from './counters.ts';
import { Router } from './delivery/router.ts';
import { JetStreamHost } from './host/jetstream-host.ts';
import { createIdentity, type ServerIdentity } from './identity.ts';
import { hostPort, Listener } from './listener.ts';
import { PAYLOAD_WARN_BYTES, resolveOptions, type ServerOptions, type Settings } from './options.ts';
import type { ServerDependencies } from './ports.ts';
import { RateLimitedLog } from './rate-limited-log.ts';
import { clientInfoLine, serverInfo } from './server-info.ts';
import { TimerWheel } from './timer-wheel.ts';
import { TLS_TIMEOUT_MS } from './tls-options.ts';

/** Granularity of ping intervals, log-in timeouts and write deadlines. */
const WHEEL_TICK_MS = 25;
/** Milliseconds for CONNECT unless configured, as nats-server. */
const AUTH_TIMEOUT_MS = 2000;

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
  readonly #registry: ConnectionRegistry;
  readonly #wheel: TimerWheel;
  readonly #context: ConnectionContext;
  readonly #listener: Listener;
  readonly #accounts = new Map<string, Account>();
  #info: ServerInfo;

  /** @throws OptionsError for options that do not fit together. */
  constructor(options: ServerOptions, deps: ServerDependencies) {
    const settings = resolveOptions(options);
    const { clock, ids, logger } = deps;
    this.settings = settings;
    this.#deps = deps;
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
    this.#context = {
      settings,
      clock,
      ids,
      logger,
      rateLimited: new RateLimitedLog(clock),
      wheel: this.#wheel,
      slabs: new SlabPool(),
      flushQueue: new FlushQueue(),
      router: new Router(ids, logger, settings.noFastProducerStall),
      authenticator,
      counters: this.#counters,
      globalAccount,
      serverName: this.#name,
      encodeInfo: (connection, isSecond) => clientInfoLine(this.#info, connection, isSecond),
      onClosed: (connection) => this.#closed(connection),
    };
    this.#info = this.#makeInfo(settings.port);
    this.host = new JetStreamHost({
      clock,
      ids,
      logger,
      serverId: this.#identity.serverId,
      serverName: this.#name,
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

  /** Open client connections. */
  get connectionCount(): number {
    return this.#registry.open.size;
  }

  /**
   * Logs the start-up lines and takes the port. Clients that connect wait until `ready`.
   * @throws ListenError if the port cannot be had.
   */
  async bind(): Promise<void> {
    this.#logStart();
    const { host, port } = this.settings;
    await this.#listener.open(host, port);
    this.#info = this.#makeInfo(this.#listener.port);
  }

  /** Begins to serve clients. */
  ready(): void {
    const { logger } = this.#deps;
    logger.info(`Listening for client connections on ${hostPort(this.settings.host, this.port)}`);
    if (this.settings.tls !== null) {
      logger.info(`TLS ${this.settings.allowNonTls ? 'available' : 'required'} for client connections`);
    }
    this.#listener.serve((socket) => this.#accept(socket));
    logger.info('Server is ready');
  }

  /** `bind` and `ready` in one. */
  async start(): Promise<void> {
    await this.bind();
    this.ready();
  }

  /** Frees the client port; connections stay. The first step of a shutdown in steps. */
  stopAccepting(): void {
    this.#listener.close();
  }

  /** Closes everything. Connections get their last bytes, within 100 ms. A second call does nothing. */
  async shutdown(): Promise<void> {
    this.stopAccepting();
    for (const connection of [...this.#registry.open.values()]) connection.close(CLOSE_REASONS.serverShutdown);
    this.#wheel.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #makeInfo(port: number): ServerInfo {
    const { authenticator } = this.#context;
    const isAuthRequired = authenticator.isRequired && authenticator.noAuthUser === null;
    return serverInfo(this.settings, this.#identity, this.#name, port, isAuthRequired);
  }

  #logStart(): void {
    const { logger } = this.#deps;
    const { settings } = this;
    logger.info('Starting nats-server');
    logger.info(`  Version:  ${settings.version}`);
    logger.info(`  Git:      [${settings.gitCommit ?? 'not set'}]`);
    logger.debug(`  Go build: ${settings.runtimeVersion}`);
    logger.info(`  Name:     ${this.#name}`);
    logger.info(`  ID:       ${this.#identity.serverId}`);
    if (this.#context.authenticator.hasPlainPasswords) {
      logger.warn('Plaintext passwords detected, use nkeys or bcrypt');
    }
    if (settings.configFile !== '') {
      logger.info(`Using configuration file: ${settings.configFile} (${settings.configDigest})`);
    }
    if (settings.maxPayload > PAYLOAD_WARN_BYTES) {
      logger.warn('Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance');
    }
    if (!settings.noSystemAccount) logger.debug('Created system account: "$SYS"');
  }

  #accept(socket: Socket): void {
    const { settings } = this;
    const registry = this.#registry;
    const isFull = registry.open.size >= settings.maxConnections;
    const connection = new Connection(this.#context, socket, registry.takeCid());
    connection.logDebug('Client connection created');
    registry.add(connection);
    connection.account.connections.add(connection);
    connection.outbound.append(this.#context.encodeInfo(connection, false));
    attach(connection, socket);
    if (isFull) {
      connection.sendError(WIRE_ERRORS.maxConnections);
      connection.logRateLimited(WIRE_ERRORS.maxConnections);
      connection.close(CLOSE_REASONS.maxConnections);
      return;
    }
    connection.start(this.#authTimeoutMs());
  }

  #authTimeoutMs(): number {
    const { authorization, tls } = this.settings;
    const fallback = tls === null ? AUTH_TIMEOUT_MS : (tls.timeoutMs ?? TLS_TIMEOUT_MS) + 1000;
    return authorization?.timeoutMs ?? fallback;
  }

  #closed(connection: Connection): void {
    this.#registry.remove(connection);
    connection.account.connections.delete(connection);
    connection.account.past.add(connection);
  }
}
