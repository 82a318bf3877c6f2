/** Sequences per bitmap: as nats-server's set, so that index.db takes the bitmaps as they are. */
export const SET_CHUNK = 2048;
const WORDS = SET_CHUNK / 32;

/** A run of at least this many sequences is kept as two numbers. */
const RUN_MIN: number = 64 * SET_CHUNK;

interface Run {
  first: number;
  last: number;
}

/**
 * A set of sequences, small where they lie close together: a bitmap per 2048 of them, and long runs as two numbers.
 * Holds what its owner puts in; a block has at most as many removed sequences as it spans.
 */
export class SeqSet {
  size = 0;
  readonly #chunks = new Map<number, Uint32Array>();
  /** Long runs, ascending; none of their sequences has a bit. Rare: only damage or a foreign store makes them. */
  readonly #runs: Run[] = [];

  has(seq: number): boolean {
    if (this.size === 0) return false;
    const chunk = this.#chunks.get(Math.floor(seq / SET_CHUNK));
    if (chunk !== undefined) {
      const bit = seq % SET_CHUNK;
      if ((chunk[bit >>> 5]! & (1 << (bit & 31))) !== 0) return true;
    }
    return this.#runs.length > 0 && this.#run(seq) !== undefined;
  }

  /** Adds one sequence; false if it was there. */
  add(seq: number): boolean {
    if (this.#runs.length > 0 && this.#run(seq) !== undefined) return false;
    const index = Math.floor(seq / SET_CHUNK);
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) this.#chunks.set(index, (chunk = new Uint32Array(WORDS)));
    const bit = seq % SET_CHUNK;
    const mask = 1 << (bit & 31);
    if ((chunk[bit >>> 5]! & mask) !== 0) return false;
    chunk[bit >>> 5]! |= mask;
    this.size++;
    return true;
  }

  /** Adds `first` to `last`, none of which is in the set yet. */
  addRange(first: number, last: number): void {
    if (last - first < RUN_MIN) {
      for (let seq = first; seq <= last; seq++) this.add(seq);
      return;
    }
    const at = this.#runs.findIndex((run) => run.first > first);
    this.#runs.splice(at < 0 ? this.#runs.length : at, 0, { first, last });
    this.size += last - first + 1;
  }

  /** First sequence at or after `seq` that is not in the set. */
  nextAbsent(seq: number): number {
    while (this.has(seq)) seq = (this.#run(seq)?.last ?? seq) + 1;
    return seq;
  }

  /** Last sequence at or before `seq` that is not in the set. */
  previousAbsent(seq: number): number {
    while (this.has(seq)) seq = (this.#run(seq)?.first ?? seq) - 1;
    return seq;
  }

  /** Forgets everything below `seq`. */
  removeBelow(seq: number): void {
    if (this.size === 0) return;
    const boundary = Math.floor(seq / SET_CHUNK);
    for (const [index, chunk] of this.#chunks) {
      if (index < boundary) {
        this.size -= countBits(chunk, 0, SET_CHUNK);
        this.#chunks.delete(index);
      } else if (index === boundary) {
        this.size -= clearBits(chunk, seq % SET_CHUNK);
        if (countBits(chunk, 0, SET_CHUNK) === 0) this.#chunks.delete(index);
      }
    }
    while (this.#runs.length > 0 && this.#runs[0]!.first < seq) {
      const run = this.#runs[0]!;
      const cut = Math.min(seq, run.last + 1);
      this.size -= cut - run.first;
      run.first = cut;
      if (run.first > run.last) this.#runs.shift();
    }
  }

  /** The part of the set from `first` to `last`, as a set of its own. */
  between(first: number, last: number): SeqSet {
    const part = new SeqSet();
    this.eachRange((from, to) => {
      const start = Math.max(from, first);
      const end = Math.min(to, last);
      if (start <= end) part.addRange(start, end);
    });
    return part;
  }

  /** How many are at or after `seq`. */
  countFrom(seq: number): number {
    if (this.size === 0) return 0;
    const boundary = Math.floor(seq / SET_CHUNK);
    let count = 0;
    for (const [index, chunk] of this.#chunks) {
      if (index >= boundary) count += countBits(chunk, index === boundary ? seq % SET_CHUNK : 0, SET_CHUNK);
    }
    for (const run of this.#runs) if (run.last >= seq) count += run.last - Math.max(run.first, seq) + 1;
    return count;
  }

  /** Calls back for each run of neighbours, ascending. */
  eachRange(callback: (first: number, last: number) => void): void {
    let first = -1;
    let last = -2;
    const extend = (from: number, to: number): void => {
      if (from === last + 1) last = to;
      else {
        if (first >= 0) callback(first, last);
        first = from;
        last = to;
      }
    };
    let run = 0;
    for (const index of [...this.#chunks.keys()].sort((left, right) => left - right)) {
      for (; run < this.#runs.length && this.#runs[run]!.first < index * SET_CHUNK; run++) {
        extend(this.#runs[run]!.first, this.#runs[run]!.last);
      }
      const chunk = this.#chunks.get(index)!;
      for (let bit = 0; bit < SET_CHUNK; bit++) {
        const seq = index * SET_CHUNK + bit;
        if (run < this.#runs.length && this.#runs[run]!.first === seq) {
          extend(seq, this.#runs[run]!.last);
          run++;
        }
        if ((chunk[bit >>> 5]! & (1 << (bit & 31))) !== 0) extend(seq, seq);
      }
    }
    for (; run < this.#runs.length; run++) extend(this.#runs[run]!.first, this.#runs[run]!.last);
    if (first >= 0) callback(first, last);
  }

  /** The set as bitmaps alone, ascending by base: what index.db holds. */
  bitmaps(): { base: number; words: Uint32Array }[] {
    let plain: SeqSet = this;
    if (this.#runs.length > 0) {
      plain = new SeqSet();
      this.eachRange((first, last) => {
        for (let seq = first; seq <= last; seq++) plain.add(seq);
      });
    }
    return [...plain.#chunks]
      .map(([index, words]) => ({ base: index * SET_CHUNK, words }))
      .sort((left, right) => left.base - right.base);
  }

  /** Adds a bitmap of 64 words whose first bit stands for `base`, a multiple of SET_CHUNK without bits yet. */
  addBitmap(base: number, words: Uint32Array): void {
    this.#chunks.set(base / SET_CHUNK, words);
    this.size += countBits(words, 0, SET_CHUNK);
  }

  #run(seq: number): Run | undefined {
    for (const run of this.#runs) if (seq <= run.last) return seq >= run.first ? run : undefined;
    return undefined;
  }
}

function countBits(chunk: Uint32Array, from: number, to: number): number {
  let count = 0;
  for (let bit = from; bit < to; bit++) {
    const word = chunk[bit >>> 5]!;
    if ((bit & 31) === 0 && (word === 0 || word === 0xffff_ffff)) {
      if (word !== 0) count += 32;
      bit += 31;
    } else if ((word & (1 << (bit & 31))) !== 0) count++;
  }
  return count;
}

/** Clears the bits below `to`; returns how many there were. */
function clearBits(chunk: Uint32Array, to: number): number {
  const count = countBits(chunk, 0, SET_CHUNK) - countBits(chunk, to, SET_CHUNK);
  for (let word = 0; word < to >>> 5; word++) chunk[word] = 0;
  if ((to & 31) !== 0) chunk[to >>> 5]! &= -1 << (to & 31);
  return count;
}
