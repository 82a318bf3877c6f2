// What people who run the original complain about (spec/ocis.md 8), one test each: its clients.
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { connect } from 'nats';
import { expect, it } from 'vitest';
import { createEventsService } from '../../apps/events-service/src/index.ts';
import { TestDisk } from '../../apps/natsd/test/support/test-disk.ts';
import {
  freePort,
  GoClient,
  RawClient,
  repositoryRoot,
  ServerProcess,
  TempDir,
  until,
  WireClient,
} from '../src/index.ts';

const MIB = 1024 * 1024;
const PROGRAM = join(repositoryRoot, 'apps/events-service/bin/events-service');

async function settings(dir: TempDir, env: Record<string, string> = {}): Promise<Record<string, string>> {
  return {
    NATS_NATS_PORT: `${await freePort()}`,
    NATS_DEBUG_ADDR: `127.0.0.1:${await freePort()}`,
    NATS_NATS_STORE_DIR: dir.path,
    NATS_DISK_WARN_PERCENT: '0',
    NATS_DISK_CRITICAL_PERCENT: '0',
    ...env,
  };
}

async function api(
  client: WireClient | GoClient,
  subject: string,
  body: object | string,
): Promise<Record<string, unknown>> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (client instanceof GoClient) return client.api(subject, text);
  const answer = await client.request(`$JS.API.${subject}`, text);
  if (answer.kind === 'silence') throw new Error(`no answer to ${subject}`);
  return JSON.parse(answer.message.payload) as Record<string, unknown>;
}

it('ocis#10825, ocis#10259, ocis#10767: a slow consumer is named, others get everything, and so does who takes its place', {
  timeout: 120_000,
}, async () => {
  using dir = new TempDir('ocis');
  const env = await settings(dir);
  const port = Number(env['NATS_NATS_PORT']);
  // At the log level nobody has changed, which is error.
  await using server = new ServerProcess(PROGRAM, { args: ['server'], env });
  await server.line(/Ready for clients on/);
  using admin = new GoClient(port, 'frontend');
  await admin.connected();
  await admin.api('STREAM.CREATE.main-queue', '{"name":"main-queue"}');
  const group = (name: string): object => ({
    stream_name: 'main-queue',
    config: {
      durable_name: name,
      deliver_policy: 'new',
      ack_policy: 'explicit',
      ack_wait: 2e9,
      filter_subject: 'main-queue',
      deliver_subject: `_INBOX.${name}`,
      deliver_group: name,
    },
  });
  for (const name of ['antivirus', 'search']) {
    expect(await api(admin, `CONSUMER.CREATE.main-queue.${name}.main-queue`, group(name))).not.toHaveProperty('error');
  }
  const join = (name: string): { client: GoClient; seen: Set<number> } => {
    const client = new GoClient(port, name);
    const seen = new Set<number>();
    client.subscribe(`_INBOX.${name}`, name, ({ reply }) => {
      seen.add(Number(reply?.split('.')[5]));
      if (reply !== null) client.publish(reply, null, '+ACK');
    });
    return { client, seen };
  };
  const search = join('search');
  using _ = search.client;
  await search.client.connected();
  await using stuck = await WireClient.connect(port, { name: 'antivirus', lang: 'go', version: '1.39.1' });
  stuck.subscribe('_INBOX.antivirus', 'antivirus');
  await stuck.flush();
  stuck.raw.socket.pause();
  // More than max_pending, 64 MiB, and what the sockets hold.
  const events = 100;
  const payload = 'x'.repeat(MIB - 100);
  for (let i = 0; i < events; i++) {
    expect((await admin.request('main-queue', payload)).payload).toContain('"seq"');
  }
  await until('the others have everything', () => search.seen.size === events);
  const line = await server.line(/^.*[Ss]low [Cc]onsumer.*$/m);
  expect(line[0]).toContain('antivirus');
  const metrics = await (await fetch(`http://${env['NATS_DEBUG_ADDR']}/metrics`)).text();
  expect(metrics).toMatch(/nats_slow_consumer_disconnects_total\{[^}]*antivirus[^}]*\} 1/);
  const next = join('antivirus');
  using __ = next.client;
  await until('who takes its place has everything', () => next.seen.size === events, 30_000);
});

