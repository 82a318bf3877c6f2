import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort, RawClient, repositoryRoot, TempDir, until } from '../../../tests/src/index.ts';
import { AckPolicy, connect, jetstream, jetstreamManager, StorageType } from '../../../tests/src/official-clients.ts';
import { METRICS } from '../src/metrics/catalogue.ts';
import { inProcess } from './support/in-process.ts';
import { parseScrape, type Scrape, sampleValue } from './support/metrics.ts';
import { ask, RunningService, serviceEnv } from './support/service.ts';

const TOKEN = 'a-very-secret-token';

async function scrape(port: number, headers: Record<string, string> = {}): Promise<Scrape> {
  const answer = await ask(port, '/metrics', headers);
  expect(answer).toMatchObject({
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
  });
  return parseScrape(answer.body);
}

it('shows what official clients do, with a token', async () => {
  using dir = new TempDir('events');
  const port = await freePort();
  const env = { NATS_DEBUG_ADDR: `127.0.0.1:${port}`, NATS_DEBUG_TOKEN: TOKEN };
  await using service = await RunningService.start(serviceEnv(dir.path, env));
  expect((await ask(port, '/metrics')).status).toBe(401);
  const nc = await connect({ port: service.port, name: 'uploads' });
  const manager = await jetstreamManager(nc);
  await manager.streams.add({ name: 'main-queue', subjects: ['main-queue'], max_msgs: 100 });
  await manager.streams.add({ name: 'kept-in-memory', subjects: ['m.>'], storage: StorageType.Memory });
  await manager.consumers.add('main-queue', { durable_name: 'search', ack_policy: AckPolicy.Explicit });
  const js = jetstream(nc);
  for (let at = 0; at < 10; at++) await js.publish('main-queue', 'x'.repeat(100));
  const messages = await (await js.consumers.get('main-queue', 'search')).fetch({ max_messages: 4 });
  let fetched = 0;
  for await (const message of messages) {
    if (fetched++ === 0) expect(await message.ackAck()).toBe(true);
  }
  expect(fetched).toBe(4);
  const found = await scrape(port, { Authorization: `Bearer ${TOKEN}` });
  const value = (name: string, labels: Record<string, string> = {}): number => sampleValue(found, name, labels);
  const stream = { account: '$G', stream_name: 'main-queue' };
  expect(value('jetstream_stream_total_messages', stream)).toBe(10);
  expect(value('jetstream_stream_limit_messages', stream)).toBe(100);
  expect(value('jetstream_stream_limit_bytes', stream)).toBe(-1);
  expect(value('jetstream_stream_total_bytes', stream)).toBeGreaterThan(1000);
  expect(value('jetstream_stream_first_seq', stream)).toBe(1);
  expect(value('jetstream_stream_last_seq', stream)).toBe(10);
  expect(value('jetstream_stream_consumer_count', stream)).toBe(1);
  expect(value('nats_stream_oldest_message_age_seconds', stream)).toBeGreaterThanOrEqual(
    value('nats_stream_newest_message_age_seconds', stream),
  );
  const consumer = { ...stream, consumer_name: 'search' };
  expect(value('jetstream_consumer_num_pending', consumer)).toBe(6);
  expect(value('jetstream_consumer_num_ack_pending', consumer)).toBe(3);
  expect(value('jetstream_consumer_num_redelivered', consumer)).toBe(0);
  expect(value('jetstream_consumer_delivered_stream_seq', consumer)).toBe(4);
  expect(value('jetstream_consumer_ack_floor_stream_seq', consumer)).toBe(1);
  expect(value('jetstream_consumer_last_ack_seconds', consumer)).toBeLessThan(60);
  expect(value('jetstream_server_total_streams')).toBe(2);
  expect(value('jetstream_server_total_consumers')).toBe(1);
  expect(value('gnatsd_varz_jetstream_stats_storage')).toBe(value('jetstream_stream_total_bytes', stream));
  expect(value('gnatsd_varz_jetstream_stats_api_total')).toBeGreaterThanOrEqual(3);
  expect(value('gnatsd_varz_connections')).toBe(1);
  expect(value('gnatsd_varz_in_msgs')).toBeGreaterThanOrEqual(14);
  expect(value('gnatsd_varz_out_bytes')).toBeGreaterThan(400);
  expect(value('nats_store_sync_duration_seconds_count')).toBeGreaterThanOrEqual(10);
  expect(value('nats_store_sync_duration_seconds_bucket', { le: '+Inf' })).toBe(
    value('nats_store_sync_duration_seconds_count'),
  );
  expect(value('nats_store_sync_duration_seconds_sum')).toBeGreaterThan(0);
  expect(value('nats_store_synced_messages_total')).toBe(10);
  expect(value('nats_store_failing')).toBe(0);
  expect(value('nats_store_disk_total_bytes')).toBeGreaterThan(value('nats_store_disk_free_bytes'));
  expect(value('nats_ready')).toBe(1);
  expect(value('nats_log_lines_total', { level: 'info' })).toBeGreaterThanOrEqual(2);
  expect(value('nats_metrics_left_out', { kind: 'streams' })).toBe(0);
  expect(value('nats_build_info', { node: process.versions.node })).toBe(1);
  // Of the process and of Node.
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  expect(value('nodejs_eventloop_lag_seconds')).toBeGreaterThanOrEqual(0);
  await nc.close();
});

