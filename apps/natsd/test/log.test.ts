import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RawClient, ServerProcess, TempDir, until } from '../../../tests/src/index.ts';
import { BINARY, run } from './support/program.ts';

async function startLogging(file: string, ...args: string[]): Promise<{ natsd: ServerProcess; port: number }> {
  const natsd = new ServerProcess(BINARY, { args: ['-a', '127.0.0.1', '-p', '-1', '-l', file, ...args] });
  const ready = await until('the server is ready', () => {
    const logs = readdirSync(join(file, '..')).map((name) => readFileSync(join(file, '..', name), 'utf8'));
    const all = logs.join('');
    return all.includes('Server is ready') && /Listening for client connections on \S+:(\d+)/.exec(all);
  });
  return { natsd, port: Number(ready[1]) };
}

const BACKUP = /^natsd\.log\.\d{4}\.\d\d\.\d\d\.\d\d\.\d\d\.\d\d\.\d{9}$/;

it('writes lines in the format of nats-server', async () => {
  using dir = new TempDir('log');
  const file = join(dir.path, 'natsd.log');
  const { natsd } = await startLogging(file, '-DV');
  await using _ = natsd;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  let before = '';
  for (const line of lines) {
    const match = /^\[(\d+)\] (\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6}) \[(INF|DBG|WRN|TRC)\] \S*/.exec(line);
    expect(match, line).not.toBeNull();
    expect(match?.[1]).toBe(`${natsd.pid}`);
    expect((match?.[2] ?? '') >= before).toBe(true);
    before = match?.[2] ?? '';
  }
  expect(natsd.output).toBe('');
  expect(statSync(file).mode & 0o777 & ~0o640).toBe(0);
});

it('leaves the time out, or tells it in UTC, when asked', async () => {
  using dir = new TempDir('log');
  const bare = join(dir.path, 'natsd.log');
  {
    const { natsd } = await startLogging(bare, '-T=false');
    await using _ = natsd;
    expect(readFileSync(bare, 'utf8')).toMatch(new RegExp(`^\\[${natsd.pid}\\] \\[INF\\] Starting nats-server\n`));
  }
  const zoned = new ServerProcess(BINARY, {
    args: ['-a', '127.0.0.1', '-p', '-1', '--logtime_utc'],
    env: { TZ: 'Asia/Tokyo' },
  });
  await using _ = zoned;
  const [, hour] = await zoned.line(/\] \d{4}\/\d\d\/\d\d (\d\d):.* Starting nats-server/);
  const now = new Date().getUTCHours();
  expect([now, (now + 23) % 24]).toContain(Number(hour));
});

it('starts a new file at its size limit and keeps as many as told', async () => {
  using dir = new TempDir('log');
  const config = join(dir.path, 'nats.conf');
  const logs = join(dir.path, 'logs');
  mkdirSync(logs);
  const log = join(logs, 'natsd.log');
  writeFileSync(config, `logfile_max_num: 3\nlogfile_size_limit: 2000\ntrace: true\n`);
  const { natsd, port } = await startLogging(log, '-c', config);
  await using _ = natsd;
  await using client = await RawClient.connect(port);
  for (let i = 0; i < 200; i++) client.send(`PUB subject.${i} 5\r\nhello\r\n`);
  await client.flush();
  await until('three files', () => readFileSync(log, 'utf8').includes('Rotated log') && readdirSync(logs).length === 3);
  const names = readdirSync(logs).sort();
  expect(names[0]).toBe('natsd.log');
  for (const name of names.slice(1)) {
    expect(name).toMatch(BACKUP);
    expect(statSync(join(logs, name)).size).toBeGreaterThan(2000);
    expect(statSync(join(logs, name)).size).toBeLessThan(2400);
  }
  expect(readFileSync(log, 'utf8')).toContain(`Rotated log, backup saved as "${join(logs, names[2] ?? '')}"\r\n`);
});

it('goes on logging when it cannot start a new file', async () => {
  using dir = new TempDir('log');
  const { natsd, port } = await startLogging(join(dir.path, 'natsd.log'), '--log_size_limit', '3000', '-V');
  await using _ = natsd;
  renameSync(join(dir.path, 'natsd.log'), join(dir.path, 'moved'));
  await using client = await RawClient.connect(port);
  for (let i = 0; i < 60; i++) client.send(`PUB subject.${i} 5\r\nhello\r\n`);
  await client.flush();
  const text = await until('a complaint', () => {
    const moved = readFileSync(join(dir.path, 'moved'), 'utf8');
    return moved.includes('Unable to rotate the log file') && moved;
  });
  expect(text).toContain('will try again at size 6000');
  expect(await client.flush()).toContain('PONG');
});

it('opens its file again on SIGUSR1, after somebody moved it away', async () => {
  using dir = new TempDir('log');
  const file = join(dir.path, 'natsd.log');
  const { natsd, port } = await startLogging(file);
  await using _ = natsd;
  renameSync(file, `${file}.1`);
  natsd.child.kill('SIGUSR1');
  await until('the new file', () => readdirSync(dir.path).includes('natsd.log'));
  await until('its first line', () => readFileSync(file, 'utf8').includes('[INF] File log re-opened'));
  expect(readFileSync(`${file}.1`, 'utf8')).not.toContain('re-opened');
  await using client = await RawClient.connect(port);
  expect(await client.flush()).toContain('PONG');
});

it('does not start without its log file', () => {
  using dir = new TempDir('log');
  const done = run('-a', '127.0.0.1', '-p', '-1', '-l', join(dir.path, 'none', 'natsd.log'));
  expect(done.status).toBe(1);
  expect(done.stderr).toContain('error opening file: ');
  expect(done.stderr).toContain(join(dir.path, 'none', 'natsd.log'));
});
