import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileFilter,
  hasWildcards,
  isSubscribable,
  isSubset,
  overlaps,
  SubjectSet,
  subjectMatches,
} from '../src/index.ts';
import { anySubject, literal, pattern } from './arbitraries.ts';
import { naiveMatches, naiveSubscribable } from './naive.ts';

/** Every literal subject of up to five tokens out of those the arbitraries use, and one that they do not. */
const UNIVERSE: readonly string[] = (() => {
  const tokens = ['a', 'b', 'c', 'a*', 'long-token-0123456789', 'z'];
  let longest = tokens;
  const all = [...tokens];
  for (let length = 2; length <= 5; length++) {
    longest = longest.flatMap((subject) => tokens.map((token) => `${subject}.${token}`));
    all.push(...longest);
  }
  return all;
})();

describe('subject rules', () => {
  it('agree with the plain rules on what is valid', () => {
    fc.assert(
      fc.property(anySubject, (subject) => {
        expect(isSubscribable(subject)).toBe(naiveSubscribable(subject));
        expect(hasWildcards(subject)).toBe(subject.split('.').some((token) => token === '*' || token === '>'));
      }),
      { numRuns: 500 },
    );
  });

  it('agree with the plain rules on what matches', () => {
    fc.assert(
      fc.property(anySubject, fc.array(pattern, { minLength: 1, maxLength: 8 }), (subject, patterns) => {
        for (const one of patterns) expect(subjectMatches(subject, one)).toBe(naiveMatches(subject, one));
        const expected = patterns.some((one) => naiveMatches(subject, one));
        expect(compileFilter(patterns).matches(subject)).toBe(expected);
        expect(compileFilter(patterns.slice(0, 1)).matches(subject)).toBe(naiveMatches(subject, patterns[0]!));
      }),
      { numRuns: 1000 },
    );
  });

  it('call a subset and an overlap what is one among all literal subjects', () => {
    fc.assert(
      fc.property(pattern, fc.oneof(pattern, literal), (a, b) => {
        const ofA = UNIVERSE.filter((subject) => subjectMatches(subject, a));
        const ofB = UNIVERSE.filter((subject) => subjectMatches(subject, b));
        const setOfB = new Set(ofB);
        expect(isSubset(a, b)).toBe(ofA.every((subject) => setOfB.has(subject)));
        expect(overlaps(a, b)).toBe(ofA.some((subject) => setOfB.has(subject)));
      }),
      { numRuns: 150 },
    );
  });
});

describe('a set of subjects', () => {
  it('counts what overlaps and what covers as trying every pair would', () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { maxLength: 8 }),
        pattern,
        fc.integer({ min: 1, max: 9 }),
        (subjects, one, max) => {
          const set = new SubjectSet(subjects);
          const overlapping = subjects.filter((other) => overlaps(one, other)).length;
          expect(set.countOverlaps(one, max)).toBe(Math.min(max, overlapping));
          const covering = subjects.filter((other) => isSubset(one, other)).length;
          expect(set.countCovering(one, max)).toBe(Math.min(max, covering));
        },
      ),
    );
  });
});
