import { describe, expect, it } from 'vitest';
import { CONFIRMATIONS_MAX } from '../../src/consumer/confirmations.ts';
import type { Consumer } from '../../src/consumer/consumer.ts';
import type { Received } from '../fake-host.ts';
import { gist, numbers, turns, Workbench } from './workbench.ts';

async function delivered(
  count: number,
  config: object = {},
): Promise<{ bench: Workbench; consumer: Consumer; inbox: Received[] }> {
  const bench = await Workbench.create();
  for (let at = 1; at <= count; at++) bench.stream.publish('s.a', `m${at}`);
  const consumer = await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', ...config });
  const inbox = bench.inbox('in');
  bench.pull('in', { batch: 100 });
  return { bench, consumer, inbox };
}

function floor(consumer: Consumer): string {
  const { ack_floor: at, num_ack_pending: pending } = consumer.info() as {
    ack_floor: { consumer_seq: number; stream_seq: number };
    num_ack_pending: number;
  };
  return `${at.consumer_seq}/${at.stream_seq} ${pending}`;
}

describe('an ack', () => {
  it.each(['', '+ACK', '+OK'])('%j removes the message from those that are waited for', async (body) => {
    const { bench, consumer, inbox } = await delivered(2);
    bench.ack(inbox[0], body);
    expect(floor(consumer)).toBe('1/1 1');
    bench.advance(31_000);
    expect(numbers(inbox)).toEqual(['1/1/1/1', '1/2/2/0', '2/2/3/0']);
  });

  it('moves the floor only when the lowest pending message is acked', async () => {
    const { bench, consumer, inbox } = await delivered(4);
    bench.ack(inbox[1]);
    expect(floor(consumer)).toBe('0/0 3');
    bench.ack(inbox[2]);
    bench.ack(inbox[0]);
    expect(floor(consumer)).toBe('3/3 1');
    bench.ack(inbox[3]);
    expect(floor(consumer)).toBe('4/4 0');
  });

  it('skips what does not pass the filter when it moves the floor', async () => {
    const bench = await Workbench.create();
    for (const subject of ['s.a', 's.b', 's.b', 's.a']) bench.stream.publish(subject);
    const consumer = await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', filter_subject: 's.a' });
    const inbox = bench.inbox('in');
    bench.pull('in', '9');
    bench.ack(inbox[0]);
    expect(floor(consumer)).toBe('1/3 1');
    bench.ack(inbox[1]);
    expect(floor(consumer)).toBe('2/4 0');
  });

  it('is reported to the store with the floor after it', async () => {
    const { bench, inbox } = await delivered(2);
    const nowMs = bench.stream.host.clock.now();
    bench.ack(inbox[1]);
    bench.ack(inbox[0]);
    expect(bench.store().reports).toEqual([
      'replaced',
      `delivered 1 1 1 ${nowMs}`,
      `delivered 2 2 1 ${nowMs}`,
      'acked 2 2 0 0',
      'acked 1 1 2 2',
    ]);
    expect(bench.store().exported()).toEqual({
      delivered: { consumerSeq: 2, streamSeq: 2 },
      ackFloor: { consumerSeq: 2, streamSeq: 2 },
      pending: new Map(),
      redelivered: new Map(),
    });
  });

  it('for a message that was never delivered is not even answered', async () => {
    const { bench, consumer } = await delivered(1);
    const answers = bench.inbox('answer');
    bench.stream.account.publish('$JS.ACK.S.c.1.9.9.0.0', '+ACK', { reply: 'answer' });
    bench.stream.account.publish('$JS.ACK.S.c.1.x.9.0.0', '+TERM', { reply: 'answer' });
    bench.stream.account.publish('$JS.ACK.S.c.1.0.9.0.0', '-NAK', { reply: 'answer' });
    await turns();
    expect(answers).toEqual([]);
    expect(floor(consumer)).toBe('0/0 1');
  });

  it('to a consumer without acks, or that is not there, reaches nobody', async () => {
    const { bench, inbox } = await delivered(1, { ack_policy: 'none' });
    expect(bench.ack(inbox[0])).toBe(0);
    expect(bench.stream.account.publish('$JS.ACK.S.other.1.1.1.0.0', '+ACK')).toBe(0);
    expect(bench.stream.account.publish('$JS.ACK.S.c.1.1.1.0', '+ACK')).toBe(0);
  });

  it('of ack policy none is given by the delivery', async () => {
    const { bench, consumer } = await delivered(3, { ack_policy: 'none' });
    expect(floor(consumer)).toBe('3/3 0');
    expect(bench.stream.done).toEqual(['c 1', 'c 2', 'c 3']);
  });

  it('of ack policy all covers everything before it', async () => {
    const { bench, consumer, inbox } = await delivered(5, { ack_policy: 'all' });
    bench.ack(inbox[2]);
    expect(floor(consumer)).toBe('3/3 2');
    expect(bench.stream.done).toEqual(['c 1', 'c 2', 'c 3']);
    bench.ack(inbox[0]);
    expect(floor(consumer)).toBe('3/3 2');
    expect(bench.store().reports.at(-1)).toBe('acked 3 3 3 3');
    bench.ack(inbox[3]);
    expect(bench.store().reports.at(-1)).toBe('acked 4 4 4 4');
  });

  it('of ack policy all counts by stream sequence, also after a redelivery', async () => {
    const { bench, consumer, inbox } = await delivered(3, { ack_policy: 'all', ack_wait: 1e9 });
    bench.advance(1001);
    expect(numbers(inbox).slice(3)).toEqual(['2/1/4/0', '2/2/5/0', '2/3/6/0']);
    bench.ack(inbox[3]);
    bench.ack(inbox[2]);
    expect(floor(consumer)).toBe('3/3 0');
  });

  it('is passed on to the stream once', async () => {
    const { bench, inbox } = await delivered(1);
    bench.ack(inbox[0]);
    bench.ack(inbox[0]);
    expect(bench.stream.done).toEqual(['c 1']);
  });

  it('lets further messages through when max_ack_pending was reached', async () => {
    const { bench, inbox } = await delivered(4, { max_ack_pending: 2 });
    expect(gist(inbox)).toEqual(['m1', 'm2']);
    bench.ack(inbox[1]);
    expect(gist(inbox)).toEqual(['m1', 'm2', 'm3']);
    bench.ack(inbox[0]);
    expect(gist(inbox)).toEqual(['m1', 'm2', 'm3', 'm4']);
  });
});

