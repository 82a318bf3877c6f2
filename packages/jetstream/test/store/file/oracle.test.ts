import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../../../tests/src/deadline.ts';
import { type OracleVersion, oraclePath } from '../../../../../tests/src/oracle.ts';
import { NodeFileSystem } from '../../../src/store/file/file-system.ts';
import type { FileMessages } from '../../../src/store/file/messages/file-messages.ts';
import { FileMessages as Messages } from '../../../src/store/file/messages/file-messages.ts';
import type { StreamStoreOptions } from '../../../src/store/store.ts';
import { append, committed, filterOf, storeOptions } from '../support.ts';
import { Oracle, pictureOf, type StreamPicture, sequencesOf } from './oracle-streams.ts';
import { dependencies } from './support.ts';

interface Case {
  title: string;
  config: Record<string, unknown>;
  options: Partial<StreamStoreOptions>;
  /** Versions that lose such a stream at every start of their own. */
  not?: OracleVersion;
  fill(oracle: Oracle): Promise<void>;
}

const HEADER = 'NATS/1.0\r\nKey: value\r\n\r\n';

const cases: Case[] = [
  {
    title: 'plain messages with and without headers',
    config: {},
    options: {},
    fill: async (oracle) => {
      for (let at = 0; at < 30; at++) oracle.publish(`s.${at % 4}`, 'x'.repeat(at * 7), at % 3 === 0 ? HEADER : null);
    },
  },
  {
    title: 'deleted and erased messages',
    config: {},
    options: {},
    fill: async (oracle) => {
      for (let at = 0; at < 20; at++) oracle.publish(`s.${at % 4}`, `payload ${at}`);
      await oracle.stored('S');
      await oracle.api('STREAM.MSG.DELETE.S', { seq: 5 });
      await oracle.api('STREAM.MSG.DELETE.S', { seq: 6, no_erase: true });
      await oracle.api('STREAM.MSG.DELETE.S', { seq: 1, no_erase: true });
      await oracle.api('STREAM.MSG.DELETE.S', { seq: 20 });
    },
  },
  {
    title: 'an emptied stream',
    config: {},
    options: {},
    fill: async (oracle) => {
      for (let at = 0; at < 5; at++) oracle.publish('s.a', `payload ${at}`);
      await oracle.stored('S');
      await oracle.api('STREAM.PURGE.S');
    },
  },
  {
    title: 'messages after a purge',
    config: {},
    options: {},
    fill: async (oracle) => {
      for (let at = 0; at < 5; at++) oracle.publish('s.a', `payload ${at}`);
      await oracle.stored('S');
      await oracle.api('STREAM.PURGE.S');
      for (let at = 0; at < 3; at++) oracle.publish('s.b', `payload ${at}`);
    },
  },
  {
    title: 'purges by subject, sequence and count over several blocks',
    config: { max_bytes: 120_000 },
    options: { maxBytes: 120_000 },
    fill: async (oracle) => {
      for (let at = 0; at < 100; at++) oracle.publish(`s.${at % 5}`, 'y'.repeat(900));
      await oracle.stored('S');
      await oracle.api('STREAM.PURGE.S', { filter: 's.2' });
      await oracle.api('STREAM.PURGE.S', { filter: 's.3', keep: 3 });
      await oracle.api('STREAM.PURGE.S', { seq: 12 });
    },
  },
  {
    title: 'evictions by count, bytes and per subject',
    config: { max_bytes: 100_000, max_msgs_per_subject: 3 },
    options: { maxBytes: 100_000, maxMsgsPerSubject: 3 },
    fill: async (oracle) => {
      for (let at = 0; at < 130; at++) oracle.publish(`s.${at % 37}`, 'z'.repeat(500 + at * 10));
    },
  },
  {
    title: 'a work queue half done',
    config: { retention: 'workqueue', max_bytes: 100_000 },
    options: { retention: 'workqueue', maxBytes: 100_000 },
    fill: async (oracle) => {
      for (let at = 0; at < 60; at++) oracle.publish('s.job', 'w'.repeat(1000));
      await oracle.stored('S');
      await oracle.api('CONSUMER.DURABLE.CREATE.S.C', {
        stream_name: 'S',
        config: { durable_name: 'C', ack_policy: 'explicit' },
      });
      const acks = await oracle.pull('S', 'C', 50);
      for (const [at, ack] of acks.entries()) if (at % 5 !== 0) await oracle.ack(ack);
    },
  },
  {
    title: 'an interest stream nobody listens to',
    config: { retention: 'interest' },
    options: { retention: 'interest' },
    fill: async (oracle) => {
      for (let at = 0; at < 4; at++) oracle.publish('s.a', 'nobody');
      await oracle.stored('S');
      await oracle.api('CONSUMER.DURABLE.CREATE.S.C', {
        stream_name: 'S',
        config: { durable_name: 'C', ack_policy: 'explicit' },
      });
      for (let at = 0; at < 4; at++) oracle.publish('s.a', 'somebody');
    },
  },
  {
    title: 'a stream that starts at a given sequence',
    config: { first_seq: 1000 },
    options: { firstSeq: 1000 },
    not: '2.10',
    fill: async (oracle) => {
      oracle.publish('s.a', 'the first one');
    },
  },
  {
    title: 'an unused stream',
    config: {},
    options: {},
    fill: async () => {},
  },
];

