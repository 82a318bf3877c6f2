import { describe, expect, it } from 'vitest';
import { STRING_MAP_SHARDS, STRING_MAP_SPLIT, StringMap } from '../src/string-map.ts';

function entriesOf<V>(map: StringMap<V>): [string, V][] {
  const only: [string, V][] = map.onlyKey === null ? [] : [[map.onlyKey, map.onlyValue!]];
  return [...only, ...map.maps().flatMap((one) => [...one])];
}

function filled(size: number): StringMap<number> {
  const map = new StringMap<number>();
  for (let index = 0; index < size; index++) map.set(`key.${index}`, index);
  return map;
}

// One entry in fields, some in a Map, the most that one Map takes, and dealt out to shards.
describe.each([0, 1, 2, 100, STRING_MAP_SPLIT, STRING_MAP_SPLIT + 1])('a string map of %i entries', (size) => {
  it('finds what was set and nothing else', () => {
    const map = filled(size);
    expect(map.size).toBe(size);
    for (let index = 0; index < size; index++) expect(map.get(`key.${index}`)).toBe(index);
    expect(map.get('')).toBeUndefined();
    expect(map.get('key')).toBeUndefined();
    expect(map.get(`key.${size}`)).toBeUndefined();
  });

  it('replaces values without growing', () => {
    const map = filled(size);
    for (let index = 0; index < size; index++) map.set(`key.${index}`, index + 1);
    expect(map.size).toBe(size);
    for (let index = 0; index < size; index++) expect(map.get(`key.${index}`)).toBe(index + 1);
  });

  it('visits every entry once', () => {
    const map = filled(size);
    expect(new Set(entriesOf(map).map(([key, value]) => `${key}=${value}`)).size).toBe(size);
    expect(entriesOf(map)).toHaveLength(size);
    let sum = 1;
    map.each((value) => (sum += value));
    expect(sum).toBe(1 + (size * (size - 1)) / 2);
  });

  it('is empty again when everything is removed, and can be used again', () => {
    const map = filled(size);
    expect(map.delete('other')).toBe(false);
    for (let index = 0; index < size; index++) {
      expect(map.delete(`key.${index}`)).toBe(true);
      expect(map.delete(`key.${index}`)).toBe(false);
    }
    expect(map.size).toBe(0);
    expect(entriesOf(map)).toEqual([]);
    map.set('a', 1);
    expect(entriesOf(map)).toEqual([['a', 1]]);
  });
});

describe('a growing string map', () => {
  it('is dealt out to shards, evenly, above STRING_MAP_SPLIT entries', () => {
    expect(filled(STRING_MAP_SPLIT).maps()).toHaveLength(1);
    const sizes = filled(STRING_MAP_SPLIT + 1)
      .maps()
      .map((map) => map.size);
    expect(sizes).toHaveLength(STRING_MAP_SHARDS);
    expect(Math.max(...sizes)).toBeLessThan((4 * STRING_MAP_SPLIT) / STRING_MAP_SHARDS);
  });

  it('finds keys by their place in a longer text', () => {
    const map = new StringMap<number>();
    map.set('b', 1);
    expect(map.getPart('a.b.c', 2, 3)).toBe(1);
    expect(map.getPart('a.b.c', 0, 1)).toBeUndefined();
    expect(map.getPart('a.bb', 2, 4)).toBeUndefined();
    map.set('c', 2);
    expect(map.getPart('a.b.c', 4, 5)).toBe(2);
  });
});
