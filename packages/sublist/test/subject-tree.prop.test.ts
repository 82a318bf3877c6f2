import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SubjectTree } from '../src/index.ts';
import { pattern, published } from './arbitraries.ts';
import { naiveMatches } from './naive.ts';

const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), subject: published, value: fc.nat() }),
  fc.record({ kind: fc.constant('set' as const), subject: published, value: fc.nat() }),
  fc.record({ kind: fc.constant('delete' as const), subject: published }),
  fc.record({ kind: fc.constant('get' as const), subject: published }),
  fc.record({ kind: fc.constant('match' as const), filter: pattern }),
  fc.record({ kind: fc.constant('delete matching' as const), filter: pattern }),
);

function sorted(entries: Iterable<[string, number]>): [string, number][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('a subject tree', () => {
  it('does what a map of full subjects does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const tree = new SubjectTree<number>();
        const map = new Map<string, number>();
        for (const one of steps) {
          if (one.kind === 'set') {
            tree.set(one.subject, one.value);
            map.set(one.subject, one.value);
          } else if (one.kind === 'delete') {
            expect(tree.delete(one.subject)).toBe(map.delete(one.subject));
          } else if (one.kind === 'get') {
            expect(tree.get(one.subject)).toBe(map.get(one.subject));
          } else {
            const expected = sorted([...map].filter(([subject]) => naiveMatches(subject, one.filter)));
            const found: [string, number][] = [];
            tree.match(one.filter, (subject, value) => {
              found.push([subject, value]);
              if (one.kind === 'delete matching') tree.delete(subject);
              return true;
            });
            expect(sorted(found)).toEqual(expected);
            if (one.kind === 'delete matching') for (const [subject] of expected) map.delete(subject);
          }
          expect(tree.size).toBe(map.size);
        }
      }),
      { numRuns: 400 },
    );
  });
});
