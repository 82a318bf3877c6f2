import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort, RawClient, TempDir, WireClient } from '../../../tests/src/index.ts';
import { ask, logLines, RunningService, run, serviceEnv, writeYaml } from './support/service.ts';

async function info(port: number, host = '127.0.0.1'): Promise<Record<string, unknown>> {
  await using client = await RawClient.connect(port, { host, keepInfo: true });
  const line = await client.readUntil('\r\n');
  return JSON.parse(line.slice('INFO '.length)) as Record<string, unknown>;
}

async function api(client: WireClient, subject: string, body: object | '' = ''): Promise<Record<string, unknown>> {
  const answer = await client.request(`$JS.API.${subject}`, body === '' ? '' : JSON.stringify(body));
  if (answer.kind === 'silence') throw new Error(`no answer to ${subject}`);
  return JSON.parse(answer.message.payload) as Record<string, unknown>;
}

it('serves anybody on loopback without TLS, names its cluster and keeps its data below the base data path', async () => {
  using dir = new TempDir('events');
  await using service = await RunningService.start(serviceEnv(dir.path));
  expect(service.address).toBe(`127.0.0.1:${service.port}`);
  const greeting = await info(service.port);
  expect(greeting).toMatchObject({
    cluster: 'ocis-cluster',
    host: '127.0.0.1',
    jetstream: true,
    headers: true,
    max_payload: 1_048_576,
    git_commit: expect.stringMatching(/^nats-ts-\d+\.\d+\.\d+/),
  });
  for (const absent of ['auth_required', 'tls_required', 'tls_available', 'tls_verify']) {
    expect(greeting).not.toHaveProperty(absent);
  }
  await using client = await WireClient.connect(service.port);
  expect(await api(client, 'STREAM.CREATE.main-queue', { name: 'main-queue' })).not.toHaveProperty('error');
  expect(await api(client, 'STREAM.INFO.main-queue')).toMatchObject({
    cluster: { name: 'ocis-cluster', leader: greeting['server_id'] },
  });
  expect(existsSync(join(dir.path, 'nats/jetstream/$G/streams/main-queue/meta.inf'))).toBe(true);
  // At the default level, error, only these two lines.
  expect(logLines(service.output).map(({ message }) => message)).toEqual([
    `Store directory: ${dir.path}/nats`,
    `Ready for clients on ${service.address}`,
  ]);
  expect(readdirSync(join(dir.path, 'nats'))).not.toContain('tls.crt');
});

it('takes an empty store directory for none, and says so at any level', async () => {
  using dir = new TempDir('events');
  await using service = await RunningService.start(serviceEnv(dir.path, { NATS_NATS_STORE_DIR: '' }));
  const lines = logLines(service.output);
  expect(lines[0]).toMatchObject({ level: 'warn', message: expect.stringContaining('NATS_NATS_STORE_DIR') });
  expect(lines[1]?.message).toBe(`Store directory: ${dir.path}/nats`);
});

it('has its own ports unless told otherwise: 9233 for clients, 9234 for probes', async () => {
  using dir = new TempDir('events');
  const { NATS_NATS_PORT: _port, NATS_DEBUG_ADDR: _address, ...unset } = serviceEnv(dir.path);
  for (const [port, env] of [
    [9234, { ...unset, NATS_NATS_PORT: '-1' }],
    [9233, { ...unset, NATS_DEBUG_ADDR: '' }],
  ] as const) {
    const blocker = createServer();
    // Somebody else's there is as good.
    await new Promise<void>((resolve) => {
      blocker.once('error', () => resolve());
      blocker.listen(port, '127.0.0.1', resolve);
    });
    const done = run(['server'], env);
    blocker.close();
    expect(done.status).toBe(1);
    expect(done.stderr).toContain(`127.0.0.1:${port}`);
    expect(done.stderr).toContain('address already in use');
  }
});

it('obeys every setting of nats.yaml', async () => {
  using dir = new TempDir('events');
  const port = await freePort();
  const debugPort = await freePort();
  const log = join(dir.path, 'nats.log');
  writeYaml(
    dir.path,
    `log: { level: info, file: ${log} }
debug: { addr: "127.0.0.1:${debugPort}", token: secret }
nats:
  host: localhost
  port: ${port}
  clusterid: from-yaml
  store_dir: ${dir.path}/elsewhere
  auth_username: yaml-user
  auth_password: yaml-password
`,
  );
  const env = serviceEnv(dir.path);
  delete env['NATS_NATS_PORT'];
  delete env['NATS_DEBUG_ADDR'];
  await using service = RunningService.launch(env);
  await expect
    .poll(() => existsSync(log) && readFileSync(log, 'utf8'), { timeout: 10_000 })
    .toContain('Ready for clients');
  expect(await info(port)).toMatchObject({ cluster: 'from-yaml', auth_required: true, port });
  expect(existsSync(join(dir.path, 'elsewhere'))).toBe(true);
  expect(existsSync(join(dir.path, 'nats'))).toBe(false);
  await using client = await WireClient.connect(port, { user: 'yaml-user', pass: 'yaml-password' });
  expect(await api(client, 'INFO')).toHaveProperty('streams', 0);
  expect((await ask(debugPort, '/nothing')).status).toBe(401);
  expect(service.output).toBe('');
  expect(statSync(log).mode & 0o777).toBe(0o644);
});

