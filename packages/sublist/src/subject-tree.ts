import { TokenCutter } from './own-token.ts';
import { hasWildcards } from './subject.ts';
import { Branch, type Entry, ownValue } from './subject-branch.ts';
import { type SubjectTreeCallback, SubjectWalk } from './subject-walk.ts';
import { tokenEnd } from './token.ts';

/**
 * A value per literal subject, for one subject as for many millions; a filter with wildcards visits only what its
 * literal tokens lead to. A tree of tokens: common prefixes are stored once, and a subject costs about as much as one
 * entry of a Map. Equivalent to stree in nats-server.
 *
 * Subjects must be valid; wildcard tokens in them are stored literally. `undefined` is not a value. Holds as many
 * subjects as are set: its owner bounds them.
 */
export class SubjectTree<V> {
  #root = new Branch<V>();
  #size = 0;
  readonly #tokens = new TokenCutter();
  /** The subject asked for last: most streams see runs of one subject. */
  #lastSubject = '';
  #lastValue: V | undefined = undefined;

  /** Number of subjects. */
  get size(): number {
    return this.#size;
  }

  get(subject: string): V | undefined {
    if (subject === this.#lastSubject) return this.#lastValue;
    let branch = this.#root;
    for (let start = 0; ; ) {
      const end = tokenEnd(subject, start);
      const entry = branch.getPart(subject, start, end);
      if (end === subject.length) return this.#remember(subject, ownValue(entry));
      if (!(entry instanceof Branch)) return undefined;
      branch = entry;
      start = end + 1;
    }
  }

  /** Adds the subject or replaces its value. */
  set(subject: string, value: V): void {
    let branch = this.#root;
    let start = 0;
    let end = tokenEnd(subject, 0);
    while (end < subject.length) {
      branch = this.#branchAt(branch, subject, start, end);
      start = end + 1;
      end = tokenEnd(subject, start);
    }
    const entry = branch.getPart(subject, start, end);
    if (ownValue(entry) === undefined) this.#size++;
    if (entry instanceof Branch) entry.value = value;
    else if (entry === undefined) branch.set(this.#tokens.cut(subject, start, end), value);
    else branch.set(subject.slice(start, end), value);
    this.#remember(subject, value);
  }

  /** Removes a subject and every branch that only it needed; false if it was not there. */
  delete(subject: string): boolean {
    const path: Branch<V>[] = [];
    const names: string[] = [];
    let entry: Entry<V> | undefined = this.#root;
    for (let start = 0; start <= subject.length; ) {
      if (!(entry instanceof Branch)) return false;
      const end = tokenEnd(subject, start);
      const name = subject.slice(start, end);
      path.push(entry);
      names.push(name);
      entry = entry.get(name);
      start = end + 1;
    }
    if (ownValue(entry) === undefined) return false;
    if (entry instanceof Branch) entry.value = undefined;
    else path.at(-1)!.delete(names.at(-1)!);
    for (let depth = path.length - 1; depth > 0 && path[depth]!.size === 0; depth--) {
      // A branch without entries becomes a plain value, or goes.
      const value = path[depth]!.value;
      if (value !== undefined) path[depth - 1]!.set(names[depth - 1]!, value);
      else path[depth - 1]!.delete(names[depth - 1]!);
    }
    this.#size--;
    this.#forget();
    return true;
  }

  clear(): void {
    this.#root = new Branch();
    this.#size = 0;
    this.#forget();
  }

  /**
   * Calls back for every subject that `filter` (a valid subject, wildcards allowed) matches, in any order, until the
   * callback returns false; then returns false itself. The callback may set values of present subjects and remove the
   * subject it was called with; one that is added meanwhile, or another one that is removed, may be visited or not.
   */
  match(filter: string, callback: SubjectTreeCallback<V>): boolean {
    if (!hasWildcards(filter)) {
      const value = this.get(filter);
      return value === undefined || callback(filter, value) !== false;
    }
    return new SubjectWalk(filter, callback).run(this.#root);
  }

  /** Calls back for every subject, as `match('>', callback)`. */
  each(callback: SubjectTreeCallback<V>): boolean {
    return this.match('>', callback);
  }

  #remember(subject: string, value: V | undefined): V | undefined {
    this.#lastSubject = subject;
    this.#lastValue = value;
    return value;
  }

  #forget(): void {
    this.#remember('', undefined);
  }

  #branchAt(parent: Branch<V>, subject: string, start: number, end: number): Branch<V> {
    const entry = parent.getPart(subject, start, end);
    if (entry instanceof Branch) return entry;
    const branch = new Branch<V>();
    branch.value = entry;
    parent.set(this.#tokens.cut(subject, start, end), branch);
    return branch;
  }
}
