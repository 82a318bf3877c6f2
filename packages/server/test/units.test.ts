import { describe, expect, it } from 'vitest';
import { ClosedConnections } from '../src/closed-connections.ts';
import { FlushQueue } from '../src/connection/flush-queue.ts';
import { SlabPool } from '../src/connection/slabs.ts';
import { goDuration, goTime, uptime } from '../src/go-format.ts';
import {
  DIRTY_CONNECTIONS_MAX,
  FREE_LARGE_SLABS_MAX,
  FREE_SMALL_SLABS_MAX,
  LARGE_SLAB_BYTES,
  RATE_LIMITED_TEXTS_MAX,
} from '../src/limits.ts';
import { RateLimitedLog } from '../src/rate-limited-log.ts';
import { TimerWheel, WheelTimer } from '../src/timer-wheel.ts';
import { ManualClock } from './support.ts';

describe('the timer wheel', () => {
  const TICK = 25;

  function fixture(): { clock: ManualClock; wheel: TimerWheel; set: (delayMs: number) => { firedMs: number | null } } {
    const clock = new ManualClock();
    const wheel = new TimerWheel(clock, TICK);
    return {
      clock,
      wheel,
      set(delayMs) {
        const result: { firedMs: number | null } = { firedMs: null };
        wheel.set(new WheelTimer(() => (result.firedMs = clock.monotonicMs())), delayMs);
        return result;
      },
    };
  }

  it('fires once, never early and at most two ticks late, over any distance', () => {
    const { clock, wheel, set } = fixture();
    clock.advance(7);
    const delays = [0, 1, 24, 25, 26, 400, 12_774, 12_775, 12_800, 12_825, 25_600, 120_000, 3_600_000];
    const started = clock.monotonicMs();
    const timers = delays.map((delayMs) => ({ delayMs, result: set(delayMs) }));
    expect(wheel.size).toBe(delays.length);
    clock.advance(4_000_000);
    for (const { delayMs, result } of timers) {
      expect(result.firedMs, `${delayMs}`).not.toBeNull();
      const late = (result.firedMs ?? 0) - started - delayMs;
      expect(late, `${delayMs}`).toBeGreaterThanOrEqual(0);
      expect(late, `${delayMs}`).toBeLessThanOrEqual(2 * TICK + 1);
    }
    expect(wheel.size).toBe(0);
    expect(clock.timerCount).toBe(0);
  });

  it('lets callbacks set and clear timers, themselves included', () => {
    const { clock, wheel } = fixture();
    let count = 0;
    const again = new WheelTimer(() => {
      if (++count < 5) wheel.set(again, 512 * TICK);
    });
    const victim = new WheelTimer(() => {
      throw new Error('cleared timers do not fire');
    });
    wheel.set(new WheelTimer(() => wheel.clear(victim)), 100);
    wheel.set(victim, 200);
    wheel.set(again, 50);
    clock.advance(100_000);
    expect(count).toBe(5);
    expect(victim.isSet).toBe(false);
  });

  it('moves a timer that is set again, and is quiet when nothing is set', () => {
    const { clock, wheel } = fixture();
    let firedMs = 0;
    const timer = new WheelTimer(() => (firedMs = clock.monotonicMs()));
    const started = clock.monotonicMs();
    wheel.set(timer, 100);
    wheel.set(timer, 1000);
    clock.advance(2000);
    expect(firedMs - started).toBeGreaterThanOrEqual(1000);
    wheel.set(timer, 100);
    wheel.clear(timer);
    wheel.clear(timer);
    expect(clock.timerCount).toBe(0);
  });
});

