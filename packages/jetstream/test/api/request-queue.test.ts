import { describe, expect, it } from 'vitest';
import {
  CLIENT_HOLD_SHARE,
  CLIENT_RELEASE_SHARE,
  QUEUE_HOLD_SHARE,
  QUEUE_RELEASE_SHARE,
} from '../../src/api/request-holds.ts';
import { REQUESTS_AT_ONCE_MAX, REQUESTS_TURN_MS, RequestQueue } from '../../src/api/request-queue.ts';
import type { Clock, HostHold } from '../../src/host.ts';
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

const LIMIT = 64;

/** A queue whose requests are answered by hand, and the clients it holds. An item is the number of its client. */
function holding(): {
  queue: RequestQueue<number>;
  held: Set<number>;
  from(client: number): { holdPublisher(): HostHold };
  answer(): Promise<void>;
} {
  const answers: (() => void)[] = [];
  const queue = new RequestQueue<number>(
    LIMIT,
    clock,
    () => new Promise<void>((resolve) => answers.push(resolve)),
    () => undefined,
    () => undefined,
    () => null,
    (client) => client,
  );
  const held = new Set<number>();
  return {
    queue,
    held,
    from: (client) => ({
      holdPublisher: () => {
        held.add(client);
        return { release: () => held.delete(client) };
      },
    }),
    answer: async () => {
      answers.pop()?.();
      await turns(1);
    },
  };
}

/** Published by the server itself. */
const NOBODY = { holdPublisher: () => null };

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
    for (const item of [1, 2, 3, 4, 5]) queue.push(item, NOBODY);
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
    for (const item of ['throws', 'waits', 'rejects', 'last']) queue.push(item, NOBODY);
    expect([ran, queue.length]).toEqual([[], 4]);
    await turns(8);
    expect(ran).toEqual(['throws', 'waits', 'waited', 'rejects', 'last']);
    expect(errors.map(String)).toEqual(['Error: 1', 'Error: 2']);
    queue.push('again', NOBODY);
    await turns(2);
    expect([ran.at(-1), queue.length]).toEqual(['again', 0]);
  });

  it('runs those of different lanes beside each other, and nothing beside one without a lane', async () => {
    const under: string[] = [];
    const ends = new Map<string, () => void>();
    const queue = new RequestQueue<string>(
      100,
      clock,
      (item) => {
        under.push(item);
        return new Promise<void>((resolve) => ends.set(item, resolve)).then(() => {
          under.splice(under.indexOf(item), 1);
        });
      },
      () => undefined,
      () => undefined,
      (item) => (item.startsWith('alone') ? null : item.slice(0, -1)),
    );
    const end = async (item: string): Promise<string[]> => {
      ends.get(item)!();
      await turns(2);
      return [...under];
    };
    for (const item of ['S1', 'T/a1', 'T/b1', 'T/a2', 'T1', 'alone1', 'U1', 'U/x1']) queue.push(item, NOBODY);
    await turns(2);
    expect(under).toEqual(['S1', 'T/a1', 'T/b1']);
    expect(await end('S1')).toEqual(['T/a1', 'T/b1']);
    expect(await end('T/a1')).toEqual(['T/b1', 'T/a2', 'T1']);
    expect(await end('T/b1')).toEqual(['T/a2', 'T1']);
    expect(await end('T1')).toEqual(['T/a2']);
    expect(await end('T/a2')).toEqual(['alone1']);
    expect(await end('alone1')).toEqual(['U1']);
    expect(await end('U1')).toEqual(['U/x1']);
    expect(await end('U/x1')).toEqual([]);
  });

  it('runs no more at once than is good for the disk', async () => {
    let running = 0;
    let most = 0;
    const queue = new RequestQueue<number>(
      100,
      clock,
      async () => {
        most = Math.max(most, ++running);
        await turns(2);
        running--;
      },
      () => undefined,
      () => undefined,
      (item) => `${item}`,
    );
    for (let item = 0; item < REQUESTS_AT_ONCE_MAX * 3; item++) queue.push(item, NOBODY);
    await turns(20);
    expect([most, running, queue.length]).toEqual([REQUESTS_AT_ONCE_MAX, 0, 0]);
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
    for (const item of [1, 2, 3, 4]) queue.push(item, NOBODY);
    await turns(2);
    expect([ran, dropped]).toEqual([[4], [3]]);
  });

  it('has a client wait whose requests take up too much of it, and go on when most are answered', async () => {
    const { queue, held, from, answer } = holding();
    const many = LIMIT * CLIENT_HOLD_SHARE;
    for (let item = 1; item < many; item++) queue.push(1, from(1));
    expect([...held]).toEqual([]);
    queue.push(1, from(1));
    queue.push(2, from(2));
    queue.push(3, NOBODY);
    expect([...held]).toEqual([1]);
    while (queue.length - 2 > LIMIT * CLIENT_RELEASE_SHARE) {
      expect([...held]).toEqual([1]);
      await answer();
    }
    await answer();
    expect([...held]).toEqual([]);
  });

  it('has everybody wait who asks when it is half full, until a quarter is left', async () => {
    const { queue, held, from, answer } = holding();
    const clients = Array.from({ length: LIMIT * QUEUE_HOLD_SHARE + 1 }, (_, at) => at + 1);
    for (const client of clients) queue.push(client, from(client));
    expect([...held]).toEqual(clients.slice(-2));
    while (queue.length > LIMIT * QUEUE_RELEASE_SHARE) {
      expect(held.size).toBe(2);
      await answer();
    }
    expect(held.size).toBe(0);
    while (queue.length > 0) await answer();
    queue.push(1, from(1));
    expect(held.size).toBe(0);
  });

  it('runs all of a flood in order that never lets it run empty', async () => {
    const ran: number[] = [];
    const queue = new RequestQueue<number>(
      10_000,
      clock,
      (item) => {
        ran.push(item);
        clock.ms += REQUESTS_TURN_MS / 500;
      },
      () => undefined,
      () => undefined,
    );
    let item = 0;
    for (let wave = 0; wave < 10; wave++) {
      for (let at = 0; at < 1000; at++) queue.push(item++, NOBODY);
      await turns(1);
      expect(queue.length).toBeGreaterThan(0);
    }
    while (queue.length > 0) await turns(1);
    expect(ran).toEqual(Array.from({ length: 10_000 }, (_, at) => at));
  });

  it('keeps nobody waiting for requests that are dropped', () => {
    const queue = new RequestQueue<number>(
      2,
      clock,
      () => undefined,
      () => undefined,
      () => undefined,
    );
    let holds = 0;
    const client = {
      holdPublisher: () => {
        holds++;
        return { release: () => void holds-- };
      },
    };
    queue.push(1, client);
    expect(holds).toBe(1);
    queue.push(2, client);
    expect(holds).toBe(0);
  });
});
