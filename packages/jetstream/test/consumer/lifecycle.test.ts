import { describe, expect, it } from 'vitest';
import type { RequestedConfig } from '../../src/consumer/config.ts';
import type { Consumer } from '../../src/consumer/consumer.ts';
import { consumerModule } from '../../src/consumer/module.ts';
import { OfflineConsumer } from '../../src/consumer/offline-consumer.ts';
import type { ConsumerState } from '../../src/store/store.ts';
import { FakeConsumerStore } from './fake-stream.ts';
import { failure, gist, numbers, turns, Workbench } from './workbench.ts';

const PULL: RequestedConfig = { durable_name: 'c', ack_policy: 'explicit' };

describe('an unused consumer', () => {
  // The jitter of the fake host: 100 + 0.5 · 900 ms.
  const JITTER_MS = 550;

  it('that is ephemeral goes five seconds after its last pull, with advisory and files', async () => {
    const bench = await Workbench.create();
    const deleted = bench.advisories('CONSUMER.DELETED');
    await bench.consumer({ name: 'e', ack_policy: 'explicit' });
    bench.inbox('in');
    bench.advance(4000);
    bench.pull('in', { batch: 1, no_wait: true }, 'e');
    bench.advance(5000 + JITTER_MS - 1);
    expect(bench.stream.consumers.has('e')).toBe(true);
    bench.advance(1);
    await turns();
    expect(bench.stream.consumers.has('e')).toBe(false);
    expect(bench.store('e').isDeleted).toBe(true);
    expect(deleted).toMatchObject([
      { type: 'io.nats.jetstream.advisory.v1.consumer_action', stream: 'S', consumer: 'e', action: 'delete' },
    ]);
  });

  it('that is durable stays', async () => {
    const bench = await Workbench.create();
    await bench.consumer(PULL);
    bench.advance(10 * 86_400_000);
    expect(bench.stream.consumers.has('c')).toBe(true);
  });

  it('that is durable with a threshold goes', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ ...PULL, inactive_threshold: 2e9 });
    bench.advance(2000 + JITTER_MS);
    expect(bench.stream.consumers.has('c')).toBe(false);
  });

  it('stays while a pull request waits whose sender is there', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ ...PULL, inactive_threshold: 2e9 });
    const listener = bench.stream.account.listen('in', () => {});
    bench.pull('in', '1');
    bench.advance(20_000);
    expect(bench.stream.consumers.has('c')).toBe(true);
    listener.close();
    bench.advance(5000);
    expect(bench.stream.consumers.has('c')).toBe(false);
  });

  it('stays while a message may still be worked on', async () => {
    const bench = await Workbench.create();
    bench.stream.publish('s.a');
    await bench.consumer({ ...PULL, inactive_threshold: 1e9, ack_wait: 10e9 });
    bench.inbox('in');
    bench.pull('in', '1');
    bench.advance(10_000 + 1000 + JITTER_MS - 1);
    expect(bench.stream.consumers.has('c')).toBe(true);
    bench.advance(1);
    expect(bench.stream.consumers.has('c')).toBe(false);
  });

  it('stays as long as acks come', async () => {
    const bench = await Workbench.create();
    for (let at = 0; at < 5; at++) bench.stream.publish('s.a');
    await bench.consumer({ ...PULL, inactive_threshold: 1e9, ack_wait: 100e6 });
    const inbox = bench.inbox('in');
    bench.pull('in', '5');
    for (let at = 0; at < 5; at++) {
      bench.advance(1000);
      bench.ack(inbox[at]);
    }
    expect(bench.stream.consumers.has('c')).toBe(true);
    bench.advance(1000 + JITTER_MS);
    expect(bench.stream.consumers.has('c')).toBe(false);
  });

  it('that pushes goes when nobody has listened for the threshold, and not before', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ name: 'e', deliver_subject: 'p', inactive_threshold: 3e9 });
    bench.advance(2000);
    const listener = bench.stream.account.listen('p', () => {});
    bench.advance(60_000);
    expect(bench.stream.consumers.has('e')).toBe(true);
    listener.close();
    bench.advance(2999);
    expect(bench.stream.consumers.has('e')).toBe(true);
    bench.advance(1);
    expect(bench.stream.consumers.has('e')).toBe(false);
  });

  it('follows an update of its threshold', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ ...PULL, inactive_threshold: 1e9 });
    await bench.consumer({ ...PULL, inactive_threshold: 60e9 });
    bench.advance(30_000);
    expect(bench.stream.consumers.has('c')).toBe(true);
    await bench.consumer({ ...PULL, inactive_threshold: 0 });
    bench.advance(10 * 86_400_000);
    expect(bench.stream.consumers.has('c')).toBe(true);
  });

  it('whose deletion fails is reported', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ name: 'e' });
    bench.store('e').delete = () => Promise.reject(new Error('EIO'));
    bench.advance(10_000);
    await turns();
    expect(bench.stream.host.lines).toContain("ERR JetStream consumer '$G > S > e' could not be deleted: EIO");
  });

  it('makes room for a new one of its name only when its files are gone', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ name: 'e' });
    const old = bench.store('e');
    let finish = (): void => {};
    old.delete = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    bench.advance(10_000);
    const creation = bench.consumer({ name: 'e' });
    await turns();
    expect(bench.store('e')).toBe(old);
    finish();
    await creation;
    expect(bench.store('e')).not.toBe(old);
  });
});

