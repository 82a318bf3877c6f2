import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort, TempDir, until, WireClient } from '../../../tests/src/index.ts';
import { PROGRESS_INTERVAL_MS } from '../src/start-progress.ts';
import { inProcess } from './support/in-process.ts';
import { ManualClock } from './support/manual-clock.ts';
import { ask, RunningService, run, serviceEnv, writeYaml } from './support/service.ts';

async function createMainQueue(port: number): Promise<void> {
  await using client = await WireClient.connect(port);
  const answer = await client.request('$JS.API.STREAM.CREATE.main-queue', '{"name":"main-queue"}');
  if (answer.kind === 'silence' || answer.message.payload.includes('"error"')) throw new Error('no main-queue');
}

it('is alive while streams are recovered, and ready when clients are served', async () => {
  using dir = new TempDir('events');
  {
    const { service } = await inProcess(dir.path);
    await using _ = service;
    await service.start();
    await createMainQueue(service.port);
  }
  const { service, disk } = await inProcess(dir.path);
  await using _ = service;
  disk.heldPath = 'main-queue';
  const starting = service.start();
  await until('the recovery waits for the disk', () => disk.isHolding);
  expect(await ask(service.debugPort, '/healthz')).toMatchObject({ status: 200, body: 'OK' });
  expect(await ask(service.debugPort, '/readyz')).toMatchObject({
    status: 500,
    body: 'Internal Server Error\nthe service is recovering',
  });
  disk.release();
  await starting;
  expect(await ask(service.debugPort, '/healthz')).toMatchObject({ status: 200, body: 'OK' });
  expect(await ask(service.debugPort, '/readyz')).toMatchObject({ status: 200, body: 'OK' });
});

it('says every few seconds how far the recovery of a large store has come', async () => {
  using dir = new TempDir('events');
  {
    const { service } = await inProcess(dir.path);
    await using _ = service;
    await service.start();
    await using client = await WireClient.connect(service.port);
    for (const name of ['main-queue', 'other']) {
      await client.request(`$JS.API.STREAM.CREATE.${name}`, `{"name":"${name}"}`);
      for (let i = 0; i < 3; i++) await client.request(name, 'event');
    }
  }
  const clock = new ManualClock();
  const { service, disk } = await inProcess(dir.path, {}, { clock });
  await using _ = service;
  disk.heldPath = 'main-queue';
  const starting = service.start();
  const log = (): string => readFileSync(join(dir.path, 'nats.log'), 'utf8');
  const line = 'recovering: 1 of 2 streams, 3 messages';
  await until('one of the two is read', async () => {
    const { body } = await ask(service.debugPort, '/readyz?verbose');
    return disk.isHolding && body.includes(line);
  });
  expect(log()).not.toContain(line);
  for (let i = 1; i <= 2; i++) {
    clock.advance(PROGRESS_INTERVAL_MS);
    expect(log().split(line)).toHaveLength(i + 1);
  }
  expect((await ask(service.debugPort, '/readyz')).status).toBe(500);
  disk.release();
  await starting;
  clock.advance(PROGRESS_INTERVAL_MS);
  expect(log().split(line)).toHaveLength(3);
  expect((await ask(service.debugPort, '/readyz')).status).toBe(200);
});

it('stops what was starting when it is told to', async () => {
  using dir = new TempDir('events');
  {
    const { service } = await inProcess(dir.path);
    await using _ = service;
    await service.start();
    await createMainQueue(service.port);
  }
  const { service, disk } = await inProcess(dir.path);
  disk.heldPath = 'main-queue';
  const starting = service.start();
  const refused = expect(starting).rejects.toThrow('stopped while it was starting');
  await until('the recovery waits for the disk', () => disk.isHolding);
  await service.stop();
  disk.release();
  await refused;
  // The directory is free again.
  const next = await inProcess(dir.path);
  await using _ = next.service;
  await next.service.start();
});

