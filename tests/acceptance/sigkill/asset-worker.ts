import { expect } from 'vitest';
import { type Caller, numbers, type Worker } from './caller.ts';

/** What is known of a stream; null = there is none. */
interface Asset {
  readonly description: string;
  readonly messages: number;
  readonly hasConsumer: boolean;
}

/** Creates, changes and deletes a stream and a consumer of it, always by the same names. */
export class AssetWorker implements Worker {
  readonly stream = null;
  readonly #name: string;
  readonly #random: (below: number) => number;
  #count = 0;
  #now: Asset | null = null;
  /** What it is if the change that was asked for and not answered was made. */
  #next: Asset | null = null;

  constructor(name: string, seed: number) {
    this.#name = name;
    this.#random = numbers(seed);
  }

  async setUp(): Promise<void> {}

  async step(caller: Caller): Promise<void> {
    const name = this.#name;
    const now = this.#now;
    if (now === null) {
      const description = `${++this.#count}`;
      await this.#change({ description, messages: 0, hasConsumer: false }, () =>
        caller.api(`STREAM.CREATE.${name}`, { name, description }),
      );
      return;
    }
    const what = this.#random(10);
    if (what < 2) {
      await this.#change(null, () => caller.api(`STREAM.DELETE.${name}`));
    } else if (what < 4) {
      const description = `${++this.#count}`;
      await this.#change({ ...now, description }, () => caller.api(`STREAM.UPDATE.${name}`, { name, description }));
    } else if (what < 6) {
      const config = { durable_name: 'c', ack_policy: 'explicit' };
      await this.#change({ ...now, hasConsumer: !now.hasConsumer }, () =>
        now.hasConsumer
          ? caller.api(`CONSUMER.DELETE.${name}.c`)
          : caller.api(`CONSUMER.CREATE.${name}.c`, { stream_name: name, config }),
      );
    } else {
      await this.#change({ ...now, messages: now.messages + 1 }, () => caller.publish(name, 'x'));
    }
  }

  async verify(caller: Caller): Promise<void> {
    const info = await caller.ask(`STREAM.INFO.${this.#name}`);
    let found: Asset | null = null;
    if (info['error'] === undefined) {
      const { consumers } = await caller.api(`CONSUMER.NAMES.${this.#name}`);
      found = {
        description: String((info['config'] as { description: string }).description),
        messages: (info['state'] as { messages: number }).messages,
        hasConsumer: (consumers as string[]).includes('c'),
      };
    }
    expect([this.#now, this.#next], `${this.#name} as it was, or as it was asked to be`).toContainEqual(found);
    this.#now = found;
    this.#next = found;
  }

  async #change(to: Asset | null, ask: () => Promise<unknown>): Promise<void> {
    this.#next = to;
    await ask();
    this.#now = to;
  }
}
