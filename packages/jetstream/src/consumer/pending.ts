import { WheelNode } from './timer-wheel.ts';

/** Entries kept for reuse per consumer; above it they are left to the garbage collector. */
export const PENDING_POOL_MAX = 1024;

/** Told when an entry's ack is overdue. */
export interface PendingOwner {
  onAckOverdue(entry: PendingEntry, nowMs: number): void;
}

/** A message that went out and awaits its ack. It either runs in the timer wheel or stands in the redelivery queue. */
export class PendingEntry extends WheelNode {
  readonly owner: PendingOwner;
  streamSeq = 0;
  /** Of the first delivery: redeliveries get new numbers, but floors are counted in this one. */
  consumerSeq = 0;
  /** 1 after the first time. */
  deliveries = 0;
  /** Time of the last delivery, milliseconds; shifted by a delayed NAK so that it is overdue when the delay is over. */
  timeMs = 0;
  /** Neighbours in stream order. */
  before: PendingEntry | null = null;
  after: PendingEntry | null = null;
  /** Neighbours in the redelivery queue. */
  queueBefore: PendingEntry | null = null;
  queueAfter: PendingEntry | null = null;
  isQueued = false;
  /** Entries of the same batch stand in stream order in the queue. */
  batch = 0;

  constructor(owner: PendingOwner) {
    super();
    this.owner = owner;
  }

  onDue(nowMs: number): void {
    this.owner.onAckOverdue(this, nowMs);
  }
}

/**
 * The messages of one consumer that await their ack, found by stream sequence, ordered by it, and queued for
 * redelivery. Every operation takes the same time however many there are; the owner bounds them by max_ack_pending.
 */
export class PendingList {
  readonly #owner: PendingOwner;
  readonly #bySeq = new Map<number, PendingEntry>();
  readonly #pool: PendingEntry[] = [];
  #first: PendingEntry | null = null;
  #last: PendingEntry | null = null;
  #queueFirst: PendingEntry | null = null;
  #queueLast: PendingEntry | null = null;
  #queued = 0;

  constructor(owner: PendingOwner) {
    this.#owner = owner;
  }

  get size(): number {
    return this.#bySeq.size;
  }

  /** The entry with the lowest stream sequence. */
  get first(): PendingEntry | null {
    return this.#first;
  }

  /** The entry to redeliver next. */
  get queueFirst(): PendingEntry | null {
    return this.#queueFirst;
  }

  /** Entries in the redelivery queue. */
  get queued(): number {
    return this.#queued;
  }

  get(streamSeq: number): PendingEntry | undefined {
    return this.#bySeq.get(streamSeq);
  }

  /** Adds a message; the sequence must not be in the list. */
  add(streamSeq: number, consumerSeq: number, deliveries: number, timeMs: number): PendingEntry {
    const entry = this.#pool.pop() ?? new PendingEntry(this.#owner);
    entry.streamSeq = streamSeq;
    entry.consumerSeq = consumerSeq;
    entry.deliveries = deliveries;
    entry.timeMs = timeMs;
    this.#bySeq.set(streamSeq, entry);
    // First deliveries come in stream order: nearly always this is the end at once.
    let before = this.#last;
    while (before !== null && before.streamSeq > streamSeq) before = before.before;
    const after = before === null ? this.#first : before.after;
    entry.before = before;
    entry.after = after;
    if (before === null) this.#first = entry;
    else before.after = entry;
    if (after === null) this.#last = entry;
    else after.before = entry;
    return entry;
  }

  /** Takes an entry out of everything but the timer wheel, which the caller has disarmed. The entry is reused later. */
  delete(entry: PendingEntry): void {
    if (entry.isQueued) this.dequeue(entry);
    this.#bySeq.delete(entry.streamSeq);
    const { before, after } = entry;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    entry.before = null;
    entry.after = null;
    if (this.#pool.length < PENDING_POOL_MAX) this.#pool.push(entry);
  }

  /** Puts an entry into the redelivery queue: behind all others, but in stream order among those of its batch. */
  enqueue(entry: PendingEntry, batch: number): void {
    let before = this.#queueLast;
    while (before !== null && before.batch === batch && before.streamSeq > entry.streamSeq) before = before.queueBefore;
    const after = before === null ? this.#queueFirst : before.queueAfter;
    entry.isQueued = true;
    entry.batch = batch;
    entry.queueBefore = before;
    entry.queueAfter = after;
    if (before === null) this.#queueFirst = entry;
    else before.queueAfter = entry;
    if (after === null) this.#queueLast = entry;
    else after.queueBefore = entry;
    this.#queued++;
  }

  /** Takes an entry out of the redelivery queue. */
  dequeue(entry: PendingEntry): void {
    const { queueBefore, queueAfter } = entry;
    if (queueBefore === null) this.#queueFirst = queueAfter;
    else queueBefore.queueAfter = queueAfter;
    if (queueAfter === null) this.#queueLast = queueBefore;
    else queueAfter.queueBefore = queueBefore;
    entry.queueBefore = null;
    entry.queueAfter = null;
    entry.isQueued = false;
    this.#queued--;
  }
}
