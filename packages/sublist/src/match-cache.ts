import type { Matches, QueueMatch } from './matches.ts';
import { subjectMatches } from './subject-relations.ts';

/** Match results kept by default. */
export const MATCH_CACHE_MAX = 4096;
/** Values (plain subscribers and queue members) that all kept results may hold together. */
export const MATCH_CACHE_VALUES_MAX = 1_048_576;
/** Changed patterns remembered; a result that has missed more of them counts as stale. A power of two. */
export const MATCH_CACHE_CHANGES = 256;

/**
 * Results kept for whoever comes. Above, a subject has to come twice: those that come once and never again (inboxes,
 * acknowledgements) would otherwise drive out all others, and cost more to keep than to work out.
 */
export const MATCH_CACHE_OPEN: number = MATCH_CACHE_MAX / 4;
/** Subjects remembered as having come once. A power of two. */
const SEEN_SLOTS = 4096;
/** Characters, from the end of a subject, that tell it from others seen once. */
const SEEN_CHARACTERS = 16;

/** At a limit the oldest results go until this share of it is left. */
const KEEP_SHARE = 0.75;

/** Stands for the start of a pattern that begins with a wildcard. */
const ANY_HEAD = -1;

/** The first two characters: a pattern matches no subject that starts otherwise, unless it begins with a wildcard. */
function headOf(subject: string): number {
  return subject.charCodeAt(0) | (subject.charCodeAt(1) << 16);
}

function headOfPattern(pattern: string): number {
  return pattern.startsWith('*') || pattern.startsWith('>') ? ANY_HEAD : headOf(pattern);
}

/** Tells a subject from others well enough: to be taken for another one only means to be kept at once. */
function seenHash(subject: string): number {
  const { length } = subject;
  let hash = length;
  for (let at = Math.max(0, length - SEEN_CHARACTERS); at < length; at++) {
    hash = Math.imul(hash ^ subject.charCodeAt(at), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** A result, and up to which change of the patterns it is known to be right. */
export class CachedMatches<T> implements Matches<T> {
  readonly plain: readonly T[];
  readonly queues: readonly QueueMatch<T>[];
  /** Number of values held. */
  readonly weight: number;
  checkedAt = 0;

  constructor(plain: readonly T[], queues: readonly QueueMatch<T>[]) {
    this.plain = plain;
    this.queues = queues;
    let weight = plain.length;
    for (const { members } of queues) weight += members.length;
    this.weight = weight;
  }
}

/**
 * Match results by subject. A change of a literal subscription drops that subject's result. A change of a wildcard
 * subscription drops nothing: its pattern is remembered, and each result is compared with the patterns that changed
 * since it was last asked for. So a SUB costs the same however full the cache is, and a hit in quiet times is one
 * lookup and one comparison of numbers.
 */
export class MatchCache<T> {
  readonly #max: number;
  readonly #results = new Map<string, CachedMatches<T>>();
  /** Ring of the patterns that changed last; change number n is at n modulo its length. */
  readonly #changed: string[] = new Array<string>(MATCH_CACHE_CHANGES).fill('');
  /** Their heads: most patterns are told apart by a comparison of numbers. */
  readonly #heads = new Int32Array(MATCH_CACHE_CHANGES);
  /** What was seen once, by hash; made when the first subject has to come twice. */
  #seen: Int32Array | null = null;
  #changes = 0;
  #weight = 0;

  /** @param max results to keep; 0 = none. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#results.size;
  }

  /** The result for `subject` if there is one and it is still right. */
  get(subject: string): CachedMatches<T> | undefined {
    const result = this.#results.get(subject);
    if (result === undefined || result.checkedAt === this.#changes) return result;
    return this.#isUnaffected(subject, result) ? result : undefined;
  }

  /** True if the result for `subject`, which `get` does not have, is to be kept. */
  admits(subject: string): boolean {
    if (this.#results.size < MATCH_CACHE_OPEN) return this.#max > 0;
    if (this.#max === 0) return false;
    this.#seen ??= new Int32Array(SEEN_SLOTS);
    const hash = seenHash(subject);
    const slot = hash & (SEEN_SLOTS - 1);
    if (this.#seen[slot] === hash) return true;
    this.#seen[slot] = hash;
    return false;
  }

  /** Keeps a result that was admitted, unless it alone exceeds the limit of values. */
  set(subject: string, result: CachedMatches<T>): void {
    this.drop(subject);
    if (result.weight > MATCH_CACHE_VALUES_MAX) return;
    if (this.#results.size >= this.#max || this.#weight + result.weight > MATCH_CACHE_VALUES_MAX)
      this.#evict(result.weight);
    result.checkedAt = this.#changes;
    this.#results.set(subject, result);
    this.#weight += result.weight;
  }

  /** The subscriptions to this literal subject changed. */
  drop(subject: string): void {
    const result = this.#results.get(subject);
    if (result === undefined) return;
    this.#results.delete(subject);
    this.#weight -= result.weight;
  }

  /** The subscriptions to this pattern changed. */
  patternChanged(pattern: string): void {
    if (this.#results.size === 0) return;
    const slot = this.#changes & (MATCH_CACHE_CHANGES - 1);
    this.#changed[slot] = pattern;
    this.#heads[slot] = headOfPattern(pattern);
    this.#changes++;
    // Nobody asked for these since the ring was last full: they are stale now, and hold on to values.
    if ((this.#changes & (MATCH_CACHE_CHANGES - 1)) === 0) this.#dropOutdated();
  }

  clear(): void {
    this.#results.clear();
    this.#weight = 0;
  }

  /** Calls back per result kept, stale ones included. */
  each(callback: (result: Matches<T>) => void): void {
    for (const result of this.#results.values()) callback(result);
  }

  #isUnaffected(subject: string, result: CachedMatches<T>): boolean {
    if (this.#changes - result.checkedAt > MATCH_CACHE_CHANGES) return false;
    const head = headOf(subject);
    for (let change = result.checkedAt; change < this.#changes; change++) {
      const slot = change & (MATCH_CACHE_CHANGES - 1);
      const other = this.#heads[slot]!;
      if ((other === head || other === ANY_HEAD) && subjectMatches(subject, this.#changed[slot]!)) return false;
    }
    result.checkedAt = this.#changes;
    return true;
  }

  #dropOutdated(): void {
    const oldest = this.#changes - MATCH_CACHE_CHANGES;
    for (const [subject, result] of this.#results) {
      if (result.checkedAt <= oldest) this.drop(subject);
    }
  }

  #evict(weight: number): void {
    const size = Math.floor(this.#max * KEEP_SHARE);
    const heaviest = Math.min(MATCH_CACHE_VALUES_MAX * KEEP_SHARE, MATCH_CACHE_VALUES_MAX - weight);
    for (const subject of this.#results.keys()) {
      if (this.#results.size <= size && this.#weight <= heaviest) return;
      this.drop(subject);
    }
  }
}
