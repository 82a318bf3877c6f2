import { describe, expect, it } from 'vitest';
import { RequestQueue } from '../../src/api/request-queue.ts';
import { turns } from '../manual-clock.ts';

describe('RequestQueue', () => {
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
      (callback) => setImmediate(callback),
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
      (callback) => setImmediate(callback),
      (item) => void ran.push(item),
      (count) => dropped.push(count),
      () => undefined,
    );
    for (const item of [1, 2, 3, 4]) queue.push(item);
    await turns(2);
    expect([ran, dropped]).toEqual([[4], [3]]);
  });
});