describe('a confirmed ack', () => {
  it.each(['+ACK', '', '-NAK', '+WPI', '+TERM', 'whatever'])('%j is answered with an empty message', async (body) => {
    const { bench, inbox } = await delivered(1);
    const answers = bench.inbox('answer');
    bench.ack(inbox[0], body, 'answer');
    await turns();
    expect(answers).toMatchObject([{ subject: 'answer', reply: null, header: '', payload: '' }]);
  });

  it('is answered again when it is repeated', async () => {
    const { bench, inbox } = await delivered(1);
    const answers = bench.inbox('answer');
    bench.ack(inbox[0], '+ACK', 'answer');
    bench.ack(inbox[0], '+ACK', 'answer');
    await turns();
    expect(answers).toHaveLength(2);
  });

  it('is answered when what it changed is durable, and not before', async () => {
    const { bench, inbox } = await delivered(2);
    const store = bench.store();
    store.holdsSyncs = true;
    const answers: string[] = [];
    bench.stream.account.listen('answer.*', ({ subject }) => answers.push(subject));
    bench.ack(inbox[0], '+ACK', 'answer.1');
    bench.ack(inbox[1], '+ACK', 'answer.2');
    expect(store.reports.filter((line) => line.startsWith('acked'))).toHaveLength(2);
    await turns();
    expect(answers).toEqual([]);
    store.releaseSyncs();
    expect(answers).toEqual(['answer.1', 'answer.2']);
  });

  it('is not answered when the store fails', async () => {
    const { bench, inbox } = await delivered(1);
    const store = bench.store();
    store.holdsSyncs = true;
    const answers = bench.inbox('answer');
    bench.ack(inbox[0], '+ACK', 'answer');
    store.releaseSyncs(new Error('EIO'));
    await turns();
    expect(answers).toEqual([]);
    expect(bench.stream.host.lines).toContain("ERR JetStream consumer '$G > S > c' ack is not confirmed: EIO");
  });

  it(`is carried out but not answered while ${CONFIRMATIONS_MAX} others wait for the disk`, async () => {
    const { bench, consumer, inbox } = await delivered(2);
    const store = bench.store();
    store.holdsSyncs = true;
    let answers = 0;
    bench.stream.account.listen('answer', () => answers++);
    for (let at = 0; at < CONFIRMATIONS_MAX; at++) bench.ack(inbox[0], '+WPI', 'answer');
    bench.ack(inbox[0], '+ACK', 'answer');
    expect(floor(consumer)).toBe('1/1 1');
    store.releaseSyncs();
    expect(answers).toBe(CONFIRMATIONS_MAX);
    bench.ack(inbox[1], '+ACK', 'answer');
    store.releaseSyncs();
    expect(answers).toBe(CONFIRMATIONS_MAX + 1);
  });
});

