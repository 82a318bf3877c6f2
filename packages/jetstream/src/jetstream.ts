import { JetStreamAccount } from './account.ts';
import { ACCOUNT_ROUTES } from './api/account-routes.ts';
import { CLUSTER_ROUTES, SNAPSHOT_ROUTES } from './api/cluster-routes.ts';
import { ApiDispatcher } from './api/dispatcher.ts';
import { MESSAGE_ROUTES } from './api/message-routes.ts';
import type { ApiRoutes } from './api/routes.ts';
import { STREAM_INFO_ROUTES } from './api/stream-info-routes.ts';
import { STREAM_ROUTES } from './api/stream-routes.ts';
import { consumerModule } from './consumer/module.ts';
import { type Engine, Usage } from './engine.ts';
import { eachStream, type JetStreamTotals, type StreamFigures, totalsOf } from './figures.ts';
import type { Host, HostAccount } from './host.ts';
import { type HealthzOptions, type HealthzResult, type JszOptions, Monitor } from './monitor.ts';
import { type JetStreamOptions, resolveOptions } from './options.ts';
import { recoverAccount } from './recovery.ts';
import type { Storage } from './store/store.ts';
import type { ConsumerModule } from './stream/consumer-port.ts';

/**
 * The JetStream engine: streams and consumers of all accounts of a server. Equivalent to the JetStream subsystem of nats-server.
 *
 * `open` brings back what the storage holds and starts to answer `$JS.API.>`; `shutdown` commits what is outstanding, sends the
 * answers that waited for it and closes the storage.
 */
export class JetStream {
  readonly #engine: Engine;
  readonly #routes: ApiRoutes;
  readonly #monitor: Monitor;
  readonly #dispatchers: ApiDispatcher[] = [];
  /** Accounts being opened, so that shutdown waits for them. */
  readonly #opening = new Set<Promise<void>>();
  #closing: Promise<void> | null = null;

  private constructor(engine: Engine) {
    this.#engine = engine;
    this.#monitor = new Monitor(engine);
    this.#routes = {
      ...ACCOUNT_ROUTES,
      ...STREAM_ROUTES,
      ...STREAM_INFO_ROUTES,
      ...MESSAGE_ROUTES,
      ...SNAPSHOT_ROUTES,
      ...CLUSTER_ROUTES,
      ...engine.consumers.routes,
    };
  }

  /**
   * Opens the streams of every account of the host. Throws an Error for options that are not supported yet, and whatever the
   * storage throws when it cannot be read.
   */
  static open(host: Host, storage: Storage, options: JetStreamOptions = {}): Promise<JetStream> {
    return JetStream.openWith(host, storage, options, consumerModule);
  }

  /** The same with another consumer part. @internal for tests */
  static async openWith(
    host: Host,
    storage: Storage,
    options: JetStreamOptions,
    consumers: ConsumerModule,
  ): Promise<JetStream> {
    const settings = resolveOptions(options);
    const jetstream = new JetStream({ host, storage, settings, consumers, usage: new Usage(), accounts: new Map() });
    await jetstream.#openAll();
    return jetstream;
  }

  /** Stops to take messages and requests, commits, answers what waited for that, and closes the storage. */
  shutdown(): Promise<void> {
    this.#closing ??= this.#shutdown();
    return this.#closing;
  }

  /** The `jetstream` object of /varz. */
  varz(): Record<string, unknown> {
    return this.#monitor.varz();
  }

  /** The body of /jsz. */
  jsz(options: JszOptions = {}): Record<string, unknown> {
    return this.#monitor.jsz(options);
  }

  /** What /healthz says about streams and consumers. */
  healthz(options: HealthzOptions = {}): HealthzResult {
    return this.#monitor.healthz(options);
  }

  /** Figures for metrics; the time it takes grows with the streams (about 1 µs each). */
  totals(): JetStreamTotals {
    return totalsOf(this.#engine);
  }

  /** Figures of every stream that runs, worked out one by one. Streams may come and go while somebody goes through them. */
  streams(): IterableIterator<StreamFigures> {
    return eachStream(this.#engine);
  }

  /** True if the account may use JetStream. */
  accountEnabled(name: string): boolean {
    return this.#engine.accounts.has(name);
  }

  async #openAll(): Promise<void> {
    const { host, storage } = this.#engine;
    const known = new Set<string>();
    // Those that appear while others are read are opened too.
    host.onAccounts((account) => {
      if (!known.has(account.name)) this.#openLater(account);
    });
    for (const account of [...host.accounts()]) {
      known.add(account.name);
      await this.#openAccount(account);
    }
    for (const name of await storage.accounts()) {
      if (this.#engine.accounts.has(name)) continue;
      host.log.warn(`JetStream data of account '${name}' found, but the account is not known or not enabled`);
    }
  }

  #openLater(account: HostAccount): void {
    if (this.#closing !== null) return;
    const opening = this.#openAccount(account)
      .catch((error: unknown) => {
        this.#engine.host.log.error(`JetStream of account '${account.name}' could not be opened: ${String(error)}`);
      })
      .finally(() => this.#opening.delete(opening));
    this.#opening.add(opening);
  }

  /** Recovers the account's streams, then answers its requests: nobody is told that a stream is not there because it is not read yet. */
  async #openAccount(hostAccount: HostAccount): Promise<void> {
    const account = new JetStreamAccount(this.#engine, hostAccount);
    if (hostAccount.jetstreamLimits !== null) {
      await recoverAccount(this.#engine, account);
      this.#engine.accounts.set(hostAccount.name, account);
    }
    const dispatcher = new ApiDispatcher(this.#engine, account, this.#routes);
    this.#dispatchers.push(dispatcher);
    dispatcher.start();
  }

  async #shutdown(): Promise<void> {
    await Promise.all(this.#opening);
    for (const dispatcher of this.#dispatchers) dispatcher.stop();
    const streams = [...this.#engine.accounts.values()].flatMap((account) => [...account.streams.values()]);
    for (const stream of streams) stream.unsubscribe();
    // Closing a store commits, and the commit lets the answers out while the consumers are still there to count.
    for (const stream of streams) stream.stop('shutdown');
    const failures: Error[] = [];
    const failed = (what: string, cause: unknown): void => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      failures.push(new Error(`${what}: ${reason}`, { cause }));
    };
    for (const stream of streams) {
      const { account, name, storage, commits } = stream;
      await storage.close().catch((error: unknown) => failed(`stream '${account.name} > ${name}'`, error));
      commits.close(new Error('server is shutting down'));
    }
    await this.#engine.storage.close().catch((error: unknown) => failed('store', error));
    if (failures.length === 0) return;
    const reasons = failures.map(({ message }) => message).join('; ');
    throw new AggregateError(failures, `JetStream could not be closed properly: ${reasons}`);
  }
}
