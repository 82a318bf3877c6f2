import { spawnSync } from 'node:child_process';
import { connectRegistry } from '@nats-ts/kv-registry/nats';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort, GoRegistry, TempDir, until } from '../../../../tests/src/index.ts';
import { makeAuthority, makeCertificate } from '../../../natsd/test/support/certificates.ts';
import { ask, RunningService, serviceEnv } from '../support/service.ts';

const NAME = 'com.owncloud.api.nats';

interface Running {
  readonly service: RunningService;
  readonly dir: TempDir;
  readonly port: number;
  readonly debugPort: number;
}

async function startService(env: Record<string, string> = {}, at?: Pick<Running, 'dir' | 'port'>): Promise<Running> {
  const dir = at?.dir ?? new TempDir('events-registry');
  const [port, debugPort] = [at?.port ?? (await freePort()), await freePort()];
  const all = { NATS_NATS_PORT: `${port}`, NATS_DEBUG_ADDR: `127.0.0.1:${debugPort}`, NATS_LOG_LEVEL: 'info' };
  const service = await RunningService.start(serviceEnv(dir.path, { ...all, MICRO_REGISTRY: 'nats-js-kv', ...env }));
  onTestFinished(async () => {
    await service.process.kill();
    dir[Symbol.dispose]();
  });
  return { service, dir, port, debugPort };
}

async function health({ debugPort }: Running): Promise<Record<string, unknown>> {
  const { body } = await ask(debugPort, '/readyz?verbose');
  return (JSON.parse(body) as { components: { registry: Record<string, unknown> } }).components.registry;
}

function registered(running: Running, nodes = 1): Promise<unknown> {
  return until(`registered, with ${nodes} nodes`, async () => {
    const registry = await health(running);
    return registry['registered'] === true && registry['nodes'] === nodes;
  });
}

async function goRegistry(port: number): Promise<GoRegistry> {
  const go = new GoRegistry(port);
  onTestFinished(() => go[Symbol.dispose]());
  await go.init();
  return go;
}

