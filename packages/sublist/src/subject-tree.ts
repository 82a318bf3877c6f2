import { StringMap } from './string-map.ts';
import { hasWildcards } from './subject.ts';
import { tokenEnd } from './token.ts';

/** Called per subject found; return false to stop. */
export type SubjectTreeCallback<V> = (subject: string, value: V) => boolean | undefined;

/** What a token leads to: a value if the subject ends with it, a branch if there is more (and perhaps a value too). */
type Entry<V> = V | Branch<V>;

class Branch<V> extends StringMap<Entry<V>> {
  /** Value of the subject that ends here. */
  value: V | undefined = undefined;
}

/** A branch under way: its entries that are left, and what to do with them. */
interface Frame<V> {
  readonly entries: Iterator<readonly [string, Entry<V>]>;
  /** Tokens before, with the dot. */
  readonly prefix: string;
  /** Index of the filter token that stands for these entries: `*` or `>`. */
  readonly depth: number;
}

/** From this length on V8 makes a part of a string a view that keeps the whole of it in memory. */
const VIEW_LENGTH_MIN = 13;

/** Cuts out a token so that it does not keep the subject in memory. */
function copyToken(subject: string, start: number, end: number): string {
  const token = subject.slice(start, end);
  if (token.length < VIEW_LENGTH_MIN || token.length === subject.length) return token;
  for (let index = 0; index < token.length; index++) {
    if (token.charCodeAt(index) > 0xff) return Buffer.from(token, 'utf16le').toString('utf16le');
  }
  return Buffer.from(token, 'latin1').toString('latin1');
}

function ownValue<V>(entry: Entry<V> | undefined): V | undefined {
  return entry instanceof Branch ? entry.value : entry;
}

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
      const entry = branch.get(subject.slice(start, end));
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
    const token = subject.slice(start, end);
    const entry = branch.get(token);
    if (ownValue(entry) === undefined) this.#size++;
    if (entry instanceof Branch) entry.value = value;
    else branch.set(entry === undefined ? copyToken(subject, start, end) : token, value);
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
    const tokens = filter.split('.');
    const frames: Frame<V>[] = [];
    if (!this.#descend(this.#root, '', tokens, 0, frames, callback)) return false;
    // A stack of its own: a subject may have thousands of tokens.
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const next = frame.entries.next();
      if (next.done === true) frames.pop();
      else if (!this.#visit(frame, next.value[0], next.value[1], tokens, frames, callback)) return false;
    }
    return true;
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
    const name = subject.slice(start, end);
    const entry = parent.get(name);
    if (entry instanceof Branch) return entry;
    const branch = new Branch<V>();
    branch.value = entry;
    parent.set(entry === undefined ? copyToken(subject, start, end) : name, branch);
    return branch;
  }

  /** Follows the literal tokens of a filter from `depth` on, down to its end or its next wildcard. */
  #descend(
    branch: Branch<V>,
    prefix: string,
    tokens: readonly string[],
    depth: number,
    frames: Frame<V>[],
    callback: SubjectTreeCallback<V>,
  ): boolean {
    for (; tokens[depth] !== '*' && tokens[depth] !== '>'; depth++) {
      const token = tokens[depth]!;
      const entry = branch.get(token);
      if (depth === tokens.length - 1) {
        const value = ownValue(entry);
        return value === undefined || callback(prefix + token, value) !== false;
      }
      if (!(entry instanceof Branch)) return true;
      branch = entry;
      prefix += `${token}.`;
    }
    frames.push({ entries: branch.entries(), prefix, depth });
    return true;
  }

  /** One entry below a wildcard token of the filter. */
  #visit(
    frame: Frame<V>,
    token: string,
    entry: Entry<V>,
    tokens: readonly string[],
    frames: Frame<V>[],
    callback: SubjectTreeCallback<V>,
  ): boolean {
    const subject = frame.prefix + token;
    const tail = tokens[frame.depth] === '>';
    if (frame.depth === tokens.length - 1) {
      const value = ownValue(entry);
      if (value !== undefined && callback(subject, value) === false) return false;
    }
    if (!(entry instanceof Branch)) return true;
    if (tail) frames.push({ entries: entry.entries(), prefix: `${subject}.`, depth: frame.depth });
    else if (frame.depth < tokens.length - 1) {
      return this.#descend(entry, `${subject}.`, tokens, frame.depth + 1, frames, callback);
    }
    return true;
  }
}
