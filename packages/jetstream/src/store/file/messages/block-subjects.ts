import { BLOCK_SUBJECTS_MAX } from './limits.ts';
import type { SubjectEntry } from './subject-table.ts';

/**
 * How many messages each subject has in one block, so that a search can pass the block over without reading it. Kept
 * for blocks of at most BLOCK_SUBJECTS_MAX subjects; the others are read when a search comes by.
 */
export class BlockSubjects {
  readonly #counts = new Map<SubjectEntry, number>();

  /** Counts a message; false when that was one subject too many. */
  add(entry: SubjectEntry): boolean {
    this.#counts.set(entry, (this.#counts.get(entry) ?? 0) + 1);
    return this.#counts.size <= BLOCK_SUBJECTS_MAX;
  }

  removed(entry: SubjectEntry): void {
    const count = this.#counts.get(entry) ?? 0;
    if (count > 1) this.#counts.set(entry, count - 1);
    else this.#counts.delete(entry);
  }

  has(entry: SubjectEntry): boolean {
    return this.#counts.has(entry);
  }

  count(entry: SubjectEntry): number {
    return this.#counts.get(entry) ?? 0;
  }

  entries(): Iterable<[SubjectEntry, number]> {
    return this.#counts;
  }
}
