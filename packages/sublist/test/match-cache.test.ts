import { describe, expect, it } from 'vitest';
import {
  MATCH_CACHE_CHANGES,
  MATCH_CACHE_MAX,
  MATCH_CACHE_OPEN,
  MATCH_CACHE_VALUES_MAX,
  Sublist,
} from '../src/index.ts';

/** True if the next match of `subject` is answered by the cache. */
function isHit<T>(list: Sublist<T>, subject: string): boolean {
  const before = list.stats().cacheHits;
  list.match(subject);
  return list.stats().cacheHits > before;
}

function filled(count: number): Sublist<number> {
  const list = new Sublist<number>();
  list.insert('s.>', null, 0);
  for (let index = 0; index < count; index++) {
    list.match(`s.${index}`);
    list.match(`s.${index}`);
  }
  return list;
}

describe('the match cache', () => {
  it('gives the same object until something that matters changes', () => {
    const list = new Sublist<string>();
    list.insert('a', null, 'x');
    const first = list.match('a');
    expect(list.match('a')).toBe(first);
    list.insert('b', null, 'x');
    list.insert('b.*', null, 'x');
    expect(list.match('a')).toBe(first);
    list.insert('*', null, 'y');
    expect([...list.match('a').plain].sort()).toEqual(['x', 'y']);
  });

  it('keeps what nobody is subscribed to as well', () => {
    const list = new Sublist<string>();
    list.insert('a', null, 'x');
    list.match('nobody');
    list.match('a..b');
    expect(isHit(list, 'nobody')).toBe(true);
    expect(isHit(list, 'a..b')).toBe(true);
    list.insert('nobody', null, 'x');
    expect(list.match('nobody').plain).toEqual(['x']);
  });

  it('loses only the subject itself when a literal subscription comes or goes', () => {
    const list = filled(100);
    for (let round = 0; round < 3 * MATCH_CACHE_CHANGES; round++) {
      list.insert('s.7', null, 1);
      list.remove('s.7', null, 1);
      list.insert(`_INBOX.${round}`, null, 1);
    }
    expect(isHit(list, 's.7')).toBe(false);
    for (let index = 0; index < 100; index++) expect(isHit(list, `s.${index}`)).toBe(true);
  });

  it('keeps what a wildcard subscription does not match when that comes and goes', () => {
    const list = filled(100);
    for (let round = 0; round < 3 * MATCH_CACHE_CHANGES; round++) {
      list.insert(`_INBOX.${round}.*`, null, 1);
      expect(isHit(list, 's.1')).toBe(true);
    }
    list.match('s.new');
    expect(isHit(list, 's.new')).toBe(true);
    list.insert('s.*.x', null, 1);
    expect(isHit(list, 's.new')).toBe(true);
    list.insert('*.2', null, 1);
    expect(isHit(list, 's.1')).toBe(true);
    expect(isHit(list, 's.2')).toBe(false);
    expect([...list.match('s.2').plain].sort()).toEqual([0, 1]);
    list.remove('*.2', null, 1);
    expect(isHit(list, 's.2')).toBe(false);
    expect(list.match('s.2').plain).toEqual([0]);
  });

  it('drops a result that was not asked for while MATCH_CACHE_CHANGES wildcard subscriptions changed', () => {
    const list = filled(2);
    for (let round = 0; round < MATCH_CACHE_CHANGES; round++) {
      list.insert(`_INBOX.${round}.*`, null, 1);
      if (round === MATCH_CACHE_CHANGES / 2) list.match('s.1');
    }
    expect(list.stats().numCache).toBe(1);
    expect(isHit(list, 's.1')).toBe(true);
    expect(isHit(list, 's.0')).toBe(false);
  });

  it('finds a change at every distance back, also beyond what it remembers', () => {
    const ring = MATCH_CACHE_CHANGES;
    for (const distance of [0, 1, 2, 100, ring - 2, ring - 1, ring, ring + 1, 2 * ring, 3 * ring + 5]) {
      const list = filled(1);
      // Anywhere in the ring.
      for (let index = 0; index < (distance * 7) % ring; index++) list.insert(`x.${index}.*`, null, 1);
      list.match('s.0');
      list.insert('*.0', null, 9);
      for (let index = 0; index < distance; index++) list.insert(`y.${index}.*`, null, 1);
      expect([...list.match('s.0').plain].sort()).toEqual([0, 9]);
    }
  });

  it('evicts the oldest quarter at MATCH_CACHE_MAX results', () => {
    const list = filled(MATCH_CACHE_MAX);
    expect(list.stats().numCache).toBe(MATCH_CACHE_MAX);
    list.match('s.new');
    expect(list.stats().numCache).toBe(MATCH_CACHE_MAX);
    list.match('s.new');
    expect(list.stats().numCache).toBe((MATCH_CACHE_MAX * 3) / 4 + 1);
    expect(isHit(list, 's.new')).toBe(true);
    expect(isHit(list, `s.${MATCH_CACHE_MAX - 1}`)).toBe(true);
    expect(isHit(list, 's.0')).toBe(false);
  });

  it('keeps above MATCH_CACHE_OPEN only what comes twice', () => {
    const list = filled(MATCH_CACHE_OPEN - 1);
    list.match('s.last');
    expect(isHit(list, 's.last')).toBe(true);
    for (let index = 0; index < 3 * MATCH_CACHE_MAX; index++) {
      expect(list.match(`s.once.${index}`).plain).toEqual([0]);
    }
    // Two that are taken for one another may be among them, not many.
    expect(list.stats().numCache).toBeLessThan(MATCH_CACHE_OPEN + 8);
    expect(isHit(list, 's.0')).toBe(true);
    list.match('s.twice');
    expect(isHit(list, 's.twice')).toBe(false);
    expect(isHit(list, 's.twice')).toBe(true);
  });

  it('notices every change of a pattern for subjects that come once', () => {
    const list = filled(MATCH_CACHE_OPEN);
    const matched = (subject: string): unknown => {
      const { plain, queues } = list.match(subject);
      return [...plain, ...queues.map(({ queue, members }) => [queue, ...members])];
    };
    list.remove('s.>', null, 0);
    expect(matched('s.once.1')).toEqual([]);
    list.insert('s.once.*', null, 1);
    expect(matched('s.once.2')).toEqual([1]);
    list.insert('s.once.*', null, 2);
    expect(matched('s.once.3')).toEqual([1, 2]);
    list.insert('s.once.*', 'q', 3);
    expect(matched('s.once.4')).toEqual([1, 2, ['q', 3]]);
    list.remove('s.once.*', null, 1);
    expect(matched('s.once.5')).toEqual([2, ['q', 3]]);
    list.insert('s.once.6', null, 9);
    expect(matched('s.once.6')).toEqual([9, 2, ['q', 3]]);
    expect(matched('s.once.7')).toEqual([2, ['q', 3]]);
    list.insert('*.*.8', null, 8);
    expect(new Set(matched('s.once.8') as number[]).has(8)).toBe(true);
    expect(matched('s.once..9')).toEqual([]);
  });

  it('evicts when its results hold MATCH_CACHE_VALUES_MAX values together', () => {
    const list = new Sublist<number>();
    const fanout = MATCH_CACHE_VALUES_MAX / 8;
    for (let value = 0; value < fanout; value++) list.insert('>', value % 2 === 0 ? null : 'q', value);
    for (let index = 0; index < 8; index++) list.match(`s.${index}`);
    expect(list.stats().numCache).toBe(8);
    list.match('s.8');
    expect(list.stats().numCache).toBe(7);
    expect(isHit(list, 's.8')).toBe(true);
    expect(isHit(list, 's.0')).toBe(false);
  });

  it('does not keep a result that is larger than that by itself', () => {
    const list = new Sublist<number>();
    for (let value = 0; value <= MATCH_CACHE_VALUES_MAX; value++) list.insert('busy', null, value);
    list.insert('a', null, 1);
    list.match('a');
    expect(list.match('busy').plain).toHaveLength(MATCH_CACHE_VALUES_MAX + 1);
    expect(isHit(list, 'busy')).toBe(false);
    expect(isHit(list, 'a')).toBe(true);
  });

  it('keeps nothing with cacheMax 0', () => {
    const list = new Sublist<string>({ cacheMax: 0 });
    list.insert('a', null, 'x');
    expect(list.match('a').plain).toEqual(['x']);
    expect(list.match('a').plain).toEqual(['x']);
    expect(list.stats()).toMatchObject({ numCache: 0, cacheHits: 0, numMatches: 2 });
  });

  it('has the figures of /subsz', () => {
    const list = new Sublist<string>();
    expect(list.stats()).toMatchObject({ cacheHitRate: 0, maxFanout: 0, avgFanout: 0 });
    list.insert('a', null, '1');
    list.insert('a', null, '2');
    list.insert('a', 'q', '3');
    list.insert('a', 'q', '4');
    list.insert('b', null, '5');
    list.remove('b', null, '5');
    for (let round = 0; round < 3; round++) list.match('a');
    list.match('b');
    expect(list.stats()).toEqual({
      numSubs: 4,
      numCache: 2,
      numInserts: 5,
      numRemoves: 1,
      numMatches: 4,
      cacheHitRate: 0.5,
      maxFanout: 3,
      avgFanout: 1.5,
      cacheHits: 2,
      totalFanout: 3,
    });
  });
});