it('is compressed for whoever takes that', async () => {
  using dir = new TempDir('events');
  const { service } = await inProcess(dir.path);
  await using _ = service;
  await service.start();
  const answer = await fetch(`http://127.0.0.1:${service.debugPort}/metrics`, {
    headers: { 'Accept-Encoding': 'gzip' },
  });
  expect(answer.headers.get('content-encoding')).toBe('gzip');
  expect(sampleValue(parseScrape(await answer.text()), 'nats_ready')).toBe(1);
});

it('names clients that are too slow', async () => {
  using dir = new TempDir('events');
  const { service } = await inProcess(dir.path);
  await using _ = service;
  await service.start();
  await using slow = await RawClient.connect(service.port);
  slow.send('CONNECT {"verbose":false,"name":"search \\"2\\""}\r\nSUB flood 1\r\n');
  await slow.flush();
  slow.socket.pause();
  const nc = await connect({ port: service.port });
  // More than a client may be behind.
  for (let at = 0; at < 100; at++) {
    nc.publish('flood', new Uint8Array(1_000_000));
    await nc.flush();
  }
  const found = await scrape(service.debugPort);
  const labels = { account: '$G', client_name: 'search "2"', ip: '127.0.0.1' };
  expect(sampleValue(found, 'nats_slow_consumer_disconnects_total', labels)).toBe(1);
  expect(sampleValue(found, 'nats_slow_consumers_total', { reason: 'max_pending' })).toBe(1);
  expect(sampleValue(found, 'gnatsd_varz_slow_consumers')).toBe(1);
  await nc.close();
});

