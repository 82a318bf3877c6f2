import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort, repositoryRoot, TempDir } from '../../../tests/src/index.ts';
import { BINARY, run, serviceEnv, writeYaml } from './support/service.ts';

it('prints version, Node and commit', () => {
  const done = run(['version'], {});
  expect(done.status).toBe(0);
  expect(done.stdout).toMatch(
    /^events-service \d+\.\d+\.\d+ \(nats-ts\), behaves as nats-server 2\.15\.1, Node \d+\.\d+\.\d+, commit ([0-9a-f]{40}|unknown)\n$/,
  );
});

it('explains itself when asked, and when told nothing', () => {
  for (const args of [[], ['help'], ['server', '--help']]) {
    const done = run(args, {});
    expect(done.status).toBe(0);
    expect(done.stdout).toContain('events-service command');
  }
});

it('ends with 3 for a command it does not know, with 1 for a flag or an argument', () => {
  expect(run(['foo'], {})).toMatchObject({ status: 3, stdout: "No help topic for 'foo'\n" });
  const flag = run(['-v'], {});
  expect(flag.status).toBe(1);
  expect(flag.stdout).toContain('Incorrect Usage: flag provided but not defined: -v');
  const more = run(['server', 'now'], {});
  expect(more.status).toBe(1);
  expect(more.stdout).toContain('server takes no arguments, got "now"');
});

it('prints the configuration in effect with its sources, secrets masked', () => {
  using dir = new TempDir('events');
  const file = writeYaml(dir.path, 'log:\n  level: warn\n');
  const env = serviceEnv(dir.path, { NATS_DEBUG_TOKEN: 'geheim', NATS_NATS_HOST: '::1' });
  const done = run(['config'], env);
  expect(done).toMatchObject({ status: 0, stderr: '' });
  expect(done.stdout).toContain(`# nats.yaml: ${file}`);
  expect(done.stdout).toMatch(/ {2}level: warn +# .*nats\.yaml:2\n/);
  expect(done.stdout).toMatch(/ {2}host: "::1" +# env NATS_NATS_HOST\n/);
  expect(done.stdout).toMatch(/ {2}store_dir: \S+\/nats +# env OCIS_BASE_DATA_PATH\n/);
  expect(done.stdout).not.toContain('geheim');
  const wrong = run(['config'], serviceEnv(dir.path, { NATS_NATS_PORT: '99999999' }));
  expect(wrong).toMatchObject({ status: 1, stdout: '' });
  expect(wrong.stderr).toContain('env NATS_NATS_PORT: nats.port is "99999999", expected an integer from -1 to 65535');
});

it('prints the reference that stands in the documentation', () => {
  const done = run(['config', '--reference'], { NATS_NATS_PORT: 'abc' });
  expect(done).toMatchObject({ status: 0, stderr: '' });
  expect(readFileSync(join(repositoryRoot, 'docs/events-service.md'), 'utf8')).toContain(done.stdout);
  const more = run(['config', '--everything'], {});
  expect(more.status).toBe(1);
  expect(more.stdout).toContain('config takes no arguments but --reference, got "--everything"');
});

async function health(address: string): Promise<{ code: number | null; stdout: string }> {
  const child = spawn(BINARY, ['health'], {
    env: { ...process.env, NATS_DEBUG_ADDR: address },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout };
}

it('says in one line whether the service is healthy', async () => {
  let answer = { status: 200, body: 'OK', isOurs: true };
  const server = createServer((request, response) => {
    if (answer.isOurs) response.setHeader('X-NATS-VERSION', '1.2.3');
    response.writeHead(request.url === '/readyz' ? answer.status : 404);
    response.end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await health(`127.0.0.1:${port}`)).toEqual({ code: 0, stdout: 'healthy\n' });
  expect(await health(`0.0.0.0:${port}`)).toEqual({ code: 0, stdout: 'healthy\n' });
  answer = { ...answer, isOurs: false };
  expect(await health(`127.0.0.1:${port}`)).toEqual({
    code: 1,
    stdout: `unhealthy: http://127.0.0.1:${port}/readyz: something else answers there, with 200\n`,
  });
  answer = { status: 500, body: 'Internal Server Error\nthe service is recovering\nthe disk is full', isOurs: true };
  expect(await health(`127.0.0.1:${port}`)).toEqual({
    code: 1,
    stdout: 'unhealthy: the service is recovering; the disk is full\n',
  });
  server.close();
  const nobody = await freePort();
  const none = await health(`127.0.0.1:${nobody}`);
  expect(none.code).toBe(1);
  expect(none.stdout).toMatch(new RegExp(`^unhealthy: http://127.0.0.1:${nobody}/readyz: .*ECONNREFUSED.*\n$`));
  const wrong = await health('nonsense');
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toMatch(/^unhealthy: env NATS_DEBUG_ADDR: debug\.addr is "nonsense", expected .*\n$/);
  const off = await health('');
  expect(off.code).toBe(1);
  expect(off.stdout).toMatch(/^unhealthy: NATS_DEBUG_ADDR is empty.*\n$/);
});
