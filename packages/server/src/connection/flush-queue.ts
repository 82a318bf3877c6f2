import { DIRTY_CONNECTIONS_MAX } from '../limits.ts';

/** Somebody with output that has not been handed to its socket. */
export interface Flushable {
  flush(): void;
}

/**
 * Gathers the connections that got output, so that each is written to once: at the end of the chunk that is being
 * worked off, or, for output that comes from elsewhere, at the end of the running callback.
 */
export class FlushQueue {
  #dirty: Flushable[] = [];
  #spare: Flushable[] = [];
  #depth = 0;
  #isScheduled = false;
  #isFlushing = false;
  readonly #scheduled: () => void = () => {
    this.#isScheduled = false;
    this.flush();
  };

  /** A chunk begins; may be nested. */
  enter(): void {
    this.#depth++;
  }

  /** The chunk is worked off. */
  leave(): void {
    this.#depth--;
    if (this.#depth === 0) this.flush();
  }

  /** `target` has output. To be called once until its `flush` is called. */
  add(target: Flushable): void {
    this.#dirty.push(target);
    if (this.#dirty.length >= DIRTY_CONNECTIONS_MAX) this.flush();
    else if (this.#depth === 0 && !this.#isScheduled) {
      this.#isScheduled = true;
      process.nextTick(this.#scheduled);
    }
  }

  /** Flushes everybody, also who becomes dirty meanwhile. */
  flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    while (this.#dirty.length > 0) {
      const dirty = this.#dirty;
      this.#dirty = this.#spare;
      for (let i = 0; i < dirty.length; i++) dirty[i]!.flush();
      dirty.length = 0;
      this.#spare = dirty;
    }
    this.#isFlushing = false;
  }
}
