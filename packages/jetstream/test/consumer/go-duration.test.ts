import { describe, expect, it } from 'vitest';
import { formatGoDuration, parseGoDuration } from '../../src/consumer/go-duration.ts';

describe('durations as Go writes them', () => {
  it.each([
    ['0', 0n],
    ['5s', 5_000_000_000n],
    ['-1.5h', -5_400_000_000_000n],
    ['1h2m3s4ms5us6ns', 3_723_004_005_006n],
    ['1µs', 1_000n],
    ['1μs', 1_000n],
    ['.5s', 500_000_000n],
    ['1.s', 1_000_000_000n],
    ['+2ms', 2_000_000n],
  ])('parses %s', (text, durationNs) => {
    expect(parseGoDuration(text)).toBe(durationNs);
  });

  it.each(['', '-', '5', 's', '.s', '1x', '5 s', 'abc', '1s2', '300000000h'])('refuses %j', (text) => {
    expect(parseGoDuration(text)).toBeNull();
  });

  it.each([
    [0, '0s'],
    [1, '1ns'],
    [1_500, '1.5µs'],
    [2_000_000, '2ms'],
    [1_000_000_000, '1s'],
    [60_000_000_000, '1m0s'],
    [90_500_000_000, '1m30.5s'],
    [3_600_000_000_000, '1h0m0s'],
    [-1_000_000_000, '-1s'],
  ])('prints %d ns', (durationNs, text) => {
    expect(formatGoDuration(durationNs)).toBe(text);
  });
});
