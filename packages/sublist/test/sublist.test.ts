import { describe, expect, it, vi } from 'vitest';
import { type Matches, Sublist } from '../src/index.ts';

function plain(list: Sublist<string>, subject: string): string[] {
  return [...list.match(subject).plain].sort();
}

function queues(matches: Matches<string>): Record<string, string[]> {
  return Object.fromEntries(matches.queues.map(({ queue, members }) => [queue, [...members].sort()]));
}

function listOf(...subjects: string[]): Sublist<string> {
  const list = new Sublist<string>();
  for (const subject of subjects) list.insert(subject, null, subject);
  return list;
}

describe('matching', () => {
  it('delivers a literal subject to its own subscription only', () => {
    const list = listOf('foo', 'foo.bar', 'bar');
    expect(plain(list, 'foo')).toEqual(['foo']);
    expect(plain(list, 'foo.bar')).toEqual(['foo.bar']);
    expect(plain(list, 'foo.bar.baz')).toEqual([]);
  });

  it('takes * for exactly one token', () => {
    const list = listOf('*', 'foo.*', '*.bar', 'foo.*.baz', '*.*');
    expect(plain(list, 'foo')).toEqual(['*']);
    expect(plain(list, 'foo.bar')).toEqual(['*.*', '*.bar', 'foo.*']);
    expect(plain(list, 'foo.x.baz')).toEqual(['foo.*.baz']);
  });

  it('takes > for one token or more, never for none', () => {
    const list = listOf('>', 'foo.>', 'foo.*.>');
    expect(plain(list, 'foo')).toEqual(['>']);
    expect(plain(list, 'foo.bar')).toEqual(['>', 'foo.>']);
    expect(plain(list, 'foo.bar.baz')).toEqual(['>', 'foo.*.>', 'foo.>']);
  });

  it('takes a*, *x and foo> for ordinary tokens', () => {
    const list = listOf('a*', '*x', 'foo>', 'a.b*.c');
    expect(plain(list, 'ab')).toEqual([]);
    expect(plain(list, 'a*')).toEqual(['a*']);
    expect(plain(list, '*x')).toEqual(['*x']);
    expect(plain(list, 'foo>')).toEqual(['foo>']);
    expect(plain(list, 'a.b*.c')).toEqual(['a.b*.c']);
  });

  it('matches wildcard tokens of a published subject as literals', () => {
    const list = listOf('>', 'a.*.b', 'a.x.b', 'a.>');
    expect(plain(list, 'a.*.b')).toEqual(['>', 'a.*.b', 'a.>']);
    expect(plain(list, '>')).toEqual(['>']);
    expect(plain(list, 'a.>')).toEqual(['>', 'a.>']);
  });

  it.each(['', '.', 'a.', '.a', 'a..b'])('reaches nobody on %j', (subject) => {
    const list = listOf('>', '*', 'a.>', 'a.*', '*.a', 'a.*.b', '*.*', '*.*.*');
    expect(plain(list, subject)).toEqual([]);
    expect(list.hasInterest(subject)).toBe(false);
  });

  it('delivers once per subscription, also of the same value', () => {
    const list = new Sublist<string>();
    list.insert('a.b', null, 'x');
    list.insert('a.*', null, 'x');
    expect(plain(list, 'a.b')).toEqual(['x', 'x']);
  });

  it('matches tokens beyond ASCII and control characters', () => {
    const list = listOf('größe.*', 'a.\u0000', '\udcff.x');
    expect(plain(list, 'größe.λ')).toEqual(['größe.*']);
    expect(plain(list, 'a.\u0000')).toEqual(['a.\u0000']);
    expect(plain(list, '\udcff.x')).toEqual(['\udcff.x']);
  });

  it('matches subjects of thousands of tokens without deep recursion', () => {
    const deep = Array.from({ length: 100_000 }, () => 'a').join('.');
    const stars = Array.from({ length: 100_000 }, () => '*').join('.');
    const list = listOf(deep, stars, `${deep}.*`);
    expect(plain(list, deep)).toEqual([stars, deep].sort());
    for (const subject of [deep, stars, `${deep}.*`]) expect(list.remove(subject, null, subject)).toBe(true);
    expect(list.nodeCount).toBe(0);
  });
});