it('lets the environment count over nats.yaml, and the last of several names over the others', async () => {
  using dir = new TempDir('events');
  writeYaml(
    dir.path,
    'log: { level: trace }\nnats: { clusterid: from-yaml, host: 0.0.0.0, auth_username: a, auth_password: b }\n',
  );
  await using service = await RunningService.start(
    serviceEnv(dir.path, {
      NATS_NATS_CLUSTER_ID: 'from-env',
      NATS_NATS_HOST: '127.0.0.1',
      OCIS_LOG_LEVEL: 'trace',
      OC_LOG_LEVEL: 'debug',
      NATS_LOG_LEVEL: 'warn',
      OCIS_EVENTS_AUTH_USERNAME: 'shared',
      OCIS_EVENTS_AUTH_PASSWORD: 'shared-password',
      NATS_EVENTS_AUTH_USERNAME: 'own',
      NATS_EVENTS_AUTH_PASSWORD: 'own-password',
    }),
  );
  expect(await info(service.port)).toMatchObject({ cluster: 'from-env', host: '127.0.0.1' });
  expect(service.output).not.toContain('Starting nats-server');
  await using own = await WireClient.connect(service.port, { user: 'own', pass: 'own-password' });
  expect(own.errors).toEqual([]);
  await expect(WireClient.connect(service.port, { user: 'shared', pass: 'shared-password' })).rejects.toThrow(
    'Authorization Violation',
  );
  await expect(WireClient.connect(service.port)).rejects.toThrow('Authorization Violation');
});

it('takes names and paths of OpenCloud when its variables are set and none of oCIS', async () => {
  using dir = new TempDir('events');
  await using service = await RunningService.start({
    OC_BASE_DATA_PATH: dir.path,
    OC_CONFIG_DIR: join(dir.path, 'config'),
    OC_LOG_LEVEL: 'info',
    NATS_NATS_PORT: '-1',
    NATS_DEBUG_ADDR: '',
  });
  expect(await info(service.port)).toMatchObject({ cluster: 'opencloud-cluster' });
  expect(service.output).toContain(`Store directory: ${dir.path}/nats`);
  expect(service.output).toContain('Listening for client connections');
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

it.runIf(hasIpv6)('listens on IPv6', async () => {
  using dir = new TempDir('events');
  const debugPort = await freePort();
  await using service = await RunningService.start(
    serviceEnv(dir.path, { NATS_NATS_HOST: '::1', NATS_DEBUG_ADDR: `[::1]:${debugPort}` }),
  );
  expect(service.address).toBe(`[::1]:${service.port}`);
  expect(await info(service.port, '::1')).toMatchObject({ host: '::1' });
  expect(run(['health'], { NATS_DEBUG_ADDR: `[::1]:${debugPort}` })).toMatchObject({ status: 0, stdout: 'healthy\n' });
});

it('takes API requests with fields it does not know, like the server it replaces', async () => {
  using dir = new TempDir('events');
  await using service = await RunningService.start(serviceEnv(dir.path));
  await using client = await WireClient.connect(service.port);
  const made = await api(client, 'STREAM.CREATE.main-queue', { name: 'main-queue', bogus: 1 });
  expect(made).not.toHaveProperty('error');
  expect(made).toHaveProperty('did_create', true);
});

it('limits main-queue, also one that is there already, while clients create it without limits again and again', async () => {
  using dir = new TempDir('events');
  const sparse = {
    name: 'main-queue',
    retention: 'limits',
    max_bytes: 0,
    max_age: 0,
    num_replicas: 0,
    storage: 'file',
  };
  {
    await using service = await RunningService.start(serviceEnv(dir.path));
    await using client = await WireClient.connect(service.port);
    expect(await api(client, 'STREAM.CREATE.main-queue', sparse)).toMatchObject({
      config: { max_age: 0, max_bytes: -1 },
    });
  }
  await using service = await RunningService.start(
    serviceEnv(dir.path, { NATS_MAIN_QUEUE_MAX_AGE: '168h', NATS_MAIN_QUEUE_MAX_BYTES: '1GiB' }),
  );
  await using client = await WireClient.connect(service.port);
  const limits = { max_age: 604_800e9, max_bytes: 1024 ** 3 };
  expect(await api(client, 'STREAM.INFO.main-queue', '')).toMatchObject({ config: limits });
  expect(await api(client, 'STREAM.CREATE.main-queue', sparse)).toMatchObject({ did_create: true, config: limits });
  // A client's own word counts over it.
  const own = { ...sparse, max_age: 3_600e9 };
  expect(await api(client, 'STREAM.UPDATE.main-queue', own)).toMatchObject({ config: { ...limits, max_age: 3_600e9 } });
});

it('refuses values it cannot use, naming source, value and what was expected', () => {
  using dir = new TempDir('events');
  const number = run(['server'], serviceEnv(dir.path, { NATS_NATS_PORT: 'abc' }));
  expect(number.status).toBe(1);
  expect(number.stderr).toContain('env NATS_NATS_PORT: nats.port is "abc", expected an integer from -1 to 65535');
  const file = writeYaml(dir.path, 'nats:\n  port: [1\n');
  const yaml = run(['server'], serviceEnv(dir.path));
  expect(yaml.status).toBe(1);
  expect(yaml.stderr).toContain(file);
  const store = run(['server'], serviceEnv('/dev/null'));
  expect(store.status).toBe(1);
  expect(store.stderr).toContain('/dev/null');
});
