// What people who run the original complain about (spec/ocis.md 8), one test each: the store.
import { appendFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createEventsService } from '../../apps/events-service/src/index.ts';
import { TestDisk } from '../../apps/natsd/test/support/test-disk.ts';
import { freePort, GoClient, ServerProcess, TempDir, until } from '../src/index.ts';

// spec/ocis.md 5: what every service sends when it starts.
const SPARSE =
  '{"name":"main-queue","retention":"limits","max_consumers":0,"max_msgs":0,"max_bytes":0,"discard":"old","max_age":0,"max_msgs_per_subject":0,"storage":"file","num_replicas":0,"compression":"none","allow_direct":false,"mirror_direct":false,"consumer_limits":{}}';
const GROUP =
  '{"stream_name":"main-queue","config":{"durable_name":"search","deliver_policy":"new","ack_policy":"explicit","filter_subject":"main-queue","replay_policy":"instant","deliver_subject":"_INBOX.search","deliver_group":"search","num_replicas":0},"action":""}';

/** A disk that counts how often message blocks are read. */
class CountingDisk extends TestDisk {
  blockReads = 0;

  override readFile(path: string): Promise<Buffer> {
    if (path.endsWith('.blk')) this.blockReads++;
    return super.readFile(path);
  }
}

const inProcess = (dir: TempDir, fileSystem: TestDisk): ReturnType<typeof createEventsService> =>
  createEventsService({
    nats: { port: -1, storeDir: dir.path },
    debug: { addr: '' },
    log: { file: join(dir.path, 'log') },
    fileSystem,
  });

/** Publishes and waits for all the acknowledgements. Returns the last sequence. */
async function publish(client: GoClient, count: number, payload: string): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, () => client.request('main-queue', payload)));
  const acks = answers.map((answer) => JSON.parse(answer.payload) as { seq?: number });
  expect(acks.filter(({ seq }) => seq === undefined)).toEqual([]);
  return Math.max(...acks.map(({ seq = 0 }) => seq));
}

async function stream(client: GoClient): Promise<{ messages: number; bytes: number; last_seq: number }> {
  const info = await client.api('STREAM.INFO.main-queue', '');
  return info['state'] as { messages: number; bytes: number; last_seq: number };
}

it('ocis#10319, ocis#7245, opencloud#2681: main-queue does not grow until the disk is full', async () => {
  using dir = new TempDir('ocis');
  const limit = 1024 * 1024;
  const env = {
    NATS_NATS_PORT: `${await freePort()}`,
    NATS_DEBUG_ADDR: '',
    NATS_NATS_STORE_DIR: dir.path,
    NATS_LOG_LEVEL: 'info',
  };
  {
    // It has grown before anybody thought of a limit.
    await using server = await ServerProcess.eventsService({ env });
    using client = new GoClient(server.port, 'frontend');
    await client.connected();
    await client.api('STREAM.CREATE.main-queue', SPARSE);
    await publish(client, 300, 'x'.repeat(10_000));
    expect((await stream(client)).bytes).toBeGreaterThan(2 * limit);
    await server.stop();
  }
  const limited = { ...env, NATS_MAIN_QUEUE_MAX_BYTES: '1MiB', NATS_MAIN_QUEUE_MAX_AGE: '168h' };
  await using server = await ServerProcess.eventsService({ env: limited });
  using client = new GoClient(server.port, 'frontend');
  await client.connected();
  for (let i = 0; i < 3; i++) {
    const made = await client.api('STREAM.CREATE.main-queue', SPARSE);
    expect(made).toMatchObject({ config: { max_bytes: limit, max_age: 168 * 3600e9 } });
    const last = await publish(client, 200, 'x'.repeat(10_000));
    const state = await stream(client);
    expect(state.bytes).toBeLessThanOrEqual(limit);
    expect(state.last_seq).toBe(last);
  }
  // The space is given back, too.
  const blocks = join(dir.path, 'jetstream/$G/streams/main-queue/msgs');
  const size = (): number =>
    readdirSync(blocks)
      .filter((name) => name.endsWith('.blk'))
      .reduce((sum, name) => sum + readFileSync(join(blocks, name)).length, 0);
  await until('the files are small', () => size() < 3 * limit);
});

