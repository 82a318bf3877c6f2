import type { Clock, Log } from '../host.ts';

/** The same text is not logged again for so long. */
export const REPEAT_AFTER_MS = 1_000;

/** Texts remembered at once; beyond it they are not logged until one of them may be repeated. */
export const WARNINGS_MAX = 1_024;

/** Warnings that clients cause: a client that repeats its mistake does not fill the log. Equivalent to RateLimitWarnf in nats-server. */
export class RareWarnings {
  readonly #log: Log;
  readonly #clock: Clock;
  /** When each text was logged, oldest first. */
  readonly #loggedMs = new Map<string, number>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  warn(text: string): void {
    const nowMs = this.#clock.now();
    for (const [old, loggedMs] of this.#loggedMs) {
      if (nowMs - loggedMs < REPEAT_AFTER_MS) break;
      this.#loggedMs.delete(old);
    }
    if (this.#loggedMs.has(text) || this.#loggedMs.size >= WARNINGS_MAX) return;
    this.#loggedMs.set(text, nowMs);
    this.#log.warn(text);
  }
}
