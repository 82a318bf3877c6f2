import { describe, expect, it } from 'vitest';
import { DEFAULT_MAX_CONSUMERS } from '../../src/options.ts';
import { EXPIRY_CHUNK, EXPIRY_INTERVAL_MIN_MS } from '../../src/stream/expiry.ts';
import { turns } from '../manual-clock.ts';
import { FakeConsumer } from './fake-consumer.ts';
import { openStream } from './stream-bench.ts';

const SECOND_NS = 1_000_000_000;

describe('limits that discard the old', () => {
  it('hold max_msgs, max_bytes and max_msgs_per_subject', async () => {
    const { stream, publish } = await openStream({ max_msgs: 4, max_msgs_per_subject: 2 });
    for (const subject of ['s.a', 's.a', 's.b', 's.a', 's.c', 's.d']) publish(subject);
    const seqs = [...Array(7).keys()].filter(
      (seq) => !stream.messages.deletedSeqs().includes(seq) && seq >= stream.messages.firstSeq,
    );
    expect(seqs).toEqual([3, 4, 5, 6]);
    stream.update({ ...stream.config, max_bytes: 40 });
    // A message on s.d takes 19 bytes in memory.
    expect([stream.messages.messages, stream.messages.bytes]).toEqual([2, 38]);
  });

  it('are enforced at once when they are lowered', async () => {
    const { stream, publish } = await openStream();
    for (const subject of ['s.a', 's.a', 's.b', 's.a', 's.c', 's.c']) publish(subject);
    stream.update({ ...stream.config, max_msgs_per_subject: 1 });
    expect([stream.messages.subject('s.a'), stream.messages.messages]).toEqual([{ count: 1, first: 4, last: 4 }, 3]);
    stream.update({ ...stream.config, max_msgs: 1 });
    expect(stream.messages.firstSeq).toBe(6);
  });
});

describe('limits beyond what a double holds', () => {
  const FOR_EVER = 2n ** 63n - 1n;

  it('are kept to the last digit and never reached', async () => {
    const limits = {
      max_msgs: FOR_EVER,
      max_bytes: FOR_EVER,
      max_age: FOR_EVER,
      max_msgs_per_subject: FOR_EVER,
      max_consumers: FOR_EVER,
      duplicate_window: FOR_EVER,
      consumer_limits: { inactive_threshold: FOR_EVER, max_ack_pending: FOR_EVER },
    };
    for (const discard of ['old', 'new'] as const) {
      const { stream, host, publish } = await openStream({ ...limits, discard });
      expect(stream.config).toMatchObject(limits);
      expect(stream.storage.meta.config).toMatchObject(limits);
      publish('s.a', 'x', { 'Nats-Msg-Id': 'id' });
      host.clock.advance(365 * 24 * 3600 * 1000);
      await turns();
      const again = await host.account().request('s.a', 'x', { headers: { 'Nats-Msg-Id': 'id' } });
      expect(again!.payload).toBe('{"stream":"S","seq":1,"duplicate": true}');
      expect(stream.messages.messages).toBe(1);
    }
  });

  it('refuse a first sequence that no number holds', async () => {
    await expect(openStream({ first_seq: 2n ** 53n })).rejects.toThrow('a first sequence above 9007199254740991');
    const { stream } = await openStream({ first_seq: 2 ** 53 - 1 });
    expect(stream.config.first_seq).toBe(2 ** 53 - 1);
  });
});

describe('the number of consumers', () => {
  const limitOf = async (maxConsumers: number, account: number, server?: number): Promise<number> => {
    const options = server === undefined ? {} : { limits: { defaultMaxConsumers: server } };
    const { stream } = await openStream({ max_consumers: maxConsumers }, { options });
    Object.assign(stream.account, { jetstreamLimits: { ...stream.account.jetstreamLimits, maxConsumers: account } });
    return stream.limits.maxConsumers;
  };

  it("is limited by the stream, by its account, or else by the server's default", async () => {
    expect(await limitOf(-1, -1)).toBe(DEFAULT_MAX_CONSUMERS);
    expect(await limitOf(-1, -1, 0)).toBe(DEFAULT_MAX_CONSUMERS);
    expect(await limitOf(-1, -1, 3)).toBe(3);
    expect(await limitOf(-1, -1, -5)).toBeLessThan(0);
    expect(await limitOf(5, -1, 3)).toBe(5);
    expect(await limitOf(-1, 10, 3)).toBe(10);
    expect(await limitOf(5, 10, 3)).toBe(5);
    expect(await limitOf(5, 2, 3)).toBe(2);
  });
});

