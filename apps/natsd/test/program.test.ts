import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RawClient, repositoryRoot, ServerProcess, TempDir, until, WireClient } from '../../../tests/src/index.ts';
import { BINARY, run, start } from './support/program.ts';

async function varz(port: number): Promise<Record<string, unknown>> {
  return (await (await fetch(`http://127.0.0.1:${port}/varz`)).json()) as Record<string, unknown>;
}

it('tells its own version beside the one it follows', () => {
  const about = run('--about');
  expect(about.status).toBe(0);
  expect(about.stdout).toMatch(/^natsd \d+\.\d+\.\d+ \(nats-ts\), behaves as nats-server 2\.15\.1, Node \d+.*\n$/);
});

it('adds what the store holds to what it may hold', async () => {
  using dir = new TempDir('natsd');
  const blocks = join(dir.path, 'jetstream/$G/streams/of/msgs');
  mkdirSync(blocks, { recursive: true });
  writeFileSync(join(blocks, '1.blk'), '');
  const heldBytes = 2 ** 40;
  // A file of holes: it takes no room on the disk.
  truncateSync(join(blocks, '1.blk'), heldBytes);
  await using natsd = await start('-a', '127.0.0.1', '-p', '-1', '-m', '-1', '-js', '-sd', dir.path);
  const { jetstream } = (await varz(natsd.monitoringPort)) as { jetstream: { config: { max_storage: number } } };
  expect(jetstream.config.max_storage).toBeGreaterThanOrEqual(heldBytes);
});

it('takes flags over the file, the file over the defaults', async () => {
  using dir = new TempDir('natsd');
  const file = join(dir.path, 'nats.conf');
  writeFileSync(
    file,
    `listen: "127.0.0.1:1"
server_name: from-file
max_payload: 2048
ping_interval: "30s"
http: "127.0.0.1:-1"
server_tags: [eu, ssd]
jetstream { store_dir: "${dir.path}/store", limits { default_max_consumers: 7 } }
`,
  );
  await using natsd = await start('-c', file, '-n', 'from-flag');
  expect(await varz(natsd.monitoringPort)).toMatchObject({
    server_name: 'from-flag',
    port: natsd.port,
    host: '127.0.0.1',
    max_payload: 2048,
    ping_interval: 30_000_000_000,
    max_control_line: 4096,
    tags: ['eu', 'ssd'],
    jetstream: { config: { store_dir: join(dir.path, 'store/jetstream') }, limits: { default_max_consumers: 7 } },
  });
  // The one exception, as in nats-server: a store directory in both is a contradiction.
  const both = run('-c', file, '-sd', join(dir.path, 'other'));
  expect(both.status).toBe(1);
  expect(both.stderr).toContain("Duplicate 'store_dir' configuration");
});

it('refuses fields of API requests that it does not know, unless the file says not to', async () => {
  using dir = new TempDir('natsd');
  const file = join(dir.path, 'nats.conf');
  const body = '{"name":"S","subjects":["s"],"bogus":1}';
  for (const strict of [true, false]) {
    writeFileSync(file, `jetstream { store_dir: "${dir.path}/${strict}" ${strict ? '' : ', strict: false'} }\n`);
    await using natsd = await start('-c', file);
    await using client = await WireClient.connect(natsd.port);
    const answer = await client.request('$JS.API.STREAM.CREATE.S', body);
    const made = JSON.parse(answer.kind === 'message' ? answer.message.payload : '{}');
    if (strict) expect(made.error).toMatchObject({ code: 400, err_code: 10_025 });
    else expect(made).toMatchObject({ did_create: true });
  }
});

it('asks for what --user, --pass and --auth say', async () => {
  {
    await using natsd = await start('--user', 'me', '--pass', 'secret');
    await using client = await WireClient.connect(natsd.port, { user: 'me', pass: 'secret' });
    expect(client.errors).toEqual([]);
    await expect(WireClient.connect(natsd.port)).rejects.toThrow('Authorization Violation');
  }
  await using natsd = await start('--auth', 'token');
  await using client = await WireClient.connect(natsd.port, { auth_token: 'token' });
  expect(client.errors).toEqual([]);
  await expect(WireClient.connect(natsd.port, { auth_token: 'wrong' })).rejects.toThrow('Authorization Violation');
});

it('names what it cannot do yet and does not start', () => {
  using dir = new TempDir('natsd');
  const file = join(dir.path, 'nats.conf');
  writeFileSync(
    file,
    'cluster { port: 6222 }\nleafnodes {}\nwebsocket {}\nmqtt {}\njetstream { domain: hub }\naccounts {}\n',
  );
  const done = run('-c', file);
  expect(done.status).toBe(1);
  for (const key of ['cluster', 'leafnodes', 'websocket', 'mqtt', 'jetstream.domain', 'accounts']) {
    expect(done.stderr).toContain(`"${key}" is not supported yet by nats-ts`);
  }
  for (const flag of ['routes', 'cluster', 'signal']) {
    expect(run(`-${flag}`, 'x')).toMatchObject({
      status: 1,
      stderr: `nats-server: flag -${flag} is not supported yet by nats-ts\n`,
    });
  }
});