// Go clients give up after 60 refused connections, two minutes: what a server can do is not to refuse any, from the first moment of its
// start on, however long that takes, and to have their consumers as they were.
it('ocis#12404, ocis#7056, ocis#8880: a restart refuses no client, and their subscriptions go on', {
  timeout: 60_000,
}, async () => {
  using dir = new TempDir('ocis');
  const port = await freePort();
  const start = (fileSystem: TestDisk): ReturnType<typeof createEventsService> =>
    createEventsService({
      nats: { port, storeDir: dir.path },
      debug: { addr: '' },
      log: { file: join(dir.path, 'log') },
      fileSystem,
    });
  let service = await start(new TestDisk());
  const nats = await connect({ port, maxReconnectAttempts: -1, reconnectTimeWait: 20, timeout: 500 });
  using go = new GoClient(port, 'search');
  const seen: string[] = [];
  const heard: string[] = [];
  go.subscribe('_INBOX.search', 'search', ({ payload, reply }) => {
    seen.push(payload);
    if (reply !== null) go.publish(reply, null, '+ACK');
  });
  nats.subscribe('main-queue', { callback: (_, message) => void heard.push(message.string()) });
  await go.connected();
  await go.api('STREAM.CREATE.main-queue', '{"name":"main-queue"}');
  const config = {
    durable_name: 'search',
    ack_policy: 'explicit',
    deliver_subject: '_INBOX.search',
    deliver_group: 'search',
    filter_subject: 'main-queue',
  };
  const create = 'CONSUMER.CREATE.main-queue.search.main-queue';
  expect(await api(go, create, { stream_name: 'main-queue', config })).not.toHaveProperty('error');
  const rounds = ['first', 'second', 'third'];
  for (const round of rounds) {
    await service.stop();
    const disk = new TestDisk();
    disk.heldPath = 'main-queue';
    const starting = start(disk);
    await until('the store is being read', () => disk.isHolding);
    const early = dial(port, '127.0.0.1');
    await until('the port takes connections', () => early.readyState === 'open');
    disk.release();
    service = await starting;
    await until('the early one is served', () => early.bytesRead > 0);
    early.destroy();
    await go.connected();
    await until('the official client is back', () => nats.flush().then(() => true));
    expect((await go.request('main-queue', round)).payload).toContain('"seq"');
    await until('both have heard of it', () => seen.includes(round) && heard.includes(round));
  }
  expect(seen).toEqual(rounds);
  await nats.close();
  await service.stop();
});

it('ocis#12317, ocis#7801: nobody without the password of the stack can publish, consume or read events', async () => {
  using dir = new TempDir('ocis');
  const env = await settings(dir, { OCIS_EVENTS_AUTH_USERNAME: 'events', OCIS_EVENTS_AUTH_PASSWORD: 'secret' });
  const port = Number(env['NATS_NATS_PORT']);
  await using _ = await ServerProcess.eventsService({ env: { ...env, NATS_LOG_LEVEL: 'info' } });
  await using service = await WireClient.connect(port, { user: 'events', pass: 'secret' });
  await api(service, 'STREAM.CREATE.main-queue', { name: 'main-queue' });
  for (const forged of [{}, { user: 'events' }, { user: 'events', pass: 'guess' }, { auth_token: 'secret' }]) {
    await expect(WireClient.connect(port, forged)).rejects.toThrow('Authorization Violation');
  }
  // Not even what is sent before the answer to CONNECT.
  await using hasty = await RawClient.connect(port);
  hasty.send('CONNECT {"verbose":false}\r\nPUB main-queue 6\r\nforged\r\nPING\r\n');
  expect(await hasty.untilClosed()).toContain("-ERR 'Authorization Violation'");
  expect(await api(service, 'STREAM.INFO.main-queue', '')).toMatchObject({ state: { messages: 0 } });
});