it('loads nothing for metrics and profiles before somebody asks', () => {
  using dir = new TempDir('events');
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        const resolved = next(specifier, context);
        if (/prom-client|pprof|inspector/.test(specifier)) loaded.add(specifier);
        return resolved;
      },
    });
    const { createEventsService } = await import(${JSON.stringify(join(repositoryRoot, 'apps/events-service/dist/index.js'))});
    const service = await createEventsService({
      nats: { port: -1, storeDir: ${JSON.stringify(dir.path)} },
      debug: { addr: '127.0.0.1:0' },
    });
    const atStart = [...loaded];
    await fetch('http://127.0.0.1:' + service.debugPort + '/metrics');
    console.log(JSON.stringify({ atStart, afterwards: loaded.has('prom-client') }));
    await service.stop();`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual({ atStart: [], afterwards: true });
});

it('says what recovery has found', async () => {
  using dir = new TempDir('events');
  {
    const { service } = await inProcess(dir.path);
    await using _ = service;
    await service.start();
    const nc = await connect({ port: service.port });
    await (await jetstreamManager(nc)).streams.add({ name: 'S', subjects: ['s'] });
    for (let at = 0; at < 5; at++) await jetstream(nc).publish('s', 'x'.repeat(1_000));
    await nc.close();
  }
  const messages = join(dir.path, 'nats/jetstream/$G/streams/S/msgs');
  rmSync(join(messages, 'index.db'));
  const block = readFileSync(join(messages, '1.blk'));
  block.fill(0xff, 2_200, 2_300);
  writeFileSync(join(messages, '1.blk'), block);
  const { service } = await inProcess(dir.path);
  await using _ = service;
  await service.start();
  const found = await scrape(service.debugPort);
  const of = (name: string): number => sampleValue(found, `nats_recovery_${name}`);
  expect(of('streams')).toBe(1);
  expect(of('scanned_streams')).toBe(1);
  expect(of('messages')).toBe(4);
  expect(of('lost_messages')).toBe(1);
  expect(of('lost_bytes')).toBeGreaterThan(1_000);
  expect(of('damaged_blocks')).toBe(1);
  expect(of('offline_streams')).toBe(0);
  expect(of('running_streams')).toBe(0);
  expect(of('duration_seconds')).toBeGreaterThan(0);
  expect(sampleValue(found, 'nats_store_lost_messages_total')).toBe(1);
  expect(sampleValue(found, 'nats_stream_lost_messages', { stream_name: 'S' })).toBe(1);
});

it('says that streams fail on a full disk, and which', async () => {
  using dir = new TempDir('events');
  const { service, disk } = await inProcess(dir.path);
  await using _ = service;
  await service.start();
  const nc = await connect({ port: service.port });
  await (await jetstreamManager(nc)).streams.add({ name: 'S', subjects: ['s'] });
  disk.full = true;
  await expect(jetstream(nc).publish('s', 'x')).rejects.toThrow();
  const found = await scrape(service.debugPort);
  expect(sampleValue(found, 'nats_ready')).toBe(0);
  expect(sampleValue(found, 'nats_store_failing')).toBe(1);
  expect(sampleValue(found, 'nats_store_sync_failures_total')).toBeGreaterThan(0);
  expect(sampleValue(found, 'nats_jetstream_failing_streams')).toBe(1);
  expect(sampleValue(found, 'nats_stream_failing', { stream_name: 'S' })).toBe(1);
  disk.full = false;
  await nc.close();
});

it('is there while streams are recovered', async () => {
  using dir = new TempDir('events');
  {
    const { service } = await inProcess(dir.path);
    await using _ = service;
    await service.start();
    const nc = await connect({ port: service.port });
    await (await jetstreamManager(nc)).streams.add({ name: 'S', subjects: ['s'] });
    await nc.close();
  }
  const { service, disk } = await inProcess(dir.path);
  await using _ = service;
  disk.heldPath = 'streams/S';
  const starting = service.start();
  await until('the recovery waits for the disk', () => disk.isHolding);
  const found = await scrape(service.debugPort);
  expect(sampleValue(found, 'nats_ready')).toBe(0);
  expect(sampleValue(found, 'nats_recovery_running_streams')).toBe(1);
  disk.release();
  await starting;
});

it('is what the catalogue says: names, types, explanations and labels', async () => {
  using dir = new TempDir('events');
  const { service } = await inProcess(dir.path);
  await using _ = service;
  await service.start();
  const nc = await connect({ port: service.port });
  const manager = await jetstreamManager(nc);
  await manager.streams.add({ name: 'S', subjects: ['s'] });
  await manager.consumers.add('S', { durable_name: 'c', ack_policy: AckPolicy.Explicit });
  const { samples, types, helps } = await scrape(service.debugPort);
  for (const { name, type, help, labels } of METRICS) {
    expect([name, types.get(name), helps.get(name)]).toEqual([name, type, help]);
    const own = samples.filter((sample) =>
      type === 'histogram' ? sample.name.startsWith(name) : sample.name === name,
    );
    for (const sample of own) {
      const { server_id: server, le: _le, ...others } = sample.labels;
      expect(server).toMatch(/^N/);
      expect([name, Object.keys(others)]).toEqual([name, labels]);
    }
  }
  const known = new Set(METRICS.map(({ name }) => name));
  expect(known.size).toBe(METRICS.length);
  for (const name of types.keys()) expect(name).toMatch(known.has(name) ? /./ : /^(?:process|nodejs)_/);
  await nc.close();
});
