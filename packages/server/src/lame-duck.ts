import { CLOSE_REASONS } from '@nats-ts/protocol';
import type { Connection } from './connection/connection.ts';
import { LAME_DUCK_CLOSES_PER_TURN, LAME_DUCK_PAUSE_MAX_MS } from './limits.ts';
import type { Clock, Ids, Logger, Timer } from './ports.ts';

/** What `LameDuck` needs. */
export interface LameDuckOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Clients to close, all there are. */
  readonly connections: readonly Connection[];
  /** Milliseconds until the first one is closed. */
  readonly gracePeriodMs: number;
  /** Milliseconds for all of it, the grace period included. */
  readonly durationMs: number;
}

/**
 * The goodbye of a lame duck: after a grace period clients are closed one by one, spread over the rest of the time, so
 * that they do not all connect elsewhere at once. Pauses are random, from half to all of an even share, and never longer
 * than LAME_DUCK_PAUSE_MAX_MS, as in nats-server.
 */
export class LameDuck {
  readonly #options: LameDuckOptions;
  readonly #pauseMs: number;
  readonly #finished: Promise<void>;
  #resolve: () => void = () => {};
  #timer: Timer | null = null;
  #closed = 0;
  /** When the next one is due. Kept apart from the timers, whose rounding must not add up over thousands of clients. */
  #dueMs: number;

  constructor(options: LameDuckOptions) {
    const { clock, connections, durationMs, gracePeriodMs } = options;
    this.#options = options;
    this.#pauseMs = Math.min(LAME_DUCK_PAUSE_MAX_MS, (durationMs - gracePeriodMs) / Math.max(1, connections.length));
    this.#dueMs = clock.monotonicMs() + gracePeriodMs;
    this.#finished = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Begins the grace period. Resolves when the last client is closed, or after `cancel`. */
  run(): Promise<void> {
    const { clock, logger, gracePeriodMs } = this.#options;
    this.#timer = clock.setTimer(() => {
      logger.info('Closing existing clients');
      this.#closeDue();
    }, gracePeriodMs);
    return this.#finished;
  }

  /** Closes nobody any more. */
  cancel(): void {
    this.#timer?.cancel();
    this.#resolve();
  }

  #closeDue(): void {
    const { clock, ids, connections } = this.#options;
    const nowMs = clock.monotonicMs();
    for (let turn = 0; turn < LAME_DUCK_CLOSES_PER_TURN; turn++) {
      connections[this.#closed++]?.close(CLOSE_REASONS.serverShutdown);
      if (this.#closed >= connections.length) {
        this.#resolve();
        return;
      }
      this.#dueMs += Math.max(ids.random(), 0.5) * this.#pauseMs;
      if (this.#dueMs > nowMs) break;
    }
    this.#timer = clock.setTimer(() => this.#closeDue(), Math.max(0, this.#dueMs - nowMs));
  }
}
