import { describe, expect, it } from 'vitest';
import { DedupeWindow } from '../../src/stream/dedupe.ts';

describe('DedupeWindow', () => {
  it('knows an id for the length of the window', () => {
    const window = new DedupeWindow(100, 10);
    window.add('x', 5, 1_000);
    expect([window.find('x', 1_099), window.find('y', 1_099), window.nextExpiryMs(1_040)]).toEqual([5, 0, 60]);
    expect(window.find('x', 1_100)).toBe(0);
    expect([window.size, window.nextExpiryMs(1_100)]).toEqual([0, -1]);
  });

  it('keeps nothing without a window', () => {
    const window = new DedupeWindow(0, 10);
    window.add('x', 5, 1_000);
    expect([window.find('x', 1_000), window.size]).toEqual([0, 0]);
  });

  it('forgets the oldest ids early when there are more than its limit', () => {
    const window = new DedupeWindow(1_000, 3);
    for (let seq = 1; seq <= 5; seq++) window.add(`id${seq}`, seq, 0);
    expect([1, 2, 3, 4, 5].map((seq) => window.find(`id${seq}`, 1))).toEqual([0, 0, 3, 4, 5]);
    expect(window.size).toBe(3);
  });

  it('holds its size over many more ids than the window has', () => {
    const window = new DedupeWindow(10, 1_000_000);
    for (let i = 0; i < 50_000; i++) {
      window.add(`id${i}`, i + 1, i);
      window.expire(i);
    }
    expect(window.size).toBe(10);
    expect(window.find('id49999', 49_999)).toBe(50_000);
    expect(window.find('id49989', 49_999)).toBe(0);
  });

  it('forgets ids of messages that were given up, and takes them again', () => {
    const window = new DedupeWindow(100, 10);
    window.add('x', 1, 0);
    window.add('y', 2, 0);
    window.truncate(1);
    expect([window.find('x', 0), window.find('y', 0)]).toEqual([1, 0]);
    window.add('y', 2, 50);
    window.expire(100);
    expect([window.find('x', 100), window.find('y', 100)]).toEqual([0, 2]);
  });
});
