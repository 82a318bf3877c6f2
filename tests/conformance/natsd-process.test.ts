import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { describeTargets, oraclePath, RawClient, repositoryRoot, ServerProcess, TempDir, until } from '../src/index.ts';

describeTargets('nats-server as a program', (target) => {
  const binary = (): string =>
    target.name === 'natsd' ? join(repositoryRoot, 'apps/natsd/bin/natsd') : (oraclePath() ?? '');
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(binary(), args, { encoding: 'utf8', timeout: 20_000 });

  it('prints its version', () => {
    for (const flag of ['-v', '--version', 'version']) {
      expect(run(flag)).toMatchObject({ status: 0, stdout: 'nats-server: v2.15.1\n' });
    }
  });

  it('explains itself, and says what it does not understand', () => {
    expect(run('-h').status).toBe(0);
    expect(run('-h').stdout).toContain('-p, --port <port>');
    const unknown = run('-nope');
    expect(unknown).toMatchObject({ status: 0 });
    expect(unknown.stderr).toContain('flag provided but not defined: -nope');
    expect(run('-p').stderr).toContain('flag needs an argument: -p');
    const word = run('foo');
    expect(word.status).toBe(1);
    expect(word.stderr).toContain('nats-server: unrecognized command: "foo"');
  });

  it('refuses files that are missing or wrong, naming the place', () => {
    using dir = new TempDir('conf');
    const missing = run('-c', join(dir.path, 'none.conf'));
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain('no such file or directory');
    const file = join(dir.path, 'wrong.conf');
    writeFileSync(file, 'port: 4333\nfoo: 1\nmax_payload: abc\n');
    const wrong = run('-c', file);
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toContain(`${file}:2:1: unknown field "foo"`);
    expect(wrong.stderr).toContain(`${file}:3:1: interface conversion: interface {} is string, not int64`);
  });

  it('checks a file without running it', () => {
    using dir = new TempDir('conf');
    const file = join(dir.path, 'ok.conf');
    writeFileSync(file, '{"port":4555}');
    const checked = run('-t', '-c', file);
    expect(checked.status).toBe(0);
    expect(checked.stderr).toContain(`nats-server: configuration file ${file} is valid (sha256:3dc51421e0776eda`);
  });

  it('limits JetStream to three quarters of the memory and of the free disk unless told otherwise', async () => {
    using dir = new TempDir('limits');
    const limitsWith = async (...more: string[]): Promise<{ max_memory: number; max_storage: number }> => {
      const args = ['-a', '127.0.0.1', '-p', '-1', '-m', '-1', '-js', '-sd', join(dir.path, 'not', 'there'), ...more];
      await using server = new ServerProcess(binary(), { args });
      await server.line(/Server is ready/);
      const answer = await fetch(`http://127.0.0.1:${server.monitoringPort}/varz`);
      const { jetstream } = (await answer.json()) as {
        jetstream: { config: { max_memory: number; max_storage: number } };
      };
      return jetstream.config;
    };
    const { bavail, bsize } = statfsSync(dir.path);
    const defaults = await limitsWith();
    expect(defaults.max_memory).toBe(Math.floor(totalmem() / 4) * 3);
    expect(defaults.max_storage / (bavail * bsize)).toBeGreaterThan(0.7);
    expect(defaults.max_storage / (bavail * bsize)).toBeLessThan(0.8);
    const file = join(dir.path, 'limits.conf');
    writeFileSync(file, 'jetstream { max_memory_store: 64MB, max_file_store: 1GB }');
    expect(await limitsWith('-c', file)).toMatchObject({ max_memory: 2 ** 26, max_storage: 2 ** 30 });
  });

  it('writes ports and pid files, logs in the known format and frees the port on SIGTERM', async () => {
    using dir = new TempDir('ports');
    const link = join(dir.path, 'nats-server');
    symlinkSync(binary(), link);
    await using server = new ServerProcess(link, {
      args: ['-a', '127.0.0.1', '-p', '-1', '-m', '-1', '-P', join(dir.path, 'pid'), '--ports_file_dir', dir.path],
    });
    await server.line(/Server is ready/);
    const file = join(dir.path, `nats-server_${server.pid}.ports`);
    await until('the ports file', () => existsSync(file) && readFileSync(file, 'utf8').endsWith('}'));
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      nats: [`nats://127.0.0.1:${server.port}`],
      monitoring: [`http://127.0.0.1:${server.monitoringPort}`],
    });
    expect(readFileSync(join(dir.path, 'pid'), 'utf8')).toBe(`${server.pid}`);
    for (const line of server.output.trim().split('\n')) {
      expect(line).toMatch(
        new RegExp(`^\\[${server.pid}\\] \\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{6} \\[(INF|WRN)\\] `),
      );
    }
    await using client = await RawClient.connect(server.port);
    expect(await client.flush()).toBe('PONG\r\n');
    server.child.kill('SIGTERM');
    expect(await server.ended()).toBe(0);
    expect(await client.untilClosed()).toBe('');
    expect(server.output).toContain('Trapped "terminated" signal');
    expect(server.output).toContain('Server Exiting..');
    expect(existsSync(file)).toBe(false);
  });

  it('says why it cannot listen', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const result = run('-a', '127.0.0.1', '-p', `${port}`);
    blocker.close();
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(
      `[FTL] Error listening on port: 127.0.0.1:${port}, "listen tcp 127.0.0.1:${port}: bind: address already in use"`,
    );
  });

  it('serves the monitoring pages that launchers poll', async () => {
    await using server = await target.start({ args: ['-m', '-1', '-n', 'named'] });
    await using client = await RawClient.connect(server.port);
    client.send('CONNECT {"name":"mon","verbose":false}\r\nSUB a.b 7\r\nPUB a.b 5\r\nhello\r\n');
    await client.flush();
    const base = `http://127.0.0.1:${server.monitoringPort}`;
    const get = async (path: string): Promise<Record<string, unknown>> =>
      (await (await fetch(`${base}${path}`)).json()) as Record<string, unknown>;
    expect(await get('/varz')).toMatchObject({
      server_name: 'named',
      version: '2.15.1',
      connections: 1,
      in_msgs: 1,
      out_msgs: 1,
      max_payload: 1_048_576,
      port: server.port,
    });
    const connz = await get('/connz?subs=1');
    expect(connz).toMatchObject({
      num_connections: 1,
      connections: [{ name: 'mon', in_bytes: 5, subscriptions: 1, subscriptions_list: ['a.b'] }],
    });
    expect(await get('/healthz')).toEqual({ status: 'ok' });
    expect((await fetch(`${base}/nothing`)).status).toBe(404);
    const bad = await fetch(`${base}/connz?limit=x`);
    expect([bad.status, await bad.text()]).toEqual([
      400,
      'Error decoding int for \'limit\': strconv.Atoi: parsing "x": invalid syntax',
    ]);
  });

  it('keeps JetStream where -sd says, with the mode bits of secrets', async () => {
    using dir = new TempDir('sd');
    await using server = await target.start({ args: ['-js', '-sd', dir.path, '-m', '-1'] });
    const jsz = (await (await fetch(`http://127.0.0.1:${server.monitoringPort}/jsz`)).json()) as Record<
      string,
      unknown
    >;
    expect(jsz).toMatchObject({ config: { store_dir: join(dir.path, 'jetstream') }, streams: 0, messages: 0 });
    expect(readdirSync(dir.path)).toContain('jetstream');
    expect(await server.stop()).toBe(0);
  });

  it('answers what it has taken, tells its clients and closes them one by one as a lame duck', async () => {
    using dir = new TempDir('ldm');
    const file = join(dir.path, 'ldm.conf');
    writeFileSync(file, 'lame_duck_duration: "30s"\nlame_duck_grace_period: "1s"\n');
    await using server = await target.start({ args: ['-js', '-sd', dir.path, '-m', '-1', '-D', '-c', file] });
    const official = await connect({ servers: server.url, reconnect: false });
    await (await jetstreamManager(official)).streams.add({ name: 'S', subjects: ['s'] });
    const told = (async () => {
      for await (const { type } of official.status()) if (type === 'ldm') return true;
      return false;
    })();
    await using client = await RawClient.connect(server.port);
    client.send('CONNECT {"verbose":false,"protocol":0}\r\nSUB r 1\r\n');
    await client.flush();
    client.send('PUB s r 1\r\nx\r\nPING\r\n');
    // The server has taken the message. nats-server may drop it between its queues, ours acknowledges it in any case.
    let received = await client.readUntil('PONG\r\n');
    if (target.name !== 'natsd' && !received.includes('"seq":1')) received += await client.readUntil('"seq":1}');
    server.child.kill('SIGUSR2');
    expect(await told).toBe(true);
    // Neither cuts the goodbye short.
    server.child.kill('SIGUSR2');
    await server.line(/user defined signal 2[\s\S]*user defined signal 2/);
    server.child.kill('SIGTERM');
    await official.closed();
    received += await client.untilClosed();
    expect(received).not.toContain('"ldm"');
    expect(received).toContain('{"stream":"S","seq":1}');
    expect(await server.ended()).toBe(0);
    const lines = server.output.split('\n').filter((line) => line.includes('[INF]'));
    const texts = lines.map((line) => line.replace(/^.*\[INF\] /, ''));
    expect(texts.slice(texts.indexOf('Server is ready') + 1)).toEqual([
      'Trapped "user defined signal 2" signal',
      'Entering lame duck mode, stop accepting new clients',
      'Initiating JetStream Shutdown...',
      'JetStream Shutdown',
      'Trapped "user defined signal 2" signal',
      'Trapped "terminated" signal',
      'Closing existing clients',
      'Initiating Shutdown...',
      'Server Exiting..',
    ]);
    expect(server.output.split('Client connection closed: Server Shutdown')).toHaveLength(3);
  });

  it('ends a lame duck at once on SIGINT, and when nobody is connected', async () => {
    await using left = await target.start();
    left.child.kill('SIGUSR2');
    expect(await left.ended()).toBe(0);
    await using server = await target.start({ args: ['-m', '-1'] });
    await using client = await RawClient.connect(server.port);
    await client.flush();
    server.child.kill('SIGUSR2');
    await server.line(/Entering lame duck mode/);
    await expect(RawClient.connect(server.port)).rejects.toThrow('ECONNREFUSED');
    const health = await fetch(`http://127.0.0.1:${server.monitoringPort}/healthz`);
    expect([health.status, await health.json()]).toEqual([
      500,
      { status: 'error', error: 'failed to be ready for connections after 1ms: server' },
    ]);
    expect(await client.flush()).toBe('PONG\r\n');
    server.child.kill('SIGINT');
    expect(await server.ended(5000)).toBe(0);
    expect(server.output).not.toContain('Closing existing clients');
  });

  it('keeps to its grace period as a lame duck whose clients left by themselves', async () => {
    using dir = new TempDir('ldm');
    const file = join(dir.path, 'ldm.conf');
    writeFileSync(file, 'lame_duck_duration: "30s"\nlame_duck_grace_period: "1s"\n');
    await using server = await target.start({ args: ['-c', file] });
    const client = await RawClient.connect(server.port);
    await client.flush();
    server.child.kill('SIGUSR2');
    await server.line(/Entering lame duck mode/);
    // The first PING of a client is answered in lame duck mode too.
    expect(await client.flush()).toBe('PONG\r\n');
    await client[Symbol.asyncDispose]();
    expect(await server.ended()).toBe(0);
    expect(server.output).toMatch(/Closing existing clients[\s\S]*Server Exiting\.\./);
  });
});
