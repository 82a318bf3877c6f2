import { type InterestCallback, InterestWatches } from './interest.ts';
import { CachedMatches, MATCH_CACHE_MAX, MatchCache } from './match-cache.ts';
import type { Matches } from './matches.ts';
import { PatternTrie } from './pattern-trie.ts';
import { StringMap } from './string-map.ts';
import { hasEmptyToken, hasWildcards, isLiteralSubject, isSubscribable } from './subject.ts';
import { matchesOf, Subscribers } from './subscribers.ts';

const NO_MATCHES: Matches<never> = { plain: [], queues: [] };

/** Options of a Sublist. */
export interface SublistOptions {
  /** Match results to keep. Default MATCH_CACHE_MAX; 0 = none, equivalent to disable_sublist_cache in nats-server. */
  readonly cacheMax?: number;
}

/** Figures for monitoring, as /subsz of nats-server shows them. */
export interface SublistStats {
  readonly numSubs: number;
  readonly numCache: number;
  readonly numInserts: number;
  readonly numRemoves: number;
  readonly numMatches: number;
  /** Share of `numMatches` the cache answered, 0 … 1. */
  readonly cacheHitRate: number;
  /** Most subscribers (a queue group counts as one) of a cached result. */
  readonly maxFanout: number;
  readonly avgFanout: number;
  /** What the two rates are made of, for adding up several lists. */
  readonly cacheHits: number;
  readonly totalFanout: number;
}

/**
 * Subscriptions by subject, and who gets a message (spec/core.md 1.3, 1.4). Literal subscriptions live in a map,
 * patterns in a trie of tokens, match results in a cache.
 *
 * Holds as many subscriptions as are inserted: whoever inserts enforces max_subscriptions.
 */
export class Sublist<T> {
  readonly #literals = new StringMap<Subscribers<T>>();
  readonly #patterns = new PatternTrie<Subscribers<T>>();
  readonly #cache: MatchCache<T>;
  readonly #watches = new InterestWatches();
  /** Reused by every match that misses the cache. */
  readonly #found: Subscribers<T>[] = [];
  #generation = 0;
  #count = 0;
  #inserts = 0;
  #removes = 0;
  #matches = 0;
  #hits = 0;

  constructor(options: SublistOptions = {}) {
    this.#cache = new MatchCache(options.cacheMax ?? MATCH_CACHE_MAX);
  }

  /** Rises with every change of the set: while it is the same, a Matches got before is still right. */
  get generation(): number {
    return this.#generation;
  }

  /** Number of subscriptions. */
  get count(): number {
    return this.#count;
  }

  /**
   * Literal subjects and trie nodes in use; 0 when nothing is subscribed.
   * @internal
   */
  get nodeCount(): number {
    return this.#literals.size + this.#patterns.nodeCount;
  }

  /**
   * Adds a subscription; `queue` null = not in a queue group. Returns false for an invalid subject ("Invalid Subject"
   * on the wire). The same value again, under the same subject and queue, changes nothing.
   */
  insert(subject: string, queue: string | null, value: T): boolean {
    if (!isSubscribable(subject)) return false;
    const literal = !hasWildcards(subject);
    const index = literal ? this.#literals : this.#patterns;
    const subscribers = index.get(subject);
    const isFirst = subscribers === undefined || !subscribers.has(queue);
    if (subscribers === undefined) index.set(subject, new Subscribers(queue, value));
    else if (!subscribers.add(queue, value)) return true;
    this.#count++;
    this.#inserts++;
    this.#changed(subject, literal);
    if (isFirst) this.#watches.notify(subject, queue, true);
    return true;
  }

  /** Removes a subscription; false if there is none like it. */
  remove(subject: string, queue: string | null, value: T): boolean {
    const literal = !hasWildcards(subject);
    const index = literal ? this.#literals : this.#patterns;
    const subscribers = index.get(subject);
    if (subscribers === undefined || !subscribers.remove(queue, value)) return false;
    const isLast = !subscribers.has(queue);
    if (subscribers.isEmpty) index.delete(subject);
    this.#count--;
    this.#removes++;
    this.#changed(subject, literal);
    if (isLast) this.#watches.notify(subject, queue, false);
    return true;
  }

