import { isLiteralFilter, takesAll } from '../shared/filters.ts';
import type { SubjectFilter, SubjectState } from '../store.ts';

/** What the memory store knows of one literal subject. */
export interface SubjectEntry extends SubjectState {
  readonly subject: string;
  /** Number that stands for the subject in message slots. */
  readonly id: number;
  /** Length of the subject on the wire. */
  readonly bytes: number;
}

/** The literal subjects that have messages. */
export class SubjectIndex {
  readonly #bySubject = new Map<string, SubjectEntry>();
  readonly #byId: (SubjectEntry | undefined)[] = [];
  readonly #freeIds: number[] = [];

  get size(): number {
    return this.#bySubject.size;
  }

  get(subject: string): SubjectEntry | undefined {
    return this.#bySubject.get(subject);
  }

  byId(id: number): SubjectEntry {
    return this.#byId[id]!;
  }

  add(subject: string): SubjectEntry {
    const id = this.#freeIds.pop() ?? this.#byId.length;
    const entry: SubjectEntry = { subject, id, bytes: Buffer.byteLength(subject), count: 0, first: 0, last: 0 };
    this.#byId[id] = entry;
    this.#bySubject.set(subject, entry);
    return entry;
  }

  remove(entry: SubjectEntry): void {
    this.#bySubject.delete(entry.subject);
    this.#byId[entry.id] = undefined;
    this.#freeIds.push(entry.id);
  }

  clear(): void {
    this.#bySubject.clear();
    this.#byId.length = 0;
    this.#freeIds.length = 0;
  }

  /** Calls back for each subject that passes; false from the callback stops. Removing entries meanwhile is allowed. */
  each(filter: SubjectFilter | null, callback: (entry: SubjectEntry) => boolean | undefined): void {
    if (filter !== null && !takesAll(filter) && isLiteralFilter(filter)) {
      for (const subject of new Set(filter.subjects)) {
        const entry = this.#bySubject.get(subject);
        if (entry !== undefined && callback(entry) === false) return;
      }
      return;
    }
    const all = filter === null || takesAll(filter);
    for (const entry of this.#bySubject.values()) {
      if ((all || filter.matches(entry.subject)) && callback(entry) === false) return;
    }
  }
}
