import { verifyRecord } from '../../hash/highwayhash.ts';
import { RECORD_BYTES_MAX } from '../../shared/limits.ts';
import { REPAIR_HASHES_MAX } from './limits.ts';
import {
  EMPTY_RECORD_BYTES,
  isErased,
  isMessage,
  isSafeSeq,
  isSaneRecord,
  isTombstone,
  recordLength,
  recordSeq,
} from './record.ts';
import { Repairer } from './repair.ts';

/** Bytes of a block in which no record verifies. */
export interface Gap {
  start: number;
  end: number;
  /** Highest sequence that a record in front of it in the block names; 0 = none. */
  before: number;
  /** First sequence after it in the block; 0 = none. */
  after: number;
  /** What the damaged record's head says: its sequence, if it can be right. 0 if not. */
  hint: number;
  /** It is one record: its length is right. */
  single: boolean;
  /** The head says that this was a tombstone of sequence `hint`. */
  tombstone: boolean;
}

/** What is in a block's bytes. */
export interface ScanResult {
  /** Offsets of the records that verify, in order. */
  offsets: number[];
  gaps: Gap[];
  /** Bytes that count: behind them there is only a write that was not finished. */
  end: number;
  /** Offsets of records in which a wrong byte was put right. */
  repaired: number[];
  /** Highest sequence of a message or of one marked as gone; 0 = none. */
  lastSeq: number;
  /** The same with tombstones: so many sequences have been used. */
  usedSeq: number;
}

/** A sequence this far above the one before it is taken for a damaged one. */
const JUMP_MAX: number = 2 ** 40;

/**
 * Reads the records of a block and goes on behind whatever does not verify, at the next record that does. Puts single
 * wrong bytes right in `block` itself.
 */
export function scanBlock(key: Uint8Array, block: Buffer, length: number): ScanResult {
  return new Scanner(key, block, length).run();
}

class Scanner {
  readonly #key: Uint8Array;
  readonly #block: Buffer;
  readonly #length: number;
  readonly #repairer: Repairer;
  readonly #result: ScanResult;

  constructor(key: Uint8Array, block: Buffer, length: number) {
    this.#key = key;
    this.#block = block;
    this.#length = length;
    this.#repairer = new Repairer(key, block, length, REPAIR_HASHES_MAX);
    this.#result = { offsets: [], gaps: [], end: length, repaired: [], lastSeq: 0, usedSeq: 0 };
  }

  run(): ScanResult {
    let at = 0;
    while (at < this.#length) {
      if (this.#isRecord(at)) {
        at = this.#take(at);
      } else if (this.#repairer.repair(at)) {
        this.#result.repaired.push(at);
      } else if (this.#isUnfinished(at)) {
        this.#result.end = at;
        break;
      } else {
        at = this.#skipDamage(at);
      }
    }
    return this.#result;
  }

  #isRecord(at: number): boolean {
    const available = this.#length - at;
    return (
      isSaneRecord(this.#block, at, available) &&
      verifyRecord(this.#key, this.#block, at, recordLength(this.#block, at))
    );
  }

  #take(at: number): number {
    const { gaps, offsets } = this.#result;
    offsets.push(at);
    const seq = recordSeq(this.#block, at);
    this.#result.usedSeq = Math.max(this.#result.usedSeq, seq);
    if (!isTombstone(this.#block, at)) {
      // The first message (or sequence used up) behind a gap bounds what was in it.
      for (let i = gaps.length - 1; i >= 0 && gaps[i]!.after === 0; i--) gaps[i]!.after = seq;
      this.#result.lastSeq = Math.max(this.#result.lastSeq, seq);
    }
    return at + recordLength(this.#block, at);
  }

  /** A tail that a write left which never finished: all zeros, a stump, or a record that would go past the end. */
  #isUnfinished(at: number): boolean {
    const rest = this.#length - at;
    if (rest < EMPTY_RECORD_BYTES) return true;
    if (isZero(this.#block, at, this.#length)) return true;
    const length = recordLength(this.#block, at);
    // A wrong length looks the same, but then there is a record behind.
    return length > rest && length <= RECORD_BYTES_MAX && this.#findRecord(at + EMPTY_RECORD_BYTES, this.#length) < 0;
  }

  #skipDamage(at: number): number {
    const end = this.#endOfDamage(at);
    const before = this.#result.usedSeq;
    const hint = this.#hint(at, before, end);
    const tombstone = hint > 0 && isTombstone(this.#block, at);
    const single = isSaneRecord(this.#block, at, this.#length - at) && at + recordLength(this.#block, at) === end;
    this.#result.gaps.push({ start: at, end, before, after: 0, hint, single, tombstone });
    return end;
  }

  #endOfDamage(at: number): number {
    // Mostly the length is right and something else is not.
    if (isSaneRecord(this.#block, at, this.#length - at)) {
      const next = at + recordLength(this.#block, at);
      if (next === this.#length || this.#isRecord(next)) return next;
    }
    const found = this.#findRecord(at + EMPTY_RECORD_BYTES, this.#length);
    return found < 0 ? this.#length : found;
  }

  /**
   * First place from `from` on where a record verifies. One that another record or the end follows is preferred over
   * one that stands alone: a payload may contain the bytes of a record.
   */
  #findRecord(from: number, to: number): number {
    let alone = -1;
    for (let at = from; at + EMPTY_RECORD_BYTES <= to; at++) {
      if (!this.#isPlausible(at) || !this.#isRecord(at)) continue;
      const next = at + recordLength(this.#block, at);
      if (next === this.#length || this.#isRecord(next)) return at;
      if (alone < 0) {
        alone = at;
        to = Math.min(to, next + EMPTY_RECORD_BYTES);
      }
    }
    return alone;
  }

  /** Cheap test that spares hashing at almost every place that is no record. */
  #isPlausible(at: number): boolean {
    if (!isSaneRecord(this.#block, at, this.#length - at) || !isSafeSeq(this.#block, at)) return false;
    const { lastSeq } = this.#result;
    const seq = recordSeq(this.#block, at);
    if (isTombstone(this.#block, at)) return recordLength(this.#block, at) === EMPTY_RECORD_BYTES && seq > 0;
    if (isErased(this.#block, at)) return seq === 0 || seq > lastSeq;
    return isMessage(this.#block, at) && seq > lastSeq && (lastSeq === 0 || seq - lastSeq < JUMP_MAX);
  }

  /** The sequence in the head of a damaged record, if it fits to its neighbours. */
  #hint(at: number, before: number, end: number): number {
    if (this.#length - at < EMPTY_RECORD_BYTES || !isSafeSeq(this.#block, at)) return 0;
    const seq = recordSeq(this.#block, at);
    if (isTombstone(this.#block, at)) return recordLength(this.#block, at) === EMPTY_RECORD_BYTES ? seq : 0;
    const most = before + Math.ceil((end - at) / EMPTY_RECORD_BYTES);
    return seq > before && (before === 0 || seq <= most) ? seq : 0;
  }
}

function isZero(block: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (block[at] !== 0) return false;
  return true;
}
