import type { Clock, Ids } from '../host.ts';
import { type ConsumerConfig, isDurable, isPush } from './config.ts';
import { EPHEMERAL_INACTIVE_THRESHOLD } from './config-defaults.ts';
import { ceilMs } from './go-duration.ts';
import { type TimerWheel, WheelNode } from './timer-wheel.ts';

/** Jitter on top of the threshold, so that consumers abandoned together do not go together. */
const JITTER_MIN_MS = 100;
const JITTER_RANGE_MS = 900;

/** What inactivity asks of its consumer. */
export interface InactivityOwner {
  /** Somebody is there: a listener on the deliver subject, or a pull request that waits. */
  isInUse(): boolean;
  /** When the last outstanding ack falls due, milliseconds; 0 = none is outstanding. */
  lastAckDueMs(): number;
  /** Nobody used the consumer for as long as its threshold allows. */
  onInactive(): void;
}

/**
 * Removes a consumer that nobody uses (inactive_threshold). A pull consumer is used by requests and acks; its clock
 * always runs. A push consumer is used by a listener; its clock runs only without one.
 */
export class Inactivity extends WheelNode {
  readonly #owner: InactivityOwner;
  readonly #wheel: TimerWheel;
  readonly #clock: Clock;
  #thresholdMs = 0;
  #lastUseMs = 0;

  constructor(owner: InactivityOwner, wheel: TimerWheel, clock: Clock) {
    super();
    this.#owner = owner;
    this.#wheel = wheel;
    this.#clock = clock;
  }

  /** Takes the threshold from the configuration; 0 = the consumer stays for ever. */
  configure(config: ConsumerConfig, ids: Ids): void {
    const isStamped = !isDurable(config) && config.inactive_threshold <= 0;
    const threshold = isStamped ? EPHEMERAL_INACTIVE_THRESHOLD : config.inactive_threshold;
    const hasJitter =
      !isPush(config) || (!isDurable(config) && config.inactive_threshold === EPHEMERAL_INACTIVE_THRESHOLD);
    const jitterMs = hasJitter ? JITTER_MIN_MS + Math.floor(ids.random() * JITTER_RANGE_MS) : 0;
    this.#thresholdMs = threshold > 0 ? ceilMs(threshold) + jitterMs : 0;
  }

  /** Runs the clock from now on. */
  start(): void {
    this.#lastUseMs = this.#clock.now();
    if (this.#thresholdMs > 0) this.#wheel.arm(this, this.#lastUseMs + this.#thresholdMs);
  }

  stop(): void {
    this.#wheel.disarm(this);
  }

  /** The consumer was used. Cheap: the clock looks when it rings. */
  touch(): void {
    if (this.isArmed) this.#lastUseMs = this.#clock.now();
  }

  onDue(nowMs: number): void {
    const idleUntilMs = this.#lastUseMs + this.#thresholdMs;
    if (nowMs < idleUntilMs) {
      this.#wheel.arm(this, idleUntilMs);
      return;
    }
    if (this.#owner.isInUse()) {
      this.#wheel.arm(this, nowMs + this.#thresholdMs);
      return;
    }
    // Whoever holds a message may still be working on it.
    const ackDueMs = this.#owner.lastAckDueMs();
    if (ackDueMs + this.#thresholdMs > nowMs) {
      this.#wheel.arm(this, ackDueMs + this.#thresholdMs);
      return;
    }
    this.#owner.onInactive();
  }
}