it('ocis#11099: a clean start reads no events, and a long one tells how far it is and keeps clients waiting', async () => {
  using dir = new TempDir('ocis');
  {
    await using service = await inProcess(dir, new TestDisk());
    using client = new GoClient(service.port, 'frontend');
    await client.connected();
    await client.api('STREAM.CREATE.main-queue', SPARSE.replace('"max_msgs_per_subject":0', '"max_bytes":100000000'));
    await publish(client, 1_000, 'x'.repeat(20_000));
  }
  const blocks = join(dir.path, 'jetstream/$G/streams/main-queue/msgs');
  const count = readdirSync(blocks).filter((name) => name.endsWith('.blk')).length;
  expect(count).toBeGreaterThan(1);
  {
    const disk = new CountingDisk();
    await using service = await inProcess(dir, disk);
    expect(disk.blockReads).toBe(0);
    using client = new GoClient(service.port, 'frontend');
    await client.connected();
    expect((await stream(client)).messages).toBe(1_000);
  }
  // Without its index it has to be read, and says so where people and probes look.
  const disk = new CountingDisk();
  disk.heldPath = '/1.blk';
  writeFileSync(join(blocks, 'index.db'), 'gone');
  const port = await freePort();
  const debugPort = await freePort();
  const starting = createEventsService({
    nats: { port, storeDir: dir.path },
    debug: { addr: `127.0.0.1:${debugPort}` },
    log: { file: join(dir.path, 'log') },
    fileSystem: disk,
  });
  await until('all blocks but the first are read', () => disk.isHolding);
  const ask = async (path: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(`http://127.0.0.1:${debugPort}${path}`);
    return { status: response.status, body: await response.text() };
  };
  expect((await ask('/healthz')).status).toBe(200);
  expect(await ask('/readyz')).toMatchObject({ status: 500 });
  const { body } = await ask('/readyz?verbose');
  expect(body).toContain(
    `recovering: 0 of 1 streams, 0 messages; reading main-queue (${count - 1} of ${count} blocks)`,
  );
  using early = new GoClient(port, 'frontend');
  disk.release();
  await using service = await starting;
  await early.connected();
  expect((await stream(early)).messages).toBe(1_000);
  expect(service.unready()).toEqual([]);
});

it('opencloud#3214: a hard stop that leaves files half written keeps nothing from starting', async () => {
  using dir = new TempDir('ocis');
  const port = await freePort();
  const env = { NATS_NATS_PORT: `${port}`, NATS_DEBUG_ADDR: '', NATS_NATS_STORE_DIR: dir.path, NATS_LOG_LEVEL: 'info' };
  const folder = join(dir.path, 'jetstream/$G/streams/main-queue');
  const damages: [what: string, damage: () => void][] = [
    ['an unfinished record behind the last', () => appendFileSync(newest(), Buffer.alloc(700, 0x2a))],
    ['a tail of zeros', () => appendFileSync(newest(), Buffer.alloc(4096))],
    ['an empty index', () => writeFileSync(join(folder, 'msgs/index.db'), '')],
    // nats-server#6333
    ['an empty meta.inf of a consumer', () => truncateSync(join(folder, 'obs/search/meta.inf'))],
    ['an empty meta.sum', () => truncateSync(join(folder, 'meta.sum'))],
    ['an empty state of a consumer', () => writeFileSync(join(folder, 'obs/search/o.dat'), '')],
    ['a half written temporary file', () => writeFileSync(join(folder, 'msgs/7.blk.tmp'), 'half')],
  ];
  const newest = (): string => {
    const numbers = readdirSync(join(folder, 'msgs')).flatMap((name) => /^(\d+)\.blk$/.exec(name)?.[1] ?? []);
    return join(folder, 'msgs', `${Math.max(...numbers.map(Number))}.blk`);
  };
  let stored = 0;
  for (const [what, damage] of [['nothing', (): void => {}] as (typeof damages)[0], ...damages]) {
    await using server = await ServerProcess.eventsService({ env });
    using client = new GoClient(port, 'frontend');
    await client.connected();
    await client.api('STREAM.CREATE.main-queue', SPARSE);
    const consumer = await client.api('CONSUMER.INFO.main-queue.search', '');
    if (stored === 0) await client.api('CONSUMER.CREATE.main-queue.search.main-queue', GROUP);
    else expect(consumer, what).toMatchObject({ config: { durable_name: 'search', deliver_group: 'search' } });
    expect((await stream(client)).messages, what).toBe(stored);
    await publish(client, 50, 'event');
    stored += 50;
    await server.kill();
    damage();
  }
  await using server = await ServerProcess.eventsService({ env });
  using client = new GoClient(port, 'frontend');
  await client.connected();
  expect((await stream(client)).messages).toBe(stored);
  expect(await server.stop()).toBe(0);
});
