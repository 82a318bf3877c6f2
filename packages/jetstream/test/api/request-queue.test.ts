import { describe, expect, it } from 'vitest';
import { REQUESTS_TURN_MS, RequestQueue } from '../../src/api/request-queue.ts';
import type { Clock } from '../../src/host.ts';
import { turns } from '../manual-clock.ts';

/** Time that passes when it is told to, and turns that come at once. */
class TurnClock implements Clock {
  ms = 0;
  now(): number {
    return this.ms;
  }
  setTimer(callback: () => void): { cancel(): void } {
    const immediate = setImmediate(callback);
    return { cancel: () => clearImmediate(immediate) };
  }
}

const clock = new TurnClock();

describe('RequestQueue', () => {
  it('lets everything else go on after a turn of requests', async () => {
    const ran: number[] = [];
    const run = (item: number): void => {
      ran.push(item);
      clock.ms += REQUESTS_TURN_MS / 2;
    };
    const queue = new RequestQueue<number>(
      10,
      clock,
      run,
      () => undefined,
      () => undefined,
    );
    for (const item of [1, 2, 3, 4, 5]) queue.push(item);
    const seen: number[] = [];
    while (queue.length > 0) {
      await turns(1);
      seen.push(ran.length);
    }
    expect([ran, seen.filter((count) => count % 2 === 1)]).toEqual([[1, 2, 3, 4, 5], [5]]);
  });

  it('runs one after the other, and goes on after one that fails', async () => {
    const ran: string[] = [];
    const errors: unknown[] = [];
    const run = (item: string): void | Promise<void> => {
      ran.push(item);
      if (item === 'throws') throw new Error('1');
      if (item === 'rejects') return Promise.reject(new Error('2'));
      if (item === 'waits') return turns(3).then(() => void ran.push('waited'));
    };
    const queue = new RequestQueue<string>(
      10,
      clock,
      run,
      () => undefined,
      (error) => errors.push(error),
    );
    for (const item of ['throws', 'waits', 'rejects', 'last']) queue.push(item);
    expect([ran, queue.length]).toEqual([[], 4]);
    await turns(8);
    expect(ran).toEqual(['throws', 'waits', 'waited', 'rejects', 'last']);
    expect(errors.map(String)).toEqual(['Error: 1', 'Error: 2']);
    queue.push('again');
    await turns(2);
    expect([ran.at(-1), queue.length]).toEqual(['again', 0]);
  });

  it('drops everything at its limit, and takes the next', async () => {
    const ran: number[] = [];
    const dropped: number[] = [];
    const queue = new RequestQueue<number>(
      3,
      clock,
      (item) => void ran.push(item),
      (count) => dropped.push(count),
      () => undefined,
    );
    for (const item of [1, 2, 3, 4]) queue.push(item);
    await turns(2);
    expect([ran, dropped]).toEqual([[4], [3]]);
  });
});
