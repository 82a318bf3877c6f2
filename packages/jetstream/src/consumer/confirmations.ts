import type { ConsumerStore } from '../store/store.ts';

/** Confirmed acks of one consumer that may wait for the disk; those above it are carried out but not answered. */
export const CONFIRMATIONS_MAX = 65_536;

/**
 * Answers to acks whose sender asked for one (double ack): each leaves when everything the ack changed is durable.
 * They leave in the order the acks came.
 */
export class Confirmations {
  readonly #store: ConsumerStore;
  readonly #answer: (reply: string) => void;
  readonly #onFailure: (error: Error) => void;
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
    if (error !== null) this.#onFailure(error);
    else this.#answer(reply);
  };

  constructor(store: ConsumerStore, answer: (reply: string) => void, onFailure: (error: Error) => void) {
    this.#store = store;
    this.#answer = answer;
    this.#onFailure = onFailure;
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
