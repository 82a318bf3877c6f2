import type { Clock } from '../host.ts';

/** The clock may be set back by this much before time stamps follow it: until then they stand still. */
const CLOCK_BACKWARDS_MAX_MS = 1_000;
const NS_MAX = 999_999;

/**
 * Time stamps of a stream's messages: milliseconds and nanoseconds apart, because together they do not fit a double. Messages of
 * the same millisecond get ascending nanoseconds. None is before the last, unless the clock was set back for good.
 */
export class Stamp {
  /** Of the message at hand. */
  ms = 0;
  ns = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the time for the next message. */
  take(): void {
    const nowMs = this.#clock.now();
    if (nowMs > this.ms || nowMs < this.ms - CLOCK_BACKWARDS_MAX_MS) {
      this.ms = nowMs;
      this.ns = 0;
    } else if (this.ns < NS_MAX) {
      this.ns++;
    }
  }
}
