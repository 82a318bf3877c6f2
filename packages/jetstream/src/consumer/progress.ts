import type { ConsumerState, ConsumerStore } from '../store/store.ts';
import type { AckPolicy } from './config.ts';
import { type PendingEntry, PendingList, type PendingOwner } from './pending.ts';
import type { TimerWheel } from './timer-wheel.ts';

/**
 * How far a consumer has come: what it delivered, what awaits an ack, where the floors stand. Every change is reported
 * to the store as it happens (spec/jetstream.md 4.1, 4.4).
 *
 * The floor is the last position below which nothing is pending. Messages that ran out of deliveries stay in
 * `redelivered` without being pending: interest and work queue streams keep them.
 */
export class Progress {
  readonly pending: PendingList;
  /** Deliveries beyond the first by stream sequence, of messages not yet done with. */
  readonly redelivered: Map<number, number> = new Map();
  /** Last stream sequence delivered (or skipped by a purge, a reset or the start position). */
  deliveredStreamSeq = 0;
  /** Number of the last delivery; redeliveries count. */
  deliveredConsumerSeq = 0;
  floorStreamSeq = 0;
  floorConsumerSeq = 0;
  /** Times of the last delivery and the last ack, milliseconds; 0 = none in this run. */
  lastDeliveryMs = 0;
  lastAckMs = 0;
  readonly #store: ConsumerStore;
  readonly #ackPolicy: AckPolicy;
  readonly #wheel: TimerWheel;

  constructor(store: ConsumerStore, ackPolicy: AckPolicy, wheel: TimerWheel, owner: PendingOwner) {
    this.#store = store;
    this.#ackPolicy = ackPolicy;
    this.#wheel = wheel;
    this.pending = new PendingList(owner);
    store.setExporter(() => this.exportState());
  }

  /** Where a new consumer begins: everything below `nextSeq` counts as done with. */
  startAt(nextSeq: number): void {
    this.deliveredStreamSeq = nextSeq - 1;
    this.floorStreamSeq = nextSeq - 1;
    this.#store.replaced();
  }

