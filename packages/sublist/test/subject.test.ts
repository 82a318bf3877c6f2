import { describe, expect, it } from 'vitest';
import {
  compileFilter,
  hasWildcards,
  isLiteralSubject,
  isSubscribable,
  isSubset,
  isValidPublishSubject,
  isValidSubject,
  overlaps,
  SUBJECT_SET_STEPS_MAX,
  SubjectSet,
  subjectMatches,
  TooManySubjects,
  tokenCount,
  tokens,
} from '../src/index.ts';

describe('valid subjects', () => {
  it.each(['a', 'a.b', '*', '>', 'a.*', '*.a', 'a.>', '*.>', 'a*', '*x', 'foo>', '>x', 'a.b>.c', 'ö', '\u0000'])(
    '%j may be subscribed to',
    (subject) => {
      expect(isSubscribable(subject)).toBe(true);
      expect(isValidSubject(subject)).toBe(true);
    },
  );

  it.each(['', '.', 'a.', '.a', 'a..b', 'a.b..', '>.a', 'a.>.b', '>.>'])('%j may not', (subject) => {
    expect(isSubscribable(subject)).toBe(false);
    expect(isValidSubject(subject)).toBe(false);
  });

  it.each(['*', '>', 'a.*', '*.a', 'a.*.b', 'a.>', '>.a', '', '.', 'a..b', 'a.', '.a'])(
    '%j is not literal',
    (subject) => {
      expect(isLiteralSubject(subject)).toBe(false);
      expect(isValidPublishSubject(subject)).toBe(false);
    },
  );

  it.each(['a', 'a.b', 'a*.*b.c>.>d', '**', '>>', '\u0001.\udcff'])('%j is literal', (subject) => {
    expect(isLiteralSubject(subject)).toBe(true);
    expect(isValidPublishSubject(subject)).toBe(true);
    expect(hasWildcards(subject)).toBe(false);
  });

  it.each([' ', '\t', '\r', '\n', '\f'])(
    '%j is no part of a configured subject, though the wire may carry it',
    (blank) => {
      for (const subject of [`a${blank}b`, blank, `a.${blank}`]) {
        expect(isSubscribable(subject)).toBe(true);
        expect(isLiteralSubject(subject)).toBe(true);
        expect(isValidSubject(subject)).toBe(false);
        expect(isValidPublishSubject(subject)).toBe(false);
      }
    },
  );

  it('has wildcards wherever * or > is a token', () => {
    for (const subject of ['*', '>', 'a.*', '*.a', 'a.*.b', '>.a', 'a*.*']) expect(hasWildcards(subject)).toBe(true);
    for (const subject of ['', 'a', 'a*', '*a.b', 'a.b>', 'a.*b.>c']) expect(hasWildcards(subject)).toBe(false);
  });

  it('consists of tokens', () => {
    expect(tokens('a.*.>')).toEqual(['a', '*', '>']);
    expect(tokens('a..')).toEqual(['a', '', '']);
    expect([tokenCount(''), tokenCount('a'), tokenCount('a.b.c'), tokenCount('a.')]).toEqual([0, 1, 3, 2]);
  });
});

describe('a literal subject against a pattern', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'b', false],
    ['a.b', 'a', false],
    ['a', 'a.b', false],
    ['a', '*', true],
    ['a.b', '*', false],
    ['a.b.c', 'a.*.c', true],
    ['a.b.c', 'a.*.d', false],
    ['a.b.c', 'a.*', false],
    ['abc.d', '*.d', true],
    ['abc', 'ab*', false],
    ['ab*', 'ab*', true],
    ['a', 'a.>', false],
    ['a.b', 'a.>', true],
    ['a.b.c', 'a.>', true],
    ['a.b.c', '*.>', true],
    ['a', '*.>', false],
    ['a', '>', true],
    ['foo>', 'foo>', true],
    ['foox', 'foo>', false],
    ['a.*.b', 'a.*.b', true],
    ['a.*', 'a.b', false],
    ['>', '>', true],
    ['>', '*', true],
    ['', '>', false],
    ['a.', 'a.>', false],
    ['a..b', 'a.>', false],
    ['a.b..c', 'a.>', false],
    ['.a', '*.a', false],
    ['a..b', 'a.*.b', false],
    ['a.', 'a.*', false],
  ])('%j to %j: %s', (literal, pattern, expected) => {
    expect(subjectMatches(literal, pattern)).toBe(expected);
    expect(compileFilter([pattern]).matches(literal)).toBe(expected);
    expect(compileFilter([pattern, 'no.such.*']).matches(literal)).toBe(expected);
    expect(compileFilter([pattern, '1.*', '2.*', '3.*', '4.*']).matches(literal)).toBe(expected);
  });
});

