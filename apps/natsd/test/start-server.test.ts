import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { RawClient, TempDir, until, WireClient } from '../../../tests/src/index.ts';
import { ListenError, startServer } from '../src/index.ts';
import { ManualClock } from './support/manual-clock.ts';
import { TestDisk } from './support/test-disk.ts';

const SECOND_NS = 1e9;

interface JetStreamAnswer {
  readonly error?: { readonly code: number; readonly err_code: number; readonly description: string };
  readonly state: { readonly messages: number; readonly last_seq: number };
}

async function api(client: WireClient, subject: string, body?: object): Promise<JetStreamAnswer> {
  const answer = await client.request(`$JS.API.${subject}`, body === undefined ? '' : JSON.stringify(body));
  if (answer.kind === 'silence') throw new Error(`no answer to ${subject}`);
  return JSON.parse(answer.message.payload) as JetStreamAnswer;
}

async function publish(client: WireClient, subject: string, payload: string): Promise<unknown> {
  const answer = await client.request(subject, payload);
  return answer.kind === 'silence' ? null : JSON.parse(answer.message.payload);
}

it('serves core messages on a port of its own without any option but that', async () => {
  await using server = await startServer({ port: 0 });
  expect(server.port).toBeGreaterThan(0);
  expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
  expect(server.jetstream).toBeNull();
  await using raw = await RawClient.connect(server.port, { keepInfo: true });
  expect(JSON.parse((await raw.readUntil('\r\n')).slice('INFO '.length))).not.toHaveProperty('jetstream');
  await using client = await WireClient.connect(server.port);
  const sid = client.subscribe('greet.*');
  client.publish('greet.me', 'hello');
  expect(await client.next(sid)).toMatchObject({ subject: 'greet.me', payload: 'hello' });
});

