/**
 * Requests that wait for their turn, handled one after the other. `run` may answer later (a promise): the next request starts when it
 * has settled, so that the order within the queue is kept.
 */
export class RequestQueue<T> {
  readonly #limit: number;
  readonly #schedule: (callback: () => void) => void;
  readonly #run: (item: T) => void | Promise<void>;
  readonly #onOverflow: (dropped: number) => void;
  readonly #onError: (error: unknown) => void;
  #items: T[] = [];
  /** Index of the next one to run. */
  #head = 0;
  #isScheduled = false;
  #isBusy = false;

  /**
   * @param limit when so many wait, all of them are dropped and `onOverflow` is told how many.
   * @param schedule calls back in a later turn of the event loop.
   * @param onError told what `run` throws or rejects with; the next request starts all the same.
   */
  constructor(
    limit: number,
    schedule: (callback: () => void) => void,
    run: (item: T) => void | Promise<void>,
    onOverflow: (dropped: number) => void,
    onError: (error: unknown) => void,
  ) {
    this.#limit = limit;
    this.#schedule = schedule;
    this.#run = run;
    this.#onOverflow = onOverflow;
    this.#onError = onError;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
    const waiting = this.length;
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
  }

  #wake(): void {
    if (this.#isScheduled || this.#isBusy) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      void this.#drain();
    });
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
    try {
      while (this.#head < this.#items.length) {
        const pending = this.#runOne(this.#items[this.#head++]!);
        if (pending !== undefined) await pending;
      }
      this.clear();
    } finally {
      this.#isBusy = false;
      if (this.length > 0) this.#wake();
    }
  }
}