it('writes its process id, which stays, and its ports, which go', async () => {
  using dir = new TempDir('natsd');
  const pidFile = join(dir.path, 'natsd.pid');
  await using natsd = await start('-P', pidFile, '--ports_file_dir', dir.path, '-m', '-1');
  const portsFile = join(dir.path, `natsd_${natsd.pid}.ports`);
  await until('the ports file', () => existsSync(portsFile) && readFileSync(portsFile, 'utf8').endsWith('}'));
  expect(JSON.parse(readFileSync(portsFile, 'utf8'))).toEqual({
    nats: [natsd.url],
    monitoring: [`http://127.0.0.1:${natsd.monitoringPort}`],
  });
  expect(await natsd.stop()).toBe(0);
  expect(readdirSync(dir.path)).toEqual(['natsd.pid']);
  expect(readFileSync(pidFile, 'utf8')).toBe(`${natsd.pid}`);
});

it('does not start when it cannot write its process id, and does when it cannot write its ports', async () => {
  using dir = new TempDir('natsd');
  const none = join(dir.path, 'none');
  const done = run('-a', '127.0.0.1', '-p', '-1', '-P', join(none, 'pid'));
  expect(done.status).toBe(1);
  expect(done.stderr).toContain('[FTL] Could not write pidfile: ');
  expect(done.stderr).toContain(join(none, 'pid'));
  await using natsd = await start('--ports_file_dir', none);
  await natsd.line(/\[ERR\] Error writing ports file to .*none: ENOENT/);
  await using client = await RawClient.connect(natsd.port);
  expect(await client.flush()).toContain('PONG');
});

it('names the one that holds its store directory', async () => {
  using dir = new TempDir('natsd');
  await using natsd = await start('-js', '-sd', dir.path);
  const second = run('-a', '127.0.0.1', '-p', '-1', '-js', '-sd', dir.path);
  expect(second.status).toBe(1);
  expect(second.stderr).toContain("[FTL] Can't start JetStream: ");
  expect(second.stderr).toContain(`${natsd.pid}`);
  // A holder that was killed holds nothing.
  await natsd.kill();
  await using third = await start('-js', '-sd', dir.path);
  expect(await third.stop()).toBe(0);
});

it.each([
  ['SIGTERM', 'terminated'],
  ['SIGINT', 'interrupt'],
] as const)('ends with 0 on %s, sent once or more often', async (signal, name) => {
  using dir = new TempDir('natsd');
  await using natsd = await start('-js', '-sd', dir.path);
  await using client = await RawClient.connect(natsd.port);
  await client.flush();
  natsd.child.kill(signal);
  natsd.child.kill(signal);
  expect(await natsd.ended()).toBe(0);
  expect(natsd.output).toContain(`Trapped "${name}" signal`);
  for (const line of [
    'Initiating Shutdown...',
    'Initiating JetStream Shutdown...',
    'JetStream Shutdown',
    'Server Exiting..',
  ]) {
    expect(natsd.output).toContain(`[INF] ${line}`);
  }
});

it('says what the signals it does not serve yet would do, and goes on', async () => {
  await using natsd = await start();
  natsd.child.kill('SIGHUP');
  await natsd.line(/\[ERR\] Failed to reload server configuration: reloading is not supported yet by nats-ts/);
  natsd.child.kill('SIGUSR1');
  await natsd.line(/File log re-open ignored, not a file logger/);
  await using client = await RawClient.connect(natsd.port);
  expect(await client.flush()).toContain('PONG');
});

it('stops with 0 and survives the other signals while it starts', async () => {
  using dir = new TempDir('natsd');
  // A lock nobody can read is watched for a heartbeat, for some seconds.
  writeFileSync(join(dir.path, '.nats-ts.lock'), 'who knows');
  await using natsd = new ServerProcess(BINARY, { args: ['-a', '127.0.0.1', '-p', '-1', '-js', '-sd', dir.path] });
  await natsd.line(/ {2}ID: /);
  natsd.child.kill('SIGUSR1');
  await natsd.line(/File log re-open ignored, not a file logger/);
  natsd.child.kill('SIGHUP');
  await natsd.line(/Failed to reload server configuration/);
  natsd.child.kill('SIGTERM');
  expect(await natsd.ended()).toBe(0);
  expect(natsd.output).toContain('Server Exiting..');
  expect(natsd.output).not.toContain('Server is ready');
});

// `npm run build` writes down which Node the launchers take.
const hasNodePath = existsSync(join(repositoryRoot, '.tools/node-path'));

it.runIf(hasNodePath)(
  'starts from anywhere, however the shell finds directories and with a node on PATH that is of no use',
  () => {
    using dir = new TempDir('natsd');
    writeFileSync(join(dir.path, 'node'), '#!/bin/sh\nexit 9\n', { mode: 0o755 });
    const env = { ...process.env, CDPATH: `.:${repositoryRoot}`, PATH: `${dir.path}:${process.env['PATH']}` };
    for (const [program, flag] of [
      ['natsd', '-v'],
      ['events-service', 'version'],
    ] as const) {
      const done = spawnSync(`apps/${program}/bin/${program}`, [flag], { cwd: repositoryRoot, env, encoding: 'utf8' });
      expect(done).toMatchObject({ status: 0, stdout: expect.stringMatching(/2\.15\.1/) });
    }
  },
);

it.runIf(process.platform === 'linux')('ends when the store directory can never be made', () => {
  const done = run('-a', '127.0.0.1', '-p', '-1', '-js', '-sd', '/proc/nats-ts/store');
  expect(done.status).toBe(1);
  expect(done.stderr).toMatch(
    /\[FTL\] Can't start JetStream: store directory "\/proc\/nats-ts\/store" cannot be used: ENOENT/,
  );
});
