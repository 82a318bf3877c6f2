import { Sublist } from '@nats-ts/sublist';
import type {
  AccountLimits,
  ClientInfo,
  Host,
  HostAccount,
  HostHold,
  HostMessage,
  HostSubscription,
  Ids,
  Log,
  StandingMessage,
} from '../src/host.ts';
import { ManualClock, turns } from './manual-clock.ts';

/** A message as a client of the fake host gets it; bytes are its own. */
export interface Received {
  subject: string;
  reply: string | null;
  /** The header block as text, '' when there is none. */
  header: string;
  payload: string;
  bytes: Buffer;
}

export interface PublishOptions {
  reply?: string | null;
  /** A whole header block, or name and value pairs. */
  headers?: string | Record<string, string>;
  client?: Partial<ClientInfo>;
}

type Internal = (message: HostMessage) => boolean;

interface Subscriber {
  /** Set for subscriptions that JetStream made. */
  readonly internal: Internal | null;
  readonly queue: string | null;
  readonly onMessage: ((message: Received) => void) | null;
}

export const UNLIMITED: AccountLimits = {
  maxMemory: -1,
  maxStorage: -1,
  maxStreams: -1,
  maxConsumers: -1,
  maxAckPending: -1,
  memoryMaxStreamBytes: -1,
  storageMaxStreamBytes: -1,
  maxBytesRequired: false,
};

/** The text of a header block: `NATS/1.0` and the given lines. */
export function headerBlock(headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `NATS/1.0\r\n${lines.join('')}\r\n`;
}

/** One account of the fake host; clients publish and subscribe through it. */
export class FakeAccount implements HostAccount {
  readonly name: string;
  jetstreamLimits: AccountLimits | null = UNLIMITED;
  /** Everything the engine sent with deliver, delivered or not; for asserting order. */
  readonly sent: Received[] = [];
  /** How long a request waits for its answer beyond some turns of the event loop; for engines on a real disk. */
  patienceMs = 0;
  /** Holds on publishers that are not released. */
  holds = 0;
  readonly #subscribers = new Sublist<Subscriber>();
  readonly #turn: { inbox: number };

  constructor(name: string) {
    this.name = name;
    this.#turn = { inbox: 0 };
  }

  // What JetStream calls.

  subscribe(subject: string, queue: string | null, callback: Internal): HostSubscription {
    return this.#add({ internal: callback, queue, onMessage: null }, subject);
  }

  hasInterest(subject: string, queue: string | null): boolean {
    return this.#subscribers.hasSubscription(subject, queue);
  }

  hasListeners(subject: string): boolean {
    const { plain, queues } = this.#subscribers.match(subject);
    return plain.length > 0 || queues.length > 0;
  }

  onInterest(subject: string, queue: string | null, callback: (interested: boolean) => void): HostSubscription {
    const end = this.#subscribers.onInterest(subject, queue, callback);
    return { close: end };
  }

  deliver(
    to: string,
    subject: string,
    reply: string | null,
    header: Uint8Array | null,
    payload: Uint8Array | null,
  ): number {
    const headerBytes = Buffer.from(header ?? []);
    const bytes = Buffer.from(payload ?? []);
    this.sent.push({ subject, reply, header: headerBytes.toString('latin1'), payload: bytes.toString(), bytes });
    return this.#route(to, subject, reply, headerBytes, bytes, null);
  }

  deliverStored(to: string, message: StandingMessage): number {
    const { subject, buffer, headerStart, payloadStart, payloadEnd } = message;
    const reply = message.replyEnd === 0 ? null : message.reply.toString('utf8', 0, message.replyEnd);
    const header = payloadStart > headerStart ? buffer.subarray(headerStart, payloadStart) : null;
    return this.deliver(to, subject, reply, header, buffer.subarray(payloadStart, payloadEnd));
  }

  // What a test's clients call.

  /** A client's subscription; returns what ends it. */
  listen(subject: string, onMessage: (message: Received) => void, queue: string | null = null): HostSubscription {
    return this.#add({ internal: null, queue, onMessage }, subject);
  }

  /** A client's subscription that keeps what arrives. */
  inbox(subject: string, queue: string | null = null): Received[] {
    const messages: Received[] = [];
    this.listen(subject, (message) => messages.push(message), queue);
    return messages;
  }

