import { describe, expect, it, vi } from 'vitest';
import { SubjectTree } from '../src/index.ts';
import { STRING_MAP_SPLIT, StringMap } from '../src/string-map.ts';

function treeOf(...subjects: string[]): SubjectTree<string> {
  const tree = new SubjectTree<string>();
  for (const subject of subjects) tree.set(subject, `value of ${subject}`);
  return tree;
}

function found(tree: SubjectTree<string>, filter: string): string[] {
  const subjects: string[] = [];
  tree.match(filter, (subject, value) => {
    expect(value).toBe(`value of ${subject}`);
    subjects.push(subject);
    return true;
  });
  return subjects.sort();
}

function countOf(tree: SubjectTree<unknown>, filter: string): number {
  let count = 0;
  tree.match(filter, () => {
    count++;
    return true;
  });
  return count;
}

describe('a subject tree', () => {
  it('keeps a value per subject', () => {
    const tree = treeOf('a', 'a.b', 'a.b.c', 'x.y.z');
    expect(tree.size).toBe(4);
    expect(tree.get('a.b')).toBe('value of a.b');
    expect(tree.get('a.b.c')).toBe('value of a.b.c');
    for (const other of ['b', 'a.c', 'x', 'x.y', 'a.b.c.d', '', 'a.']) expect(tree.get(other)).toBeUndefined();
    tree.set('a.b', 'value of new');
    expect(tree.get('a.b')).toBe('value of new');
    expect(tree.size).toBe(4);
  });

  it('keeps values that are false', () => {
    const tree = new SubjectTree<number | null>();
    tree.set('a', 0);
    tree.set('a.b', null);
    expect(tree.get('a')).toBe(0);
    expect(tree.get('a.b')).toBeNull();
    expect(tree.delete('a')).toBe(true);
    expect(tree.delete('a.b')).toBe(true);
    expect(tree.size).toBe(0);
  });

  it('finds what a filter matches', () => {
    const tree = treeOf('a', 'a.b', 'a.c', 'a.b.c', 'a.x.c', 'b.b', 'b.b.c', 'c.d.e.f');
    expect(found(tree, 'a')).toEqual(['a']);
    expect(found(tree, 'nobody')).toEqual([]);
    expect(found(tree, '*')).toEqual(['a']);
    expect(found(tree, 'a.*')).toEqual(['a.b', 'a.c']);
    expect(found(tree, '*.b')).toEqual(['a.b', 'b.b']);
    expect(found(tree, 'a.*.c')).toEqual(['a.b.c', 'a.x.c']);
    expect(found(tree, '*.b.*')).toEqual(['a.b.c', 'b.b.c']);
    expect(found(tree, 'a.>')).toEqual(['a.b', 'a.b.c', 'a.c', 'a.x.c']);
    expect(found(tree, '*.*.>')).toEqual(['a.b.c', 'a.x.c', 'b.b.c', 'c.d.e.f']);
    expect(found(tree, 'c.d.e.f.>')).toEqual([]);
    expect(found(tree, '>')).toHaveLength(8);
  });

  it('stores wildcard tokens literally', () => {
    const tree = treeOf('a.*', 'a.>', 'a.b');
    expect(tree.get('a.*')).toBe('value of a.*');
    expect(found(tree, 'a.*')).toEqual(['a.*', 'a.>', 'a.b']);
  });

  it('stops when the callback says so', () => {
    const tree = treeOf('a.b', 'a.c', 'a.d.e', 'f');
    for (const filter of ['a.*', '>', 'a.b', '*.*.e']) {
      let calls = 0;
      expect(
        tree.match(filter, () => {
          calls++;
          return false;
        }),
      ).toBe(false);
      expect(calls).toBe(1);
    }
    expect(tree.each(() => undefined)).toBe(true);
  });

  it('removes a subject and keeps those above and below it', () => {
    const tree = treeOf('a', 'a.b', 'a.b.c', 'a.d');
    expect(tree.get('a.b')).toBe('value of a.b');
    expect(tree.delete('a.b')).toBe(true);
    expect(tree.get('a.b')).toBeUndefined();
    expect(tree.delete('a.b')).toBe(false);
    expect(found(tree, '>')).toEqual(['a', 'a.b.c', 'a.d']);
    expect(tree.delete('a.b.c')).toBe(true);
    expect(tree.delete('a.d')).toBe(true);
    expect(found(tree, '>')).toEqual(['a']);
    for (const other of ['a.b', 'x', 'a.b.c.d', '']) expect(tree.delete(other)).toBe(false);
    expect(tree.delete('a')).toBe(true);
    expect(tree.size).toBe(0);
    expect(found(tree, '>')).toEqual([]);
    tree.set('a.b', 'value of a.b');
    expect(found(tree, '*.b')).toEqual(['a.b']);
  });

  it('forgets everything when cleared', () => {
    const tree = treeOf('a.b', 'c');
    expect(tree.get('a.b')).toBeDefined();
    tree.clear();
    expect(tree.size).toBe(0);
    expect(tree.get('a.b')).toBeUndefined();
    expect(found(tree, '>')).toEqual([]);
  });

  it('may be changed by the callback: new values, and the subject at hand removed', () => {
    const tree = treeOf('a', 'a.b', 'a.b.c', 'a.d', 'x.y', 'x.z');
    tree.each((subject) => {
      tree.set(subject, 'value of new');
      return true;
    });
    expect(tree.get('x.z')).toBe('value of new');
    const removed: string[] = [];
    tree.each((subject) => {
      removed.push(subject);
      expect(tree.delete(subject)).toBe(true);
      return true;
    });
    expect(removed.sort()).toEqual(['a', 'a.b', 'a.b.c', 'a.d', 'x.y', 'x.z']);
    expect(tree.size).toBe(0);
  });

  it('takes subjects of thousands of tokens', () => {
    const deep = Array.from({ length: 50_000 }, () => 'a').join('.');
    const tree = treeOf(deep);
    expect(tree.get(deep)).toBe(`value of ${deep}`);
    expect(found(tree, '>')).toEqual([deep]);
    expect(found(tree, deep.replaceAll('a', '*'))).toEqual([deep]);
    expect(tree.delete(deep)).toBe(true);
    expect(tree.size).toBe(0);
  });

  it('keeps long tokens of any alphabet', () => {
    const subjects = [
      'bucket.0123456789abcdef',
      'bucket.größe-und-mehr-als-dreizehn',
      'bucket.日本語日本語日本語日本語日本語',
      'b.\udcff\udcfe0123456789abc.x',
    ];
    const tree = treeOf(...subjects);
    expect(found(tree, '>')).toEqual([...subjects].sort());
    for (const subject of subjects) expect(tree.get(subject)).toBe(`value of ${subject}`);
  });

  it('finds everything below a token with very many others beside it', () => {
    const tree = new SubjectTree<number>();
    for (let index = 0; index <= STRING_MAP_SPLIT; index++) tree.set(`a.${index}.b`, index);
    expect(countOf(tree, 'a.*.b')).toBe(STRING_MAP_SPLIT + 1);
    expect(countOf(tree, 'a.>')).toBe(STRING_MAP_SPLIT + 1);
    expect(countOf(tree, 'a.*')).toBe(0);
    expect(countOf(tree, '*.77.*')).toBe(1);
  });

  it('visits only what the literal tokens of a filter lead to', () => {
    const tree = new SubjectTree<number>();
    for (let index = 0; index < 10_000; index++) tree.set(`$KV.bucket.other${index % 1000}.${index}`, index);
    for (let index = 0; index < 10; index++) tree.set(`$KV.bucket.key.${index}`, index);
    // A walk asks every branch it iterates over for its maps.
    const iterated = vi.spyOn(StringMap.prototype, 'maps');
    try {
      expect(countOf(tree, '$KV.bucket.key.*')).toBe(10);
      expect(iterated).toHaveBeenCalledTimes(1);
      iterated.mockClear();
      expect(countOf(tree, '$KV.bucket.other7.>')).toBe(10);
      expect(iterated).toHaveBeenCalledTimes(1);
      iterated.mockClear();
      expect(countOf(tree, '$KV.other.>')).toBe(0);
      expect(iterated).not.toHaveBeenCalled();
      expect(countOf(tree, '>')).toBe(10_010);
      expect(iterated.mock.calls.length).toBeGreaterThan(1000);
    } finally {
      iterated.mockRestore();
    }
  });
});