  /** Takes over what the last run left, as far as the stream still bears it out. */
  restore(state: ConsumerState, streamFirstSeq: number, streamLastSeq: number): void {
    const restored = reconcile(state, this.#ackPolicy, streamFirstSeq, streamLastSeq);
    this.deliveredStreamSeq = restored.delivered.streamSeq;
    this.deliveredConsumerSeq = restored.delivered.consumerSeq;
    this.floorStreamSeq = restored.ackFloor.streamSeq;
    this.floorConsumerSeq = restored.ackFloor.consumerSeq;
    for (const [seq, count] of restored.redelivered) this.redelivered.set(seq, count);
    for (const seq of [...restored.pending.keys()].sort((a, b) => a - b)) {
      const { consumerSeq, timeMs } = restored.pending.get(seq)!;
      this.pending.add(seq, consumerSeq, (this.redelivered.get(seq) ?? 0) + 1, timeMs);
    }
    if (restored !== state) this.#store.replaced();
  }

  exportState(): ConsumerState {
    const pending = new Map<number, { consumerSeq: number; timeMs: number }>();
    for (let entry = this.pending.first; entry !== null; entry = entry.after) {
      pending.set(entry.streamSeq, { consumerSeq: entry.consumerSeq, timeMs: entry.timeMs });
    }
    return {
      delivered: { consumerSeq: this.deliveredConsumerSeq, streamSeq: this.deliveredStreamSeq },
      ackFloor: { consumerSeq: this.floorConsumerSeq, streamSeq: this.floorStreamSeq },
      pending,
      redelivered: new Map(this.redelivered),
    };
  }

  /** A message went out for the first time. Returns its entry, or null if no ack is expected. */
  delivered(streamSeq: number, nowMs: number): PendingEntry | null {
    const consumerSeq = ++this.deliveredConsumerSeq;
    this.deliveredStreamSeq = streamSeq;
    this.lastDeliveryMs = nowMs;
    this.#store.delivered(consumerSeq, streamSeq, 1, nowMs);
    if (this.#ackPolicy === 'none') {
      this.floorConsumerSeq = consumerSeq;
      this.floorStreamSeq = streamSeq;
      return null;
    }
    return this.pending.add(streamSeq, consumerSeq, 1, nowMs);
  }

  /** A message in the redelivery queue went out again. */
  deliveredAgain(entry: PendingEntry, nowMs: number): void {
    const consumerSeq = ++this.deliveredConsumerSeq;
    this.pending.dequeue(entry);
    entry.deliveries++;
    entry.timeMs = nowMs;
    this.redelivered.set(entry.streamSeq, entry.deliveries - 1);
    this.lastDeliveryMs = nowMs;
    this.#store.delivered(consumerSeq, entry.streamSeq, entry.deliveries, nowMs);
  }

  /** The time from which an entry's ack is counted was moved. */
  retimed(entry: PendingEntry, timeMs: number, nowMs: number): void {
    entry.timeMs = timeMs;
    this.lastDeliveryMs = nowMs;
    this.#store.delivered(entry.consumerSeq, entry.streamSeq, entry.deliveries, timeMs);
  }

  /** One message was acked, terminated, or is gone from the stream. */
  done(entry: PendingEntry, nowMs: number): void {
    const { streamSeq, consumerSeq } = entry;
    const wasFirst = this.pending.first === entry;
    this.#remove(entry);
    this.redelivered.delete(streamSeq);
    if (wasFirst) this.#raiseFloor();
    this.lastAckMs = nowMs;
    this.#store.acked(consumerSeq, streamSeq, this.floorConsumerSeq, this.floorStreamSeq);
  }

  /** A message that ran out of deliveries was acked after all, or is gone from the stream. */
  forget(streamSeq: number, nowMs: number): void {
    this.redelivered.delete(streamSeq);
    this.lastAckMs = nowMs;
    this.#store.acked(0, streamSeq, this.floorConsumerSeq, this.floorStreamSeq);
  }

  /** Everything up to and including `streamSeq` was acked; `onDone` is told what was waited for among that. */
  doneUpTo(streamSeq: number, nowMs: number, onDone: (streamSeq: number) => void): void {
    const ackedSeq = Math.min(streamSeq, this.deliveredStreamSeq);
    const consumerSeq = this.pending.get(ackedSeq)?.consumerSeq ?? this.deliveredConsumerSeq;
    this.floorStreamSeq = ackedSeq;
    this.lastAckMs = nowMs;
    const done: number[] = [];
    for (let entry = this.pending.first; entry !== null && entry.streamSeq <= ackedSeq; entry = this.pending.first) {
      done.push(entry.streamSeq);
      this.redelivered.delete(entry.streamSeq);
      this.#remove(entry);
    }
    for (const seq of this.redelivered.keys()) {
      if (seq > ackedSeq) continue;
      done.push(seq);
      this.redelivered.delete(seq);
    }
    const next = this.pending.first;
    const floor = next === null ? consumerSeq : Math.min(consumerSeq, next.consumerSeq - 1);
    this.floorConsumerSeq = Math.max(this.floorConsumerSeq, floor);
    this.#store.acked(consumerSeq, ackedSeq, this.floorConsumerSeq, this.floorStreamSeq);
    for (const seq of done) onDone(seq);
  }

  /** A message ran out of deliveries: it is not waited for any more, and remembered until it is acked or gone. */
  exhausted(entry: PendingEntry): void {
    this.redelivered.set(entry.streamSeq, entry.deliveries);
    this.#remove(entry);
    this.#store.replaced();
  }

  /** Everything below `firstSeq` was purged from the stream. */
  purged(firstSeq: number, nowMs: number): void {
    for (let entry = this.pending.first; entry !== null && entry.streamSeq < firstSeq; entry = this.pending.first) {
      this.#remove(entry);
      this.lastAckMs = nowMs;
    }
    for (const seq of this.redelivered.keys()) {
      if (seq < firstSeq) this.redelivered.delete(seq);
    }
    if (this.deliveredStreamSeq < firstSeq - 1) this.deliveredStreamSeq = firstSeq - 1;
    if (this.floorStreamSeq < firstSeq - 1) this.#raiseFloor();
    this.#store.replaced();
  }

  /** Starts over: `nextSeq` is delivered next, numbers begin at 1 again. */
  reset(nextSeq: number): void {
    for (let entry = this.pending.first; entry !== null; entry = this.pending.first) this.#remove(entry);
    this.redelivered.clear();
    this.deliveredConsumerSeq = 0;
    this.floorConsumerSeq = 0;
    this.lastDeliveryMs = 0;
    this.lastAckMs = 0;
    this.startAt(nextSeq);
  }

  #remove(entry: PendingEntry): void {
    this.#wheel.disarm(entry);
    this.pending.delete(entry);
  }