describe('queue groups', () => {
  it('reports each group once, with the members of all patterns', () => {
    const list = new Sublist<string>();
    list.insert('foo', 'workers', 'a');
    list.insert('*', 'workers', 'b');
    list.insert('>', 'audit', 'c');
    list.insert('foo', null, 'd');
    const matches = list.match('foo');
    expect(matches.plain).toEqual(['d']);
    expect(queues(matches)).toEqual({ workers: ['a', 'b'], audit: ['c'] });
  });

  it('takes dots and wildcards in a group name literally', () => {
    const list = new Sublist<string>();
    list.insert('foo', 'a.*', 'x');
    list.insert('foo', 'a.b', 'y');
    expect(queues(list.match('foo'))).toEqual({ 'a.*': ['x'], 'a.b': ['y'] });
  });

  it('counts a value with two subscriptions in a group twice', () => {
    const list = new Sublist<string>();
    list.insert('foo', 'q', 'a');
    list.insert('*', 'q', 'a');
    expect(queues(list.match('foo'))).toEqual({ q: ['a', 'a'] });
  });

  it('forgets a group with its last member', () => {
    const list = new Sublist<string>();
    list.insert('foo', 'q', 'a');
    list.insert('foo', 'q', 'b');
    list.remove('foo', 'q', 'a');
    expect(queues(list.match('foo'))).toEqual({ q: ['b'] });
    list.remove('foo', 'q', 'b');
    expect(list.match('foo').queues).toEqual([]);
  });
});

describe('inserting and removing', () => {
  it.each(['', '.', 'a.', '.a', 'a..b', '>.a', 'a.>.b'])('refuses the subject %j', (subject) => {
    const list = new Sublist<string>();
    expect(list.insert(subject, null, 'x')).toBe(false);
    expect(list.count).toBe(0);
    expect(list.generation).toBe(0);
    expect(list.nodeCount).toBe(0);
  });

  it('keeps the set as it is when the same value comes again', () => {
    const list = listOf('a', 'b.*');
    const generation = list.generation;
    expect(list.insert('a', null, 'a')).toBe(true);
    expect(list.insert('b.*', null, 'b.*')).toBe(true);
    expect(list.count).toBe(2);
    expect(list.generation).toBe(generation);
  });

  it('returns false when there is nothing to remove', () => {
    const list = listOf('a', 'b.*');
    expect(list.remove('a', null, 'other')).toBe(false);
    expect(list.remove('a', 'q', 'a')).toBe(false);
    expect(list.remove('c', null, 'a')).toBe(false);
    expect(list.remove('b.>', null, 'b.*')).toBe(false);
    expect(list.remove('b', null, 'b.*')).toBe(false);
    expect(list.count).toBe(2);
  });

  it('raises the generation with every change', () => {
    const list = new Sublist<string>();
    list.insert('a', null, 'x');
    list.insert('a.*', 'q', 'x');
    expect(list.generation).toBe(2);
    list.remove('a', null, 'x');
    list.remove('a', null, 'x');
    expect(list.generation).toBe(3);
  });

  it('leaves nothing behind when everything is removed', () => {
    const subjects = ['a', 'a.b', 'a.*', 'a.*.c', 'a.>', '>', '*', 'x.y.z.*', 'x.y.z.>', 'x.y.w.*', '*.*.>'];
    const list = listOf(...subjects);
    for (const subject of subjects) list.insert(subject, 'q', subject);
    expect(list.nodeCount).toBeGreaterThan(0);
    for (const subject of subjects) {
      expect(list.remove(subject, null, subject)).toBe(true);
      expect(list.remove(subject, 'q', subject)).toBe(true);
    }
    expect(list.nodeCount).toBe(0);
    expect(list.count).toBe(0);
    expect(list.stats().numCache).toBe(0);
  });

  it('keeps every subscriber of a subject through thousands of additions and removals', () => {
    const list = new Sublist<number>();
    for (let value = 0; value < 10_000; value++) list.insert('busy', null, value);
    for (let value = 0; value < 10_000; value += 2) {
      expect(list.remove('busy', null, value)).toBe(true);
      expect(list.remove('busy', null, value)).toBe(false);
    }
    expect(list.match('busy').plain).toHaveLength(5000);
    expect(new Set(list.match('busy').plain).size).toBe(5000);
    expect(list.match('busy').plain.every((value) => value % 2 === 1)).toBe(true);
    for (let value = 1; value < 10_000; value += 2) expect(list.remove('busy', null, value)).toBe(true);
    expect(list.nodeCount).toBe(0);
  });

  it('visits every subscription', () => {
    const list = new Sublist<string>();
    list.insert('a', null, '1');
    list.insert('a', 'q', '2');
    list.insert('a.*', null, '3');
    list.insert('a.>', 'q', '4');
    list.insert('b.c.*.d', 'q', '5');
    const seen: string[] = [];
    list.each((value) => seen.push(value));
    expect(seen.sort()).toEqual(['1', '2', '3', '4', '5']);
  });
});

