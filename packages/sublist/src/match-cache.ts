import type { Matches, QueueMatch } from './matches.ts';
import { subjectMatches } from './subject-relations.ts';

/** Match results kept by default. */
export const MATCH_CACHE_MAX = 4096;
/** Values (plain subscribers and queue members) that all kept results may hold together. */
export const MATCH_CACHE_VALUES_MAX = 1_048_576;
/** Changed patterns remembered; a result that has missed more of them counts as stale. A power of two. */
export const MATCH_CACHE_CHANGES = 256;

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

  /** Keeps a result, unless it alone exceeds the limit of values. */
  set(subject: string, result: CachedMatches<T>): void {
    if (this.#max === 0) return;
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
