import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { oraclePath } from '../../../../tests/src/oracle.ts';
import { TempDir } from '../../../../tests/src/temp-dir.ts';
import { encodeMeta } from '../../src/store/file/meta-json.ts';
import { ConsumerModel, plain } from './consumer-model.ts';
import { anyOptions, openStorage, testDependencies } from './dependencies.ts';
import { type Info, Oracle, position, positionOf } from './oracle-server.ts';

const pullConsumer = (name: string, more: object = {}): object => ({
  stream_name: 'S',
  config: { durable_name: name, ack_policy: 'explicit', ack_wait: 3600e9, ...more },
  action: 'create',
});

/** A stream with consumers in different positions, some acks confirmed, some outstanding. */
async function fill(oracle: Oracle): Promise<void> {
  await oracle.api('STREAM.CREATE.S', {
    name: 'S',
    subjects: ['s.>'],
    storage: 'file',
    metadata: { a: '<b>', c: '&' },
  });
  for (let at = 0; at < 10; at++) {
    await oracle.publish('s.a', 3);
    await oracle.publish('s.b', 1);
  }
  await oracle.api('CONSUMER.CREATE.S.GAPS', pullConsumer('GAPS'));
  await oracle.api('CONSUMER.CREATE.S.FILTERED.s.b', pullConsumer('FILTERED', { filter_subject: 's.b' }));
  await oracle.api('CONSUMER.CREATE.S.ALL', pullConsumer('ALL', { ack_policy: 'all' }));
  await oracle.api('CONSUMER.CREATE.S.NEW', pullConsumer('NEW', { deliver_policy: 'new' }));
  await oracle.api('CONSUMER.CREATE.S.AGAIN', pullConsumer('AGAIN', { ack_wait: 200e6, max_deliver: 9 }));
  const gaps = await oracle.pull('S', 'GAPS', 12);
  for (const at of [0, 1, 4, 7, 8]) await oracle.ack(gaps[at]!);
  const filtered = await oracle.pull('S', 'FILTERED', 4);
  await oracle.ack(filtered[0]!);
  await oracle.ack(filtered[2]!);
  const all = await oracle.pull('S', 'ALL', 10);
  await oracle.ack(all[6]!);
  await oracle.pull('S', 'AGAIN', 3);
  await oracle.pull('S', 'AGAIN', 3);
}

const NAMES = ['AGAIN', 'ALL', 'FILTERED', 'GAPS', 'NEW'];

describe.each(['2.15', '2.10'] as const)('consumers and nats-server %s', (version) => {
  const at = oraclePath(version);

  it.runIf(at !== null)(
    'opens what nats-server wrote with the same positions, and gives back the same bytes',
    async () => {
      using directory = new TempDir('consumers');
      const infos = new Map<string, Info>();
      {
        await using oracle = await Oracle.start(directory.path, version);
        await fill(oracle);
        for (const name of NAMES) infos.set(name, await oracle.info('S', name));
        await oracle.stop();
      }
      const deps = testDependencies();
      const storage = await openStorage(directory.path, deps);
      expect(await storage.accounts()).toEqual(['$G']);
      const { streams, offline } = await storage.recoverAccount('$G', anyOptions);
      expect(offline).toEqual([]);
      const consumers = streams[0]!.recoveredConsumers();
      expect(consumers.map(({ name }) => name)).toEqual(NAMES);
      for (const { name, store, meta } of consumers) {
        const info = infos.get(name)!;
        expect(position(store.recovered)).toEqual(positionOf(info));
        expect(meta.config['filter_subject']).toBe(info.config['filter_subject']);
        const file = join(directory.path, 'jetstream/$G/streams/S/obs', name, 'meta.inf');
        expect(encodeMeta(meta, name).equals(readFileSync(file))).toBe(true);
      }
      const file = join(directory.path, 'jetstream/$G/streams/S/meta.inf');
      expect(encodeMeta(streams[0]!.meta, null).equals(readFileSync(file))).toBe(true);
      expect(deps.log.of('WRN')).toEqual([]);
      await storage.close();
      // Untouched by a start and a stop of ours.
      await using oracle = await Oracle.start(directory.path, version);
      for (const name of NAMES) expect(positionOf(await oracle.info('S', name))).toEqual(positionOf(infos.get(name)!));
    },
  );

  it.runIf(at !== null)('nats-server goes on where a clean stop left the consumers, and we after it', async () => {
    using directory = new TempDir('consumers');
    {
      await using oracle = await Oracle.start(directory.path, version);
      await fill(oracle);
      await oracle.stop();
    }
    const storage = await openStorage(directory.path, testDependencies());
    const [stream] = (await storage.recoverAccount('$G', anyOptions)).streams;
    const models = new Map(stream!.recoveredConsumers().map(({ name, store }) => [name, new ConsumerModel(store)]));
    const gaps = models.get('GAPS')!;
    gaps.deliver(Date.now());
    gaps.deliver(Date.now());
    gaps.deliverAgain(7, Date.now());
    gaps.ack(3);
    models.get('ALL')!.ackAll(10);
    const fresh = new ConsumerModel(
      await stream!.createConsumer('OURS', { created: '2026-05-06T07:08:09.1Z', config: OURS }, false),
    );
    fresh.startAt(5);
    for (let times = 0; times < 3; times++) fresh.deliver(Date.now());
    fresh.ack(6);
    await fresh.sync();
    models.set('OURS', fresh);
    await storage.close();
    {
      await using oracle = await Oracle.start(directory.path, version);
      for (const [name, { state }] of models) {
        expect(positionOf(await oracle.info('S', name))).toEqual(position(state));
      }
      const { created, num_pending } = await oracle.info('S', 'OURS');
      expect(created).toBe('2026-05-06T07:08:09.1Z');
      expect(num_pending).toBe(40 - 7);
      const [reply] = await oracle.pull('S', 'OURS', 1);
      await oracle.ack(reply!);
      await oracle.stop();
    }
    const again = await openStorage(directory.path, testDependencies());
    const [back] = (await again.recoverAccount('$G', anyOptions)).streams;
    const found = new Map(back!.recoveredConsumers().map(({ name, store }) => [name, store.recovered]));
    expect(found.get('OURS')).toMatchObject({
      delivered: { consumerSeq: 4, streamSeq: 8 },
      ackFloor: { consumerSeq: 0, streamSeq: 4 },
    });
    expect([...found.get('OURS')!.pending.keys()].sort()).toEqual([5, 7]);
    expect(plain(found.get('GAPS')!, true)).toEqual(plain(gaps.state, true));
    await again.close();
  });
});

/** As nats-server fills a configuration in, field by field in its order. */
const OURS = {
  durable_name: 'OURS',
  name: 'OURS',
  deliver_policy: 'by_start_sequence',
  opt_start_seq: 5,
  ack_policy: 'explicit',
  ack_wait: 3_600_000_000_000,
  max_deliver: -1,
  replay_policy: 'instant',
  max_waiting: 512,
  max_ack_pending: 1000,
  num_replicas: 0,
};
