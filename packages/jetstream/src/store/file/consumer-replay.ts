import { emptyConsumerState } from '../shared/empty.ts';
import type { ConsumerState } from '../store.ts';
import { KIND_ACKED, KIND_DELIVERED, KIND_EXPORTED, KIND_STATE, readStateRecord } from './consumer-log-codec.ts';
import { EXPORT_HASH_BYTES } from './export-hash.ts';
import type { VarintReader } from './varint.ts';

/** How many hashes of exported o.dat a consumer keeps. */
export const EXPORTS_KEPT_MAX = 512;

/** Deliveries whose records are lost: each message of the range that the consumer takes may be one of them. */
export interface ReplayGap {
  fromSeq: number;
  toSeq: number;
  /** Consumer sequence of the first of them. */
  consumerSeq: number;
  /** Those that later records say are acked. */
  readonly acked: Set<number>;
}

/**
 * The state of one consumer while its log records are applied.
 *
 * When records are missing (their serials tell), the position that the next record repeats is believed, and what was
 * delivered in between counts as pending: it comes again rather than never. Acks are facts whatever is missing around them.
 */
export class ConsumerReplay {
  state: ConsumerState = emptyConsumerState();
  /** Serial of the last record. */
  serial = 0;
  /** Hashes of the o.dat that were exported, oldest first. */
  exported: string[] = [];
  /** Records that are missing. */
  missing = 0;
  readonly gaps: ReplayGap[] = [];
  /** Highest sequence that a record says was delivered. */
  deliveredSeq = 0;
  #hasBase = false;
  #caughtUp = false;
  #uncertain = false;
  #missingNow = 0;

  /** A state record was read. Without one, what comes is applied to the o.dat, which may be newer. */
  get hasBase(): boolean {
    return this.#hasBase;
  }

  /** @param fallback what to build on if the log has no state record for the consumer: its o.dat. */
  constructor(fallback: ConsumerState | null) {
    if (fallback !== null) this.state = fallback;
  }

  /** Applies one record. */
  apply(kind: number, serial: number, reader: VarintReader): void {
    if (kind === KIND_STATE) {
      this.#applyState(serial, reader);
      return;
    }
    // Written before a state record that holds it already.
    if (serial <= this.serial) return;
    this.#missingNow = serial - this.serial - 1;
    if (this.#missingNow > 0 || !this.#caughtUp) {
      this.missing += this.#missingNow;
      this.#uncertain = true;
    }
    this.serial = serial;
    if (kind === KIND_DELIVERED) this.#applyDelivered(reader);
    else if (kind === KIND_ACKED) this.#applyAcked(reader);
    else if (kind === KIND_EXPORTED) this.#keepExport(reader.bytes(EXPORT_HASH_BYTES).toString('latin1'));
  }

