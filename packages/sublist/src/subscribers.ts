import type { Matches, QueueMatch } from './matches.ts';
import { Members } from './members.ts';

const NONE = Symbol('none');
const NOBODY: readonly never[] = [];

/**
 * Everybody subscribed to one subject or pattern. Most have one subscriber, which lives in two fields; the second one
 * makes it a map of groups.
 */
export class Subscribers<T> {
  #queue: string | null;
  #only: T | typeof NONE;
  /** By queue group; null = plain subscribers. */
  #groups: Map<string | null, Members<T>> | null = null;
  /** What `matches` gave last, while nobody comes or goes. */
  #matches: Matches<T> | null = null;

  constructor(queue: string | null, first: T) {
    this.#queue = queue;
    this.#only = first;
  }

  /** True when the last one is gone. */
  get isEmpty(): boolean {
    return this.#only === NONE && this.#groups === null;
  }

  /** True if somebody is in the queue group; null = if there is a plain subscriber. */
  has(queue: string | null): boolean {
    return this.#groups === null ? this.#only !== NONE && this.#queue === queue : this.#groups.has(queue);
  }

  /** False if the value is already there. */
  add(queue: string | null, value: T): boolean {
    if (this.#groups === null) {
      if (this.#only === value && this.#queue === queue) return false;
      this.#matches = null;
      this.#groups = new Map();
      if (this.#only !== NONE) this.#groups.set(this.#queue, new Members(this.#only));
      this.#only = NONE;
    }
    this.#matches = null;
    const group = this.#groups.get(queue);
    if (group !== undefined) return group.add(value);
    this.#groups.set(queue, new Members(value));
    return true;
  }

  /** False if the value is not there. */
  remove(queue: string | null, value: T): boolean {
    this.#matches = null;
    if (this.#groups === null) {
      if (this.#only !== value || this.#queue !== queue) return false;
      this.#only = NONE;
      return true;
    }
    const group = this.#groups.get(queue);
    if (group === undefined || !group.remove(value)) return false;
    if (group.items.length > 0) return true;
    this.#groups.delete(queue);
    if (this.#groups.size === 0) this.#groups = null;
    return true;
  }

  /** Who gets a message that nobody else gets. Shared; a change of the subscribers makes a new one. */
  matches(): Matches<T> {
    this.#matches ??= matchesOf([this]);
    return this.#matches;
  }

  /** Adds the plain subscribers to `plain`, an array of the caller's or null; returns it, or a new one. */
  appendPlain(plain: T[] | null): T[] | null {
    if (this.#groups === null) return this.#queue === null ? this.#append(plain) : plain;
    const members = this.#groups.get(null);
    return members === undefined ? plain : appendAll(plain, members.items);
  }

  /** Adds the queue groups to `groups`, a map of the caller's or null; returns it, or a new one. */
  appendQueues(groups: Map<string, T[]> | null): Map<string, T[]> | null {
    if (this.#groups === null) {
      if (this.#queue === null || this.#only === NONE) return groups;
      groups ??= new Map();
      return groups.set(this.#queue, this.#append(groups.get(this.#queue) ?? null)!);
    }
    for (const [queue, members] of this.#groups) {
      if (queue === null) continue;
      groups ??= new Map();
      groups.set(queue, appendAll(groups.get(queue) ?? null, members.items));
    }
    return groups;
  }

  /** Calls back per subscriber. */
  each(callback: (value: T) => void): void {
    if (this.#only !== NONE) callback(this.#only);
    for (const members of this.#groups?.values() ?? []) {
      for (const value of members.items) callback(value);
    }
  }

  #append(values: T[] | null): T[] | null {
    if (this.#only === NONE) return values;
    if (values === null) return [this.#only];
    values.push(this.#only);
    return values;
  }
}

/** Who gets a message that all of `found` get. */
export function matchesOf<T>(found: readonly Subscribers<T>[]): Matches<T> {
  let plain: T[] | null = null;
  let groups: Map<string, T[]> | null = null;
  for (const subscribers of found) {
    plain = subscribers.appendPlain(plain);
    groups = subscribers.appendQueues(groups);
  }
  return { plain: plain ?? NOBODY, queues: groups === null ? NOBODY : queuesOf(groups) };
}

function queuesOf<T>(groups: ReadonlyMap<string, T[]>): QueueMatch<T>[] {
  return Array.from(groups, ([queue, members]) => ({ queue, members }));
}

function appendAll<T>(values: T[] | null, more: readonly T[]): T[] {
  if (values === null) return more.slice();
  for (const value of more) values.push(value);
  return values;
}