for (const version of ['2.15', '2.10'] as OracleVersion[]) {
  describe.skipIf(oraclePath(version) === null)(`a directory shared with nats-server ${version}`, () => {
    let oracle: Oracle;
    let store: FileMessages | null = null;
    const log: string[] = [];
    afterEach(async () => {
      await store?.close();
      store = null;
      await oracle.stop('SIGKILL');
      await rm(oracle.directory, { recursive: true, force: true });
      log.length = 0;
    });

    async function open(options: Partial<StreamStoreOptions>): Promise<FileMessages> {
      const keep = (text: string): void => {
        log.push(text);
      };
      const lines = { error: keep, warn: keep, info: keep, debug: keep };
      const deps = dependencies(new NodeFileSystem(), { log: lines });
      store = await Messages.open(oracle.streamDirectory('S'), 'S', storeOptions(options), deps);
      return store;
    }

    for (const { title, config, options, not, fill } of cases) {
      if (not === version) continue;
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        it(`holds ${title}, written by it and left by ${signal}, and goes back`, async () => {
          oracle = new Oracle(version);
          await oracle.start();
          await oracle.create({ name: 'S', subjects: ['s.>'], ...config });
          await fill(oracle);
          await oracle.stored('S');
          const before = await oracle.picture('S');
          await oracle.stop(signal);

          const ours = await open(options);
          // Evictions leave no trace in the blocks: after a kill the stream evicts once more, as nats-server does.
          if (signal === 'SIGKILL') for (const seq of evicted(before, ours)) ours.remove(seq, 'limit', false);
          expect(await pictureOf(ours)).toEqual(before);
          expect(log.filter((line) => !line.includes('outdated'))).toEqual([]);
          await ours.close();

          await oracle.start();
          expect(await oracle.picture('S')).toEqual(before);
        });
      }
    }

    for (const end of ['close', 'kill'] as const) {
      for (const seed of [2, 3]) {
        it(`opens with the same state and messages after our work ${seed} ended by ${end}`, async () => {
          oracle = new Oracle(version);
          await oracle.start();
          await oracle.create({ name: 'S', subjects: ['s.>'] });
          await oracle.stop();

          // Small blocks, as for a stream with such a limit, but nothing that evicts.
          const ours = await open({ maxBytes: 100_000 });
          await work(ours, seed);
          await committed(ours);
          const before = await pictureOf(ours);
          expect(before.messages).toBeGreaterThan(10);
          await (end === 'close' ? ours.close() : ours.abandon());

          await oracle.start();
          expect(await oracle.picture('S')).toEqual(before);
          if (end === 'close') expect(oracle.output).not.toContain('[WRN]');
          oracle.publish('s.next', 'goes on');
          await until('the next message', async () => (await oracle.picture('S')).lastSeq > before.lastSeq);
          expect((await oracle.picture('S')).lastSeq).toBe(before.lastSeq + 1);
        });
      }
    }
  });
}

/** Changes of every kind that leave their trace on disk, over several blocks. */
async function work(store: FileMessages, seed: number): Promise<void> {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let at = 0; at < 400; at++) {
    const what = random(80);
    const seq = store.firstSeq + random(Math.max(1, store.lastSeq - store.firstSeq + 1));
    if (what < 52) {
      const header = random(3) === 0 ? HEADER : '';
      append(store, `s.${random(9)}`, 'x'.repeat(random(1500)), header, 1_700_000_000_000 + at, random(1_000_000));
    } else if (what < 60) store.remove(seq, 'user', true);
    else if (what < 64) store.remove(seq, 'user', false);
    else if (what < 72) store.remove(seq, 'ack', false);
    else if (what < 76) store.skip(1 + random(3), 1_700_000_000_000 + at, 0);
    else if (what === 76) store.purge(filterOf(`s.${random(9)}`), 0, random(3), null);
    else if (what === 77) store.purge(null, store.firstSeq + random(20), 0, null);
    if (random(10) === 0) await committed(store);
  }
  if (seed === 2) store.purge(null, 0, 0, null);
  for (let at = 0; at < 60; at++) append(store, `s.${at % 7}`, 'y'.repeat(random(900)), '', 1_700_000_001_000 + at);
  store.remove(store.lastSeq, 'user', false);
}

function evicted(picture: StreamPicture, store: FileMessages): number[] {
  const kept = new Set(sequencesOf(picture));
  const gone: number[] = [];
  for (let seq = Math.max(1, store.firstSeq); seq <= store.lastSeq; seq++) if (!kept.has(seq)) gone.push(seq);
  return gone;
}
