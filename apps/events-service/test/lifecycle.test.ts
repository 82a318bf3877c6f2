import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { freePort, GoClient, RawClient, TempDir, until, WireClient } from '../../../tests/src/index.ts';
import { ask, RunningService, serviceEnv } from './support/service.ts';

const STOPS_WITHIN_MS = 2_000;

it.each(['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const)(
  'stops with 0 on %s, and once is enough',
  async (signal) => {
    using dir = new TempDir('events');
    await using service = await RunningService.start(serviceEnv(dir.path, { NATS_LOG_LEVEL: 'info' }));
    await using client = await RawClient.connect(service.port);
    await client.flush();
    service.process.child.kill(signal);
    service.process.child.kill(signal);
    service.process.child.kill('SIGTERM');
    expect(await service.process.ended(STOPS_WITHIN_MS)).toBe(0);
    await client.untilClosed();
    expect(service.output.match(/Shutting down server/g)).toHaveLength(1);
  },
);

it('sends the acknowledgements that are under way before it closes', async () => {
  using dir = new TempDir('events');
  const acknowledged: string[] = [];
  {
    await using service = await RunningService.start(serviceEnv(dir.path));
    await using client = await WireClient.connect(service.port);
    await client.request('$JS.API.STREAM.CREATE.main-queue', '{"name":"main-queue"}');
    client.subscribe('acks.*');
    await client.flush();
    for (let i = 1; i <= 500; i++) client.publish('main-queue', `event ${i}`, `acks.${i}`);
    await until('the first acknowledgement', async () => client.raw.received.includes('"seq":'));
    service.process.child.kill('SIGTERM');
    expect(await service.process.ended()).toBe(0);
    const rest = await client.raw.untilClosed();
    acknowledged.push(...[...rest.matchAll(/"seq":(\d+)/g)].map(([, seq]) => seq ?? ''));
  }
  await using again = await RunningService.start(serviceEnv(dir.path));
  await using client = await WireClient.connect(again.port);
  const answer = await client.request('$JS.API.STREAM.INFO.main-queue');
  const stored = answer.kind === 'message' ? JSON.parse(answer.message.payload).state.messages : 0;
  // Everything stored was acknowledged, everything acknowledged is stored.
  expect(acknowledged.length).toBeGreaterThan(0);
  expect(acknowledged).toHaveLength(stored);
});

const mount = new TempDir('events-full');
const MOUNT_BYTES = 4 * 1024 * 1024;
const mounted =
  process.platform === 'linux' &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${MOUNT_BYTES}`, 'tmpfs', mount.path]).status === 0;
afterAll(() => {
  if (mounted) spawnSync('umount', [mount.path]);
  mount[Symbol.dispose]();
});

// A real full disk; who may not mount one has the same story with an injected disk in debug-server.test.ts.
it.runIf(mounted)('survives a full disk as a process', async () => {
  const debugPort = await freePort();
  const env = serviceEnv(mount.path, { NATS_DEBUG_ADDR: `127.0.0.1:${debugPort}` });
  await using service = await RunningService.start(env);
  using client = new GoClient(service.port, 'publisher');
  await client.connected();
  const request = async (subject: string, text: string): Promise<Record<string, unknown>> =>
    JSON.parse((await client.request(subject, text)).payload) as Record<string, unknown>;
  await request('$JS.API.STREAM.CREATE.main-queue', '{"name":"main-queue"}');
  const ballast = join(mount.path, 'ballast');
  writeFileSync(ballast, Buffer.alloc(MOUNT_BYTES / 2));
  const text = 'x'.repeat(100_000);
  const acknowledged: number[] = [];
  const publish = async (): Promise<{ error?: object }> => {
    const answer = await request('main-queue', text);
    if (answer['error'] === undefined) acknowledged.push(Number(answer['seq']));
    return answer;
  };
  const refusal = await until('the disk is full', async () => (await publish()).error);
  expect(refusal).toMatchObject({ code: 503, err_code: 10077 });
  expect((await ask(debugPort, '/healthz')).status).toBe(200);
  const unready = await ask(debugPort, '/readyz');
  expect(unready.status).toBe(500);
  expect(unready.body).toContain('ENOSPC');
  rmSync(ballast);
  await until('publishing works again', async () => (await publish()).error === undefined);
  await publish();
  expect((await ask(debugPort, '/readyz')).status).toBe(200);
  expect(await service.process.stop()).toBe(0);
  await using again = await RunningService.start(env);
  await using reader = await WireClient.connect(again.port);
  const info = await reader.request('$JS.API.STREAM.INFO.main-queue');
  const { state } = JSON.parse(info.kind === 'message' ? info.message.payload : '{}');
  // Whether the message that met the full disk was kept is open, as it is for whoever got no answer.
  expect(acknowledged).toHaveLength(new Set(acknowledged).size);
  expect(state.messages - acknowledged.length).toBeOneOf([0, 1]);
  expect(state).toMatchObject({ first_seq: 1, last_seq: acknowledged.at(-1) });
  for (const seq of acknowledged) {
    const found = await reader.request('$JS.API.STREAM.MSG.GET.main-queue', JSON.stringify({ seq }));
    expect(found.kind === 'message' && found.message.payload).toContain(`"seq":${seq}`);
  }
});
