import { Branch, type Entry, ownValue } from './subject-branch.ts';

/** Called per subject found; return false to stop. */
export type SubjectTreeCallback<V> = (subject: string, value: V) => boolean | undefined;

/** A branch of which a wildcard token takes every entry. */
interface Frame<V> {
  readonly maps: readonly ReadonlyMap<string, Entry<V>>[];
  map: number;
  entries: MapIterator<[string, Entry<V>]>;
  /** Tokens before, with the dot. */
  readonly prefix: string;
  /** Index of the wildcard token. */
  readonly depth: number;
}

/** One walk through a subject tree along a filter. Frames of its own: a subject may have thousands of tokens. */
export class SubjectWalk<V> {
  readonly #tokens: readonly string[];
  readonly #callback: SubjectTreeCallback<V>;
  readonly #frames: Frame<V>[] = [];

  constructor(filter: string, callback: SubjectTreeCallback<V>) {
    this.#tokens = filter.split('.');
    this.#callback = callback;
  }

  /** False if the callback stopped it. */
  run(root: Branch<V>): boolean {
    if (!this.#enter(root, '', 0)) return false;
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      const next = frame.entries.next();
      if (next.done === true) {
        frame.map++;
        if (frame.map === frame.maps.length) this.#frames.pop();
        else frame.entries = frame.maps[frame.map]!.entries();
      } else if (!this.#take(next.value[0], next.value[1], frame.prefix, frame.depth)) {
        return false;
      }
    }
    return true;
  }

  /** An entry that the token at `depth` matches. */
  #take(name: string, entry: Entry<V>, prefix: string, depth: number): boolean {
    if (!this.#report(name, entry, prefix, depth)) return false;
    if (!this.#goesOn(entry, depth)) return true;
    return this.#enter(entry, `${prefix}${name}.`, this.#below(depth));
  }

  #report(name: string, entry: Entry<V>, prefix: string, depth: number): boolean {
    if (depth !== this.#tokens.length - 1) return true;
    const value = ownValue(entry);
    return value === undefined || this.#callback(prefix + name, value) !== false;
  }

  #goesOn(entry: Entry<V>, depth: number): entry is Branch<V> {
    return entry instanceof Branch && (depth < this.#tokens.length - 1 || this.#tokens[depth] === '>');
  }

  #below(depth: number): number {
    return this.#tokens[depth] === '>' ? depth : depth + 1;
  }

  /** Follows the filter as long as there is one way to go, then leaves a frame. */
  #enter(branch: Branch<V>, prefix: string, depth: number): boolean {
    for (;;) {
      const token = this.#tokens[depth]!;
      const isWildcard = token === '*' || token === '>';
      const name = isWildcard ? branch.onlyKey : token;
      if (name === null) break;
      const entry = isWildcard ? branch.onlyValue : branch.get(name);
      if (entry === undefined) return true;
      if (!this.#report(name, entry, prefix, depth)) return false;
      if (!this.#goesOn(entry, depth)) return true;
      branch = entry;
      prefix += `${name}.`;
      depth = this.#below(depth);
    }
    const maps = branch.maps();
    if (maps.length > 0) this.#frames.push({ maps, map: 0, entries: maps[0]!.entries(), prefix, depth });
    return true;
  }
}
