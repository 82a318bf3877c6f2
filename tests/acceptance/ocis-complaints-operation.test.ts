// What people who run the original complain about (spec/ocis.md 8), one test each: running it.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { freePort, GoClient, repositoryRoot, ServerProcess, TempDir, until, WireClient } from '../src/index.ts';

const PROGRAM = join(repositoryRoot, 'apps/events-service/bin/events-service');

async function settings(dir: TempDir, env: Record<string, string> = {}): Promise<Record<string, string>> {
  return {
    NATS_NATS_PORT: `${await freePort()}`,
    NATS_DEBUG_ADDR: `127.0.0.1:${await freePort()}`,
    NATS_NATS_STORE_DIR: dir.path,
    NATS_DISK_WARN_PERCENT: '0',
    NATS_DISK_CRITICAL_PERCENT: '0',
    NATS_LOG_LEVEL: 'info',
    ...env,
  };
}

const run = (command: string, env: Record<string, string>): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(PROGRAM, [command], { encoding: 'utf8', env: { ...process.env, ...env } });

it('ocis#10430: a stop answers what it has taken, closes clients behind that, and is no error', async () => {
  using dir = new TempDir('ocis');
  const env = await settings(dir);
  const acknowledged = new Set<string>();
  {
    await using server = await ServerProcess.eventsService({ env });
    await using client = await WireClient.connect(server.port);
    await client.request('$JS.API.STREAM.CREATE.main-queue', '{"name":"main-queue"}');
    client.subscribe('acks.*');
    await client.flush();
    for (let i = 0; i < 2_000; i++) client.publish('main-queue', `event ${i}`, `acks.${i}`);
    await until('the first acknowledgement', () => client.raw.received.includes('"seq":'));
    expect(await server.stop('SIGTERM')).toBe(0);
    const rest = await client.raw.untilClosed();
    for (const [, seq] of rest.matchAll(/"seq":(\d+)/g)) acknowledged.add(seq ?? '');
    expect(server.output).not.toMatch(/"level":"(?:error|fatal|panic)"/);
    expect(server.output.trim().split('\n').at(-1)).not.toContain('error');
  }
  await using server = await ServerProcess.eventsService({ env });
  using client = new GoClient(server.port, 'frontend');
  await client.connected();
  const info = await client.api('STREAM.INFO.main-queue', '');
  expect((info['state'] as { messages: number }).messages).toBe(acknowledged.size);
});

it('ocis#10316: health asks the running service, version prints versions', async () => {
  using dir = new TempDir('ocis');
  const env = await settings(dir);
  const down = run('health', env);
  expect(down.status).toBe(1);
  expect(down.stdout).toMatch(/^unhealthy: .*ECONNREFUSED.*\n$/);
  await using server = await ServerProcess.eventsService({ env });
  expect(run('health', env)).toMatchObject({ status: 0, stdout: 'healthy\n' });
  expect(run('version', env).stdout).toMatch(/^events-service \d+\.\d+\.\d+ .*Node \d+.*commit \S+\n$/);
  expect(await server.stop()).toBe(0);
  expect(run('health', env).status).toBe(1);
});

it('ocis#7838, ocis#9834, ocis#11129: services that start at the same moment find a server, whoever is first', async () => {
  using dir = new TempDir('ocis');
  const env = await settings(dir);
  const port = Number(env['NATS_NATS_PORT']);
  // They try from before it is there.
  const services = Array.from({ length: 20 }, (_, i) => new GoClient(port, `service-${i}`));
  using _ = new DisposableStack();
  for (const service of services) _.use(service);
  const server = new ServerProcess(PROGRAM, { args: ['server'], env });
  await using __ = server;
  let refusedAfterFirst = 0;
  let hasBeenAccepted = false;
  while (!server.output.includes('Ready for clients')) {
    const socket = dial(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    if (!isOpen && hasBeenAccepted) refusedAfterFirst++;
    hasBeenAccepted ||= isOpen;
    socket.destroy();
  }
  // From the moment the port is there nobody is turned away.
  expect(refusedAfterFirst).toBe(0);
  // All of them make the same stream and the same bucket at once, as services do.
  const made = await Promise.all(
    services.map(async (service) => {
      await service.connected();
      const stream = await service.api('STREAM.CREATE.main-queue', '{"name":"main-queue"}');
      const group = await service.api(
        'CONSUMER.CREATE.main-queue.search.main-queue',
        '{"stream_name":"main-queue","config":{"durable_name":"search","ack_policy":"explicit","filter_subject":"main-queue","deliver_subject":"_INBOX.search","deliver_group":"search"},"action":""}',
      );
      return [stream['error'], group['error']];
    }),
  );
  expect(made).toEqual(services.map(() => [undefined, undefined]));
});

it('opencloud-compose#138: external tools attach with an address, a user and a password, and see everything', async () => {
  using dir = new TempDir('ocis');
  const env = await settings(dir, {
    NATS_NATS_HOST: '0.0.0.0',
    OCIS_EVENTS_AUTH_USERNAME: 'events',
    OCIS_EVENTS_AUTH_PASSWORD: 'secret',
  });
  await using server = await ServerProcess.eventsService({ env });
  const tool = await connect({ servers: `127.0.0.1:${server.port}`, user: 'events', pass: 'secret', name: 'tool' });
  const manager = await jetstreamManager(tool);
  await manager.streams.add({ name: 'main-queue' });
  const bucket = await new Kvm(tool).create('postprocessing');
  await bucket.put('upload-1', 'state');
  // The third is the registry that the services of the stack, this one among them, keep.
  const names = ['KV_postprocessing', 'KV_service-registry', 'main-queue'];
  await until('all streams are there', async () => {
    const streams = await manager.streams.list().next();
    const found = streams.map(({ config }) => config.name).sort();
    return JSON.stringify(found) === JSON.stringify(names);
  });
  expect((await manager.getAccountInfo()).streams).toBe(names.length);
  // A plain subscriber sees every event, without being one of the consumers.
  const watching = tool.subscribe('main-queue', { max: 1 });
  await tool.flush();
  tool.publish('main-queue', 'event');
  for await (const message of watching) expect(message.string()).toBe('event');
  await tool.close();
});
