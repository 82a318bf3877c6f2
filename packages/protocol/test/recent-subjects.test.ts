import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RECENT_SUBJECT_BYTES_MAX, RecentSubjects } from '../src/index.ts';

function lookup<T>(recent: RecentSubjects<T>, subject: string): ReturnType<RecentSubjects<T>['lookup']> {
  const bytes = Buffer.from(`x${subject}y`);
  return recent.lookup(bytes, 1, bytes.length - 1);
}

describe('RecentSubjects', () => {
  it('gives the same entry, with what was left in it, for the same bytes in another buffer', () => {
    const recent = new RecentSubjects<string>();
    for (const subject of [
      '',
      'a',
      'ab',
      'abc',
      'abcd',
      'abcde',
      'foo.bar.baz',
      'é',
      'x'.repeat(RECENT_SUBJECT_BYTES_MAX),
    ]) {
      const entry = lookup(recent, subject);
      expect(entry).toMatchObject({ subject, generation: -1, value: null });
      entry.generation = 7;
      entry.value = 'kept';
      expect(lookup(recent, subject)).toBe(entry);
    }
  });

  it('always gives the subject that was asked for, however many there are', () => {
    const recent = new RecentSubjects<null>(16);
    const subject = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\0', 'é'), maxLength: 9 });
    fc.assert(
      fc.property(fc.array(subject, { maxLength: 60 }), (subjects) => {
        for (const each of [...subjects, ...subjects]) expect(lookup(recent, each).subject).toBe(each);
      }),
    );
  });

  it('keeps most of 500 subjects that differ in the middle', () => {
    const recent = new RecentSubjects<number>();
    for (let n = 0; n < 500; n++) lookup(recent, `orders.eu.${n}.created`).generation = n;
    let kept = 0;
    for (let n = 0; n < 500; n++) kept += lookup(recent, `orders.eu.${n}.created`).generation === n ? 1 : 0;
    expect(kept).toBeGreaterThan(420);
  });

  it('turns away from a taken slot what comes once', () => {
    const recent = new RecentSubjects<number>(16);
    const first = lookup(recent, 'first');
    for (let n = 0; n < 1000; n++) expect(lookup(recent, `other.${n}`).subject).toBe(`other.${n}`);
    expect(lookup(recent, 'first')).toBe(first);
  });

  it('forgets a subject when another one that comes twice takes its slot, and leaves the entry to its holder', () => {
    const recent = new RecentSubjects<number>(16);
    const first = lookup(recent, 'first');
    for (let n = 0; n < 1000; n++) {
      lookup(recent, `other.${n}`);
      const second = lookup(recent, `other.${n}`);
      expect(lookup(recent, `other.${n}`)).toBe(second);
    }
    expect(lookup(recent, 'first')).not.toBe(first);
    expect(first.subject).toBe('first');
  });

  it('keeps no subject that is longer than the limit', () => {
    const recent = new RecentSubjects<number>();
    const long = 'x'.repeat(RECENT_SUBJECT_BYTES_MAX + 1);
    const entry = lookup(recent, long);
    expect(entry.subject).toBe(long);
    expect(lookup(recent, long)).not.toBe(entry);
  });

  it('forgets everything on demand', () => {
    const recent = new RecentSubjects<number>();
    const entry = lookup(recent, 'foo');
    recent.clear();
    expect(lookup(recent, 'foo')).not.toBe(entry);
  });

  it('wants a power of two as the number of slots', () => {
    for (const slots of [0, 8, 17, 1000, 131_072, 1.5, Number.NaN]) {
      expect(() => new RecentSubjects(slots)).toThrow('power of two');
    }
  });
});