describe('creation', () => {
  it('gives up cleanly when the start position cannot be made durable', async () => {
    const bench = await Workbench.create();
    const sync = FakeConsumerStore.prototype.sync;
    FakeConsumerStore.prototype.sync = (callback) => queueMicrotask(() => callback(new Error('ENOSPC')));
    try {
      expect(await failure(() => bench.consumer(PULL))).toEqual({
        err_code: 10104,
        description: 'error creating store for consumer: ENOSPC',
      });
    } finally {
      FakeConsumerStore.prototype.sync = sync;
    }
    expect(bench.stream.consumers.size).toBe(0);
    expect(bench.store().isDeleted).toBe(true);
  });

  it('fails when the stream went while the consumer was made', async () => {
    const bench = await Workbench.create();
    const creation = failure(() => bench.consumer(PULL));
    bench.stream.isClosed = true;
    expect(await creation).toEqual({ err_code: 10096, description: 'stream not valid' });
  });
});

describe('work queue streams', () => {
  const FILTERED = { ack_policy: 'explicit', filter_subject: 's.a' } as const;

  it('take one consumer per message', async () => {
    const bench = await Workbench.create({ retention: 'workqueue' });
    await bench.consumer({ durable_name: 'a', ...FILTERED });
    expect(await failure(() => bench.consumer({ durable_name: 'b', ack_policy: 'explicit' }))).toMatchObject({
      err_code: 10099,
    });
    expect(
      await failure(() => bench.consumer({ durable_name: 'b', ack_policy: 'explicit', filter_subject: 's.*' })),
    ).toMatchObject({ err_code: 10100 });
    await bench.consumer({ durable_name: 'b', ack_policy: 'explicit', filter_subject: 's.b' });
    expect(
      await failure(() => bench.consumer({ durable_name: 'b', ack_policy: 'explicit', filter_subject: 's.>' })),
    ).toMatchObject({ err_code: 10100, description: 'filtered consumer not unique on workqueue stream' });
  });

  it('lose a message with its ack', async () => {
    const bench = await Workbench.create({ retention: 'workqueue' });
    await bench.consumer({ durable_name: 'c', ack_policy: 'explicit' });
    bench.stream.publish('s.a', 'one');
    bench.stream.publish('s.a', 'two');
    const inbox = bench.inbox('in');
    bench.pull('in', '2');
    bench.ack(inbox[1]);
    expect(bench.stream.messages.messages).toBe(1);
    bench.ack(inbox[0], '+TERM');
    expect(bench.stream.messages.messages).toBe(0);
  });
});

describe('interest streams', () => {
  it('ask each consumer what it still needs', async () => {
    const bench = await Workbench.create({ retention: 'interest' });
    for (let at = 0; at < 4; at++) bench.stream.publish('s.a');
    const consumer = await bench.consumer({ ...PULL, max_deliver: 1, ack_wait: 100e6 });
    const inbox = bench.inbox('in');
    bench.pull('in', '3');
    bench.ack(inbox[1]);
    expect([1, 2, 3, 4, 5].map((seq) => consumer.needs(seq))).toEqual([true, false, true, true, true]);
    bench.ack(inbox[0]);
    expect(consumer.ackFloorSeq).toBe(2);
    expect(consumer.needs(1)).toBe(false);
    bench.advance(101);
    // Out of deliveries: kept until somebody acks it after all.
    expect(consumer.needs(3)).toBe(true);
  });

  it('free a message on delivery to a consumer without acks', async () => {
    const bench = await Workbench.create({ retention: 'interest' });
    const consumer = await bench.consumer({ durable_name: 'c', deliver_subject: 'p' });
    bench.stream.publish('s.a');
    expect(consumer.needs(1)).toBe(true);
    bench.inbox('p');
    expect(consumer.needs(1)).toBe(false);
    expect(bench.stream.done).toEqual(['c 1']);
    expect(bench.stream.messages.messages).toBe(0);
  });
});

