import { subjectByteLength } from '@nats-ts/protocol';
import { SubjectTree } from '@nats-ts/sublist';
import { isLiteralFilter, takesAll } from '../shared/filters.ts';
import type { SubjectFilter, SubjectState } from '../store.ts';

/** What the memory store knows of one literal subject. */
export interface SubjectEntry extends SubjectState {
  readonly subject: string;
  /** Number that stands for the subject in message slots; given out again when the subject is gone. */
  readonly id: number;
  /** Never given out again. */
  readonly serial: number;
  /** Length of the subject on the wire. */
  readonly bytes: number;
}

/** The literal subjects that have messages: as many as the stream's limits let there be. */
export class SubjectIndex {
  #tree = new SubjectTree<SubjectEntry>();
  #byId: SubjectEntry[] = [];
  #freeIds: number[] = [];
  #serial = 0;
  /** Answers of filters, by subject id: the subject's serial, negative if it does not pass. Filters live as long as their consumers. */
  #answers = new WeakMap<SubjectFilter, number[]>();

  get size(): number {
    return this.#tree.size;
  }

  get(subject: string): SubjectEntry | undefined {
    return this.#tree.get(subject);
  }

  byId(id: number): SubjectEntry {
    return this.#byId[id]!;
  }

  add(subject: string): SubjectEntry {
    const id = this.#freeIds.pop() ?? this.#byId.length;
    const bytes = subjectByteLength(subject);
    const entry: SubjectEntry = { subject, id, serial: ++this.#serial, bytes, count: 0, first: 0, last: 0 };
    this.#byId[id] = entry;
    this.#tree.set(subject, entry);
    return entry;
  }

  remove(entry: SubjectEntry): void {
    this.#tree.delete(entry.subject);
    this.#freeIds.push(entry.id);
  }

  clear(): void {
    this.#tree = new SubjectTree();
    this.#byId = [];
    this.#freeIds = [];
    this.#answers = new WeakMap();
  }

  /** True if the subject with this id passes. Asks the filter once per subject: scans look at many messages. */
  passes(filter: SubjectFilter, id: number): boolean {
    let answers = this.#answers.get(filter);
    if (answers === undefined) {
      answers = [];
      this.#answers.set(filter, answers);
    }
    const { subject, serial } = this.#byId[id]!;
    const known = answers[id];
    if (known === serial) return true;
    if (known === -serial) return false;
    const passes = filter.matches(subject);
    answers[id] = passes ? serial : -serial;
    return passes;
  }

  /** Calls back for each subject that passes; false from the callback stops. Messages may be removed meanwhile. */
  each(filter: SubjectFilter | null, callback: (entry: SubjectEntry) => boolean | undefined): void {
    for (const entry of this.#matching(filter)) if (entry.count > 0 && callback(entry) === false) return;
  }

  #matching(filter: SubjectFilter | null): Iterable<SubjectEntry> {
    const found = new Set<SubjectEntry>();
    const add = (_subject: string, entry: SubjectEntry): undefined => {
      found.add(entry);
    };
    if (filter === null || takesAll(filter)) this.#tree.each(add);
    else if (isLiteralFilter(filter)) {
      for (const subject of filter.subjects) {
        const entry = this.#tree.get(subject);
        if (entry !== undefined) found.add(entry);
      }
    } else for (const subject of filter.subjects) this.#tree.match(subject, add);
    return found;
  }
}