it('ocis#8432: a value is read as it was written last, by direct get too', async () => {
  using dir = new TempDir('ocis');
  const env = await settings(dir);
  await using _ = await ServerProcess.eventsService({ env: { ...env, NATS_LOG_LEVEL: 'info' } });
  const port = Number(env['NATS_NATS_PORT']);
  await using client = await WireClient.connect(port);
  const config = {
    name: 'KV_stat',
    subjects: ['$KV.stat.>'],
    max_msgs_per_subject: 1,
    allow_direct: true,
    discard: 'new',
  };
  await api(client, 'STREAM.CREATE.KV_stat', config);
  using others = new GoClient(port, 'gateway');
  await others.connected();
  let stale = 0;
  for (let i = 0; i < 300; i++) {
    // Written by one connection, read by another one as soon as it is acknowledged; others write meanwhile.
    const noise = others.request(`$KV.stat.other.${i % 7}`, `${i}`);
    await client.request('$KV.stat.key', `${i}`);
    const read = await others.request('$JS.API.DIRECT.GET.KV_stat.$KV.stat.key', '');
    if (read.payload !== `${i}`) stale++;
    await noise;
  }
  expect(stale).toBe(0);
});

it('ocis#9650, ocis#7948: a consumer for each lookup leaves nothing behind, in memory or in the log', {
  timeout: 120_000,
}, async () => {
  using dir = new TempDir('ocis');
  // Its own registry stays out of the bucket, so that what is in it comes from here.
  const env = await settings(dir, { MICRO_REGISTRY: 'memory' });
  await using server = await ServerProcess.eventsService({ env: { ...env, NATS_LOG_LEVEL: 'info' } });
  await using client = await WireClient.connect(Number(env['NATS_NATS_PORT']));
  const bucket = 'KV_service-registry';
  await api(client, `STREAM.CREATE.${bucket}`, {
    name: bucket,
    subjects: ['$KV.service-registry.>'],
    storage: 'memory',
    max_msgs_per_subject: 1,
    max_age: 30e9,
    duplicate_window: 30e9,
    discard: 'new',
    deny_delete: true,
    allow_rollup_hdrs: true,
    allow_direct: true,
  });
  for (let i = 0; i < 20; i++) await client.request(`$KV.service-registry.node${i}`, '{}');
  const before = server.output.length;
  const lookup = async (id: number): Promise<void> => {
    // spec/ocis.md 4: keys are listed by an ordered consumer of their own.
    const name = `look${id}`;
    const inbox = `_INBOX.look.${id}`;
    const sid = client.subscribe(inbox);
    const config = {
      deliver_policy: 'last_per_subject',
      ack_policy: 'none',
      max_deliver: 1,
      filter_subject: '$KV.service-registry.>',
      headers_only: true,
      deliver_subject: inbox,
      num_replicas: 1,
      mem_storage: true,
      flow_control: true,
      idle_heartbeat: 5e9,
    };
    const made = await api(client, `CONSUMER.CREATE.${bucket}.${name}.$KV.service-registry.>`, {
      stream_name: bucket,
      config,
    });
    expect(made).toMatchObject({ num_pending: expect.any(Number) });
    for (let i = 0; i < 20; i++) expect(await client.next(sid)).not.toBeNull();
    client.unsubscribe(sid);
    if (id % 2 === 0) await api(client, `CONSUMER.DELETE.${bucket}.${name}`, '');
  };
  for (let id = 0; id < 200; id++) await lookup(id);
  // Those that were not deleted go when their subscriber has been gone for their inactive_threshold of five seconds.
  await until(
    'no consumer is left',
    async () => {
      const { total } = await api(client, `CONSUMER.NAMES.${bucket}`, '');
      return total === 0;
    },
    20_000,
  );
  // Re-registration of the same node replaces its entry.
  for (let i = 0; i < 200; i++) await client.request('$KV.service-registry.node1', `{"try":${i}}`);
  expect(await api(client, `STREAM.INFO.${bucket}`, '')).toMatchObject({ state: { messages: 20, num_subjects: 20 } });
  expect(server.output.slice(before)).toBe('');
});
