import { emptyConsumerState } from '../../src/store/shared/empty.ts';
import type { ConsumerState, ConsumerStore } from '../../src/store/store.ts';

/**
 * A consumer with explicit acks that keeps its state in the plainest way and reports every change to a store, as the
 * engine does.
 */
export class ConsumerModel {
  state: ConsumerState;
  /** What was acked in any run, by stream sequence. */
  readonly acked = new Set<number>();
  #store: ConsumerStore;

  constructor(store: ConsumerStore) {
    this.#store = store;
    this.state = structuredClone(store.recovered);
    store.setExporter(() => this.state);
  }

  /** Goes on with another store, from what it recovered. */
  static resume(store: ConsumerStore, before: ConsumerModel): ConsumerModel {
    const model = new ConsumerModel(store);
    for (const seq of before.acked) model.acked.add(seq);
    return model;
  }

  startAt(nextSeq: number): void {
    this.state = emptyConsumerState();
    this.state.delivered.streamSeq = nextSeq - 1;
    this.state.ackFloor.streamSeq = nextSeq - 1;
    this.#store.replaced();
  }

  /** Delivers the message after `skipped` others that a filter did not take. */
  deliver(timeMs: number, skipped = 0): number {
    const { delivered, pending } = this.state;
    delivered.consumerSeq++;
    delivered.streamSeq += 1 + skipped;
    pending.set(delivered.streamSeq, { consumerSeq: delivered.consumerSeq, timeMs });
    this.#store.delivered(delivered.consumerSeq, delivered.streamSeq, 1, timeMs);
    return delivered.streamSeq;
  }

  deliverAgain(streamSeq: number, timeMs: number): void {
    const { delivered, pending, redelivered } = this.state;
    const entry = pending.get(streamSeq);
    if (entry === undefined) return;
    delivered.consumerSeq++;
    entry.timeMs = timeMs;
    const deliveries = (redelivered.get(streamSeq) ?? 0) + 2;
    redelivered.set(streamSeq, deliveries - 1);
    this.#store.delivered(delivered.consumerSeq, streamSeq, deliveries, timeMs);
  }

  ack(streamSeq: number): void {
    const { pending, redelivered } = this.state;
    const entry = pending.get(streamSeq);
    if (entry === undefined) return;
    pending.delete(streamSeq);
    redelivered.delete(streamSeq);
    this.acked.add(streamSeq);
    this.#raiseFloor();
    const { ackFloor } = this.state;
    this.#store.acked(entry.consumerSeq, streamSeq, ackFloor.consumerSeq, ackFloor.streamSeq);
  }

  /** Acks everything up to a message. */
  ackAll(streamSeq: number): void {
    const { pending, redelivered } = this.state;
    const entry = pending.get(streamSeq);
    if (entry === undefined) return;
    for (const seq of [...pending.keys()]) {
      if (seq > streamSeq) continue;
      pending.delete(seq);
      redelivered.delete(seq);
      this.acked.add(seq);
    }
    this.#raiseFloor();
    const { ackFloor } = this.state;
    this.#store.acked(entry.consumerSeq, streamSeq, ackFloor.consumerSeq, ackFloor.streamSeq);
  }

  /** Reports the whole state, as after a change that has no report of its own. */
  replace(): void {
    this.#store.replaced();
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#store.sync((error) => (error === null ? resolve() : reject(error)));
    });
  }

  #raiseFloor(): void {
    const { pending, delivered, ackFloor } = this.state;
    let first = Number.POSITIVE_INFINITY;
    for (const seq of pending.keys()) first = Math.min(first, seq);
    const entry = pending.get(first);
    const streamSeq = entry === undefined ? delivered.streamSeq : first - 1;
    const consumerSeq = entry === undefined ? delivered.consumerSeq : entry.consumerSeq - 1;
    ackFloor.streamSeq = Math.max(ackFloor.streamSeq, streamSeq);
    ackFloor.consumerSeq = Math.max(ackFloor.consumerSeq, consumerSeq);
  }
}

/** A state in a form that compares: maps sorted, times by the second where the o.dat keeps no more. */
export function plain(state: ConsumerState, secondsOnly = false): object {
  const time = (ms: number): number => (secondsOnly ? Math.floor(ms / 1000) * 1000 : ms);
  const bySeq = (left: [number, unknown], right: [number, unknown]): number => left[0] - right[0];
  return {
    delivered: { ...state.delivered },
    ackFloor: { ...state.ackFloor },
    pending: [...state.pending].sort(bySeq).map(([seq, one]) => [seq, one.consumerSeq, time(one.timeMs)]),
    redelivered: [...state.redelivered].sort(bySeq),
  };
}
