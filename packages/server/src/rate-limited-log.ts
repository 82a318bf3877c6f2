import { RATE_LIMITED_TEXTS_MAX } from './limits.ts';
import type { Clock } from './ports.ts';

const QUIET_MS = 1000;

/** Suppresses lines that were written within the last second (spec/core.md 6.2). */
export class RateLimitedLog {
  readonly #clock: Clock;
  readonly #seenMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True if `key` is to be written now. */
  isDue(key: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const lastMs = this.#seenMs.get(key);
    if (lastMs !== undefined && nowMs - lastMs < QUIET_MS) return false;
    if (this.#seenMs.size >= RATE_LIMITED_TEXTS_MAX) this.#seenMs.clear();
    this.#seenMs.set(key, nowMs);
    return true;
  }
}
