/** A running timer. */
export interface SystemTimer {
  cancel(): void;
}

const NOTHING_TO_CANCEL: SystemTimer = { cancel: () => {} };

/** The machine's own time. Its timers do not keep the process alive. */
export class SystemClock {
  now(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimer(callback: () => void, delayMs: number): SystemTimer {
    if (delayMs <= 0) {
      // setTimeout(0) would wait a millisecond; work that yields only to let sockets be served must not.
      const immediate = setImmediate(callback);
      return { cancel: () => clearImmediate(immediate) };
    }
    if (!Number.isFinite(delayMs)) return NOTHING_TO_CANCEL;
    return new LongTimer(callback, delayMs);
  }
}

/** Longest delay that setTimeout takes; it calls back at once for more. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/** A timeout of any length. */
class LongTimer implements SystemTimer {
  readonly #callback: () => void;
  #leftMs: number;
  #timeout: NodeJS.Timeout;

  constructor(callback: () => void, delayMs: number) {
    this.#callback = callback;
    this.#leftMs = delayMs;
    this.#timeout = this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  #arm(): NodeJS.Timeout {
    const stepMs = Math.min(this.#leftMs, TIMEOUT_MAX_MS);
    this.#leftMs -= stepMs;
    const timeout = setTimeout(() => {
      if (this.#leftMs > 0) this.#timeout = this.#arm();
      else this.#callback();
    }, stepMs);
    timeout.unref();
    return timeout;
  }
}
