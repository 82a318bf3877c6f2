import { describe, expect, it } from 'vitest';
import type { Consumer } from '../../src/consumer/consumer.ts';
import { PENDING_POOL_MAX } from '../../src/consumer/pending.ts';
import type { Received } from '../fake-host.ts';
import { gist, numbers, Workbench } from './workbench.ts';

async function delivered(
  count: number,
  config: object = {},
  retention: 'limits' | 'workqueue' | 'interest' = 'limits',
): Promise<{ bench: Workbench; consumer: Consumer; inbox: Received[] }> {
  const bench = await Workbench.create({ retention });
  for (let at = 1; at <= count; at++) bench.stream.publish('s.a', `m${at}`);
  const consumer = await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', ...config });
  const inbox = bench.inbox('in');
  bench.pull('in', { batch: 1000 });
  return { bench, consumer, inbox };
}

/** Milliseconds at which messages arrived while time went by. */
function arrivals(bench: Workbench, inbox: Received[], ms: number): number[] {
  const at: number[] = [];
  const startMs = bench.stream.host.clock.now();
  for (let passed = 0; passed < ms; passed++) {
    const before = inbox.length;
    bench.advance(1);
    for (let count = before; count < inbox.length; count++) at.push(bench.stream.host.clock.now() - startMs);
  }
  return at;
}

describe('redelivery', () => {
  it('comes one millisecond after ack_wait, with a higher count and a new consumer sequence', async () => {
    const { bench, consumer, inbox } = await delivered(1, { ack_wait: 500e6 });
    expect(arrivals(bench, inbox, 1100)).toEqual([501, 1002]);
    expect(numbers(inbox)).toEqual(['1/1/1/0', '2/1/2/0', '3/1/3/0']);
    expect(consumer.info()).toMatchObject({
      delivered: { consumer_seq: 3, stream_seq: 1 },
      num_ack_pending: 1,
      num_redelivered: 1,
    });
  });

  it('follows the backoff to the millisecond; its last step repeats', async () => {
    const { bench, inbox } = await delivered(1, { backoff: [200e6, 400e6, 600e6] });
    expect(arrivals(bench, inbox, 2000)).toEqual([201, 201 + 401, 201 + 401 + 601, 201 + 401 + 601 + 601]);
  });

  it('comes before new messages, in stream order', async () => {
    const { bench, inbox } = await delivered(3, { ack_wait: 500e6, max_ack_pending: 3 });
    bench.stream.publish('s.a', 'm4');
    bench.advance(501);
    expect(gist(inbox)).toEqual(['m1', 'm2', 'm3', 'm1', 'm2', 'm3']);
    bench.ack(inbox[0]);
    expect(gist(inbox).slice(6)).toEqual(['m4']);
  });

  it('comes although max_ack_pending is reached', async () => {
    const { bench, inbox } = await delivered(2, { ack_wait: 500e6, max_ack_pending: 1 });
    bench.advance(501);
    expect(gist(inbox)).toEqual(['m1', 'm1']);
  });

  it('waits for a pull request', async () => {
    const bench = await Workbench.create();
    bench.stream.publish('s.a', 'm1');
    await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', ack_wait: 500e6 });
    const inbox = bench.inbox('in');
    bench.pull('in', '1');
    bench.advance(5000);
    expect(inbox).toHaveLength(1);
    bench.pull('in', '1');
    expect(numbers(inbox)).toEqual(['1/1/1/0', '2/1/2/0']);
  });

  it('ends with the ack', async () => {
    const { bench, inbox } = await delivered(2, { ack_wait: 500e6 });
    bench.ack(inbox[0]);
    bench.ack(inbox[1]);
    bench.advance(5000);
    expect(inbox).toHaveLength(2);
  });

  it('that stands in the queue ends with the ack', async () => {
    const bench = await Workbench.create();
    bench.stream.publish('s.a', 'm1');
    await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', ack_wait: 500e6 });
    const inbox = bench.inbox('in');
    bench.pull('in', '1');
    bench.advance(600);
    bench.ack(inbox[0]);
    bench.pull('in', { batch: 1, no_wait: true });
    expect(gist(inbox)).toEqual(['m1', '404 No Messages']);
  });

  it('of a message that left the stream is given up with an advisory', async () => {
    const bench = await Workbench.create();
    bench.stream.publish('s.a', 'm1');
    bench.stream.publish('s.a', 'm2');
    const consumer = await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', ack_wait: 500e6 });
    const inbox = bench.inbox('in');
    const events = bench.advisories('CONSUMER.MSG_TERMINATED');
    bench.pull('in', '2');
    bench.advance(501);
    // Behind the consumer's back, as damage on disk would.
    bench.stream.messages.remove(1, 'limit', false);
    bench.pull('in', '2');
    expect(numbers(inbox)).toEqual(['1/1/1/1', '1/2/2/0', '2/2/3/0']);
    expect(events).toMatchObject([{ stream_seq: 1, reason: 'Unacknowledged message was deleted' }]);
    expect(consumer.info()).toMatchObject({ num_ack_pending: 1, ack_floor: { stream_seq: 1 } });
  });

  it('keeps ten thousand messages apart', async () => {
    const count = 10_000;
    const { bench, consumer } = await delivered(count, { ack_wait: 500e6, max_ack_pending: count });
    const seen = new Map<number, number>();
    bench.stream.account.listen('all', (message) => {
      const seq = Number(message.reply?.split('.')[5]);
      seen.set(seq, (seen.get(seq) ?? 0) + 1);
    });
    expect(count).toBeGreaterThan(PENDING_POOL_MAX);
    for (let seq = 2; seq <= count; seq += 2) {
      bench.stream.account.publish(`$JS.ACK.S.c.1.${seq}.${seq}.0.0`, '+ACK');
    }
    expect(consumer.progress.pending.size).toBeLessThanOrEqual(count);
    bench.pull('all', { batch: 100_000 });
    while (consumer.progress.pending.size < count / 2) await new Promise((resolve) => setImmediate(resolve));
    expect(consumer.progress.pending.get(2)).toBeUndefined();
    expect(consumer.progress.pending.get(3)).toBeDefined();
  });
});

