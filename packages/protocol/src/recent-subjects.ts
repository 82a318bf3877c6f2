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

/**
 * The strings of recently used subjects, found by their bytes: publishing to a subject that is still in the table
 * builds no string and finds the value left there by the last publish (typically a match result with the generation of
 * the subscription list it came from).
 *
 * A direct-mapped cache: a fixed number of slots, a newcomer takes the place of whatever hashes to the same slot, and
 * memory is at most `slots` × (RECENT_SUBJECT_BYTES_MAX + one string and entry). An entry that lost its slot stays valid
 * for who holds it; it is just not found again.
 */
export class RecentSubjects<T> {
  readonly #mask: number;
  readonly #entries: (SubjectEntry<T> | null)[];
  readonly #lengths: Uint8Array;
  /** The bytes of the subject in slot n stand at n × RECENT_SUBJECT_BYTES_MAX. */
  readonly #bytes: Uint8Array;

  /** @param slots a power of two, 16–65536; default RECENT_SUBJECTS_SLOTS. */
  constructor(slots: number = RECENT_SUBJECTS_SLOTS) {
    if (!Number.isInteger(slots) || slots < 16 || slots > 65_536 || (slots & (slots - 1)) !== 0) {
      throw new RangeError(`RecentSubjects: slots must be a power of two from 16 to 65536, got ${slots}`);
    }
    this.#mask = slots - 1;
    this.#entries = new Array<SubjectEntry<T> | null>(slots).fill(null);
    this.#lengths = new Uint8Array(slots);
    this.#bytes = new Uint8Array(slots * RECENT_SUBJECT_BYTES_MAX);
  }

  /** The entry for the subject `source[start, end)`, new if the table does not hold it. */
  lookup(source: Buffer, start: number, end: number): SubjectEntry<T> {
    const length = end - start;
    if (length > RECENT_SUBJECT_BYTES_MAX) {
      return { subject: subjectFromBytes(source, start, end), generation: -1, value: null };
    }
    const slot = hash(source, start, end) & this.#mask;
    const entry = this.#entries[slot]!;
    if (entry !== null && this.#lengths[slot] === length) {
      const bytes = this.#bytes;
      let at = slot * RECENT_SUBJECT_BYTES_MAX;
      let i = start;
      while (i < end && source[i] === bytes[at]) {
        i++;
        at++;
      }
      if (i === end) return entry;
    }
    return this.#replace(slot, source, start, end);
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.fill(null);
  }

  #replace(slot: number, source: Buffer, start: number, end: number): SubjectEntry<T> {
    const entry: SubjectEntry<T> = { subject: subjectFromBytes(source, start, end), generation: -1, value: null };
    this.#entries[slot] = entry;
    this.#lengths[slot] = end - start;
    let at = slot * RECENT_SUBJECT_BYTES_MAX;
    for (let i = start; i < end; i++) this.#bytes[at++] = source[i]!;
    return entry;
  }
}

/** Every byte counts: subjects that differ in one token in the middle are the common case. Four bytes a round. */
function hash(source: Buffer, start: number, end: number): number {
  let h = end - start;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word = source[i]! | (source[i + 1]! << 8) | (source[i + 2]! << 16) | (source[i + 3]! << 24);
    h = Math.imul(h ^ word, 0x9e3779b1);
    h ^= h >>> 15;
  }
  for (; i < end; i++) h = Math.imul(h ^ source[i]!, 0x9e3779b1);
  return h ^ (h >>> 15) ^ (h >>> 7);
}