describe('messages that leave the stream', () => {
  it('count no more as waiting, delivered or not', async () => {
    const bench = await Workbench.create();
    const events = bench.advisories('CONSUMER.MSG_TERMINATED');
    for (let at = 0; at < 6; at++) bench.stream.publish('s.a');
    const consumer = await bench.consumer(PULL);
    bench.inbox('in');
    bench.pull('in', '2');
    bench.stream.remove(5);
    expect(consumer.info()).toMatchObject({ num_pending: 3, num_ack_pending: 2 });
    bench.stream.remove(1, 'limit');
    expect(consumer.info()).toMatchObject({ num_pending: 3, num_ack_pending: 1, ack_floor: { stream_seq: 1 } });
    expect(events).toMatchObject([
      { stream_seq: 1, consumer_seq: 1, deliveries: 1, reason: 'Unacknowledged message was deleted' },
    ]);
  });

  it('make room under max_ack_pending', async () => {
    const bench = await Workbench.create();
    bench.stream.publish('s.a', 'm1');
    bench.stream.publish('s.a', 'm2');
    await bench.consumer({ ...PULL, max_ack_pending: 1 });
    const inbox = bench.inbox('in');
    bench.pull('in', '2');
    bench.stream.remove(1);
    await turns();
    expect(gist(inbox)).toEqual(['m1', 'm2']);
  });

  it('are forgotten when they had run out of deliveries', async () => {
    const bench = await Workbench.create();
    bench.stream.publish('s.a');
    const consumer = await bench.consumer({ ...PULL, max_deliver: 2, ack_wait: 100e6 });
    bench.inbox('in');
    bench.pull('in', '5');
    bench.advance(1000);
    expect(consumer.info()['num_redelivered']).toBe(1);
    bench.stream.remove(1);
    expect(consumer.info()['num_redelivered']).toBe(0);
    expect(bench.store().reports.at(-1)).toBe('acked 0 1 0 0');
  });

  it('by a purge of everything leave the positions where nats-server has them', async () => {
    const bench = await Workbench.create();
    const events = bench.advisories('CONSUMER.MSG_TERMINATED');
    for (let at = 0; at < 5; at++) bench.stream.publish('s.a');
    const consumer = await bench.consumer(PULL);
    bench.inbox('in');
    bench.pull('in', '2');
    bench.stream.purge();
    const after = {
      delivered: { consumer_seq: 2, stream_seq: 5 },
      ack_floor: { consumer_seq: 2, stream_seq: 5 },
      num_ack_pending: 0,
      num_pending: 0,
    };
    expect(consumer.info()).toMatchObject(after);
    bench.stream.publish('s.a');
    expect(consumer.info()).toMatchObject({ ...after, num_pending: 1 });
    expect(events).toEqual([]);
  });

  it('by a filtered purge count exactly', async () => {
    const bench = await Workbench.create();
    for (const subject of ['s.a', 's.b', 's.a', 's.b', 's.a']) bench.stream.publish(subject, subject);
    const consumer = await bench.consumer(PULL);
    const inbox = bench.inbox('in');
    bench.pull('in', '2');
    bench.stream.purge(0, { subjects: ['s.a'], matches: (subject) => subject === 's.a' });
    expect(consumer.info()).toMatchObject({ num_pending: 1, num_ack_pending: 1, ack_floor: { stream_seq: 1 } });
    bench.pull('in', { batch: 5, no_wait: true });
    expect(gist(inbox)).toEqual(['s.a', 's.b', 's.b', '404 No Messages']);
  });
});

describe('a paused consumer', () => {
  it('delivers nothing until its time, but answers and beats', async () => {
    const bench = await Workbench.create();
    const events = bench.advisories('CONSUMER.PAUSE');
    bench.stream.publish('s.a', 'm1');
    const until = new Date(bench.stream.host.clock.now() + 5000).toISOString().replace('.000', '');
    const consumer = await bench.consumer({ ...PULL, pause_until: until });
    expect(consumer.info()).toMatchObject({ paused: true, pause_remaining: 5_000_000_000 });
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 1, no_wait: true });
    bench.pull('in', { batch: 1, expires: 1000e6, idle_heartbeat: 500e6 });
    bench.advance(1000);
    expect(gist(inbox)).toEqual(['404 No Messages', '100 Idle Heartbeat', '408 Request Timeout']);
    bench.pull('in', '1');
    bench.advance(3999);
    expect(inbox).toHaveLength(3);
    bench.advance(1);
    expect(gist(inbox).slice(3)).toEqual(['m1']);
    expect(consumer.info()).not.toHaveProperty('paused', true);
    expect(events).toMatchObject([{ paused: false, pause_until: until }]);
  });
});

