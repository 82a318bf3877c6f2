import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeqSet } from '../../../src/store/file/messages/seq-set.ts';

type Step = { do: 'add'; seq: number } | { do: 'range'; first: number; length: number } | { do: 'below'; seq: number };

const seq = fc.oneof(fc.nat(6000), fc.nat(70), fc.integer({ min: 2040, max: 2060 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('add' as const), seq }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('range' as const),
      first: seq,
      length: fc.constantFrom(1, 40, 3000, 200_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('below' as const), seq }) },
);

describe('sequence set', () => {
  it('is a set of numbers', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), seq, (steps, probe) => {
        const set = new SeqSet();
        const model = new Set<number>();
        for (const one of steps) {
          if (one.do === 'add') {
            expect(set.add(one.seq)).toBe(!model.has(one.seq));
            model.add(one.seq);
          } else if (one.do === 'below') {
            set.removeBelow(one.seq);
            for (const each of model) if (each < one.seq) model.delete(each);
          } else {
            // Only what is absent may be added as a range.
            let last = one.first - 1;
            while (last - one.first + 1 < one.length && !model.has(last + 1)) model.add(++last);
            if (last >= one.first) set.addRange(one.first, last);
          }
          expect(set.size).toBe(model.size);
        }
        const ranges: [number, number][] = [];
        for (const each of [...model].sort((left, right) => left - right)) {
          const range = ranges.at(-1);
          if (range !== undefined && range[1] === each - 1) range[1] = each;
          else ranges.push([each, each]);
        }
        const found: [number, number][] = [];
        set.eachRange((first, last) => found.push([first, last]));
        expect(found).toEqual(ranges);
        expect(set.has(probe)).toBe(model.has(probe));
        const at = ranges.find(([first, last]) => first <= probe && probe <= last);
        expect(set.nextAbsent(probe)).toBe(at === undefined ? probe : at[1] + 1);
        expect(set.previousAbsent(probe)).toBe(at === undefined ? probe : at[0] - 1);
        let from = 0;
        for (const [first, last] of ranges) if (last >= probe) from += last - Math.max(first, probe) + 1;
        expect(set.countFrom(probe)).toBe(from);
        const copy = new SeqSet();
        for (const { base, words } of set.bitmaps()) copy.addBitmap(base, words);
        const copied: [number, number][] = [];
        copy.eachRange((first, last) => copied.push([first, last]));
        expect(copied).toEqual(ranges);
        expect(copy.size).toBe(set.size);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps a gap of thousands of millions as two numbers', () => {
    const set = new SeqSet();
    set.addRange(2, 5_000_000_000);
    set.add(5_000_000_002);
    expect(set.size).toBe(5_000_000_000);
    expect(set.nextAbsent(2)).toBe(5_000_000_001);
    expect(set.countFrom(4_999_999_999)).toBe(3);
    set.removeBelow(5_000_000_000);
    expect(set.size).toBe(2);
  });
});
