import type { BucketWatch, JetStreamLink, LinkMessage } from '../../src/index.ts';
import { encodeStoreKey } from '../../src/index.ts';

const NONE = new Uint8Array(0);

/** A server with JetStream as far as the bucket sees it, driven by the test. */
export class FakeLink implements JetStreamLink {
  readonly requests: string[] = [];
  readonly published: string[] = [];
  /** Entries that a new consumer begins with. */
  initial: string[] = [];
  allowDirect = true;
  created = 'first';
  /** Answers by the beginnings of subjects; checked before the built-in ones. */
  readonly answers = new Map<string, Partial<LinkMessage>>();
  #inbox = '';
  #listener: ((message: LinkMessage) => void) | null = null;
  #sequence = 0;
  #inboxes = 0;
  #restored: (() => void)[] = [];

  async request(subject: string): Promise<LinkMessage> {
    this.requests.push(subject);
    for (const [start, answer] of this.answers) if (subject.startsWith(start)) return message(answer);
    if (subject.startsWith('$JS.API.STREAM.INFO.'))
      return json({ created: this.created, config: { max_age: 30e9, allow_direct: this.allowDirect } });
    if (subject.startsWith('$JS.API.CONSUMER.CREATE.')) {
      this.#sequence = 0;
      const keys = [...this.initial];
      queueMicrotask(() => {
        for (const key of keys) this.deliver(key);
      });
      return json({ num_pending: keys.length, delivered: { consumer_seq: 0 } });
    }
    return json({ stream: 'KV_service-registry', seq: 1 });
  }

  publish(subject: string): void {
    this.published.push(subject);
  }

  subscribe(subject: string, callback: (message: LinkMessage) => void): BucketWatch {
    this.#inbox = subject;
    this.#listener = callback;
    return {
      stop: () => {
        if (this.#inbox === subject) this.#listener = null;
      },
    };
  }

  newInbox(): string {
    return `_INBOX.${String(this.#inboxes++).padStart(8, '0')}`;
  }

  onRestored(callback: () => void): BucketWatch {
    this.#restored.push(callback);
    return { stop: () => {} };
  }

  async close(): Promise<void> {}

  restore(): void {
    for (const callback of this.#restored) callback();
  }

  /** One entry to the consumer; `skip` loses messages before it. */
  deliver(key: string, skip = 0): void {
    this.#sequence += 1 + skip;
    this.#listener?.({
      ...message({}),
      subject: `$KV.service-registry.${encodeStoreKey(key)}`,
      reply: `$JS.ACK.KV_service-registry.c.1.${this.#sequence}.${this.#sequence}.1700000000000000000.0`,
    });
  }

  status(headers: Record<string, string>, status = 100, reply: string | null = null): void {
    this.#listener?.(message({ status, reply, header: (name) => headers[name] ?? '' }));
  }
}

function message(parts: Partial<LinkMessage>): LinkMessage {
  return { subject: '', reply: null, status: 0, payload: NONE, header: () => '', ...parts };
}

export function json(value: object): LinkMessage {
  return message({ payload: Buffer.from(JSON.stringify(value)) });
}
