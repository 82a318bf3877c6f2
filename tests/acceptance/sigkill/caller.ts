import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { expect } from 'vitest';

/** No answer came and none will: the server is dead. Whether it did what it was asked is not known. */
export class Unanswered extends Error {}

export type Json = Record<string, unknown>;

/** Requests of one connection; counts the answers. */
export class Caller {
  readonly #connection: NatsConnection;
  readonly #onAnswer: () => void;

  constructor(connection: NatsConnection, onAnswer: () => void = () => {}) {
    this.#connection = connection;
    this.#onAnswer = onAnswer;
  }

  /** A message to a subject that answers. */
  async request(subject: string, payload = '', msgId = ''): Promise<Msg> {
    const head = headers();
    if (msgId !== '') head.set('Nats-Msg-Id', msgId);
    const options = msgId === '' ? {} : { headers: head };
    let answer: Msg;
    try {
      answer = await this.#connection.request(subject, payload, { timeout: 10_000, ...options });
    } catch (error) {
      if (!this.#connection.isClosed()) throw new Error(`${subject} ${payload}: no answer`, { cause: error });
      throw new Unanswered(subject, { cause: error });
    }
    this.#onAnswer();
    return answer;
  }

  /** An API request, whatever it comes to. */
  async ask(subject: string, body: unknown = ''): Promise<Json> {
    const answer = await this.request(`$JS.API.${subject}`, typeof body === 'string' ? body : JSON.stringify(body));
    return answer.json<Json>();
  }

  /** An API request that must succeed. */
  async api(subject: string, body: unknown = ''): Promise<Json> {
    const answer = await this.ask(subject, body);
    expect(answer['error'], `${subject} ${JSON.stringify(body)}`).toBeUndefined();
    return answer;
  }

  /** Publishes with an acknowledgement: its sequence and whether it was a duplicate. */
  async publish(subject: string, payload: string, msgId = ''): Promise<{ seq: number; duplicate: boolean }> {
    const ack = (await this.request(subject, payload, msgId)).json<Json>();
    expect(ack['error'], `${subject} ${payload}`).toBeUndefined();
    return { seq: Number(ack['seq']), duplicate: ack['duplicate'] === true };
  }

  /** Asks for messages of a consumer and calls back for each; resolves when there are no more or the batch is full. */
  pull(stream: string, consumer: string, batch: number, onMessage: (message: Msg) => void): Promise<void> {
    const inbox = `pull.${stream}.${consumer}.${Math.random()}`;
    return new Promise((resolve, reject) => {
      let left = batch;
      const subscription = this.#connection.subscribe(inbox, {
        callback: (error, message) => {
          if (error === null && (message.headers === undefined || message.headers.code === 0)) {
            onMessage(message);
            if (--left > 0) return;
          }
          subscription.unsubscribe();
          resolve();
        },
      });
      void this.#connection.closed().then(() => reject(new Unanswered('pull')));
      this.#connection.publish(
        `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
        JSON.stringify({ batch, no_wait: true }),
        { reply: inbox },
      );
    });
  }

  /** Every message of a stream, `subject payload` by sequence, and its last sequence. */
  async content(stream: string): Promise<{ messages: Map<number, string>; lastSeq: number }> {
    const info = await this.api(`STREAM.INFO.${stream}`);
    const state = info['state'] as { messages: number; first_seq: number; last_seq: number };
    const messages = new Map<number, string>();
    const asked: Promise<void>[] = [];
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
      asked.push(
        this.ask(`STREAM.MSG.GET.${stream}`, { seq }).then(({ message }) => {
          if (message === undefined) return;
          const { subject, data } = message as { subject: string; data?: string };
          messages.set(seq, `${subject} ${Buffer.from(data ?? '', 'base64')}`);
        }),
      );
    }
    await Promise.all(asked);
    expect(messages.size, `${stream}: messages counted and found`).toBe(state.messages);
    const sorted = new Map([...messages].sort(([left], [right]) => left - right));
    return { messages: sorted, lastSeq: state.last_seq };
  }
}

/** The same numbers for the same seed, on every machine. */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Does things to a server and knows what it must remember of them. */
export interface Worker {
  /** The stream whose content two servers can be compared by; null = none. */
  readonly stream: string | null;
  /** Creates what it works on. */
  setUp(caller: Caller): Promise<void>;
  /** One thing more. Rejects with Unanswered when the server dies over it. */
  step(caller: Caller): Promise<void>;
  /** The server was killed and started again: is all there that was acknowledged, and nothing that was deleted? */
  verify(caller: Caller): Promise<void>;
}