describe('interest', () => {
  it('is there for literal and wildcard subscriptions and any queue group', () => {
    const list = new Sublist<string>();
    list.insert('a', null, 'x');
    list.insert('b.*', 'q', 'x');
    list.insert('c.>', null, 'x');
    list.insert('*.d.e', null, 'x');
    expect(list.hasInterest('a')).toBe(true);
    expect(list.hasInterest('b.c')).toBe(true);
    expect(list.hasInterest('b.c', 'q')).toBe(true);
    expect(list.hasInterest('b.c', 'other')).toBe(false);
    expect(list.hasInterest('c.x.y')).toBe(true);
    expect(list.hasInterest('b.d.e')).toBe(true);
    expect(list.hasInterest('b.d.f')).toBe(false);
    list.match('a');
    list.match('nobody');
    expect(list.hasInterest('a')).toBe(true);
    expect(list.hasInterest('nobody')).toBe(false);
  });

  it('has a subscription only to exactly the subject that was inserted', () => {
    const list = new Sublist<string>();
    list.insert('a.*', null, 'x');
    list.insert('a.b', 'q', 'x');
    expect(list.hasSubscription('a.*', null)).toBe(true);
    expect(list.hasSubscription('a.b', 'q')).toBe(true);
    expect(list.hasSubscription('a.b', null)).toBe(false);
    expect(list.hasSubscription('a.c', null)).toBe(false);
    expect(list.hasSubscription('a.*', 'q')).toBe(false);
  });

  it('is reported when the first subscription appears and when the last one is gone', () => {
    const list = new Sublist<string>();
    const told = vi.fn();
    list.onInterest('a.b', null, told);
    list.insert('a.b', null, '1');
    list.insert('a.b', null, '2');
    expect(told.mock.calls).toEqual([[true]]);
    list.remove('a.b', null, '1');
    list.remove('a.b', null, '2');
    expect(told.mock.calls).toEqual([[true], [false]]);
  });

  it('is reported per queue group and not for wildcards or other subjects', () => {
    const list = new Sublist<string>();
    const toldPlain = vi.fn();
    const toldQueue = vi.fn();
    list.onInterest('a', null, toldPlain);
    list.onInterest('a', 'q', toldQueue);
    list.insert('*', null, 'x');
    list.insert('>', 'q', 'x');
    list.insert('b', null, 'x');
    list.insert('a', 'other', 'x');
    expect(toldPlain).not.toHaveBeenCalled();
    expect(toldQueue).not.toHaveBeenCalled();
    list.insert('a', 'q', 'x');
    expect(toldQueue.mock.calls).toEqual([[true]]);
    expect(toldPlain).not.toHaveBeenCalled();
  });

  it('tells every watcher, sees the change already made, and stops when asked', () => {
    const list = new Sublist<string>();
    const seen: boolean[] = [];
    const other = vi.fn();
    const stop = list.onInterest('a', null, () => seen.push(list.hasSubscription('a', null)));
    const stopOther = list.onInterest('a', null, other);
    list.insert('a', null, 'x');
    stop();
    stop();
    list.remove('a', null, 'x');
    expect(seen).toEqual([true]);
    expect(other.mock.calls).toEqual([[true], [false]]);
    stopOther();
    list.insert('a', null, 'x');
    expect(other).toHaveBeenCalledTimes(2);
  });

  it('is not reported to a watcher that another one has just ended', () => {
    const list = new Sublist<string>();
    const ended = vi.fn();
    let end = (): void => {};
    list.onInterest('a', null, () => end());
    end = list.onInterest('a', null, ended);
    list.insert('a', null, 'x');
    expect(ended).not.toHaveBeenCalled();
  });

  it.each(['a.*', '>', '', 'a..b'])('cannot be watched for %j', (subject) => {
    expect(() => new Sublist<string>().onInterest(subject, null, () => {})).toThrow(TypeError);
  });
});