describe('-NAK', () => {
  it('delivers again at once and tells', async () => {
    const { bench, inbox } = await delivered(2);
    const events = bench.advisories('CONSUMER.MSG_NAKED');
    bench.ack(inbox[0], '-NAK');
    expect(numbers(inbox)).toEqual(['1/1/1/1', '1/2/2/0', '2/1/3/0']);
    expect(events).toMatchObject([
      {
        type: 'io.nats.jetstream.advisory.v1.nak',
        stream: 'S',
        consumer: 'c',
        consumer_seq: 1,
        stream_seq: 1,
        deliveries: 1,
      },
    ]);
  });

  it.each([
    ['-NAK 300ms', 301],
    ['-NAK  0.3s ', 301],
    ['-NAK {"delay":300000000}', 301],
    ['-NAK {"delay":300000000,"other":1}', 301],
  ])('%j delivers again after the delay', async (body, ms) => {
    const { bench, inbox } = await delivered(1);
    bench.ack(inbox[0], body);
    expect(arrivals(bench, inbox, 400)).toEqual([ms]);
  });

  it('delays also with a backoff that is further on', async () => {
    const { bench, inbox } = await delivered(1, { backoff: [100e6, 5000e6] });
    bench.advance(101);
    bench.ack(inbox[1], '-NAK 250ms');
    expect(arrivals(bench, inbox, 400)).toEqual([251]);
  });

  it.each(['-NAK soon', '-NAK {', '-NAK {"delay":"1s"}'])('%j with a bad delay delivers at once', async (body) => {
    const { bench, inbox } = await delivered(1);
    bench.ack(inbox[0], body);
    expect(inbox).toHaveLength(2);
    expect(bench.stream.host.lines[0]).toContain('bad NAK delay value');
  });

  it('of an acked message does nothing', async () => {
    const { bench, inbox } = await delivered(1);
    const events = bench.advisories('CONSUMER.MSG_NAKED');
    bench.ack(inbox[0]);
    bench.ack(inbox[0], '-NAK');
    expect(inbox).toHaveLength(1);
    expect(events).toEqual([]);
  });

  it('survives a restart with its delay', async () => {
    const { bench, inbox } = await delivered(1, { ack_wait: 30e9 });
    const nowMs = bench.stream.host.clock.now();
    bench.ack(inbox[0], '-NAK 5s');
    expect(bench.store().exported().pending).toEqual(new Map([[1, { consumerSeq: 1, timeMs: nowMs + 5000 - 30_000 }]]));
    expect(bench.store().reports.at(-1)).toBe(`delivered 1 1 1 ${nowMs + 5000 - 30_000}`);
  });
});

