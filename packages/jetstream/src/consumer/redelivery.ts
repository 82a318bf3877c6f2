import type { ConsumerCore } from './core.ts';
import type { PendingEntry, PendingOwner } from './pending.ts';
import { ackWaitMs } from './settings.ts';
import type { TickListener } from './timer-wheel.ts';

/** Added to every ack wait, as in nats-server: an ack that arrives in the last millisecond still counts. */
const ACK_WAIT_SLACK_MS = 1;

/** Decides which pending messages go out again, and when (spec/jetstream.md 4.5). */
export class Redelivery implements PendingOwner, TickListener {
  readonly #core: ConsumerCore;
  #batch = 0;
  #isTicking = false;

  constructor(core: ConsumerCore) {
    this.#core = core;
  }

  /** Starts the clock of a message that just went out. */
  track(entry: PendingEntry): void {
    const waitMs = ackWaitMs(this.#core.settings, entry.deliveries);
    // Ack wait 0 stands for an ack that is never overdue.
    if (waitMs > 0) this.#core.wheel.arm(entry, entry.timeMs + waitMs + ACK_WAIT_SLACK_MS);
  }

  onAckOverdue(entry: PendingEntry, _nowMs: number): void {
    if (!this.#isTicking) {
      this.#isTicking = true;
      this.#batch++;
      this.#core.wheel.afterTick(this);
    }
    this.#repeat(entry);
  }

  onTickEnd(): void {
    this.#isTicking = false;
    this.#core.wake();
  }

  /** The client cannot handle the message now. @param delayMs until it goes out again; 0 = at once */
  postpone(entry: PendingEntry, delayMs: number): void {
    const { progress, clock, wheel, settings } = this.#core;
    if (delayMs > 0) {
      const nowMs = clock.now();
      if (entry.isQueued) progress.pending.dequeue(entry);
      progress.retimed(entry, nowMs + delayMs - ackWaitMs(settings, entry.deliveries), nowMs);
      this.track(entry);
      return;
    }
    if (entry.isQueued) return;
    wheel.disarm(entry);
    this.#batch++;
    this.#repeat(entry);
    this.#core.wake();
  }

  /** The client is still working on it: the ack wait begins again. */
  prolong(entry: PendingEntry): void {
    const nowMs = this.#core.clock.now();
    this.#core.progress.retimed(entry, nowMs, nowMs);
    if (!entry.isQueued) this.track(entry);
  }

  /** The ack wait was changed: all clocks are set anew from the last delivery. */
  retrackAll(): void {
    for (let entry = this.#core.progress.pending.first; entry !== null; entry = entry.after) {
      if (entry.isQueued) continue;
      this.#core.wheel.disarm(entry);
      this.track(entry);
    }
  }

  /** The deliver subject was changed: whoever listens there now gets everything that is not acked. */
  repeatAll(): void {
    this.#batch++;
    let entry = this.#core.progress.pending.first;
    while (entry !== null) {
      const after = entry.after;
      if (!entry.isQueued) {
        this.#core.wheel.disarm(entry);
        this.#repeat(entry);
      }
      entry = after;
    }
    this.#core.wake();
  }

  /** When the last outstanding ack falls due, milliseconds; 0 = none is outstanding. */
  lastDueMs(): number {
    const { progress, settings } = this.#core;
    let dueMs = 0;
    for (let entry = progress.pending.first; entry !== null; entry = entry.after) {
      dueMs = Math.max(dueMs, entry.timeMs + ackWaitMs(settings, entry.deliveries));
    }
    return dueMs;
  }

  /** Stops all clocks. */
  stop(): void {
    const { progress, wheel } = this.#core;
    for (let entry = progress.pending.first; entry !== null; entry = entry.after) wheel.disarm(entry);
  }

  #repeat(entry: PendingEntry): void {
    const { settings, progress, events } = this.#core;
    const { streamSeq, deliveries } = entry;
    if (settings.maxDeliver > 0 && deliveries >= settings.maxDeliver) {
      progress.exhausted(entry);
      this.#core.settled(streamSeq, 'exhausted');
      events.maxDeliveries(streamSeq, deliveries);
      return;
    }
    progress.pending.enqueue(entry, this.#batch);
  }
}