describe('limits that discard the new', () => {
  it('let a message in that replaces one of its subject', async () => {
    const { host } = await openStream({ max_msgs: 2, max_msgs_per_subject: 1, discard: 'new' });
    const publish = async (subject: string): Promise<string> => (await host.account().request(subject))!.payload;
    expect(await publish('s.a')).toBe('{"stream":"S","seq":1}');
    expect(await publish('s.b')).toBe('{"stream":"S","seq":2}');
    expect(await publish('s.c')).toContain('maximum messages exceeded');
    expect(await publish('s.a')).toBe('{"stream":"S","seq":3}');
  });

  it('let a message in above max_bytes only if the one it replaces is as large', async () => {
    const { host } = await openStream({ max_bytes: 100, max_msgs_per_subject: 1, discard: 'new', storage: 'memory' });
    const publish = async (bytes: number): Promise<string> =>
      (await host.account().request('s.a', 'x'.repeat(bytes)))!.payload;
    expect(await publish(81)).toBe('{"stream":"S","seq":1}');
    expect(await publish(81)).toBe('{"stream":"S","seq":2}');
    expect(await publish(82)).toContain('maximum bytes exceeded');
  });
});

describe('max_age', () => {
  it('removes what is older, no more often than every quarter of a second', async () => {
    const { stream, host, publish } = await openStream({ max_age: SECOND_NS, duplicate_window: SECOND_NS });
    const consumer = new FakeConsumer('c');
    stream.addConsumer(consumer);
    publish('s.a');
    host.clock.advance(400);
    publish('s.b');
    await turns();
    host.clock.advance(599);
    expect(stream.messages.messages).toBe(2);
    host.clock.advance(1);
    expect(stream.messages.firstSeq).toBe(2);
    expect(consumer.told.at(-1)).toBe('removed 1 s.a limit');
    host.clock.advance(400);
    expect([stream.messages.messages, stream.messages.firstSeq]).toEqual([0, 3]);
    host.clock.advance(EXPIRY_INTERVAL_MIN_MS);
    expect(host.clock.timers).toBe(0);
  });

  it('starts and stops with the configuration', async () => {
    const { stream, host, publish } = await openStream();
    publish('s.a');
    expect(host.clock.timers).toBe(0);
    host.clock.advance(5_000);
    stream.update({ ...stream.config, max_age: SECOND_NS });
    await turns();
    expect(stream.messages.messages).toBe(0);
    stream.update({ ...stream.config, max_age: 0 });
    publish('s.a');
    expect(host.clock.timers).toBe(0);
  });

  it('removes much in several turns, and reads cold messages', async () => {
    const { stream, host, store, publish } = await openStream({ max_age: SECOND_NS, duplicate_window: SECOND_NS });
    for (let i = 0; i < EXPIRY_CHUNK + 10; i++) publish('s.a');
    await turns();
    store.cold.add(5);
    host.clock.advance(1_000 + EXPIRY_INTERVAL_MIN_MS);
    expect(stream.messages.firstSeq).toBe(5);
    await turns(1);
    expect(stream.messages.messages).toBeGreaterThan(0);
    await turns(10);
    expect(stream.messages.messages).toBe(0);
  });

  it('stops with the stream', async () => {
    const { stream, host, publish } = await openStream({ max_age: SECOND_NS });
    publish('s.a', '', { 'Nats-Msg-Id': 'x' });
    await turns();
    expect(host.clock.timers).toBe(2);
    stream.stop('shutdown');
    expect(host.clock.timers).toBe(0);
  });
});