  /** To just below the lowest pending message, or to the last delivery if there is none. Never back. */
  #raiseFloor(): void {
    const first = this.pending.first;
    const streamSeq = first === null ? this.deliveredStreamSeq : first.streamSeq - 1;
    const consumerSeq = first === null ? this.deliveredConsumerSeq : first.consumerSeq - 1;
    if (streamSeq > this.floorStreamSeq) this.floorStreamSeq = streamSeq;
    if (consumerSeq > this.floorConsumerSeq) this.floorConsumerSeq = consumerSeq;
  }
}

/**
 * Makes a recovered state agree with the stream and with itself: positions beyond the stream's end come back to it (the
 * stream lost messages), pending messages that are gone from its front are done with. Returns the same object when
 * nothing had to change.
 */
export function reconcile(
  state: ConsumerState,
  ackPolicy: AckPolicy,
  streamFirstSeq: number,
  streamLastSeq: number,
): ConsumerState {
  const deliveredSeq = Math.min(state.delivered.streamSeq, streamLastSeq);
  const floorSeq = Math.min(state.ackFloor.streamSeq, deliveredSeq);
  const lowestPending = Math.max(streamFirstSeq, floorSeq + 1);
  const pending = new Map([...state.pending].filter(([seq]) => seq >= lowestPending && seq <= deliveredSeq));
  // Below the floor only what ran out of deliveries counts; an ack of all covers that too.
  const lowestRedelivered = ackPolicy === 'all' ? lowestPending : streamFirstSeq;
  const redelivered = new Map(
    [...state.redelivered].filter(([seq]) => seq >= lowestRedelivered && seq <= deliveredSeq),
  );
  const delivered = { consumerSeq: state.delivered.consumerSeq, streamSeq: deliveredSeq };
  const ackFloor = { consumerSeq: Math.min(state.ackFloor.consumerSeq, delivered.consumerSeq), streamSeq: floorSeq };
  if (pending.size < state.pending.size || floorSeq < streamFirstSeq - 1) raiseFloor(ackFloor, pending, delivered);
  const isChanged =
    pending.size !== state.pending.size ||
    redelivered.size !== state.redelivered.size ||
    deliveredSeq !== state.delivered.streamSeq ||
    ackFloor.streamSeq !== state.ackFloor.streamSeq ||
    ackFloor.consumerSeq !== state.ackFloor.consumerSeq;
  return isChanged ? { delivered, ackFloor, pending, redelivered } : state;
}

/** To just below the lowest pending message, or to the last delivery if there is none. Never back. */
function raiseFloor(
  ackFloor: { consumerSeq: number; streamSeq: number },
  pending: ConsumerState['pending'],
  delivered: ConsumerState['delivered'],
): void {
  let lowestSeq = Number.POSITIVE_INFINITY;
  for (const seq of pending.keys()) lowestSeq = Math.min(lowestSeq, seq);
  const lowest = pending.get(lowestSeq);
  const streamSeq = lowest === undefined ? delivered.streamSeq : lowestSeq - 1;
  const consumerSeq = lowest === undefined ? delivered.consumerSeq : lowest.consumerSeq - 1;
  ackFloor.streamSeq = Math.max(ackFloor.streamSeq, streamSeq);
  ackFloor.consumerSeq = Math.max(ackFloor.consumerSeq, Math.min(consumerSeq, delivered.consumerSeq));
}
