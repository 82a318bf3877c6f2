import { randomUUID } from 'node:crypto';
import { type BucketWatch, type JetStreamLink, type LinkMessage, RegistryError } from '@nats-ts/kv-registry';
import type { EmbeddedServer } from '@nats-ts/natsd';

/** An account of the server in this process. */
export type HostAccount = NonNullable<ReturnType<EmbeddedServer['server']['host']['account']>>;
type ClientInfo = Parameters<HostAccount['publishAs']>[0];
type HostMessage = Parameters<Parameters<HostAccount['subscribe']>[2]>[0];

interface Pending {
  settle(message: LinkMessage): void;
  fail(error: Error): void;
}

/** Requests that wait for an answer; one more fails at once. */
export const PENDING_REQUESTS_MAX = 10_000;

const REQUEST_TIMEOUT_MS = 5_000;
const EMPTY = new Uint8Array(0);

/** The way to JetStream in the same process: no connection, so neither TLS nor a login stands between. */
export class HostLink implements JetStreamLink {
  readonly #account: HostAccount;
  /** Who asks, as JetStream's advisories name it. */
  readonly #client: ClientInfo;
  readonly #prefix = `_INBOX.${randomUUID().replaceAll('-', '')}`;
  readonly #pending = new Map<string, Pending>();
  readonly #answers: BucketWatch;
  /** Messages are handed on after the turn that published them: subscribers may publish themselves. */
  #queue: [callback: (message: LinkMessage) => void, message: LinkMessage][] = [];
  #nextToken = 1;
  #closed = false;

  constructor(account: HostAccount, serverName: string) {
    this.#account = account;
    this.#client = {
      start: new Date().toISOString(),
      host: '127.0.0.1',
      id: 0,
      acc: account.name,
      name: 'nats-js-kv-registry',
      lang: 'nats-ts',
      server: serverName,
      kind: 'Client',
      client_type: 'nats',
    };
    this.#answers = this.subscribe(`${this.#prefix}.*`, (message) => {
      const pending = this.#pending.get(message.subject);
      this.#pending.delete(message.subject);
      pending?.settle(message);
    });
  }

  request(subject: string, payload: Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<LinkMessage> {
    if (this.#closed) return Promise.reject(new RegistryError('closed', 'the registry is closed'));
    if (this.#pending.size >= PENDING_REQUESTS_MAX) {
      const text = `${PENDING_REQUESTS_MAX} requests of the registry wait for an answer already`;
      return Promise.reject(new RegistryError('limit', text));
    }
    const reply = this.newInbox();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(reply);
        reject(new RegistryError('unavailable', `${subject}: no answer within ${REQUEST_TIMEOUT_MS} ms`));
      }, REQUEST_TIMEOUT_MS);
      timer.unref();
      const settle = (message: LinkMessage): void => {
        clearTimeout(timer);
        resolve(message);
      };
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      this.#pending.set(reply, { settle, fail });
      if (this.#account.publishAs(this.#client, subject, reply, encodeHeaders(headers), payload) > 0) return;
      this.#pending.delete(reply);
      settle({ subject: reply, reply: null, status: 503, payload: EMPTY, header: () => '' });
    });
  }

  publish(subject: string): void {
    if (!this.#closed) this.#account.publishAs(this.#client, subject, null, null, EMPTY);
  }

  subscribe(subject: string, callback: (message: LinkMessage) => void): BucketWatch {
    let isOpen = true;
    const guarded = (message: LinkMessage): void => {
      if (isOpen) callback(message);
    };
    const subscription = this.#account.subscribe(subject, null, (message) => {
      this.#enqueue(guarded, copyOf(message));
      return true;
    });
    return {
      stop: () => {
        isOpen = false;
        subscription.close();
      },
    };
  }

  newInbox(): string {
    return `${this.#prefix}.${String(this.#nextToken++).padStart(8, '0')}`;
  }

  /** The server ends with the process. */
  onRestored(): BucketWatch {
    return { stop: () => {} };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#answers.stop();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { fail } of pending) fail(new RegistryError('closed', 'the registry is closed'));
  }

  #enqueue(callback: (message: LinkMessage) => void, message: LinkMessage): void {
    if (this.#queue.push([callback, message]) > 1) return;
    queueMicrotask(() => {
      const batch = this.#queue;
      this.#queue = [];
      for (const [deliver, one] of batch) deliver(one);
    });
  }
}

function encodeHeaders(headers: Readonly<Record<string, string>>): Uint8Array | null {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return lines.length === 0 ? null : Buffer.from(`NATS/1.0\r\n${lines.join('')}\r\n`, 'latin1');
}

/** The message's bytes are only there during the callback. */
function copyOf(message: HostMessage): LinkMessage {
  const { buffer, headerStart, payloadStart, payloadEnd, subject, reply } = message;
  const block = buffer.toString('latin1', headerStart, payloadStart);
  return {
    subject,
    reply,
    status: Number(/^NATS\/1\.0 (\d{3})/.exec(block)?.[1] ?? 0),
    payload: Uint8Array.prototype.slice.call(buffer, payloadStart, payloadEnd),
    header: (name) => {
      const line = block.split('\r\n').find((text) => text.startsWith(`${name}:`));
      return line === undefined ? '' : line.slice(name.length + 1).trim();
    },
  };
}
