import { subjectFromBytes } from './subject-bytes.ts';

/** Default number of slots. */
export const RECENT_SUBJECTS_SLOTS = 4096;
/** A longer subject is never kept: its string is built each time. */
export const RECENT_SUBJECT_BYTES_MAX = 128;

/** A subject with whatever its owner remembers about it. */
export interface SubjectEntry<T> {
  readonly subject: string;
  /** For the owner: which generation `value` belongs to. -1 when the entry is new. */
  generation: number;
  /** For the owner: what is known about the subject. null when the entry is new. */
  value: T | null;
}

/** The highest bit of each of four bytes. */
const NOT_ASCII = 0x80808080 | 0;
const WORDS_PER_SLOT = RECENT_SUBJECT_BYTES_MAX / 4;
const EMPTY = Buffer.alloc(0);

/**
 * The strings of recently used subjects, found by their bytes: publishing to a subject that is still in the table
 * builds no string and finds the value left there by the last publish (typically a match result with the generation of
 * the subscription list it came from).
 *
 * A direct-mapped cache: a fixed number of slots, a newcomer takes the place of whatever hashes to the same slot when it
 * comes a second time (subjects that come once, inboxes and acknowledgements, drive out nothing), and memory is at most `slots` × (RECENT_SUBJECT_BYTES_MAX + one string and entry). An entry that lost its slot stays valid
 * for who holds it; it is just not found again. The table also holds on to the last buffer it looked into, until the
 * next one or `clear`.
 */
export class RecentSubjects<T> {
  readonly #mask: number;
  readonly #entries: (SubjectEntry<T> | null)[];
  readonly #lengths: Uint8Array;
  /** Hash of the subject in slot n, and of the last one that was turned away from it. */
  readonly #hashes: Int32Array;
  readonly #rejected: Int32Array;
  /** The bytes of the subject in slot n, four to a word, from n × WORDS_PER_SLOT. */
  readonly #words: Int32Array;
  // Reading four bytes at once halves the time, and a view costs one allocation per chunk, not per message.
  #source: Buffer = EMPTY;
  #view: DataView = new DataView(EMPTY.buffer, EMPTY.byteOffset, 0);

  /** @param slots a power of two, 16–65536; default RECENT_SUBJECTS_SLOTS. */
  constructor(slots: number = RECENT_SUBJECTS_SLOTS) {
    if (!Number.isInteger(slots) || slots < 16 || slots > 65_536 || (slots & (slots - 1)) !== 0) {
      throw new RangeError(`RecentSubjects: slots must be a power of two from 16 to 65536, got ${slots}`);
    }
    this.#mask = slots - 1;
    this.#entries = new Array<SubjectEntry<T> | null>(slots).fill(null);
    this.#lengths = new Uint8Array(slots);
    this.#hashes = new Int32Array(slots);
    this.#rejected = new Int32Array(slots);
    this.#words = new Int32Array(slots * WORDS_PER_SLOT);
  }

  /** The entry for the subject `source[start, end)`, new if the table does not hold it. */
  lookup(source: Buffer, start: number, end: number): SubjectEntry<T> {
    const length = end - start;
    if (length > RECENT_SUBJECT_BYTES_MAX) {
      return { subject: subjectFromBytes(source, start, end), generation: -1, value: null };
    }
    if (source !== this.#source) {
      this.#source = source;
      this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    }
    const view = this.#view;
    const wordsEnd = end - 3;
    let hash = length;
    let bits = 0;
    let i = start;
    // Every byte counts: subjects that differ in one token in the middle are the common case.
    for (; i < wordsEnd; i += 4) {
      const word = view.getInt32(i, true);
      bits |= word;
      hash = Math.imul(hash ^ word, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    let tail = 0;
    for (; i < end; i++) tail = (tail << 8) | source[i]!;
    hash = Math.imul(hash ^ tail, 0x9e3779b1);
    hash ^= hash >>> 15;
    const slot = (hash ^ (hash >>> 7)) & this.#mask;
    if (this.#hashes[slot] === hash && this.#lengths[slot] === length && this.#entries[slot] !== null) {
      const words = this.#words;
      let at = slot * WORDS_PER_SLOT;
      for (i = start; i < wordsEnd && view.getInt32(i, true) === words[at]; i += 4) at++;
      if (i >= wordsEnd && (i === end || words[at] === tail)) return this.#entries[slot]!;
    }
    const isAscii = ((bits | tail) & NOT_ASCII) === 0;
    const subject = isAscii ? source.toString('latin1', start, end) : subjectFromBytes(source, start, end);
    const entry = { subject, generation: -1, value: null };
    if (this.#entries[slot] === null || this.#rejected[slot] === hash) this.#keep(entry, slot, hash, tail, start, end);
    else this.#rejected[slot] = hash;
    return entry;
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.fill(null);
    this.#source = EMPTY;
    this.#view = new DataView(EMPTY.buffer, EMPTY.byteOffset, 0);
  }

  #keep(entry: SubjectEntry<T>, slot: number, hash: number, tail: number, start: number, end: number): void {
    this.#entries[slot] = entry;
    this.#hashes[slot] = hash;
    this.#lengths[slot] = end - start;
    let at = slot * WORDS_PER_SLOT;
    let i = start;
    for (; i + 4 <= end; i += 4) this.#words[at++] = this.#view.getInt32(i, true);
    if (i < end) this.#words[at] = tail;
  }
}