it('keeps JetStream in a temporary folder that goes away with it', async () => {
  let folder: string;
  {
    await using server = await startServer({ port: 0, jetstream: true });
    await using client = await WireClient.connect(server.port);
    expect(await api(client, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'] })).not.toHaveProperty('error');
    expect(await publish(client, 's', 'one')).toEqual({ stream: 'S', seq: 1 });
    expect(server.jetstream?.varz()).toMatchObject({ config: { store_dir: expect.any(String) } });
    const { config } = server.jetstream!.varz() as { config: { store_dir: string } };
    folder = dirname(config.store_dir);
    expect(existsSync(`${folder}/jetstream/$G/streams/S`)).toBe(true);
  }
  expect(existsSync(folder)).toBe(false);
});

it('leaves a store that was named where it is, for the next one', async () => {
  using dir = new TempDir('embed');
  const options = { port: 0, jetstream: { storeDir: dir.path } };
  {
    await using server = await startServer(options);
    await using client = await WireClient.connect(server.port);
    await api(client, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'] });
    await publish(client, 's', 'kept');
  }
  await using server = await startServer(options);
  await using client = await WireClient.connect(server.port);
  expect((await api(client, 'STREAM.INFO.S')).state).toMatchObject({ messages: 1, last_seq: 1 });
});

it('runs twice in one process, each with its own streams and subscribers', async () => {
  await using first = await startServer({ port: 0, jetstream: true });
  await using second = await startServer({ port: 0, jetstream: true });
  await using one = await WireClient.connect(first.port);
  await using two = await WireClient.connect(second.port);
  await api(one, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'] });
  expect((await api(two, 'STREAM.INFO.S')).error).toMatchObject({ code: 404, err_code: 10059 });
  const sid = two.subscribe('>');
  await two.flush();
  one.publish('only.here', 'x');
  await one.flush();
  two.publish('only.there', 'y');
  expect((await two.next(sid))?.subject).toBe('only.there');
});

it('redelivers when the clock it was given says that the ack wait is over', async () => {
  const clock = new ManualClock();
  await using server = await startServer({ port: 0, jetstream: true, clock });
  await using client = await WireClient.connect(server.port);
  await api(client, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'] });
  const inbox = client.subscribe('deliver');
  await api(client, 'CONSUMER.CREATE.S.C', {
    stream_name: 'S',
    config: {
      durable_name: 'C',
      deliver_subject: 'deliver',
      ack_policy: 'explicit',
      ack_wait: 30 * SECOND_NS,
      deliver_policy: 'all',
      replay_policy: 'instant',
    },
  });
  await publish(client, 's', 'work');
  expect((await client.next(inbox))?.reply).toContain('$JS.ACK.S.C.1.1.1.');
  clock.advance(29_000);
  await client.flush();
  expect(client.messages.filter(({ sid }) => sid === inbox)).toEqual([]);
  clock.advance(2_000);
  expect((await client.next(inbox))?.reply).toContain('$JS.ACK.S.C.2.1.2.');
});

it('lets messages expire when the clock it was given says that they are too old', async () => {
  const clock = new ManualClock();
  // That clock drives pings too: without this the client would count as stale.
  await using server = await startServer({ port: 0, jetstream: true, clock, pingIntervalMs: 24 * 3_600_000 });
  await using client = await WireClient.connect(server.port);
  await api(client, 'STREAM.CREATE.S', {
    name: 'S',
    subjects: ['s'],
    max_age: 3600 * SECOND_NS,
    duplicate_window: SECOND_NS,
  });
  await publish(client, 's', 'old');
  clock.advance(1_800_000);
  await publish(client, 's', 'young');
  expect((await api(client, 'STREAM.INFO.S')).state).toMatchObject({ messages: 2 });
  clock.advance(1_801_000);
  await until('the older one is gone', async () => (await api(client, 'STREAM.INFO.S')).state.messages === 1);
  clock.advance(1_800_000);
  await until('both are gone', async () => (await api(client, 'STREAM.INFO.S')).state.messages === 0);
});

it('rejects when the port is taken, and leaves nothing behind', async () => {
  await using server = await startServer({ port: 0 });
  using dir = new TempDir('embed');
  const second = startServer({ port: server.port, jetstream: { storeDir: dir.path } });
  await expect(second).rejects.toThrow(ListenError);
  await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE', address: `127.0.0.1:${server.port}` });
  expect(existsSync(`${dir.path}/jetstream`)).toBe(false);
  await using still = await RawClient.connect(server.port);
  expect(await still.flush()).toContain('PONG');
});

it('rejects a store directory that another one holds, naming the holder, and frees its port again', async () => {
  using dir = new TempDir('embed');
  const jetstream = { storeDir: dir.path };
  await using first = await startServer({ port: 0, jetstream });
  let port = 0;
  const logger = { info: (text: string) => void (port ||= Number(/:(\d+)$/.exec(text)?.[1] ?? 0)) };
  const silent = { warn: () => {}, error: () => {}, debug: () => {}, trace: () => {} };
  await expect(startServer({ port: 0, jetstream, logger: { ...silent, ...logger } })).rejects.toThrow(
    new RegExp(`${dir.path}.*${process.pid}`, 's'),
  );
  await using client = await WireClient.connect(first.port);
  expect(await api(client, 'INFO')).not.toHaveProperty('error');
  await first.stop();
  await using third = await startServer({ port: 0, jetstream });
  expect(third.port).toBeGreaterThan(0);
});

it('says when it is recovering and when it is ready, in that order', async () => {
  using dir = new TempDir('embed');
  const told: string[] = [];
  await using server = await startServer({
    port: 0,
    jetstream: { storeDir: dir.path },
    onRecovering: (storeDir) => told.push(`recovering ${storeDir}`),
    onReady: (address) => told.push(`ready ${address}`),
  });
  expect(told).toEqual([`recovering ${dir.path}`, `ready 127.0.0.1:${server.port}`]);
});

it('sends the acknowledgements that are under way before it closes, however often it is stopped', async () => {
  using dir = new TempDir('embed');
  const server = await startServer({ port: 0, jetstream: { storeDir: dir.path } });
  await using client = await WireClient.connect(server.port);
  await api(client, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'] });
  client.subscribe('acks.*');
  await client.flush();
  for (let i = 1; i <= 300; i++) client.publish('s', `message ${i}`, `acks.${i}`);
  await until('the first acknowledgement', () => client.raw.received.includes('"seq":'));
  await Promise.all([server.stop(), server.stop()]);
  const acknowledged = [...(await client.raw.untilClosed()).matchAll(/"seq":(\d+)/g)].length;
  await using again = await startServer({ port: 0, jetstream: { storeDir: dir.path } });
  await using reader = await WireClient.connect(again.port);
  expect((await api(reader, 'STREAM.INFO.S')).state.messages).toBe(acknowledged);
  await expect(RawClient.connect(server.port)).rejects.toThrow();
});

it('goes on with other streams and core messages while its disk is broken', async () => {
  const fileSystem = new TestDisk();
  await using server = await startServer({ port: 0, jetstream: { fileSystem } });
  await using client = await WireClient.connect(server.port);
  await api(client, 'STREAM.CREATE.F', { name: 'F', subjects: ['f'] });
  await api(client, 'STREAM.CREATE.M', { name: 'M', subjects: ['m'], storage: 'memory' });
  fileSystem.full = true;
  expect(await publish(client, 'f', 'x')).toMatchObject({ error: { code: 503, err_code: 10077 } });
  expect(await publish(client, 'm', 'x')).toEqual({ stream: 'M', seq: 1 });
  fileSystem.full = false;
});

it('stores a message once that its publisher sends again until the full disk takes it', async () => {
  using dir = new TempDir('embed');
  const fileSystem = new TestDisk();
  const jetstream = { storeDir: dir.path, fileSystem };
  const header = (id: string): string => `NATS/1.0\r\nNats-Msg-Id: ${id}\r\n\r\n`;
  {
    await using server = await startServer({ port: 0, jetstream });
    await using client = await WireClient.connect(server.port);
    const send = async (id: string): Promise<{ error?: object; seq: number }> => {
      const answer = await client.request('s', id, header(id));
      return JSON.parse(answer.kind === 'silence' ? '{"error":{}}' : answer.message.payload);
    };
    await api(client, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'] });
    expect(await send('before')).toMatchObject({ seq: 1 });
    fileSystem.full = true;
    for (const id of ['a', 'b', 'c']) expect((await send(id)).error).toMatchObject({ err_code: 10_077 });
    fileSystem.full = false;
    for (const id of ['a', 'b', 'c']) await until(`${id} is taken`, async () => (await send(id)).error === undefined);
    expect((await api(client, 'STREAM.INFO.S')).state).toMatchObject({ messages: 4, last_seq: 4 });
  }
  await using server = await startServer({ port: 0, jetstream });
  await using client = await WireClient.connect(server.port);
  expect((await api(client, 'STREAM.INFO.S')).state).toMatchObject({ messages: 4, last_seq: 4 });
});

it.for([1, 3])(
  'has those who publish wait for the disk instead of losing what nobody waits for: %i of them',
  async (count) => {
    // A single read from a socket holds more than may wait.
    const jetstream = { limits: { maxBufferedMsgs: 100 } };
    await using server = await startServer({ port: 0, jetstream });
    await using client = await WireClient.connect(server.port);
    await api(client, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'] });
    const frame = 'PUB s 16\r\n0123456789abcdef\r\n';
    const publishers = await Promise.all(Array.from({ length: count }, () => WireClient.connect(server.port)));
    for (const publisher of publishers) publisher.raw.send(frame.repeat(20_000));
    for (const publisher of publishers) await publisher.flush();
    expect((await api(client, 'STREAM.INFO.S')).state.messages).toBe(20_000 * count);
    for (const publisher of publishers) await publisher[Symbol.asyncDispose]();
  },
);

it('has those who ask the API wait for their turn instead of dropping what they ask', async () => {
  const jetstream = { limits: { requestQueue: 100 } };
  await using server = await startServer({ port: 0, jetstream });
  await using client = await WireClient.connect(server.port);
  await api(client, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'], storage: 'memory' });
  client.raw.send('PUB $JS.API.STREAM.NAMES s 0\r\n\r\n'.repeat(2000));
  await client.flush();
  await until('all answers', async () => (await api(client, 'STREAM.INFO.S')).state.messages === 2000);
});

it('says at the stop what the disk did not take, and frees the port all the same', async () => {
  using dir = new TempDir('embed');
  const disk = new TestDisk();
  const server = await startServer({ port: 0, jetstream: { storeDir: dir.path, fileSystem: disk } });
  const client = await WireClient.connect(server.port);
  await api(client, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'] });
  const config = { durable_name: 'C', ack_policy: 'explicit' };
  await api(client, 'CONSUMER.CREATE.S.C', { stream_name: 'S', config });
  expect(await publish(client, 's', 'one')).toEqual({ stream: 'S', seq: 1 });
  disk.full = true;
  expect(await client.request('$JS.API.CONSUMER.MSG.NEXT.S.C', '1')).toMatchObject({ message: { payload: 'one' } });
  await expect(server.stop()).rejects.toThrow(
    /^JetStream could not be closed properly: stream '\$G > S': ENOSPC: no space left on device/,
  );
  await client[Symbol.asyncDispose]();
  await using next = await startServer({ port: server.port, jetstream: { storeDir: dir.path } });
  await using again = await WireClient.connect(next.port);
  expect((await api(again, 'STREAM.INFO.S')).state.messages).toBe(1);
});

it('as a lame duck answers what it has taken before clients are told, closes them and is stopped', async () => {
  const clock = new ManualClock();
  await using server = await startServer({ port: 0, jetstream: true, clock, pingIntervalMs: 3_600_000 });
  await using client = await WireClient.connect(server.port);
  await api(client, 'STREAM.CREATE.S', { name: 'S', subjects: ['s'] });
  await using raw = await RawClient.connect(server.port);
  raw.send('CONNECT {"verbose":false,"protocol":1,"headers":true}\r\nSUB acks 1\r\nPING\r\n');
  await raw.readUntil('connect_info');
  const consumer = { stream_name: 'S', config: { durable_name: 'C', ack_policy: 'explicit' } };
  await api(client, 'CONSUMER.CREATE.S.C', consumer);
  // One more than will ever come: a request that waits.
  const acks = 50;
  raw.send(`SUB next 2\r\nPUB $JS.API.CONSUMER.MSG.NEXT.S.C next 12\r\n{"batch":51}\r\n`);
  raw.send(`${'PUB s acks 1\r\nx\r\n'.repeat(acks)}PING\r\n`);
  const before = await raw.readUntil('PONG\r\n');
  const stopped = server.lameDuck();
  const told = before + (await raw.readUntil('"ldm":true'));
  expect(told.split('{"stream":"S","seq":')).toHaveLength(acks + 1);
  expect(told).toContain('NATS/1.0 409 Server Shutdown');
  expect(server.lameDuck()).toBeInstanceOf(Promise);
  await expect(RawClient.connect(server.port)).rejects.toThrow('ECONNREFUSED');
  clock.advance(10_000);
  clock.advance(1000);
  await raw.untilClosed();
  await stopped;
  expect(server.server.connectionCount).toBe(0);
});

it('stops at once in the middle of a lame duck', async () => {
  const clock = new ManualClock();
  await using server = await startServer({ port: 0, jetstream: true, clock });
  await using raw = await RawClient.connect(server.port);
  const leaving = server.lameDuck();
  await Promise.all([server.stop(), leaving]);
  await raw.untilClosed();
});
