import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot, TempDir, until } from '../../../tests/src/index.ts';
import { openLogger } from '../src/index.ts';
import { EXTEND_INTERVAL_MS, SystemdNotifier } from '../src/systemd-notify.ts';
import { ManualClock } from './support/manual-clock.ts';
import { RunningService, serviceEnv } from './support/service.ts';

/** A `systemd-notify` that writes down what it is told, in a folder to be put on PATH. */
function fakeNotify(dir: TempDir): { path: string; told: () => string[] } {
  const file = join(dir.path, 'told');
  const program = join(dir.path, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\n[ -n "$NOTIFY_SOCKET" ] && echo "$*" >> ${file}\n`);
  chmodSync(program, 0o755);
  const told = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
  return { path: `${dir.path}:${process.env['PATH']}`, told };
}

it('tells systemd when it is ready, feeds the watchdog and says that it stops', async () => {
  using dir = new TempDir('events');
  const { path, told } = fakeNotify(dir);
  await using service = await RunningService.start(
    serviceEnv(dir.path, { PATH: path, NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '100000' }),
  );
  await until('the watchdog is fed', () => told().filter((line) => line === 'WATCHDOG=1').length >= 3);
  expect(told()[0]).toBe(`READY=1 STATUS=serving clients on port ${service.port}`);
  expect(await service.process.stop()).toBe(0);
  expect(told().at(-1)).toBe('STOPPING=1 STATUS=stopping');
});

it('tells nobody where nobody listens, and leaves a watchdog alone that is for another process', async () => {
  using dir = new TempDir('events');
  const { path, told } = fakeNotify(dir);
  {
    await using service = await RunningService.start(serviceEnv(dir.path, { PATH: path, WATCHDOG_USEC: '1000' }));
    expect(await service.process.stop()).toBe(0);
    expect(told()).toEqual([]);
  }
  const env = { PATH: path, NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' };
  await using service = await RunningService.start(serviceEnv(dir.path, env));
  await until('it has said that it is ready', () => told().length > 0);
  expect(await service.process.stop()).toBe(0);
  expect(told().filter((line) => line.includes('WATCHDOG'))).toEqual([]);
});

it('serves although systemd cannot be told, and says so once', async () => {
  using dir = new TempDir('events');
  writeFileSync(join(dir.path, 'systemd-notify'), '#!/bin/sh\necho no such socket >&2\nexit 1\n', { mode: 0o755 });
  const path = `${dir.path}:${process.env['PATH']}`;
  const env = { PATH: path, NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '20000' };
  await using service = await RunningService.start(serviceEnv(dir.path, env));
  await until('it says so', () => service.output.includes('systemd-notify failed: no such socket'));
  expect(await service.process.stop()).toBe(0);
  expect(service.output.match(/systemd is not told/g)).toHaveLength(1);
});

it('asks for more time while it recovers', async () => {
  using dir = new TempDir('events');
  const { path, told } = fakeNotify(dir);
  const before = { PATH: process.env['PATH'], NOTIFY_SOCKET: process.env['NOTIFY_SOCKET'] };
  Object.assign(process.env, { PATH: path, NOTIFY_SOCKET: '/run/systemd/notify' });
  try {
    const log = await openLogger({ level: 'error', pretty: false, color: false, file: join(dir.path, 'log') });
    const clock = new ManualClock();
    const notifier = SystemdNotifier.fromEnvironment(process.env, log, clock);
    notifier?.starting(() => 'recovering: 1 of 2 streams');
    clock.advance(EXTEND_INTERVAL_MS);
    clock.advance(EXTEND_INTERVAL_MS);
    await until('systemd is told twice', () => told().length === 2);
    expect(told()[1]).toBe('EXTEND_TIMEOUT_USEC=30000000 STATUS=recovering: 1 of 2 streams');
    notifier?.ready('serving');
    await until('it is ready', () => told().length === 3);
    expect(clock.pending).toBe(0);
  } finally {
    process.env['PATH'] = before.PATH;
    delete process.env['NOTIFY_SOCKET'];
    if (before.NOTIFY_SOCKET !== undefined) process.env['NOTIFY_SOCKET'] = before.NOTIFY_SOCKET;
  }
});

const canVerify = spawnSync('systemd-analyze', ['--version']).status === 0;

it.runIf(canVerify)('has a unit that systemd finds nothing wrong with', () => {
  using dir = new TempDir('events');
  const text = readFileSync(join(repositoryRoot, 'deploy/systemd/events-service.service'), 'utf8');
  const unit = join(dir.path, 'events-service.service');
  // What it starts need not be installed here.
  writeFileSync(unit, text.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true').replace(/^User=.*$/m, 'User=root'));
  const done = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  const complaints = done.stderr.split('\n').filter((line) => line.includes('events-service.service'));
  expect(complaints).toEqual([]);
});
