import { describe, expect, it } from 'vitest';
import { STRING_MAP_SPLIT, StringMap } from '../src/string-map.ts';

function entriesOf<V>(map: StringMap<V>): [string, V][] {
  const found: [string, V][] = [];
  const entries = map.entries();
  for (let next = entries.next(); next.done !== true; next = entries.next()) found.push([next.value[0], next.value[1]]);
  return found;
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

  it('may lose the present entry while it is visited', () => {
    const map = filled(size);
    const seen = new Set<string>();
    const entries = map.entries();
    for (let next = entries.next(); next.done !== true; next = entries.next()) {
      seen.add(next.value[0]);
      map.delete(next.value[0]);
    }
    expect(seen.size).toBe(size);
    expect(map.size).toBe(0);
  });
});