it('stays alive with a full disk, tells publishers and says why it is not ready; goes on when there is room', async () => {
  using dir = new TempDir('events');
  const { service, disk } = await inProcess(dir.path);
  await using _ = service;
  await service.start();
  await createMainQueue(service.port);
  await using client = await WireClient.connect(service.port);
  const publish = async (text: string): Promise<unknown> => {
    const answer = await client.request('main-queue', text);
    return answer.kind === 'silence' ? null : JSON.parse(answer.message.payload);
  };
  expect(await publish('first')).toEqual({ stream: 'main-queue', seq: 1 });
  disk.full = true;
  expect(await publish('second')).toMatchObject({ error: { code: 503, err_code: 10077 } });
  expect(await ask(service.debugPort, '/healthz')).toMatchObject({ status: 200, body: 'OK' });
  const unready = await ask(service.debugPort, '/readyz');
  expect(unready.status).toBe(500);
  expect(unready.body).toContain('the last store sync failed: ENOSPC: no space left on device');
  // Core messages do not need the disk.
  const sid = client.subscribe('greetings');
  client.publish('greetings', 'hello');
  expect((await client.next(sid))?.payload).toBe('hello');
  disk.full = false;
  await until('publishing works again', async () => !JSON.stringify(await publish('third')).includes('"error"'));
  expect((await ask(service.debugPort, '/readyz')).status).toBe(200);
});

it('says how each component is to whoever asks for details', async () => {
  using dir = new TempDir('events');
  const { service, disk } = await inProcess(dir.path, { NATS_DEBUG_TOKEN: 'secret' });
  await using _ = service;
  await service.start();
  const ready = await ask(service.debugPort, '/readyz?verbose');
  expect(ready).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
  expect(JSON.parse(ready.body)).toEqual({
    status: 'ok',
    version: '1.2.3',
    node: process.versions.node,
    uptime_seconds: expect.any(Number),
    components: {
      server: { status: 'ok', phase: 'serving' },
      jetstream: { status: 'ok', streams: 0, offline_streams: 0, failing_streams: 0, consumers: 0, messages: 0 },
      registry: { status: 'ok', place: 'memory', registered: true, nodes: 1 },
    },
  });
  expect((await ask(service.debugPort, '/readyz?verbose=false')).body).toBe('OK');
  await createMainQueue(service.port);
  await using client = await WireClient.connect(service.port);
  disk.full = true;
  await client.request('main-queue', 'does not fit');
  const json = { Accept: 'application/json' };
  const unready = await ask(service.debugPort, '/readyz', json);
  expect(unready.status).toBe(500);
  expect(JSON.parse(unready.body)).toMatchObject({
    status: 'unavailable',
    components: {
      server: { status: 'ok' },
      jetstream: {
        status: 'unavailable',
        reason: expect.stringContaining('the last store sync failed: ENOSPC'),
        streams: 1,
        failing_streams: 1,
      },
    },
  });
  const alive = await ask(service.debugPort, '/healthz', json);
  expect(alive.status).toBe(200);
  expect(JSON.parse(alive.body)).toMatchObject({ status: 'ok', components: { jetstream: { status: 'unavailable' } } });
  disk.full = false;
});

