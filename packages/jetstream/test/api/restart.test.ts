import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { consumerModule } from '../../src/consumer/module.ts';
import { FileStorage } from '../../src/store/file/file-storage.ts';
import { FakeHost } from '../fake-host.ts';
import { Harness } from '../jetstream-harness.ts';
import { testDependencies } from '../store/dependencies.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/nats-ts-restart-`);
});

afterEach(() => rm(directory, { recursive: true }));

async function open(): Promise<Harness> {
  const host = new FakeHost();
  host.clock.set(Date.now());
  host.account().patienceMs = 5_000;
  return Harness.open({}, await FileStorage.open(directory, testDependencies()), consumerModule, host);
}

describe('an engine that is stopped and started on the same directory', () => {
  it('has its streams, messages, consumers and duplicate window as before', async () => {
    const first = await open();
    await first.create({ name: 'S', subjects: ['s.>'], allow_direct: true, description: 'kept', metadata: { a: 'b' } });
    for (let i = 1; i <= 5; i++) await first.ask(`s.${i % 2}`, `${i}`, { headers: { 'Nats-Msg-Id': `id${i}` } });
    await first.json('STREAM.MSG.DELETE.S', { seq: 3 });
    await first.json('CONSUMER.CREATE.S.c', {
      stream_name: 'S',
      config: { durable_name: 'c', ack_policy: 'explicit' },
    });
    const before = await first.json('STREAM.INFO.S', { deleted_details: true, subjects_filter: '>' });
    const consumer = await first.json('CONSUMER.INFO.S.c');
    await first.jetstream.shutdown();

    const second = await open();
    const after = await second.json('STREAM.INFO.S', { deleted_details: true, subjects_filter: '>' });
    expect({ ...after, ts: before.ts }).toEqual(before);
    expect({ ...(await second.json('CONSUMER.INFO.S.c')), ts: consumer.ts }).toEqual(consumer);
    expect(await second.ask('$JS.API.DIRECT.GET.S', '{"seq":5,"no_hdr":true}')).toBe('5');
    expect(await second.ask('s.x', '', { headers: { 'Nats-Msg-Id': 'id4' } })).toBe(
      '{"stream":"S","seq":4,"duplicate": true}',
    );
    expect(await second.ask('s.x', '', { headers: { 'Nats-Expected-Last-Msg-Id': 'id5' } })).toBe(
      '{"stream":"S","seq":6}',
    );
    await second.jetstream.shutdown();
  });

  it('does not bring a deleted stream back', async () => {
    const first = await open();
    await first.create({ name: 'S' });
    await first.ask('S', 'x');
    await first.json('STREAM.DELETE.S');
    await first.jetstream.shutdown();
    const second = await open();
    expect((await second.json('STREAM.NAMES')).streams).toBeNull();
    await second.create({ name: 'S' });
    expect((await second.state('S')).messages).toBe(0);
    await second.jetstream.shutdown();
  });

  it('lets go of streams and consumers that cannot run, for good', async () => {
    const storage = await FileStorage.open(directory, testDependencies());
    const options = { kind: 'file', firstSeq: 0, retention: 'limits', maxBytes: -1, maxMsgsPerSubject: -1 } as const;
    const created = '2025-01-01T00:00:00Z';
    const plain = { retention: 'limits', storage: 'file', num_replicas: 1 };
    const mirror = { name: 'M', ...plain, mirror: { name: 'O' } };
    await storage.createStream('$G', 'M', { created, config: mirror }, options);
    const stream = await storage.createStream(
      '$G',
      'S',
      { created, config: { name: 'S', subjects: ['s'], ...plain } },
      options,
    );
    const config = { durable_name: 'c', name: 'c', deliver_policy: 'all', ack_policy: 'flow_control' };
    await stream.createConsumer('c', { created, config }, false);
    await storage.close();
    const first = await open();
    expect(await first.json('STREAM.LIST')).toMatchObject({ missing: ['M'] });
    expect(await first.json('CONSUMER.LIST.S')).toMatchObject({ missing: ['c'] });
    expect(await first.json('STREAM.DELETE.M')).toMatchObject({ success: true });
    expect(await first.json('CONSUMER.DELETE.S.c')).toMatchObject({ success: true });
    await first.jetstream.shutdown();
    const second = await open();
    expect((await second.json('STREAM.NAMES')).streams).toEqual(['S']);
    expect((await second.json('CONSUMER.NAMES.S')).consumers).toEqual([]);
    await second.jetstream.shutdown();
  });

  it('acknowledges what was published right before the stop, and keeps it', async () => {
    const first = await open();
    await first.create({ name: 'S' });
    const acks = first.account.inbox('R');
    for (let i = 0; i < 500; i++) first.account.publish('S', 'x', { reply: 'R' });
    await first.jetstream.shutdown();
    expect(acks).toHaveLength(500);
    const second = await open();
    expect((await second.state('S')).messages).toBe(500);
    await second.jetstream.shutdown();
  });
});