describe('the flush queue', () => {
  it('flushes everybody once at the end of the outermost chunk, newcomers included', () => {
    const queue = new FlushQueue();
    const flushed: string[] = [];
    const target = (name: string, then?: () => void): { flush(): void } => ({
      flush() {
        flushed.push(name);
        then?.();
      },
    });
    queue.enter();
    queue.enter();
    queue.add(target('a', () => queue.add(target('c'))));
    queue.add(target('b'));
    queue.leave();
    expect(flushed).toEqual([]);
    queue.leave();
    expect(flushed).toEqual(['a', 'b', 'c']);
  });

  it('flushes at the end of the running callback outside of a chunk', async () => {
    const queue = new FlushQueue();
    let count = 0;
    queue.add({ flush: () => count++ });
    expect(count).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(count).toBe(1);
  });

  it('does not gather more than a limited number', () => {
    const queue = new FlushQueue();
    let count = 0;
    queue.enter();
    for (let i = 0; i < DIRTY_CONNECTIONS_MAX; i++) queue.add({ flush: () => count++ });
    expect(count).toBe(DIRTY_CONNECTIONS_MAX);
  });
});

describe('slabs', () => {
  it('are used again, and a limited number of free ones is kept', () => {
    const pool = new SlabPool(null);
    const slab = pool.take(true);
    expect(slab.bytes.length).toBe(LARGE_SLAB_BYTES);
    pool.give(slab);
    expect(pool.take(true)).toBe(slab);
    const many = Array.from({ length: FREE_SMALL_SLABS_MAX + 3 }, () => pool.take(false));
    for (const one of many) pool.give(one);
    expect(pool.freeCount).toBe(FREE_SMALL_SLABS_MAX);
  });

  it('of the large size are kept up to a limit of their own', () => {
    const pool = new SlabPool(null);
    const many = Array.from({ length: FREE_LARGE_SLABS_MAX + 1 }, () => pool.take(true));
    for (const one of many) pool.give(one);
    expect(pool.freeCount).toBe(FREE_LARGE_SLABS_MAX);
  });
});

describe('the rate limited log', () => {
  it('lets a text pass once a second', () => {
    const clock = new ManualClock();
    const log = new RateLimitedLog(clock);
    expect([log.isDue('a'), log.isDue('a'), log.isDue('b')]).toEqual([true, false, true]);
    clock.advance(999);
    expect(log.isDue('a')).toBe(false);
    clock.advance(1);
    expect(log.isDue('a')).toBe(true);
  });

  it('forgets all when it knows too many', () => {
    const log = new RateLimitedLog(new ManualClock());
    for (let i = 0; i <= RATE_LIMITED_TEXTS_MAX; i++) log.isDue(`${i}`);
    expect(log.isDue('0')).toBe(true);
  });
});

describe('closed connections', () => {
  it('are a ring', () => {
    const closed = new ClosedConnections<number>(3);
    for (let i = 1; i <= 5; i++) closed.add(i);
    expect(closed.list()).toEqual([3, 4, 5]);
    expect(closed.total).toBe(5);
  });
});

describe('texts in the form of Go', () => {
  it.each([
    [0, '0s'],
    [1, '1ns'],
    [1_500, '1.5µs'],
    [2_250_000, '2.25ms'],
    [999_999_999, '999.999999ms'],
    [10_000_000_000, '10s'],
    [90_500_000_000, '1m30.5s'],
    [3_600_000_000_000, '1h0m0s'],
    [-1_000_000, '-1ms'],
  ])('%d ns', (ns, text) => expect(goDuration(ns)).toBe(text));

  it.each([
    [0, '0s'],
    [59_999, '59s'],
    [243_000, '4m3s'],
    [3_723_000, '1h2m3s'],
    [183_845_000, '2d3h4m5s'],
    [(365 + 2) * 86_400_000 + 11_045_000, '1y2d3h4m5s'],
  ])('an uptime of %d ms', (ms, text) => expect(uptime(ms)).toBe(text));

  it.each([
    [0, '1970-01-01T00:00:00Z'],
    [1_700_000_000_120, '2023-11-14T22:13:20.12Z'],
    [1_700_000_000_007, '2023-11-14T22:13:20.007Z'],
    [1_700_006_400_000, '2023-11-15T00:00:00Z'],
  ])('the moment %d', (ms, text) => expect(goTime(ms)).toBe(text));
});
