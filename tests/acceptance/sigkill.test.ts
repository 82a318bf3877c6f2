import { cpSync } from 'node:fs';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { oraclePath, ServerProcess, TempDir } from '../src/index.ts';
import { AssetWorker } from './sigkill/asset-worker.ts';
import { Caller, numbers, type Worker } from './sigkill/caller.ts';
import { LogWorker, workUntilDeath } from './sigkill/log-worker.ts';
import { QueueWorker } from './sigkill/queue-worker.ts';

/** Other seeds and more kills for a longer search: NATS_TS_SIGKILL_SEED, NATS_TS_SIGKILL_ROUNDS. */
const SEED = Number(process.env['NATS_TS_SIGKILL_SEED'] ?? 1);
const KILLS = Number(process.env['NATS_TS_SIGKILL_ROUNDS'] ?? 15);
/** The directory is shown to nats-server after every so many kills. */
const COMPARE_EVERY = 5;

const flags = (storeDir: string): string[] => ['-a', '127.0.0.1', '-p', '-1', '-js', '-sd', storeDir];

function workers(seed: number): Worker[] {
  return [
    new LogWorker('plain', {}, seed * 100 + 1),
    new LogWorker('kv', { max_msgs_per_subject: 1 }, seed * 100 + 2),
    new LogWorker('capped', { max_msgs: 30 }, seed * 100 + 3),
    new LogWorker('sized', { max_msgs_per_subject: 3, max_bytes: 2_000 }, seed * 100 + 4),
    new QueueWorker('jobs', 'workqueue', ['worker'], seed * 100 + 5),
    new QueueWorker('news', 'interest', ['one', 'two'], seed * 100 + 6),
    new AssetWorker('asset', seed * 100 + 7),
  ];
}

async function connected<T>(server: ServerProcess, work: (connection: NatsConnection) => Promise<T>): Promise<T> {
  const connection = await connect({ servers: server.url, reconnect: false });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** Lets the workers work until so many requests were answered, then kills the server among those that are not. */
async function workAndKill(server: ServerProcess, all: readonly Worker[], answersMax: number): Promise<void> {
  await connected(server, async (connection) => {
    let answers = 0;
    let killing: Promise<void> | null = null;
    const caller = new Caller(connection, () => {
      if (++answers >= answersMax) killing ??= server.kill();
    });
    await Promise.all(all.map((worker) => workUntilDeath(worker, caller)));
    await killing;
  });
}

/** What the streams hold in the eyes of a server. */
async function contents(server: ServerProcess, streams: readonly string[]): Promise<Record<string, string[]>> {
  return connected(server, async (connection) => {
    const caller = new Caller(connection);
    const all: Record<string, string[]> = {};
    for (const stream of streams) {
      const { messages, lastSeq } = await caller.content(stream);
      all[stream] = [...[...messages].map(([seq, text]) => `${seq} ${text}`), `last ${lastSeq}`];
    }
    return all;
  });
}

/** A copy of the directory, opened by nats-server, holds the same messages as the directory opened here. */
async function compare(storeDir: string, ours: ServerProcess): Promise<void> {
  // Not the queues: there nats-server goes by acks that are up to a tenth of a second old.
  const { sized, ...exact } = await contents(ours, ['plain', 'kv', 'capped', 'sized']);
  await using theirs = await ServerProcess.oracle({ args: flags(storeDir) });
  expect(await contents(theirs, Object.keys(exact))).toEqual(exact);
  // Between the write of a message and that of what it evicted, the other order of its limits shows.
  const { sized: fewer = [] } = await contents(theirs, ['sized']);
  expect(sized?.slice(-fewer.length)).toEqual(fewer);
}

describe('a server that is killed again and again', { timeout: 120_000 }, () => {
  it(`keeps what it acknowledged and brings nothing back that was deleted (seed ${SEED})`, async () => {
    using dir = new TempDir('sigkill');
    const storeDir = `${dir.path}/store`;
    const random = numbers(SEED);
    const all = workers(SEED);
    {
      await using server = await ServerProcess.natsd({ args: flags(storeDir) });
      await connected(server, async (connection) => {
        for (const worker of all) await worker.setUp(new Caller(connection));
      });
      await workAndKill(server, all, 40 + random(160));
    }
    for (let kill = 1; kill <= KILLS; kill++) {
      const copy = kill % COMPARE_EVERY === 0 && oraclePath() !== null ? `${dir.path}/copy${kill}` : null;
      if (copy !== null) cpSync(storeDir, copy, { recursive: true });
      await using server = await ServerProcess.natsd({ args: flags(storeDir) });
      if (copy !== null) await compare(copy, server);
      await connected(server, async (connection) => {
        await Promise.all(all.map((worker) => worker.verify(new Caller(connection))));
      });
      await workAndKill(server, all, 40 + random(160));
    }
  });
});
