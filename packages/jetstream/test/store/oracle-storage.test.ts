import { describe, expect, it } from 'vitest';
import { oraclePath } from '../../../../tests/src/oracle.ts';
import { TempDir } from '../../../../tests/src/temp-dir.ts';
import { FileStorage } from '../../src/store/file/file-storage.ts';
import type { StoreState, StreamStore, Timestamp } from '../../src/store/store.ts';
import { ConsumerModel } from './consumer-model.ts';
import { anyOptions, consumerMeta, testDependencies } from './dependencies.ts';
import { Oracle, position, positionOf } from './oracle-server.ts';
import { append, committed, load, storeOptions } from './support.ts';

interface StreamInfo {
  config: Record<string, unknown>;
  created: string;
  state: Record<string, unknown>;
}

const ZERO_TIME = '0001-01-01T00:00:00Z';

/** RFC 3339 with nanoseconds, trailing zeros trimmed, as Go prints it. */
function goTime(time: Timestamp | null): string {
  if (time === null) return ZERO_TIME;
  const seconds = new Date(time.ms).toISOString().slice(0, 19);
  const fraction = `${String(time.ms % 1000).padStart(3, '0')}${String(time.ns).padStart(6, '0')}`.replace(/0+$/, '');
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** A state as STREAM.INFO tells it. */
function asInfo(state: StoreState, gaps: number[]): Record<string, unknown> {
  // A file stream that never held a message has sequence 0 among the deleted, says nats-server.
  const deleted = state.firstSeq === 0 && state.lastSeq === 0 ? [0] : gaps;
  return {
    messages: state.messages,
    bytes: state.bytes,
    first_seq: state.firstSeq,
    first_ts: goTime(state.firstTime),
    last_seq: state.lastSeq,
    last_ts: goTime(state.lastTime),
    ...(state.subjects > 0 ? { num_subjects: state.subjects } : {}),
    ...(deleted.length > 0 ? { num_deleted: deleted.length, deleted } : {}),
  };
}

async function infoOf(oracle: Oracle, name: string): Promise<StreamInfo> {
  const info = await oracle.api<StreamInfo>(`STREAM.INFO.${name}`, { deleted_details: true });
  delete info.state['consumer_count'];
  return info;
}

describe.each(['2.15', '2.10'] as const)('a store that changes hands with nats-server %s', (version) => {
  const runs = it.runIf(oraclePath(version) !== null);

  runs('has the same streams, messages and consumers on either side', async () => {
    using directory = new TempDir('handover');
    const names = ['LIMITS', 'EMPTY', 'PURGED', 'KV_bucket', 'WQ'];
    const before = new Map<string, StreamInfo>();
    {
      await using oracle = await Oracle.start(directory.path, version);
      for (const name of ['LIMITS', 'EMPTY', 'PURGED']) {
        await oracle.api(`STREAM.CREATE.${name}`, { name, subjects: [`${name}.>`], storage: 'file' });
      }
      await oracle.api('STREAM.CREATE.KV_bucket', {
        name: 'KV_bucket',
        subjects: ['$KV.bucket.>'],
        max_msgs_per_subject: 2,
        storage: 'file',
        allow_rollup_hdrs: true,
        discard: 'new',
      });
      await oracle.api('STREAM.CREATE.WQ', { name: 'WQ', subjects: ['WQ.>'], retention: 'workqueue', storage: 'file' });
      await oracle.publish('LIMITS.a', 12);
      await oracle.api('STREAM.MSG.DELETE.LIMITS', { seq: 3 });
      await oracle.api('STREAM.MSG.DELETE.LIMITS', { seq: 12 });
      await oracle.publish('PURGED.a', 5);
      await oracle.api('STREAM.PURGE.PURGED', {});
      await oracle.publish('PURGED.b', 2);
      for (const key of ['x', 'y', 'x', 'x', 'z']) await oracle.publish(`$KV.bucket.${key}`, 1);
      await oracle.publish('WQ.a', 6);
      await oracle.api('CONSUMER.CREATE.WQ.C', {
        stream_name: 'WQ',
        config: { durable_name: 'C', ack_policy: 'explicit' },
        action: 'create',
      });
      const replies = await oracle.pull('WQ', 'C', 4);
      await oracle.ack(replies[1]!);
      for (const name of names) before.set(name, await infoOf(oracle, name));
      await oracle.stop();
    }

    const storage = await FileStorage.open(directory.path, testDependencies());
    const streams = await recovered(storage);
    expect([...streams.keys()].sort()).toEqual([...names].sort());
    for (const [name, stream] of streams) {
      const { state, created } = before.get(name)!;
      expect(asInfo(stream.messages.state(), stream.messages.deletedSeqs())).toMatchObject(state);
      expect(stream.meta.created).toBe(created);
    }
    expect(await load(streams.get('KV_bucket')!.messages, 5)).toMatchObject({ subject: '$KV.bucket.z', payload: '0' });

    // We go on with it.
    const limits = streams.get('LIMITS')!.messages;
    append(limits, 'LIMITS.b', 'ours', 'NATS/1.0\r\nA: b\r\n\r\n', Date.now());
    limits.remove(5, 'user', true);
    streams.get('PURGED')!.messages.purge(null, 0, 0, null);
    const model = new ConsumerModel(streams.get('WQ')!.recoveredConsumers()[0]!.store);
    model.ack(1);
    streams.get('WQ')!.messages.remove(1, 'ack', false);
    const ours = await storage.createStream('$G', 'OURS', ourMeta(), storeOptions());
    for (let at = 0; at < 3; at++) append(ours.messages, 'OURS.a', `${at}`, '', Date.now());
    const consumer = new ConsumerModel(await ours.createConsumer('D', consumerMeta('D'), false));
    consumer.startAt(1);
    consumer.deliver(Date.now());
    await consumer.sync();
    await Promise.all([...streams.values(), ours].map((stream) => committed(stream.messages)));
    const after = new Map([...streams.values(), ours].map((stream) => [stream.name, snapshot(stream)]));
    await storage.close();

    await using oracle = await Oracle.start(directory.path, version);
    for (const [name, expected] of after) {
      const { state } = await infoOf(oracle, name);
      expect({ name, ...expected }).toMatchObject({ name, ...state });
    }
    expect(positionOf(await oracle.info('WQ', 'C'))).toEqual(position(model.state));
    expect(positionOf(await oracle.info('OURS', 'D'))).toEqual(position(consumer.state));
    const got = await oracle.api<{ message: { data: string } }>('STREAM.MSG.GET.LIMITS', { seq: 13 });
    expect(Buffer.from(got.message.data, 'base64').toString()).toBe('ours');
    await oracle.stop();
  });
});

function snapshot({ messages }: StreamStore): Record<string, unknown> {
  return asInfo(messages.state(), messages.deletedSeqs());
}

async function recovered(storage: FileStorage): Promise<Map<string, StreamStore>> {
  const { streams, offline } = await storage.recoverAccount('$G', anyOptions);
  expect(offline).toEqual([]);
  return new Map(streams.map((stream) => [stream.name, stream]));
}

/** A configuration as nats-server completes it. */
function ourMeta(): { created: string; config: Record<string, unknown> } {
  return {
    created: '2026-02-03T04:05:06.000000001Z',
    config: {
      name: 'OURS',
      subjects: ['OURS.>'],
      retention: 'limits',
      max_consumers: -1,
      max_msgs: -1,
      max_bytes: -1,
      max_age: 0,
      max_msgs_per_subject: -1,
      max_msg_size: -1,
      discard: 'old',
      storage: 'file',
      num_replicas: 1,
      duplicate_window: 120_000_000_000,
      compression: 'none',
      allow_direct: false,
      mirror_direct: false,
      sealed: false,
      deny_delete: false,
      deny_purge: false,
      allow_rollup_hdrs: false,
      consumer_limits: {},
    },
  };
}