  #applyState(serial: number, reader: VarintReader): void {
    const read = readStateRecord(reader);
    if (read === null) return;
    this.state = read.state;
    // One that delivered nothing may wait for a sequence that is still to come.
    const { consumerSeq, streamSeq } = read.state.delivered;
    if (consumerSeq > 0) this.deliveredSeq = Math.max(this.deliveredSeq, streamSeq);
    this.serial = serial;
    this.exported = read.exported;
    this.gaps.length = 0;
    this.missing = 0;
    this.#hasBase = true;
    this.#caughtUp = true;
    this.#uncertain = false;
  }

  #applyDelivered(reader: VarintReader): void {
    const flags = reader.uvarint();
    const consumerSeq = reader.uvarint();
    const streamSeq = reader.uvarint();
    const consumerSeqBefore = reader.uvarint();
    const streamSeqBefore = reader.uvarint();
    const timeMs = reader.varint();
    if (reader.failed) return;
    this.deliveredSeq = Math.max(this.deliveredSeq, streamSeq);
    const ackNone = flags % 2 === 1;
    const deliveries = Math.floor(flags / 2);
    if (this.#uncertain && !this.#settle(consumerSeqBefore, streamSeqBefore, timeMs, ackNone)) return;
    const { delivered, ackFloor, pending, redelivered } = this.state;
    const isNew = streamSeq > delivered.streamSeq;
    delivered.consumerSeq = Math.max(delivered.consumerSeq, consumerSeq);
    if (isNew) delivered.streamSeq = streamSeq;
    if (ackNone) {
      ackFloor.consumerSeq = delivered.consumerSeq;
      ackFloor.streamSeq = delivered.streamSeq;
      return;
    }
    const known = pending.get(streamSeq);
    if (known !== undefined) known.timeMs = timeMs;
    else if (isNew) pending.set(streamSeq, { consumerSeq, timeMs });
    if (deliveries > 1) redelivered.set(streamSeq, Math.max(deliveries - 1, redelivered.get(streamSeq) ?? 0));
  }

  #applyAcked(reader: VarintReader): void {
    reader.uvarint();
    const streamSeq = reader.uvarint();
    const floorConsumerSeq = reader.uvarint();
    const floorStreamSeq = reader.uvarint();
    const deliveredConsumerSeq = floorConsumerSeq + reader.uvarint();
    const deliveredStreamSeq = floorStreamSeq + reader.uvarint();
    if (reader.failed) return;
    const settled = !this.#uncertain || this.#settle(deliveredConsumerSeq, deliveredStreamSeq, 0, false);
    this.#forget(streamSeq);
    const { delivered, ackFloor } = this.state;
    // An o.dat newer than this record has a higher floor.
    if (!settled && floorStreamSeq < ackFloor.streamSeq) return;
    const from = ackFloor.streamSeq;
    ackFloor.consumerSeq = floorConsumerSeq;
    ackFloor.streamSeq = floorStreamSeq;
    delivered.consumerSeq = Math.max(delivered.consumerSeq, floorConsumerSeq);
    delivered.streamSeq = Math.max(delivered.streamSeq, floorStreamSeq);
    this.#forgetUpTo(from, floorStreamSeq);
  }

  /**
   * Squares the state with the position a record repeats, after records were lost. False while the record is older
   * than the o.dat it is applied to.
   */
  #settle(consumerSeq: number, streamSeq: number, timeMs: number, ackNone: boolean): boolean {
    const { delivered, ackFloor, pending } = this.state;
    if (!this.#caughtUp && streamSeq < delivered.streamSeq) return false;
    // One record missing and one delivery more: it was that delivery. Otherwise any message between may be meant.
    const isExact = this.#hasBase && this.#missingNow === 1 && consumerSeq === delivered.consumerSeq + 1;
    this.#uncertain = false;
    this.#caughtUp = true;
    if (streamSeq > delivered.streamSeq && !ackNone) {
      if (!isExact && streamSeq - 1 > delivered.streamSeq) {
        this.gaps.push({
          fromSeq: delivered.streamSeq + 1,
          toSeq: streamSeq - 1,
          consumerSeq: delivered.consumerSeq + 1,
          acked: new Set(),
        });
      }
      pending.set(streamSeq, { consumerSeq, timeMs });
    }
    // A lower one means that the consumer was reset: what it delivered above comes again.
    for (const seq of pending.keys()) if (seq > streamSeq) pending.delete(seq);
    delivered.consumerSeq = consumerSeq;
    delivered.streamSeq = streamSeq;
    ackFloor.consumerSeq = Math.min(ackFloor.consumerSeq, delivered.consumerSeq);
    ackFloor.streamSeq = Math.min(ackFloor.streamSeq, delivered.streamSeq);
    return true;
  }

  #keepExport(hash: string): void {
    this.exported.push(hash);
    if (this.exported.length > EXPORTS_KEPT_MAX) this.exported.shift();
  }

  #forget(streamSeq: number): void {
    this.state.pending.delete(streamSeq);
    this.state.redelivered.delete(streamSeq);
    for (const gap of this.gaps) {
      if (streamSeq >= gap.fromSeq && streamSeq <= gap.toSeq) gap.acked.add(streamSeq);
    }
  }

  /** What was pending at or below the floor is done with. What ran out of deliveries is not pending and is remembered. */
  #forgetUpTo(from: number, to: number): void {
    const { pending, redelivered } = this.state;
    if (to - from <= pending.size) {
      for (let seq = from + 1; seq <= to; seq++) if (pending.delete(seq)) redelivered.delete(seq);
      return;
    }
    for (const seq of pending.keys()) if (seq <= to && pending.delete(seq)) redelivered.delete(seq);
  }
}

/** How many messages a gap may bring back as pending; beyond, the consumer goes back to where the gap began. */
export const GAP_MESSAGES_MAX = 10_000;

/**
 * Puts what may have been delivered in the gaps back to pending. `candidates` lists the messages of a range that the
 * consumer takes, at most `limit` + 1 of them.
 */
export async function closeGaps(
  replay: ConsumerReplay,
  candidates: (fromSeq: number, toSeq: number, limit: number) => Promise<readonly number[]>,
): Promise<void> {
  const { state } = replay;
  for (const gap of replay.gaps.splice(0)) {
    const fromSeq = Math.max(gap.fromSeq, state.ackFloor.streamSeq + 1);
    if (fromSeq > Math.min(gap.toSeq, state.delivered.streamSeq)) continue;
    const found = await candidates(fromSeq, gap.toSeq, GAP_MESSAGES_MAX);
    if (found.length > GAP_MESSAGES_MAX) {
      goBack(state, gap.consumerSeq - 1, fromSeq - 1);
      return;
    }
    let consumerSeq = gap.consumerSeq;
    for (const seq of found) {
      if (!gap.acked.has(seq) && !state.pending.has(seq)) state.pending.set(seq, { consumerSeq, timeMs: 0 });
      consumerSeq++;
    }
  }
}

function goBack(state: ConsumerState, consumerSeq: number, streamSeq: number): void {
  const { delivered, ackFloor, pending, redelivered } = state;
  delivered.consumerSeq = Math.max(consumerSeq, ackFloor.consumerSeq);
  delivered.streamSeq = streamSeq;
  for (const seq of pending.keys()) if (seq > streamSeq) pending.delete(seq);
  for (const seq of redelivered.keys()) if (seq > streamSeq) redelivered.delete(seq);
}