it('asks for its token on everything but the probes', async () => {
  using dir = new TempDir('events');
  const { service } = await inProcess(dir.path, { NATS_DEBUG_TOKEN: 'secret' });
  await using _ = service;
  await service.start();
  for (const path of ['/healthz', '/readyz']) expect((await ask(service.debugPort, path)).status).toBe(200);
  for (const headers of [{}, { Authorization: 'Bearer wrong!' }, { Authorization: 'secret' }]) {
    const refused = await ask(service.debugPort, '/metrics', { ...headers, 'X-Request-Id': 'r-1' });
    expect(refused.status).toBe(401);
    expect(refused.headers['content-type']).toBe('application/json');
    expect(JSON.parse(refused.body)).toEqual({
      error: {
        code: 'InvalidAuthenticationToken',
        innererror: { date: expect.stringMatching(/^\d{4}-/), 'request-id': 'r-1' },
        message: 'invalid or missing token',
      },
    });
  }
  const nameless = JSON.parse((await ask(service.debugPort, '/metrics')).body);
  expect(nameless.error.innererror['request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect((await ask(service.debugPort, '/metrics', { Authorization: 'Bearer secret' })).status).toBe(200);
  expect((await ask(service.debugPort, '/nothing', { Authorization: 'Bearer secret' })).status).toBe(404);
});

it('answers with the headers of the original, and 404 for what is not there', async () => {
  using dir = new TempDir('events');
  const { service } = await inProcess(dir.path);
  await using _ = service;
  await service.start();
  const found = await ask(service.debugPort, '/healthz?full', { Origin: 'https://cloud.example' });
  expect(found.headers).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-cache, no-store, max-age=0, must-revalidate, value',
    expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
    'x-nats-version': '1.2.3',
    'access-control-allow-origin': '*',
  });
  const preflight = await fetch(`http://127.0.0.1:${service.debugPort}/metrics`, {
    method: 'OPTIONS',
    headers: { Origin: 'https://cloud.example', 'Access-Control-Request-Method': 'GET' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET');
  expect(await ask(service.debugPort, '/debug')).toMatchObject({ status: 404, body: '404 page not found\n' });
});

it('shows every setting in effect with its source, and no secret', async () => {
  using dir = new TempDir('events');
  const port = await freePort();
  const secrets = {
    NATS_DEBUG_TOKEN: 'secret-of-the-debug-server',
    OCIS_EVENTS_AUTH_PASSWORD: 'secret-of-the-events',
    MICRO_REGISTRY_AUTH_PASSWORD: 'secret-of-the-registry',
  };
  const env = {
    ...secrets,
    NATS_DEBUG_ADDR: `127.0.0.1:${port}`,
    OCIS_EVENTS_AUTH_USERNAME: 'events',
    MICRO_REGISTRY_AUTH_USERNAME: 'registry',
  };
  writeYaml(dir.path, 'nats:\n  clusterid: from-yaml\n');
  await using service = await RunningService.start(serviceEnv(dir.path, env));
  expect(service.port).toBeGreaterThan(0);
  expect((await ask(port, '/config')).status).toBe(401);
  const shown = await ask(port, '/config', { Authorization: `Bearer ${secrets.NATS_DEBUG_TOKEN}` });
  expect(shown).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
  for (const secret of Object.values(secrets)) expect(shown.body).not.toContain(secret);
  expect(JSON.parse(shown.body)).toMatchObject({
    'debug.addr': { value: `127.0.0.1:${port}`, source: 'env NATS_DEBUG_ADDR' },
    'debug.token': { value: '***', source: 'env NATS_DEBUG_TOKEN' },
    'debug.pprof': { value: false, source: 'default' },
    'nats.auth_username': { value: 'events', source: 'env OCIS_EVENTS_AUTH_USERNAME' },
    'nats.auth_password': { value: '***', source: 'env OCIS_EVENTS_AUTH_PASSWORD' },
    'nats.clusterid': { value: 'from-yaml', source: `${join(dir.path, 'config/nats.yaml')}:2` },
    'registry.auth_password': { value: '***' },
  });
});

it('does not start without its port', async () => {
  using dir = new TempDir('events');
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const { port } = blocker.address() as { port: number };
  const done = run(['server'], serviceEnv(dir.path, { NATS_DEBUG_ADDR: `127.0.0.1:${port}` }));
  expect(done.status).toBe(1);
  expect(done.stderr).toContain('cannot listen for the debug server (NATS_DEBUG_ADDR)');
  expect(done.stderr).toContain(`address already in use 127.0.0.1:${port}`);
  const taken = run(['server'], serviceEnv(dir.path, { NATS_NATS_PORT: `${port}` }));
  blocker.close();
  expect(taken.status).toBe(1);
  expect(JSON.parse(taken.stderr)).toMatchObject({
    level: 'fatal',
    message: `Error listening on port: 127.0.0.1:${port}, "listen tcp 127.0.0.1:${port}: bind: address already in use"`,
  });
});

it('keeps one service on a directory, naming who holds it', async () => {
  using dir = new TempDir('events');
  const { service } = await inProcess(dir.path);
  await using _ = service;
  await service.start();
  const second = run(['server'], serviceEnv(dir.path));
  expect(second.status).toBe(1);
  expect(second.stderr).toContain(`${process.pid}`);
  expect(readFileSync(join(dir.path, 'nats.log'), 'utf8')).toContain('Ready for clients on');
});