describe('the service in its own registry', () => {
  it.each([
    ['oCIS', {}, NAME],
    ['OpenCloud', { OC_LOG_LEVEL: 'info', OCIS_BASE_DATA_PATH: '', OCIS_CONFIG_DIR: '' }, 'eu.opencloud.api.nats'],
  ])('is there for the services of %s, until it stops', async (flavour, env, name) => {
    const dir = new TempDir('events-registry');
    const port = await freePort();
    const all: Record<string, string> = serviceEnv(dir.path, { NATS_NATS_PORT: `${port}`, MICRO_REGISTRY: '', ...env });
    if (flavour === 'OpenCloud') {
      delete all['OCIS_BASE_DATA_PATH'];
      delete all['OCIS_CONFIG_DIR'];
      Object.assign(all, { OC_BASE_DATA_PATH: dir.path, OC_CONFIG_DIR: dir.path });
    }
    await using service = await RunningService.start(all);
    onTestFinished(() => dir[Symbol.dispose]());
    const go = await goRegistry(port);
    const [json = ''] = await until('it is registered', async () => {
      const found = await go.getService(name);
      return found.length > 0 && found;
    });
    const described = JSON.parse(json) as Record<string, unknown>;
    expect(described).toMatchObject({ name, metadata: null, endpoints: [], version: expect.stringMatching(/^\d+\./) });
    expect(described['nodes']).toEqual([
      {
        id: expect.stringMatching(
          new RegExp(`^${name.replaceAll('.', '\\.')}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
        ),
        address: `127.0.0.1:${port}`,
        metadata: {
          broker: 'nats',
          protocol: 'nats',
          registry: 'nats-js-kv',
          server: 'nats',
          transport: 'nats',
          use_tls: 'false',
        },
      },
    ]);
    const seen: string[] = [];
    await go.watch(({ action, key }) => void seen.push(`${action} ${key.split('@')[0]}`));
    expect(await service.process.stop()).toBe(0);
    expect(seen).toEqual([`create ${name}`, `delete ${name}`]);
  });

  it('needs no connection, so neither login nor TLS keeps it out', async () => {
    const running = await startService({
      OCIS_EVENTS_ENABLE_TLS: 'true',
      OCIS_INSECURE: 'true',
      OCIS_EVENTS_AUTH_USERNAME: 'events',
      OCIS_EVENTS_AUTH_PASSWORD: 'secret',
    });
    await registered(running);
    expect(await health(running)).toEqual({ status: 'ok', place: 'own', registered: true, nodes: 1 });
    // Others do need one, and this is the same bucket.
    const remote = { servers: [`127.0.0.1:${running.port}`], user: 'events', pass: 'secret' };
    const registry = await connectRegistry({ ...remote, tls: { skipVerify: true } });
    onTestFinished(() => registry.close());
    const [found] = await registry.getService(NAME);
    expect(found?.nodes[0]?.metadata).toMatchObject({ use_tls: 'true' });
  });

  it('counts who is there, and notices who died within the time to live (ocis#10412, ocis#9535)', async () => {
    const times = { EXPERIMENTAL_REGISTER_TTL: '1s', EXPERIMENTAL_REGISTER_INTERVAL: '300ms' };
    const first = await startService(times);
    const address = { MICRO_REGISTRY_ADDRESS: `127.0.0.1:${first.port}` };
    const second = await startService({ ...times, ...address });
    const third = await startService({ ...times, ...address });
    await Promise.all([first, second, third].map((running) => registered(running, 3)));
    expect((await ask(first.debugPort, '/metrics')).body).toContain('nats_registry_nodes{');
    const go = await goRegistry(first.port);
    expect(await go.getService(NAME)).toHaveLength(3);
    await third.service.process.kill();
    await Promise.all([registered(first, 2), registered(second, 2)]);
    expect(await second.service.process.stop()).toBe(0);
    await registered(first, 1);
  });

  it('stays in this process when asked to', async () => {
    const running = await startService({ MICRO_REGISTRY: 'memory' });
    await registered(running);
    expect(await health(running)).toMatchObject({ place: 'memory' });
    const go = new GoRegistry(running.port);
    onTestFinished(() => go[Symbol.dispose]());
    await go.client.connected();
    expect(await go.client.api('STREAM.NAMES', '')).toMatchObject({ total: 0 });
  });
});

describe('a registry on another server', () => {
  it('holds nothing up when it is not there, and is joined when it comes (ocis#12404)', async () => {
    const remotePort = await freePort();
    const running = await startService({ MICRO_REGISTRY_ADDRESS: `127.0.0.1:${remotePort}` });
    expect((await ask(running.debugPort, '/readyz')).status).toBe(200);
    await running.service.process.line(/registry: cannot connect to 127\.0\.0\.1/);
    expect(await health(running)).toMatchObject({ place: 'remote', registered: false, nodes: 0 });
    const dir = new TempDir('events-registry');
    const remote = await startService({}, { dir, port: remotePort });
    await registered(running, 2);
    // And again after an outage, in which the bucket is lost.
    await remote.service.process.kill();
    await until('the outage is seen', async () => (await health(running))['registered'] === false);
    expect((await ask(running.debugPort, '/readyz')).status).toBe(200);
    const again = await startService({}, { dir, port: remotePort });
    await registered(running, 3);
    await registered(again, 2);
    // The end does not wait for a registry that is away.
    await again.service.process.kill();
    expect(await running.service.process.stop()).toBe(0);
  });

  it('that refuses the login is told of once, however often it is tried', async () => {
    const remote = await startService({ OCIS_EVENTS_AUTH_USERNAME: 'events', OCIS_EVENTS_AUTH_PASSWORD: 'secret' });
    const running = await startService({ MICRO_REGISTRY_ADDRESS: `127.0.0.1:${remote.port}`, NATS_LOG_LEVEL: 'warn' });
    const refused = (): number => remote.service.output.split('authentication error').length - 1;
    await until('it was tried several times', () => refused() >= 3);
    const told = running.service.output.split('\n').filter((line) => line.includes('registry: '));
    expect(told.length).toBe(new Set(told.map((line) => JSON.parse(line).message)).size);
    expect(told.join()).toContain('Authorization Violation');
  });

  const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

  it.runIf(hasOpenssl)('is spoken to over TLS, with a login', async () => {
    using dir = new TempDir('events-registry-tls');
    const authority = makeAuthority(dir.path, 'authority');
    const server = makeCertificate(dir.path, 'server', authority);
    const client = makeCertificate(dir.path, 'client', authority);
    const remote = await startService({
      OCIS_EVENTS_ENABLE_TLS: 'true',
      NATS_TLS_CERT: server.cert,
      NATS_TLS_KEY: server.key,
      NATS_TLS_CLIENT_CA: authority.cert,
      OCIS_EVENTS_AUTH_USERNAME: 'events',
      OCIS_EVENTS_AUTH_PASSWORD: 'secret',
    });
    const running = await startService({
      MICRO_REGISTRY_ADDRESS: `127.0.0.1:1,localhost:${remote.port}`,
      MICRO_REGISTRY_AUTH_USERNAME: 'events',
      MICRO_REGISTRY_AUTH_PASSWORD: 'secret',
      NATS_REGISTRY_ENABLE_TLS: 'true',
      NATS_REGISTRY_TLS_ROOT_CA_CERTIFICATE: authority.cert,
      NATS_REGISTRY_TLS_CERT: client.cert,
      NATS_REGISTRY_TLS_KEY: client.key,
    });
    await registered(running, 2);
  });

  it('with a certificate that cannot be read is an error at start', async () => {
    using dir = new TempDir('events-registry-tls');
    const env = {
      MICRO_REGISTRY: 'natsjs',
      MICRO_REGISTRY_ADDRESS: '127.0.0.1:1',
      NATS_REGISTRY_ENABLE_TLS: 'true',
      NATS_REGISTRY_TLS_ROOT_CA_CERTIFICATE: '/nowhere/ca.pem',
    };
    await using service = RunningService.launch(serviceEnv(dir.path, env));
    expect(await service.process.ended()).toBe(1);
    expect(service.output).toContain('cannot read /nowhere/ca.pem (NATS_REGISTRY_TLS_ROOT_CA_CERTIFICATE)');
  });
});