  /**
   * Who gets a message published on `subject`. Wildcard tokens in it are taken literally; with an empty token it
   * reaches nobody. The result is shared and never changes.
   */
  match(subject: string): Matches<T> {
    this.#matches++;
    const cached = this.#cache.get(subject);
    if (cached !== undefined) {
      this.#hits++;
      return cached;
    }
    const matches = this.#build(subject);
    if (!this.#cache.admits(subject)) return matches;
    const kept = new CachedMatches(matches.plain, matches.queues);
    this.#cache.set(subject, kept);
    return kept;
  }

  /**
   * True if a message on `subject` would reach somebody, wildcard subscriptions included; with `queue`, somebody in
   * that queue group. Builds and caches nothing unless a queue is asked for.
   */
  hasInterest(subject: string, queue: string | null = null): boolean {
    if (queue !== null) return this.match(subject).queues.some((group) => group.queue === queue);
    const cached = this.#cache.get(subject);
    if (cached !== undefined) return cached.weight > 0;
    if (this.#literals.get(subject) !== undefined) return true;
    return !hasEmptyToken(subject) && this.#patterns.matches(subject);
  }

  /**
   * True if somebody is subscribed to exactly this subject or pattern, in queue group `queue` (null = plainly).
   * This, not `hasInterest`, is what `onInterest` reports on.
   */
  hasSubscription(subject: string, queue: string | null): boolean {
    const index = hasWildcards(subject) ? this.#patterns : this.#literals;
    return index.get(subject)?.has(queue) ?? false;
  }

  /**
   * Calls back, from within insert and remove, when the first subscription to exactly this literal subject in queue
   * group `queue` (null = plain ones) appears and when the last one is gone. Wildcard subscriptions do not count.
   * Equivalent to RegisterNotification in nats-server, which unlike this reports the present state at once.
   *
   * Returns a function that ends it; a second call does nothing. Throws a TypeError if `subject` is not literal.
   */
  onInterest(subject: string, queue: string | null, callback: InterestCallback): () => void {
    if (!isLiteralSubject(subject)) {
      throw new TypeError(`interest can be watched for literal subjects only, not for "${subject}"`);
    }
    return this.#watches.add(subject, queue, callback);
  }

  /** Calls back per subscription, in any order. The list must not change meanwhile. */
  each(callback: (value: T) => void): void {
    const visit = (subscribers: Subscribers<T>): void => subscribers.each(callback);
    this.#patterns.each(visit);
    this.#literals.each(visit);
  }

  /** Current figures. Walks the cache: for monitoring only. */
  stats(): SublistStats {
    let maxFanout = 0;
    let totalFanout = 0;
    this.#cache.each(({ plain, queues }) => {
      const fanout = plain.length + queues.length;
      totalFanout += fanout;
      if (fanout > maxFanout) maxFanout = fanout;
    });
    return {
      numSubs: this.#count,
      numCache: this.#cache.size,
      numInserts: this.#inserts,
      numRemoves: this.#removes,
      numMatches: this.#matches,
      cacheHitRate: this.#matches === 0 ? 0 : this.#hits / this.#matches,
      maxFanout,
      avgFanout: totalFanout === 0 ? 0 : totalFanout / this.#cache.size,
      cacheHits: this.#hits,
      totalFanout,
    };
  }

  #changed(subject: string, literal: boolean): void {
    this.#generation++;
    // Nothing subscribed: results may hold no values any more.
    if (this.#count === 0) this.#cache.clear();
    else if (literal) this.#cache.drop(subject);
    else this.#cache.patternChanged(subject);
  }

  #build(subject: string): Matches<T> {
    if (hasEmptyToken(subject)) return NO_MATCHES;
    const found = this.#found;
    const literal = this.#literals.get(subject);
    if (literal !== undefined) found.push(literal);
    this.#patterns.collect(subject, found);
    const count = found.length;
    // The rule for inboxes and acknowledgements: one pattern, and never the same subject again.
    const only = count === 1 && literal === undefined ? found[0]! : null;
    const matches = only !== null ? only.matches() : count === 0 ? NO_MATCHES : matchesOf(found);
    found.length = 0;
    return matches;
  }
}