describe('a restart', () => {
  async function restarted(
    state: ConsumerState,
    config: RequestedConfig,
    messages: number,
  ): Promise<{ bench: Workbench; consumer: Consumer }> {
    const bench = await Workbench.create();
    for (let at = 1; at <= messages; at++) bench.stream.publish('s.a', `m${at}`);
    const meta = { created: '2026-01-01T00:00:00.123456789Z', config: { ...config } as Record<string, unknown> };
    const store = new FakeConsumerStore('c', meta, state);
    store.hasState = true;
    bench.stream.stores.set('c', store);
    consumerModule.recover(bench.stream);
    return { bench, consumer: bench.stream.consumers.get('c') as Consumer };
  }

  const EXPLICIT: RequestedConfig = {
    durable_name: 'c',
    name: 'c',
    deliver_policy: 'all',
    ack_policy: 'explicit',
    ack_wait: 30e9,
    max_deliver: -1,
    replay_policy: 'instant',
    max_waiting: 512,
    max_ack_pending: 1000,
    num_replicas: 0,
    metadata: { '_nats.req.level': '0' },
  };

  it('goes on where the last run stopped: positions, pending acks and their clocks', async () => {
    const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
    const { bench, consumer } = await restarted(
      {
        delivered: { consumerSeq: 5, streamSeq: 4 },
        ackFloor: { consumerSeq: 1, streamSeq: 1 },
        pending: new Map([
          [4, { consumerSeq: 4, timeMs: nowMs - 10_000 }],
          [2, { consumerSeq: 2, timeMs: nowMs - 29_000 }],
        ]),
        redelivered: new Map([[2, 1]]),
      },
      EXPLICIT,
      6,
    );
    expect(consumer.info()).toMatchObject({
      created: '2026-01-01T00:00:00.123456789Z',
      delivered: { consumer_seq: 5, stream_seq: 4 },
      ack_floor: { consumer_seq: 1, stream_seq: 1 },
      num_ack_pending: 2,
      num_redelivered: 1,
      num_pending: 2,
    });
    expect(bench.store().reports).toEqual([]);
    const inbox = bench.inbox('in');
    bench.pull('in', '10');
    bench.advance(1000);
    expect(numbers(inbox)).toEqual(['1/5/6/1', '1/6/7/0']);
    bench.advance(1);
    expect(numbers(inbox).slice(2)).toEqual(['3/2/8/0']);
    bench.advance(19_000);
    expect(numbers(inbox).slice(3)).toEqual(['2/4/9/0']);
  });

  it('keeps a consumer that had delivered nothing at its start position', async () => {
    const { bench, consumer } = await restarted(
      {
        delivered: { consumerSeq: 0, streamSeq: 3 },
        ackFloor: { consumerSeq: 0, streamSeq: 3 },
        pending: new Map(),
        redelivered: new Map(),
      },
      { ...EXPLICIT, deliver_policy: 'new' },
      5,
    );
    expect(consumer.backlog.count).toBe(2);
    const inbox = bench.inbox('in');
    bench.pull('in', '1');
    expect(numbers(inbox)).toEqual(['1/4/1/1']);
  });

  it('begins a consumer whose state was never written at its start position', async () => {
    const bench = await Workbench.create();
    for (let at = 1; at <= 3; at++) bench.stream.publish('s.a');
    const meta = { created: 'x', config: { ...EXPLICIT, deliver_policy: 'new' } as Record<string, unknown> };
    bench.stream.stores.set(
      'c',
      new FakeConsumerStore('c', meta, {
        delivered: { consumerSeq: 0, streamSeq: 0 },
        ackFloor: { consumerSeq: 0, streamSeq: 0 },
        pending: new Map(),
        redelivered: new Map(),
      }),
    );
    consumerModule.recover(bench.stream);
    expect((bench.stream.consumers.get('c') as Consumer).backlog.nextSeq).toBe(4);
    expect(bench.store().reports).toEqual(['replaced']);
  });

  it('raises a floor that fell behind the stream, and drops what is gone from its front', async () => {
    const bench = await Workbench.create();
    for (let at = 1; at <= 8; at++) bench.stream.publish('s.a');
    for (let seq = 1; seq <= 4; seq++) bench.stream.remove(seq, 'limit');
    const meta = { created: 'x', config: { ...EXPLICIT } as Record<string, unknown> };
    const store = new FakeConsumerStore('c', meta, {
      delivered: { consumerSeq: 6, streamSeq: 6 },
      ackFloor: { consumerSeq: 1, streamSeq: 1 },
      pending: new Map([
        [2, { consumerSeq: 2, timeMs: 0 }],
        [6, { consumerSeq: 6, timeMs: bench.stream.host.clock.now() }],
      ]),
      redelivered: new Map([[2, 3]]),
    });
    store.hasState = true;
    bench.stream.stores.set('c', store);
    consumerModule.recover(bench.stream);
    expect(bench.stream.consumers.get('c')!.info()).toMatchObject({
      ack_floor: { consumer_seq: 5, stream_seq: 5 },
      delivered: { consumer_seq: 6, stream_seq: 6 },
      num_ack_pending: 1,
      num_redelivered: 0,
      num_pending: 2,
    });
    expect(store.reports).toEqual(['replaced']);
  });

  it('comes back to the end of a stream that lost messages, so that new ones are not skipped', async () => {
    const { bench, consumer } = await restarted(
      {
        delivered: { consumerSeq: 9, streamSeq: 9 },
        ackFloor: { consumerSeq: 7, streamSeq: 7 },
        pending: new Map([[8, { consumerSeq: 8, timeMs: 0 }]]),
        redelivered: new Map([[8, 1]]),
      },
      EXPLICIT,
      5,
    );
    expect(consumer.info()).toMatchObject({
      delivered: { stream_seq: 5 },
      ack_floor: { stream_seq: 5 },
      num_ack_pending: 0,
      num_pending: 0,
    });
    const inbox = bench.inbox('in');
    bench.pull('in', '1');
    bench.stream.publish('s.a', 'm6');
    expect(gist(inbox)).toEqual(['m6']);
  });

  it('remembers messages that ran out of deliveries', async () => {
    const { consumer } = await restarted(
      {
        delivered: { consumerSeq: 3, streamSeq: 2 },
        ackFloor: { consumerSeq: 3, streamSeq: 2 },
        pending: new Map(),
        redelivered: new Map([[1, 2]]),
      },
      { ...EXPLICIT, max_deliver: 2 },
      2,
    );
    expect(consumer.needs(1)).toBe(true);
    expect(consumer.needs(2)).toBe(false);
  });

  it('keeps the deliver subject and everything else of the configuration', async () => {
    const config: RequestedConfig = {
      ...EXPLICIT,
      max_waiting: 0,
      deliver_subject: '_INBOX.abc',
      deliver_group: 'g',
      filter_subject: 'main-queue',
      description: 'x',
    };
    const { consumer } = await restarted(
      {
        delivered: { consumerSeq: 0, streamSeq: 0 },
        ackFloor: { consumerSeq: 0, streamSeq: 0 },
        pending: new Map(),
        redelivered: new Map(),
      },
      config,
      0,
    );
    const { max_waiting: _push, ...printed } = config;
    expect(consumer.info()['config']).toEqual(printed);
  });

  it.each([
    [
      { ...EXPLICIT, priority_policy: 'overflow', priority_groups: ['A'] },
      'priority groups (priority_policy "overflow") is not supported yet by nats-ts',
    ],
    [{ ...EXPLICIT, ack_policy: 'flow_control' }, 'ack_policy "flow_control" is not supported yet by nats-ts'],
    [
      { ...EXPLICIT, metadata: { '_nats.req.level': '9' } },
      'unsupported - required API level: 9, current API level: 5',
    ],
  ] as const)('lists a consumer it cannot run as offline: %j', async (config, reason) => {
    const { bench } = await restarted(
      {
        delivered: { consumerSeq: 0, streamSeq: 0 },
        ackFloor: { consumerSeq: 0, streamSeq: 0 },
        pending: new Map(),
        redelivered: new Map(),
      },
      config,
      1,
    );
    const consumer = bench.stream.consumers.get('c') as unknown as OfflineConsumer;
    expect(consumer).toBeInstanceOf(OfflineConsumer);
    expect(consumer.reason).toBe(reason);
    expect(consumer.needs(1)).toBe(true);
    expect(bench.store().reports).toEqual([]);
    expect(await failure(() => bench.consumer(EXPLICIT))).toEqual({
      err_code: 10195,
      description: `consumer is offline: ${reason}`,
    });
  });
});
