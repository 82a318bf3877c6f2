import { HeldPublishers } from '../held-publishers.ts';
import type { Clock, HostMessage } from '../host.ts';

/** Milliseconds of requests in a row before everything else in the process gets its turn. */
export const REQUESTS_TURN_MS = 20;
/**
 * Part of the limit at which whoever asks is not read from any more, and part at which they go on. nats-server keeps up by working on
 * several processors; here those who ask more than can be answered wait, and others wait for no more than this.
 */
export const REQUESTS_HOLD_SHARE: number = 1 / 8;
export const REQUESTS_RELEASE_SHARE: number = 1 / 16;

/**
 * Requests that wait for their turn, handled one after the other. `run` may answer later (a promise): the next request starts when it
 * has settled, so that the order within the queue is kept.
 */
export class RequestQueue<T> {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #run: (item: T) => void | Promise<void>;
  readonly #onOverflow: (dropped: number) => void;
  readonly #onError: (error: unknown) => void;
  readonly #held = new HeldPublishers();
  #items: T[] = [];
  /** Index of the next one to run. */
  #head = 0;
  #isScheduled = false;
  #isBusy = false;

  /**
   * @param limit when so many wait, all of them are dropped and `onOverflow` is told how many.
   * @param onError told what `run` throws or rejects with; the next request starts all the same.
   */
  constructor(
    limit: number,
    clock: Clock,
    run: (item: T) => void | Promise<void>,
    onOverflow: (dropped: number) => void,
    onError: (error: unknown) => void,
  ) {
    this.#limit = limit;
    this.#clock = clock;
    this.#run = run;
    this.#onOverflow = onOverflow;
    this.#onError = onError;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** @param message what the request came with. */
  push(item: T, message: Pick<HostMessage, 'holdPublisher'>): void {
    this.#items.push(item);
    const waiting = this.length;
    if (waiting >= this.#limit * REQUESTS_HOLD_SHARE) this.#held.add(message);
    if (waiting < this.#limit) {
      this.#wake();
      return;
    }
    this.clear();
    this.#onOverflow(waiting);
  }

  /** Drops what waits; what runs goes on. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#held.release();
  }

  #wake(): void {
    if (this.#isScheduled || this.#isBusy) return;
    this.#isScheduled = true;
    this.#clock.setTimer(() => {
      this.#isScheduled = false;
      void this.#drain();
    }, 0);
  }

  /** What one request throws must not stop the others. */
  #runOne(item: T): void | Promise<void> {
    try {
      return this.#run(item)?.catch(this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }

  async #drain(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const endMs = this.#clock.now() + REQUESTS_TURN_MS;
    try {
      while (this.#head < this.#items.length) {
        const pending = this.#runOne(this.#items[this.#head++]!);
        if (pending !== undefined) await pending;
        if (this.length <= this.#limit * REQUESTS_RELEASE_SHARE) this.#held.release();
        if (this.#clock.now() >= endMs) break;
      }
      if (this.length === 0) this.clear();
    } finally {
      this.#isBusy = false;
      if (this.length > 0) this.#wake();
    }
  }
}
