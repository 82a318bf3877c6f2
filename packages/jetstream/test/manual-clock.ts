import type { Clock, Timer } from '../src/host.ts';

interface Waiting {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that moves only when a test says so; timers of 0 ms run in a later turn of the real event loop. */
export class ManualClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #waiting = new Set<Waiting>();

  constructor(startMs: number = Date.UTC(2026, 0, 2, 3, 4, 5)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Timers that have not fired, those of 0 ms aside. */
  get timers(): number {
    return this.#waiting.size;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    if (delayMs <= 0) {
      const immediate = setImmediate(callback);
      return { cancel: () => clearImmediate(immediate) };
    }
    const waiting: Waiting = { atMs: this.#nowMs + delayMs, order: this.#order++, callback };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  /** Sets the clock without running timers, as an administrator does. */
  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** Moves time; timers that fall due run in order, each at its own time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      let next: Waiting | null = null;
      for (const one of this.#waiting) {
        if (one.atMs > endMs) continue;
        if (next === null || one.atMs < next.atMs || (one.atMs === next.atMs && one.order < next.order)) next = one;
      }
      if (next === null) break;
      this.#waiting.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = endMs;
  }
}

/** Lets the event loop turn: immediates, microtasks and promises that wait for nothing else are done afterwards. */
export async function turns(count = 4): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