  /** Publishes as a client; returns how many got it (0 = "no responders" for a request). */
  publish(subject: string, payload: string | Uint8Array = '', options: PublishOptions = {}): number {
    const block = typeof options.headers === 'object' ? headerBlock(options.headers) : (options.headers ?? '');
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload);
    const client: ClientInfo = {
      start: '2026-01-02T03:04:05Z',
      host: '127.0.0.1',
      id: 5,
      acc: this.name,
      name: 'test',
      lang: 'typescript',
      ver: '1',
      rtt: 1000,
      server: 'fake',
      kind: 'Client',
      client_type: 'nats',
      ...options.client,
    };
    return this.#route(subject, subject, options.reply ?? null, Buffer.from(block, 'latin1'), bytes, client);
  }

  /** Publishes with a fresh reply subject and waits for one answer; null = no responders, undefined = silence. */
  async request(
    subject: string,
    payload: string | Uint8Array = '',
    options: PublishOptions = {},
    patience = 50,
  ): Promise<Received | null | undefined> {
    const reply = `_INBOX.fake.${++this.#turn.inbox}`;
    let answer: Received | undefined;
    const subscription = this.listen(reply, (message) => {
      answer ??= message;
    });
    try {
      if (this.publish(subject, payload, { ...options, reply }) === 0) return null;
      for (let turn = 0; turn < patience && answer === undefined; turn++) await turns(1);
      // A disk needs time that turns of the event loop do not give it.
      const deadlineMs = performance.now() + this.patienceMs;
      while (answer === undefined && performance.now() < deadlineMs) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return answer;
    } finally {
      subscription.close();
    }
  }

  #add(subscriber: Subscriber, subject: string): HostSubscription {
    if (!this.#subscribers.insert(subject, subscriber.queue, subscriber)) throw new Error(`invalid subject ${subject}`);
    return {
      close: () => {
        this.#subscribers.remove(subject, subscriber.queue, subscriber);
      },
    };
  }

  #hold(): HostHold {
    this.holds++;
    let isReleased = false;
    return {
      release: () => {
        if (!isReleased) this.holds--;
        isReleased = true;
      },
    };
  }

  #route(
    to: string,
    subject: string,
    reply: string | null,
    header: Buffer,
    payload: Buffer,
    client: ClientInfo | null,
  ): number {
    const { plain, queues } = this.#subscribers.match(to);
    // The bytes are overwritten afterwards, as the server's read buffer is: whoever kept them without a copy shows.
    const buffer = Buffer.concat([Buffer.from('junk'), header, payload]);
    let reached = 0;
    const give = (subscriber: Subscriber): void => {
      if (subscriber.internal === null) {
        const received = {
          subject,
          reply,
          header: header.toString('latin1'),
          payload: payload.toString(),
          bytes: payload,
        };
        subscriber.onMessage?.(received);
        reached++;
        return;
      }
      const message: HostMessage = {
        subject,
        reply,
        buffer,
        headerStart: 4,
        payloadStart: 4 + header.length,
        payloadEnd: buffer.length,
        clientInfo: () => client,
        holdPublisher: () => (client === null ? null : this.#hold()),
      };
      if (subscriber.internal(message)) reached++;
    };
    for (const subscriber of plain) give(subscriber);
    for (const group of queues) give(group.members[0]!);
    buffer.fill(0x23);
    return reached;
  }
}

/** A server for JetStream to run in, all in memory: manual clock, counted ids, accounts that route to test callbacks. */
export class FakeHost implements Host {
  readonly clock: ManualClock = new ManualClock();
  readonly serverId = 'NFAKE';
  readonly serverName = 'fake';
  readonly clusterName: string | null = null;
  readonly maxPayload: number = 1024 * 1024;
  readonly lines: string[] = [];
  readonly ids: Ids;
  readonly log: Log;
  readonly #accounts = new Map<string, FakeAccount>();
  readonly #watchers: ((account: HostAccount) => void)[] = [];
  #counter = 0;

  constructor() {
    this.ids = {
      nuid: () => String(++this.#counter).padStart(22, '0'),
      token: (length) =>
        String(++this.#counter)
          .padStart(length, 'A')
          .slice(-length),
      random: () => 0.5,
      bytes: (length) => new Uint8Array(length).fill(7),
    };
    this.log = {
      error: (text) => this.lines.push(`ERR ${text}`),
      warn: (text) => this.lines.push(`WRN ${text}`),
      info: (text) => this.lines.push(`INF ${text}`),
      debug: (text) => this.lines.push(`DBG ${text}`),
    };
    this.account('$G');
  }

  /** The account of that name, made if it is new. */
  account(name = '$G'): FakeAccount {
    let account = this.#accounts.get(name);
    if (account === undefined) {
      account = new FakeAccount(name);
      this.#accounts.set(name, account);
      for (const watcher of this.#watchers) watcher(account);
    }
    return account;
  }

  accounts(): Iterable<HostAccount> {
    return this.#accounts.values();
  }

  onAccounts(callback: (account: HostAccount) => void): void {
    this.#watchers.push(callback);
  }
}