describe('subjects with wildcards against each other', () => {
  it.each([
    ['a.*', 'a.*', true],
    ['a.*', 'a.>', true],
    ['a.*', '*.*', true],
    ['a.*', '>', true],
    ['a.>', '>', true],
    ['a.>', 'a.>', true],
    ['a.>', 'a.*', false],
    ['a.>', '*.>', true],
    ['a.>', 'a.*.>', false],
    ['a.*.>', 'a.>', true],
    ['a.*', 'a.b', false],
    ['a.*', 'a', false],
    ['*', 'a', false],
    ['*', '*.>', false],
    ['>', '*', false],
    ['a.b', 'a.*', true],
    ['a*.*', 'a*.*', true],
    ['*.b', '*x.b', false],
  ])('%s is a subset of %s: %s', (subject, of, expected) => {
    expect(isSubset(subject, of)).toBe(expected);
  });

  it.each([
    ['a', 'a', true],
    ['a', 'b', false],
    ['a.b', 'a.*', true],
    ['*.b', 'a.*', true],
    ['*.b', 'a.c', false],
    ['a.>', 'a', false],
    ['a.>', '*.b', true],
    ['a.>', 'b.>', false],
    ['a.*', 'a.*.*', false],
    ['a.*.>', 'a.*', false],
    ['>', 'a.b.c', true],
    ['*', '>', true],
    ['a.*.c', 'a.b.*', true],
    ['*x.b', 'a.*', false],
  ])('%s and %s overlap: %s', (a, b, expected) => {
    expect(overlaps(a, b)).toBe(expected);
    expect(overlaps(b, a)).toBe(expected);
  });
});

describe('a compiled filter', () => {
  it('matches any of its subjects, however many they are', () => {
    const literals = Array.from({ length: 50 }, (_, index) => `l.${index}`);
    const patterns = Array.from({ length: 50 }, (_, index) => `p.${index}.*`);
    const filter = compileFilter([...literals, ...patterns]);
    expect(filter.subjects).toHaveLength(100);
    expect(filter.matches('l.49')).toBe(true);
    expect(filter.matches('p.49.x')).toBe(true);
    expect(filter.matches('l.50')).toBe(false);
    expect(filter.matches('p.49')).toBe(false);
    expect(compileFilter(literals).matches('l.7')).toBe(true);
    expect(compileFilter(literals).matches('p.7.x')).toBe(false);
  });

  it('matches nothing without subjects', () => {
    expect(compileFilter([]).matches('a')).toBe(false);
  });
});

describe('a set of subjects', () => {
  it('tells how twenty thousand relate to one another without trying every pair', () => {
    const subjects = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? `s.${i}` : `s.${i}.*.x.>`));
    const set = new SubjectSet(subjects);
    for (const subject of subjects) {
      expect(set.countOverlaps(subject, 2)).toBe(1);
      expect(set.countCovering(subject, 2)).toBe(1);
    }
    expect(set.countOverlaps('s.>', 100_000)).toBe(20_000);
    expect(set.countOverlaps('*.1.a.x.y', 2)).toBe(1);
    expect(set.countCovering('s.1.a.x.*', 2)).toBe(1);
  });

  it('takes subjects of any number of tokens', () => {
    const long = Array.from({ length: 100_000 }, () => 'a').join('.');
    const set = new SubjectSet([long, `${long}.>`]);
    expect(set.countOverlaps(long, 2)).toBe(1);
    expect(set.countOverlaps(`${long}.b`, 2)).toBe(1);
    expect(set.countOverlaps(long.replaceAll('a', '*'), 2)).toBe(1);
  });

  it('gives up where wildcards make it too much work', () => {
    const size = 8000;
    const set = new SubjectSet();
    for (let i = 0; i < size; i++) {
      set.add(`*.x.${i}`);
      set.add(`${i}.y.*`);
    }
    let asked = 0;
    expect(() => {
      for (; asked < size; asked++) set.countOverlaps(`*.x.${asked}`, 2);
    }).toThrowError(TooManySubjects);
    expect(asked).toBeGreaterThan(SUBJECT_SET_STEPS_MAX / size / 4);
  });
});
