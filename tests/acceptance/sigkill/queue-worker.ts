import type { Msg } from '@nats-io/transport-node';
import { expect } from 'vitest';
import { type Caller, numbers, Unanswered, type Worker } from './caller.ts';

const ACK_WAIT_NS = 1_000_000_000;

/** What one consumer has confirmed of the messages, by payload. */
interface Progress {
  readonly name: string;
  readonly confirmed: Set<string>;
  /** Acks that were sent and not answered: they may have been taken. */
  readonly acking: Set<string>;
}

/** Publishes to a work queue or interest stream, takes messages from its consumers, and has the acks confirmed. */
export class QueueWorker implements Worker {
  readonly stream: string;
  readonly #retention: 'workqueue' | 'interest';
  readonly #random: (below: number) => number;
  readonly #consumers: Progress[];
  /** Messages that were acknowledged; those of `#publishing` may be there. */
  readonly #published = new Set<string>();
  readonly #publishing = new Set<string>();
  #count = 0;

  constructor(stream: string, retention: 'workqueue' | 'interest', consumers: readonly string[], seed: number) {
    this.stream = stream;
    this.#retention = retention;
    this.#random = numbers(seed);
    this.#consumers = consumers.map((name) => ({ name, confirmed: new Set(), acking: new Set() }));
  }

  async setUp(caller: Caller): Promise<void> {
    const { stream } = this;
    const config = { name: stream, subjects: [`${stream}.>`], retention: this.#retention };
    await caller.api(`STREAM.CREATE.${stream}`, config);
    for (const { name } of this.#consumers) await this.#createConsumer(caller, name);
  }

  async step(caller: Caller): Promise<void> {
    const what = this.#random(20);
    const consumer = this.#consumers[this.#random(this.#consumers.length)]!;
    if (what < 9) await this.#publish(caller);
    else if (what < 19) await this.#consume(caller, consumer);
    else if (this.#retention === 'workqueue') await this.#createAnew(caller, consumer);
  }

  async verify(caller: Caller): Promise<void> {
    // A kill may have come between the deletion of a consumer and its creation.
    for (const { name } of this.#consumers) await this.#createConsumer(caller, name);
    const { messages } = await caller.content(this.stream);
    const found = new Set([...messages.values()].map((text) => text.slice(text.indexOf(' ') + 1)));
    expect(found.size, `${this.stream}: no message is there twice`).toBe(messages.size);
    for (const payload of found) {
      expect(this.#published.has(payload) || this.#publishing.has(payload), `${this.stream}: ${payload}`).toBe(true);
      const isDone = this.#consumers.every(({ confirmed }) => confirmed.has(payload));
      expect(isDone, `${this.stream}: ${payload} was confirmed and is back`).toBe(false);
    }
    for (const payload of this.#published) {
      const mayBeDone = this.#consumers.every(({ confirmed, acking }) => confirmed.has(payload) || acking.has(payload));
      if (!mayBeDone) expect(found.has(payload), `${this.stream}: ${payload} is lost`).toBe(true);
      else if (!found.has(payload)) this.#published.delete(payload);
    }
    for (const payload of this.#publishing) if (found.has(payload)) this.#published.add(payload);
    this.#publishing.clear();
  }

  async #publish(caller: Caller): Promise<void> {
    const payloads = Array.from({ length: 1 + this.#random(8) }, () => `${this.stream}-${++this.#count}`);
    for (const payload of payloads) this.#publishing.add(payload);
    const acks = payloads.map((payload) => caller.publish(`${this.stream}.${this.#random(3)}`, payload));
    await Promise.allSettled(acks);
    for (const [at, ack] of acks.entries()) {
      await ack;
      this.#publishing.delete(payloads[at]!);
      this.#published.add(payloads[at]!);
    }
  }

  async #consume(caller: Caller, consumer: Progress): Promise<void> {
    const { name, confirmed, acking } = consumer;
    const acks: Promise<void>[] = [];
    const ack = async (message: Msg): Promise<void> => {
      const payload = message.string();
      expect(confirmed.has(payload), `${this.stream} > ${name}: ${payload} was confirmed and came again`).toBe(false);
      // Some are not acked and come again.
      if (this.#random(4) === 0) return;
      acking.add(payload);
      await caller.request(message.reply ?? '', this.#random(5) === 0 ? '+TERM' : '+ACK');
      acking.delete(payload);
      confirmed.add(payload);
    };
    await caller.pull(this.stream, name, 1 + this.#random(8), (message) => acks.push(ack(message)));
    const outcomes = await Promise.allSettled(acks);
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as unknown);
    for (const failure of failures) if (!(failure instanceof Unanswered)) throw failure;
    if (failures.length > 0) throw failures[0];
  }

  /** What is left on a work queue is for whoever comes next. */
  async #createAnew(caller: Caller, { name }: Progress): Promise<void> {
    await caller.api(`CONSUMER.DELETE.${this.stream}.${name}`);
    await this.#createConsumer(caller, name);
  }

  async #createConsumer(caller: Caller, name: string): Promise<void> {
    await caller.api(`CONSUMER.CREATE.${this.stream}.${name}`, {
      stream_name: this.stream,
      config: { durable_name: name, ack_policy: 'explicit', ack_wait: ACK_WAIT_NS, max_deliver: -1 },
    });
  }
}
