import type { ConsumerStore } from '../store/store.ts';
import type { ConsumerCore } from './core.ts';

/** Confirmed acks of one consumer that may wait for the disk; those above it are carried out but not answered. */
export const CONFIRMATIONS_MAX = 65_536;

/**
 * Answers to acks whose sender asked for one (double ack): each leaves when everything the ack changed is durable.
 * They leave in the order the acks came.
 */
export class Confirmations {
  readonly #core: ConsumerCore;
  readonly #store: ConsumerStore;
  #replies: string[] = [];
  /** Replies below it have left; the array is cut now and then. */
  #head = 0;
  readonly #onSynced = (error: Error | null): void => {
    const reply = this.#replies[this.#head]!;
    this.#head++;
    if (this.#head === this.#replies.length) {
      this.#replies = [];
      this.#head = 0;
    } else if (this.#head >= CONFIRMATIONS_MAX) {
      this.#replies = this.#replies.slice(this.#head);
      this.#head = 0;
    }
    const { stream, name } = this.#core;
    if (error === null) stream.account.deliver(reply, reply, null, null, null);
    else {
      const consumer = `${stream.account.name} > ${stream.name} > ${name}`;
      stream.host.log.error(`JetStream consumer '${consumer}' ack is not confirmed: ${error.message}`);
    }
  };

  constructor(core: ConsumerCore, store: ConsumerStore) {
    this.#core = core;
    this.#store = store;
  }

  /** Acks that wait for the disk. */
  get waiting(): number {
    return this.#replies.length - this.#head;
  }

  /** Answers on `reply` once everything reported to the store so far is durable. */
  add(reply: string): void {
    if (this.waiting >= CONFIRMATIONS_MAX) return;
    this.#replies.push(reply);
    this.#store.sync(this.#onSynced);
  }
}
