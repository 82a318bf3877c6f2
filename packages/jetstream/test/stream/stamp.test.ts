import { describe, expect, it } from 'vitest';
import { Stamp } from '../../src/stream/stamp.ts';
import { ManualClock } from '../manual-clock.ts';

describe('Stamp', () => {
  it('never goes back by a small step, and follows the clock for good after a large one', () => {
    const clock = new ManualClock(1_000_000);
    const stamp = new Stamp(clock);
    const taken: [number, number][] = [];
    for (const nowMs of [1_000_000, 1_000_000, 999_500, 1_000_001, 940_000]) {
      clock.set(nowMs);
      stamp.take();
      taken.push([stamp.ms, stamp.ns]);
    }
    expect(taken).toEqual([
      [1_000_000, 0],
      [1_000_000, 1],
      [1_000_000, 2],
      [1_000_001, 0],
      [940_000, 0],
    ]);
  });
});