describe('max_deliver', () => {
  it('ends redelivery with one advisory; the message is not waited for any more', async () => {
    const { bench, consumer, inbox } = await delivered(2, { ack_wait: 100e6, max_deliver: 2 });
    const events = bench.advisories('CONSUMER.MAX_DELIVERIES');
    bench.ack(inbox[1]);
    bench.advance(10_000);
    expect(numbers(inbox)).toEqual(['1/1/1/1', '1/2/2/0', '2/1/3/0']);
    expect(events).toMatchObject([
      { type: 'io.nats.jetstream.advisory.v1.max_deliver', stream: 'S', consumer: 'c', stream_seq: 1, deliveries: 2 },
    ]);
    expect(events).toHaveLength(1);
    expect(consumer.info()).toMatchObject({ num_ack_pending: 0, num_redelivered: 1 });
    expect(bench.store().exported().redelivered).toEqual(new Map([[1, 2]]));
  });

  it('of 1 reports no redeliveries', async () => {
    const { bench, consumer, inbox } = await delivered(1, { ack_wait: 100e6, max_deliver: 1 });
    const events = bench.advisories('CONSUMER.MAX_DELIVERIES');
    bench.advance(1000);
    expect(inbox).toHaveLength(1);
    expect(events).toMatchObject([{ deliveries: 1 }]);
    expect(consumer.info()['num_redelivered']).toBe(0);
  });

  it('counts a NAK as the end too', async () => {
    const { bench, consumer, inbox } = await delivered(1, { max_deliver: 1 });
    bench.ack(inbox[0], '-NAK');
    expect(inbox).toHaveLength(1);
    expect(consumer.info()['num_ack_pending']).toBe(0);
  });

  it('makes room under max_ack_pending', async () => {
    const { bench, inbox } = await delivered(2, { ack_wait: 100e6, max_deliver: 1, max_ack_pending: 1 });
    bench.advance(101);
    expect(gist(inbox)).toEqual(['m1', 'm2']);
  });

  it('leaves the message in a work queue until a late ack', async () => {
    const { bench, consumer, inbox } = await delivered(1, { ack_wait: 100e6, max_deliver: 1 }, 'workqueue');
    bench.advance(101);
    expect(bench.stream.messages.messages).toBe(1);
    expect(consumer.needs(1)).toBe(true);
    bench.ack(inbox[0]);
    expect(consumer.info()['num_redelivered']).toBe(0);
    expect(consumer.needs(1)).toBe(false);
    expect(bench.stream.messages.messages).toBe(0);
  });

  it('leaves the floor below the message until a later ack', async () => {
    const { bench, consumer, inbox } = await delivered(3, { ack_wait: 100e6, max_deliver: 1 });
    bench.ack(inbox[2]);
    bench.advance(50);
    bench.ack(inbox[1], '+WPI');
    bench.advance(51);
    expect(consumer.info()).toMatchObject({ ack_floor: { stream_seq: 0 }, num_ack_pending: 1 });
    bench.ack(inbox[1]);
    expect(consumer.info()).toMatchObject({ ack_floor: { consumer_seq: 3, stream_seq: 3 }, num_ack_pending: 0 });
  });
});
