import type { Clock, Timer } from '@nats-ts/server';

/** Time that moves only when a test says so; timers of 0 ms run in a later turn of the real event loop. */
export class ManualClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  readonly #waiting = new Set<{ readonly atMs: number; readonly callback: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    if (delayMs <= 0) {
      const immediate = setImmediate(callback);
      return { cancel: () => clearImmediate(immediate) };
    }
    const waiting = { atMs: this.#nowMs + delayMs, callback };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  /** Moves time; timers that fall due run in order, each at its own time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#waiting].filter(({ atMs }) => atMs <= endMs);
      const next = due.reduce((first, one) => (one.atMs < first.atMs ? one : first), due[0]!);
      if (due.length === 0) break;
      this.#waiting.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = endMs;
  }
}