describe('+WPI', () => {
  it('begins the ack wait again', async () => {
    const { bench, inbox } = await delivered(1, { ack_wait: 1e9 });
    bench.advance(900);
    bench.ack(inbox[0], '+WPI');
    bench.advance(1000);
    expect(inbox).toHaveLength(1);
    bench.advance(1);
    expect(numbers(inbox)).toEqual(['1/1/1/0', '2/1/2/0']);
  });
});

describe('+TERM', () => {
  it('ends redelivery and tells why', async () => {
    const { bench, consumer, inbox } = await delivered(1);
    const events = bench.advisories('CONSUMER.MSG_TERMINATED');
    bench.ack(inbox[0], '+TERM  broken payload ');
    expect(floor(consumer)).toBe('1/1 0');
    expect(events).toMatchObject([
      {
        type: 'io.nats.jetstream.advisory.v1.terminated',
        stream: 'S',
        consumer: 'c',
        consumer_seq: 1,
        stream_seq: 1,
        deliveries: 1,
        reason: 'broken payload',
      },
    ]);
  });

  it('without a reason leaves it out', async () => {
    const { bench, inbox } = await delivered(1);
    const events = bench.advisories('CONSUMER.MSG_TERMINATED');
    bench.ack(inbox[0], '+TERM');
    expect(events[0]).not.toHaveProperty('reason');
  });
});

describe('+NXT', () => {
  it.each([
    ['+NXT', 1],
    ['+NXT 2', 2],
    ['+NXT {"batch":3}', 3],
  ])('%j acks and pulls on the ack’s own reply', async (body, count) => {
    const bench = await Workbench.create();
    for (let at = 1; at <= 6; at++) bench.stream.publish('s.a', `m${at}`);
    const consumer = await bench.consumer({ durable_name: 'c', ack_policy: 'explicit' });
    const inbox = bench.inbox('in');
    const next = bench.inbox('next');
    bench.pull('in', '1');
    bench.ack(inbox[0], body, 'next');
    await turns();
    expect(gist(next)).toEqual(['m2', 'm3', 'm4'].slice(0, count));
    expect(floor(consumer)).toBe(`1/1 ${count}`);
  });

  it('without a reply only acks', async () => {
    const { bench, consumer, inbox } = await delivered(1);
    bench.ack(inbox[0], '+NXT');
    expect(floor(consumer)).toBe('1/1 0');
  });

  it('on a push consumer is told so', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', deliver_subject: 'p' });
    const inbox = bench.inbox('p');
    const next = bench.inbox('next');
    bench.stream.publish('s.a');
    bench.ack(inbox[0], '+NXT', 'next');
    expect(gist(next)).toEqual(['409 Consumer is push based']);
  });
});

describe('sampled acks', () => {
  it('are reported with the time they took', async () => {
    const { bench, inbox } = await delivered(1, { sample_freq: '100%' });
    const metrics: Record<string, unknown>[] = [];
    bench.stream.account.listen('$JS.EVENT.METRIC.CONSUMER.ACK.S.c', ({ payload }) =>
      metrics.push(JSON.parse(payload)),
    );
    bench.advance(20);
    bench.ack(inbox[0]);
    expect(metrics).toMatchObject([
      {
        type: 'io.nats.jetstream.metric.v1.consumer_ack',
        stream: 'S',
        consumer: 'c',
        consumer_seq: 1,
        stream_seq: 1,
        ack_time: 20_000_000,
        deliveries: 1,
      },
    ]);
  });

  it.each([
    ['60', 1],
    ['40', 0],
    ['', 0],
  ])('of sample_freq %j are %d in one when the dice show 50', async (sample_freq, count) => {
    const { bench, inbox } = await delivered(1, { sample_freq });
    const metrics: unknown[] = [];
    bench.stream.account.listen('$JS.EVENT.METRIC.>', (message) => metrics.push(message));
    bench.ack(inbox[0]);
    expect(metrics).toHaveLength(count);
  });
});
