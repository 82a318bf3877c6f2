import { type Integer, parseInteger } from '../json/integer.ts';
import type { ConsumerCore } from './core.ts';
import { WheelNode } from './timer-wheel.ts';

/** Longest time.Duration of Go, nanoseconds. */
const DURATION_MAX = 2n ** 63n - 1n;

/** Resumes a paused consumer when its time has come (spec/jetstream.md 4.7). */
export class Pause extends WheelNode {
  readonly #core: ConsumerCore;
  readonly #resume: () => void;

  /** @param resume the pause is over: deliver */
  constructor(core: ConsumerCore, resume: () => void) {
    super();
    this.#core = core;
    this.#resume = resume;
  }

  get isPaused(): boolean {
    return this.#core.settings.pauseUntilMs > this.#core.clock.now();
  }

  /** Nanoseconds until it resumes, at most what Go's time.Duration holds; 0 = not paused. */
  get remainingNs(): Integer {
    const remainingMs = Math.max(0, this.#core.settings.pauseUntilMs - this.#core.clock.now());
    const remainingNs = BigInt(remainingMs) * 1_000_000n;
    return remainingNs < DURATION_MAX ? parseInteger(String(remainingNs)) : DURATION_MAX;
  }

  /** Takes pause_until from the configuration. */
  follow(): void {
    this.#core.wheel.disarm(this);
    if (this.isPaused) this.#core.wheel.arm(this, this.#core.settings.pauseUntilMs);
  }

  onDue(): void {
    this.announce();
    this.#resume();
  }

  announce(): void {
    const { events, config } = this.#core;
    events.paused(this.isPaused, config.pause_until === '' ? null : config.pause_until);
  }
}
