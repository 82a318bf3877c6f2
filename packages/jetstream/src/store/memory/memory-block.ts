/**
 * A run of messages in memory: their bytes one after the other in a slab, their figures in two typed arrays.
 *
 * ```
 * figures (u32)  seq - base | offset | header bytes | payload bytes | subject id | time ns     per slot
 * wide (f64)     time ms | previous seq on the subject | next seq on the subject                per slot
 * ```
 *
 * Slots are ascending by sequence. A removed one keeps its slot (subject id DEAD) until `compact`.
 */

/** A block takes no further message once it has this many slots … */
export const BLOCK_SLOTS_MAX = 4096;
/** … or this many bytes of messages. A larger message gets a block of its own size. */
export const BLOCK_BYTES_MAX: number = 256 * 1024;

const SLOTS_MIN = 16;
const SLAB_BYTES_MIN = 1024;
const U32_MAX = 0xffff_ffff;

const SEQ = 0;
const OFFSET = 1;
const HEADER = 2;
const PAYLOAD = 3;
const SUBJECT = 4;
const NS = 5;
const FIGURES = 6;

const MS = 0;
const PREVIOUS = 1;
const NEXT = 2;
const WIDE = 3;

const DEAD = U32_MAX;

/** See the top of the file. */
export class MemoryBlock {
  /** First sequence the block may hold. */
  readonly base: number;
  /** Slots in use, removed ones included. */
  slots = 0;
  /** Messages that are not removed. */
  live = 0;
  /** No live slot is below this one. */
  head = 0;
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES_MIN);
  #used = 0;
  #liveBytes = 0;
  #figures: Uint32Array = new Uint32Array(SLOTS_MIN * FIGURES);
  #wide: Float64Array = new Float64Array(SLOTS_MIN * WIDE);

  constructor(base: number) {
    this.base = base;
  }

  /** Sequence of the last slot; base - 1 for an empty block. */
  get lastSeq(): number {
    return this.slots === 0 ? this.base - 1 : this.seq(this.slots - 1);
  }

  /** Bytes of memory the block holds, whether messages use them or not. */
  get heldBytes(): number {
    return this.#slab.length + this.#figures.byteLength + this.#wide.byteLength;
  }

  /** True if a message with this sequence and size may be appended. */
  takes(seq: number, bytes: number): boolean {
    if (this.slots === 0) return true;
    return this.slots < BLOCK_SLOTS_MAX && this.#used + bytes <= BLOCK_BYTES_MAX && seq - this.base <= U32_MAX;
  }

  /** Adds a slot for `headerBytes + payloadBytes` bytes, which the caller copies to `slab` at the offset returned. */
  append(
    seq: number,
    subjectId: number,
    headerBytes: number,
    payloadBytes: number,
    timeMs: number,
    timeNs: number,
  ): number {
    const bytes = headerBytes + payloadBytes;
    this.#reserve(bytes);
    const at = this.slots * FIGURES;
    const figures = this.#figures;
    const offset = this.#used;
    figures[at + SEQ] = seq - this.base;
    figures[at + OFFSET] = offset;
    figures[at + HEADER] = headerBytes;
    figures[at + PAYLOAD] = payloadBytes;
    figures[at + SUBJECT] = subjectId;
    figures[at + NS] = timeNs;
    const wideAt = this.slots * WIDE;
    this.#wide[wideAt + MS] = timeMs;
    this.#wide[wideAt + PREVIOUS] = 0;
    this.#wide[wideAt + NEXT] = 0;
    this.slots++;
    this.live++;
    this.#used += bytes;
    this.#liveBytes += bytes;
    return offset;
  }

  /** The bytes; replaced, never overwritten, when the block grows or shrinks: a view of it stays what it was. */
  get slab(): Buffer {
    return this.#slab;
  }

  seq(slot: number): number {
    return this.base + this.#figures[slot * FIGURES + SEQ]!;
  }
  offset(slot: number): number {
    return this.#figures[slot * FIGURES + OFFSET]!;
  }
  headerBytes(slot: number): number {
    return this.#figures[slot * FIGURES + HEADER]!;
  }
  payloadBytes(slot: number): number {
    return this.#figures[slot * FIGURES + PAYLOAD]!;
  }
  subjectId(slot: number): number {
    return this.#figures[slot * FIGURES + SUBJECT]!;
  }
  timeNs(slot: number): number {
    return this.#figures[slot * FIGURES + NS]!;
  }
  timeMs(slot: number): number {
    return this.#wide[slot * WIDE + MS]!;
  }
  /** Sequence of the message before this one on its subject; 0 = none. */
  previous(slot: number): number {
    return this.#wide[slot * WIDE + PREVIOUS]!;
  }
  /** Sequence of the message after this one on its subject; 0 = none. */
  next(slot: number): number {
    return this.#wide[slot * WIDE + NEXT]!;
  }
  setPrevious(slot: number, seq: number): void {
    this.#wide[slot * WIDE + PREVIOUS] = seq;
  }
  setNext(slot: number, seq: number): void {
    this.#wide[slot * WIDE + NEXT] = seq;
  }
  isLive(slot: number): boolean {
    return this.#figures[slot * FIGURES + SUBJECT] !== DEAD;
  }

  /** First slot whose sequence is at or above `seq`; `slots` if none. */
  slotFrom(seq: number): number {
    const delta = seq - this.base;
    if (delta <= 0) return 0;
    const figures = this.#figures;
    // Dense up to here: the slot's number is its distance from the base.
    if (delta < this.slots && figures[delta * FIGURES + SEQ] === delta) return delta;
    let low = 0;
    let high = this.slots;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (figures[middle * FIGURES + SEQ]! < delta) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The live slot of `seq`, or -1. */
  slotOf(seq: number): number {
    const slot = this.slotFrom(seq);
    return slot < this.slots && this.seq(slot) === seq && this.isLive(slot) ? slot : -1;
  }

  /** First live slot at or after `slot`, or -1. */
  liveFrom(slot: number): number {
    for (let at = Math.max(slot, this.head); at < this.slots; at++) if (this.isLive(at)) return at;
    return -1;
  }

  /** Last live slot at or before `slot`, or -1. */
  liveUpTo(slot: number): number {
    for (let at = Math.min(slot, this.slots - 1); at >= this.head; at--) if (this.isLive(at)) return at;
    return -1;
  }

  /** Removes the message in `slot`; with `erase` its bytes are overwritten. */
  remove(slot: number, erase: boolean): void {
    const at = slot * FIGURES;
    const bytes = this.#figures[at + HEADER]! + this.#figures[at + PAYLOAD]!;
    if (erase) this.#slab.fill(0, this.#figures[at + OFFSET]!, this.#figures[at + OFFSET]! + bytes);
    this.#figures[at + SUBJECT] = DEAD;
    this.live--;
    this.#liveBytes -= bytes;
    if (slot === this.head) {
      do this.head++;
      while (this.head < this.slots && !this.isLive(this.head));
    }
  }

  /** True when more than half of the slots or of the bytes belong to removed messages, and it is worth the copy. */
  get wasteful(): boolean {
    return (
      (this.slots > SLOTS_MIN && this.live * 2 < this.slots) ||
      (this.#slab.length > SLAB_BYTES_MIN && this.#liveBytes * 2 < this.#used)
    );
  }

  /** A new block with the live messages of `left` and, if given, of `right`, which follows it. */
  static compact(left: MemoryBlock, right: MemoryBlock | null): MemoryBlock {
    const block = new MemoryBlock(left.base);
    const live = left.live + (right === null ? 0 : right.live);
    const bytes = left.#liveBytes + (right === null ? 0 : right.#liveBytes);
    block.#figures = new Uint32Array(Math.max(live, SLOTS_MIN) * FIGURES);
    block.#wide = new Float64Array(Math.max(live, SLOTS_MIN) * WIDE);
    block.#slab = Buffer.allocUnsafeSlow(Math.max(bytes, SLAB_BYTES_MIN));
    block.#take(left);
    if (right !== null) block.#take(right);
    return block;
  }

  /** True if `right`, which follows, fits into one block with this one and leaves room. */
  canMerge(right: MemoryBlock): boolean {
    return (
      (this.live + right.live) * 2 <= BLOCK_SLOTS_MAX &&
      (this.#liveBytes + right.#liveBytes) * 2 <= BLOCK_BYTES_MAX &&
      right.lastSeq - this.base <= U32_MAX
    );
  }

  #take(from: MemoryBlock): void {
    for (let slot = from.liveFrom(0); slot >= 0; slot = from.liveFrom(slot + 1)) {
      const header = from.headerBytes(slot);
      const payload = from.payloadBytes(slot);
      const source = from.offset(slot);
      const to = this.slots;
      const offset = this.append(
        from.seq(slot),
        from.subjectId(slot),
        header,
        payload,
        from.timeMs(slot),
        from.timeNs(slot),
      );
      this.setPrevious(to, from.previous(slot));
      this.setNext(to, from.next(slot));
      from.#slab.copy(this.#slab, offset, source, source + header + payload);
    }
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes > this.#slab.length) {
      const doubled = Math.min(this.#slab.length * 2, BLOCK_BYTES_MAX);
      const grown = Buffer.allocUnsafeSlow(Math.max(doubled, this.#used + bytes));
      this.#slab.copy(grown, 0, 0, this.#used);
      this.#slab = grown;
    }
    if ((this.slots + 1) * FIGURES > this.#figures.length) {
      const slots = Math.min(this.slots * 2, BLOCK_SLOTS_MAX);
      const figures = new Uint32Array(slots * FIGURES);
      figures.set(this.#figures);
      this.#figures = figures;
      const wide = new Float64Array(slots * WIDE);
      wide.set(this.#wide);
      this.#wide = wide;
    }
  }
}
