import {
  connect,
  createInbox,
  errors,
  type Msg,
  headers as makeHeaders,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import type { BucketWatch } from '../bucket.ts';
import type { JetStreamLink, LinkMessage } from '../jetstream/link.ts';
import { RegistryError } from '../registry-error.ts';
import type { NatsOptions } from './options.ts';

const REQUEST_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_WAIT_MS = 500;
/** A login that is refused is tried again after twice the time, and so on up to this: the server logs every attempt. */
const REFUSED_WAIT_MAX_MS = 10_000;
const PING_INTERVAL_MS = 20_000;
const UNANSWERED_PINGS_MAX = 2;

interface Subscription {
  readonly subject: string;
  readonly callback: (message: LinkMessage) => void;
  end: () => void;
}

/** A connection to NATS servers that is made again for ever: after a refused login, and before it was there once. */
export class NatsLink implements JetStreamLink {
  readonly #options: NodeConnectionOptions;
  readonly #onError: (error: unknown) => void;
  readonly #subscriptions = new Set<Subscription>();
  readonly #restored = new Set<() => void>();
  #connection: NatsConnection | null = null;
  #isUp = false;
  #closed = false;
  #wake: () => void = () => {};
  /** Before the next attempt to connect. */
  #waitMs = RECONNECT_WAIT_MS;

  constructor(options: NatsOptions) {
    this.#options = connectionOptions(options);
    this.#onError = options.onError ?? (() => {});
  }

  /** One attempt to connect; rejects if it fails. After that it stays connected, as far as it can. */
  async connect(): Promise<void> {
    let connection: NatsConnection;
    try {
      connection = await connect(this.#options);
    } catch (cause) {
      throw new RegistryError('unavailable', `cannot connect to ${this.#servers()}: ${messageOf(cause)}`, { cause });
    }
    if (this.#closed) {
      await connection.close();
      throw new RegistryError('closed', 'the connection was closed while it was made');
    }
    this.#adopt(connection);
  }

  /** Connects, trying for ever; resolves when it succeeded. Rejects when it is closed before. */
  async connectForEver(): Promise<void> {
    for (;;) {
      try {
        await this.connect();
        this.#waitMs = RECONNECT_WAIT_MS;
        return;
      } catch (error) {
        if (this.#closed) throw error;
        this.#onError(error);
        this.#waitMs = isRefusal(error) ? Math.min(2 * this.#waitMs, REFUSED_WAIT_MAX_MS) : RECONNECT_WAIT_MS;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#waitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (this.#closed) throw new RegistryError('closed', 'the connection was closed while it was made');
    }
  }

  async request(
    subject: string,
    payload: Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<LinkMessage> {
    const connection = this.#connection;
    if (connection === null || !this.#isUp)
      throw new RegistryError('unavailable', `not connected to ${this.#servers()}`);
    const names = Object.entries(headers);
    const sent = names.length > 0 ? makeHeaders() : null;
    for (const [name, value] of names) sent?.set(name, value);
    try {
      const options = { timeout: REQUEST_TIMEOUT_MS, ...(sent === null ? {} : { headers: sent }) };
      return fromMsg(await connection.request(subject, payload, options));
    } catch (cause) {
      const reason = cause instanceof errors.RequestError ? (cause.cause ?? cause) : cause;
      if (reason instanceof errors.NoRespondersError) return nobody(subject);
      throw new RegistryError('unavailable', `${this.#servers()}, ${subject}: ${messageOf(reason)}`, { cause });
    }
  }

  publish(subject: string): void {
    if (this.#isUp) this.#connection?.publish(subject);
  }

  subscribe(subject: string, callback: (message: LinkMessage) => void): BucketWatch {
    const subscription: Subscription = { subject, callback, end: () => {} };
    this.#subscriptions.add(subscription);
    if (this.#connection !== null) this.#attach(subscription, this.#connection);
    return {
      stop: () => {
        if (this.#subscriptions.delete(subscription)) subscription.end();
      },
    };
  }

  newInbox(): string {
    return createInbox();
  }

  onRestored(callback: () => void): BucketWatch {
    this.#restored.add(callback);
    return { stop: () => void this.#restored.delete(callback) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#isUp = false;
    this.#wake();
    await this.#connection?.close();
    this.#connection = null;
  }

  #servers(): string {
    return ([] as string[]).concat(this.#options.servers ?? []).join(', ');
  }

  #adopt(connection: NatsConnection): void {
    this.#connection = connection;
    for (const subscription of this.#subscriptions) this.#attach(subscription, connection);
    void this.#followStatus(connection);
    void connection.closed().then((reason) => this.#onClosed(connection, reason instanceof Error ? reason : null));
    this.#setUp();
  }

  #attach(subscription: Subscription, connection: NatsConnection): void {
    const { subject } = subscription;
    const made = connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) subscription.callback(fromMsg(message));
        else this.#onError(error);
      },
    });
    subscription.end = () => made.unsubscribe();
  }

  async #followStatus(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (this.#connection !== connection) return;
      if (status.type === 'disconnect') {
        this.#isUp = false;
        this.#onError(new RegistryError('unavailable', `the connection to ${status.server} is lost`));
      } else if (status.type === 'reconnect') this.#setUp();
      else if (status.type === 'error') this.#onError(status.error);
    }
  }

  /** The client gave up, although it is not meant to. */
  #onClosed(connection: NatsConnection, reason: Error | null): void {
    if (this.#closed || this.#connection !== connection) return;
    this.#connection = null;
    this.#isUp = false;
    if (reason !== null) this.#onError(reason);
    this.connectForEver().catch((error: unknown) => {
      if (!this.#closed) this.#onError(error);
    });
  }

  #setUp(): void {
    this.#isUp = true;
    for (const callback of [...this.#restored]) callback();
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof RegistryError && error.cause instanceof errors.AuthorizationError;
}

function connectionOptions(options: NatsOptions): NodeConnectionOptions {
  const { tls, name } = options;
  const { servers, user, pass } = withoutUserInfo(options);
  return {
    servers,
    name: name ?? 'nats-js-kv-registry',
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
            ...(tls.skipVerify === true ? { rejectUnauthorized: false } : {}),
          },
        }),
    timeout: CONNECT_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    ignoreAuthErrorAbort: true,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: UNANSWERED_PINGS_MAX,
  };
}

/** Takes `user:password@` out of addresses: the client does not read it there, and addresses are shown in errors. */
function withoutUserInfo(options: NatsOptions): {
  servers: string[];
  user?: string | undefined;
  pass?: string | undefined;
} {
  let { user, pass } = options;
  const servers = options.servers.map((server) => {
    const match = /^([a-z]+:\/\/)?([^@/]*)@(.*)$/i.exec(server);
    if (match === null) return server;
    const [, scheme = '', info = '', rest = ''] = match;
    if (user === undefined) {
      const colon = info.indexOf(':');
      user = decodePercent(colon < 0 ? info : info.slice(0, colon));
      pass = colon < 0 ? undefined : decodePercent(info.slice(colon + 1));
    }
    return `${scheme}${rest}`;
  });
  return { servers, user, pass };
}

/** What is no percent-encoding stands for itself. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function fromMsg(message: Msg): LinkMessage {
  return {
    subject: message.subject,
    reply: message.reply === undefined || message.reply === '' ? null : message.reply,
    status: message.headers?.code ?? 0,
    payload: message.data,
    header: (name) => message.headers?.get(name) ?? '',
  };
}

function nobody(subject: string): LinkMessage {
  return { subject, reply: null, status: 503, payload: new Uint8Array(0), header: () => '' };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
