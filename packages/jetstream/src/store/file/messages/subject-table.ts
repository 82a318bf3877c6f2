import { SubjectTree } from '@nats-ts/sublist';
import { isLiteralFilter, takesAll } from '../../shared/filters.ts';
import type { SubjectFilter } from '../../store.ts';

/**
 * What is known of one literal subject of the stream. `first` and `last` are exact, or bounds: after a removal (or a
 * start from index.db) the true first is at or after `first`, the true last at or before `last`.
 */
export interface SubjectEntry {
  readonly subject: string;
  /** Number that stands for the subject in the index of a block; given out again when the subject is gone. */
  readonly id: number;
  /** Never given out again. */
  readonly serial: number;
  /** Length of the subject on the wire. */
  readonly bytes: number;
  count: number;
  first: number;
  last: number;
  firstExact: boolean;
  lastExact: boolean;
}

/** Remembered answers of a filter: by subject id the subject's serial, negative if it does not pass. */
type Answers = number[];

/** The literal subjects of a stream that have messages: as many as the stream's limits let there be. */
export class SubjectTable {
  readonly #tree = new SubjectTree<SubjectEntry>();
  /** By id; 0 stands for "not looked up yet" in a block's index. */
  #byId: (SubjectEntry | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];
  #serial = 0;
  /** Filters live as long as their consumers do. */
  readonly #answers = new WeakMap<SubjectFilter, Answers>();

  get size(): number {
    return this.#tree.size;
  }

  get(subject: string): SubjectEntry | undefined {
    return this.#tree.get(subject);
  }

  byId(id: number): SubjectEntry | undefined {
    return this.#byId[id];
  }

  /** A subject that is not in the table. */
  add(subject: string, bytes: number): SubjectEntry {
    const id = this.#freeIds.pop() ?? this.#byId.length;
    const entry: SubjectEntry = {
      subject,
      id,
      serial: ++this.#serial,
      bytes,
      count: 0,
      first: 0,
      last: 0,
      firstExact: true,
      lastExact: true,
    };
    this.#byId[id] = entry;
    this.#tree.set(subject, entry);
    return entry;
  }

  /** Counts a message that is newer than all others of the subject. */
  appended(entry: SubjectEntry, seq: number): void {
    if (entry.count++ === 0) {
      entry.first = seq;
      entry.firstExact = true;
    }
    entry.last = seq;
    entry.lastExact = true;
  }

  /** Counts a message that is older than all others of the subject. */
  prepended(entry: SubjectEntry, seq: number): void {
    if (entry.count++ === 0) {
      entry.last = seq;
      entry.lastExact = true;
    }
    entry.first = seq;
    entry.firstExact = true;
  }

  /** Takes out `count` messages of the subject: `seq`, or (seq = 0) any below a sequence that is first now. */
  removed(entry: SubjectEntry, seq: number, count = 1): void {
    entry.count -= count;
    if (entry.count <= 0) {
      this.#tree.delete(entry.subject);
      this.#byId[entry.id] = undefined;
      this.#freeIds.push(entry.id);
      return;
    }
    if (seq === entry.first) {
      entry.first = seq + 1;
      entry.firstExact = false;
    } else if (seq === entry.last) {
      entry.last = seq - 1;
      entry.lastExact = false;
    }
    if (entry.count > 1) return;
    // One is left: what is known of the one end holds for the other.
    if (entry.firstExact) {
      entry.last = entry.first;
      entry.lastExact = true;
    } else if (entry.lastExact) {
      entry.first = entry.last;
      entry.firstExact = true;
    }
  }

  clear(): void {
    this.#tree.clear();
    this.#byId = [undefined];
    this.#freeIds.length = 0;
  }

  /** Calls back for each subject that passes; false from the callback stops. Removing the entry meanwhile is allowed. */
  each(filter: SubjectFilter | null, callback: (entry: SubjectEntry) => boolean | undefined): void {
    if (filter === null || takesAll(filter)) {
      this.#tree.each((_subject, entry) => callback(entry));
    } else if (filter.subjects.length === 1) {
      this.#tree.match(filter.subjects[0]!, (_subject, entry) => callback(entry));
    } else if (isLiteralFilter(filter)) {
      for (const subject of new Set(filter.subjects)) {
        const entry = this.#tree.get(subject);
        if (entry !== undefined && callback(entry) === false) return;
      }
    } else {
      this.#eachOfSeveral(filter, callback);
    }
  }

  /** True if a message of the subject passes. The answer is remembered for as long as filter and subject live. */
  passes(filter: SubjectFilter, entry: SubjectEntry): boolean {
    if (filter.subjects.length === 1 && filter.subjects[0] === entry.subject) return true;
    let answers = this.#answers.get(filter);
    if (answers === undefined) this.#answers.set(filter, (answers = []));
    const known = answers[entry.id];
    if (known === entry.serial) return true;
    if (known === -entry.serial) return false;
    const passes = filter.matches(entry.subject);
    answers[entry.id] = passes ? entry.serial : -entry.serial;
    return passes;
  }

  /** Filter subjects that overlap find a subject more than once. */
  #eachOfSeveral(filter: SubjectFilter, callback: (entry: SubjectEntry) => boolean | undefined): void {
    const seen = new Set<SubjectEntry>();
    for (const pattern of filter.subjects) {
      const goOn = this.#tree.match(pattern, (_subject, entry) => {
        if (seen.has(entry)) return true;
        seen.add(entry);
        return callback(entry);
      });
      if (!goOn) return;
    }
  }
}
