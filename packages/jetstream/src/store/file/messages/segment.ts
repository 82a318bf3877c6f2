import { verifyRecord } from '../../hash/highwayhash.ts';
import type { Block } from './block.ts';
import { isMessage, isSaneRecord, recordLength, recordSeq } from './record.ts';

/** A record's hash has been checked, or was computed here. Offsets stay below 2^31. */
const CHECKED = 0x8000_0000;
const OFFSET_MASK = 0x7fff_ffff;
const INDEX_MIN = 16;

/**
 * A run of a block's bytes in memory, with an index of the messages in it: one typed array of offsets, ascending by
 * sequence, and one of subject numbers. A block has at most two: what was written since it was opened (or last dropped
 * from memory), and what was read from the file in front of that.
 */
export class Segment {
  readonly block: Block;
  /** Where in the file the bytes start. */
  readonly start: number;
  buffer: Buffer;
  /** Bytes in use. */
  length = 0;
  /** Messages in the index, removed ones included. */
  count = 0;
  firstSeq = 0;
  lastSeq = 0;
  /** Bit 31: hash checked. */
  #offsets: Uint32Array;
  #subjectIds: Uint32Array;

  // Place in the cache.
  cached = false;
  cachedBytes = 0;
  newer: Segment | null = null;
  older: Segment | null = null;

  constructor(block: Block, start: number, buffer: Buffer, indexSize: number = INDEX_MIN) {
    this.block = block;
    this.start = start;
    this.buffer = buffer;
    this.#offsets = new Uint32Array(Math.max(indexSize, INDEX_MIN));
    this.#subjectIds = new Uint32Array(this.#offsets.length);
  }

  /** Where in the file the bytes end. */
  get end(): number {
    return this.start + this.length;
  }

  /** What the segment holds of memory. */
  get memoryBytes(): number {
    return this.buffer.length + this.#offsets.byteLength + this.#subjectIds.byteLength;
  }

  /** Makes room for `bytes` more. The old buffer stays as it is for a write that is under way from it. */
  reserve(bytes: number, bytesMax: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.buffer.length * 2, bytesMax)));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  /** Adds a message at `offset`, with a sequence above all others. `subjectId` 0 = to be looked up when needed. */
  index(offset: number, seq: number, subjectId: number, checked: boolean): void {
    if (this.count === this.#offsets.length) {
      const offsets = new Uint32Array(this.count * 2);
      const subjectIds = new Uint32Array(this.count * 2);
      offsets.set(this.#offsets);
      subjectIds.set(this.#subjectIds);
      this.#offsets = offsets;
      this.#subjectIds = subjectIds;
    }
    if (this.count === 0) this.firstSeq = seq;
    this.#offsets[this.count] = checked ? offset | CHECKED : offset;
    this.#subjectIds[this.count] = subjectId;
    this.lastSeq = seq;
    this.count++;
  }

  /** Drops the index entries from `from` on. */
  truncateIndex(from: number): void {
    this.count = from;
    this.lastSeq = from === 0 ? 0 : this.seqAt(from - 1);
  }

  offsetAt(at: number): number {
    return this.#offsets[at]! & OFFSET_MASK;
  }

  subjectIdAt(at: number): number {
    return this.#subjectIds[at]!;
  }

  setSubjectId(at: number, id: number): void {
    this.#subjectIds[at] = id;
  }

  seqAt(at: number): number {
    if (this.lastSeq - this.firstSeq + 1 === this.count) return this.firstSeq + at;
    return recordSeq(this.buffer, this.offsetAt(at));
  }

  /** Index of the first message with a sequence at or after `seq`; `count` if there is none. */
  lowerBound(seq: number): number {
    if (this.count === 0 || seq <= this.firstSeq) return 0;
    if (seq > this.lastSeq) return this.count;
    if (this.lastSeq - this.firstSeq + 1 === this.count) return seq - this.firstSeq;
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (recordSeq(this.buffer, this.offsetAt(middle)) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the message; -1 if it is not in the segment. */
  find(seq: number): number {
    const at = this.lowerBound(seq);
    return at < this.count && this.seqAt(at) === seq ? at : -1;
  }

  /** True if the hash of the message's record is right. Checks it once. */
  verify(at: number): boolean {
    const offset = this.#offsets[at]!;
    if (offset >= CHECKED) return true;
    if (!verifyRecord(this.block.key, this.buffer, offset, recordLength(this.buffer, offset))) return false;
    this.#offsets[at] = offset | CHECKED;
    return true;
  }

  /** Indexes the records in `[from, length)`, which were written here or verified already. */
  indexOwn(from: number): void {
    const { buffer, length } = this;
    for (let at = from; isSaneRecord(buffer, at, length - at); at += recordLength(buffer, at)) {
      if (!isMessage(buffer, at)) continue;
      const seq = recordSeq(buffer, at);
      if (seq > this.lastSeq) this.index(at, seq, 0, true);
    }
  }
}
