import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeFileSystem } from '../../src/store/file/file-system.ts';
import { ATTEMPTS_MAX, HEARTBEAT_DEAD_MS, HEARTBEAT_MS, StoreLockedError } from '../../src/store/file/store-lock.ts';
import { ManualClock, turns } from '../manual-clock.ts';
import { countingIds, openStorage, testDependencies } from './dependencies.ts';

const HOLDER = fileURLToPath(new URL('./lock-holder.ts', import.meta.url));

describe('store lock', () => {
  let directory: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'nats-ts-lock-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child);
    rmSync(directory, { recursive: true, force: true });
  });

  const lockPath = (): string => join(directory, '.nats-ts.lock');
  const content = (): Record<string, unknown> => JSON.parse(readFileSync(lockPath(), 'utf8'));

  function holder(): ChildProcess {
    const child = spawn(process.execPath, ['--conditions=@nats-ts/source', HOLDER, directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }

  /** The line the process says first. */
  async function said(child: ChildProcess): Promise<string> {
    let text = '';
    for await (const chunk of child.stdout!) {
      text += chunk;
      if (text.includes('\n')) break;
    }
    return text.trim();
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  const own = () => openStorage(directory, testDependencies({ ids: countingIds('V') }));

  it('keeps a second process out and tells who is in', async () => {
    const first = holder();
    expect(await said(first)).toBe('open');
    const second = holder();
    expect(await said(second)).toBe(
      `StoreLockedError: store directory "${directory}" is in use by process ${first.pid}: only one process may have it open`,
    );
    await expect(own()).rejects.toThrow(StoreLockedError);
    await expect(own()).rejects.toMatchObject({ pid: first.pid });
  });

  it('lets the next one in as soon as the first has closed', async () => {
    const first = holder();
    await said(first);
    first.stdin!.write('close\n');
    await once(first, 'exit');
    expect(existsSync(lockPath())).toBe(false);
    await (await own()).close();
  });

  it('lets the next one in at once when the first was killed', async () => {
    const first = holder();
    await said(first);
    await kill(first);
    expect(content()['pid']).toBe(first.pid);
    // With a clock that stands still, waiting for a heartbeat would never end.
    const deps = testDependencies({ clock: new ManualClock(), ids: countingIds('V') });
    const storage = await openStorage(directory, deps);
    expect(content()['pid']).toBe(process.pid);
    expect(deps.log.of('INF').join()).toContain(`process ${first.pid}, which is gone`);
    await storage.close();
    expect(readdirSync(directory)).toEqual(['jetstream']);
  });

  it('lets exactly one of several in after a kill', async () => {
    const first = holder();
    await said(first);
    await kill(first);
    const rivals = [holder(), holder(), holder()];
    const answers = await Promise.all(rivals.map(said));
    expect(answers.filter((answer) => answer === 'open')).toHaveLength(1);
    expect(answers.filter((answer) => answer.startsWith('StoreLockedError'))).toHaveLength(2);
  });

  it('clears away the guard of one that died while it took over', async () => {
    const first = holder();
    await said(first);
    await kill(first);
    writeFileSync(`${lockPath()}.takeover`, readFileSync(lockPath()));
    writeFileSync(`${lockPath()}.prepared`, readFileSync(lockPath()));
    await (await own()).close();
    expect(readdirSync(directory)).toEqual(['jetstream']);
  });

  it('refuses a second store on the directory within one process', async () => {
    const storage = await own();
    await expect(own()).rejects.toThrow(`in use by process ${process.pid}`);
    await storage.close();
    await (await own()).close();
  });

  it('gives up when the lock changes hands whenever it is tried for', async () => {
    let attempts = 0;
    class BusyFileSystem extends NodeFileSystem {
      override async link(): Promise<void> {
        // One more than that, and the lock is there to be had.
        if (++attempts <= ATTEMPTS_MAX) throw Object.assign(new Error('taken'), { code: 'EEXIST' });
      }
    }
    const opening = openStorage(directory, testDependencies({ ids: countingIds('V') }, new BusyFileSystem()));
    await expect(opening).rejects.toThrow(`store directory "${directory}": lock changes hands all the time`);
    expect(attempts).toBe(ATTEMPTS_MAX);
  });

  it('is not fooled by another process that got the pid of the dead holder', async () => {
    writeLock({ start: '1' });
    const storage = await openStorage(directory, testDependencies({ clock: new ManualClock(), ids: countingIds('V') }));
    await storage.close();
  });

  describe('where the holder cannot be looked at', () => {
    // Another container sees the same boot but other pids.
    const elsewhere = { pidNamespace: 'pid:[1]', pid: 1 };

    it('keeps out while its heart beats', async () => {
      const clock = new ManualClock();
      writeLock({ ...elsewhere, beatMs: clock.now() });
      const opening = openStorage(directory, testDependencies({ clock, ids: countingIds('V') }));
      const refused = expect(opening).rejects.toThrow(/process 1 in another container or on another machine/);
      await watching(clock);
      writeLock({ ...elsewhere, beatMs: clock.now() + 1 });
      await passing(clock, 300);
      await refused;
    });

    it('takes over when it has stood still for long enough, not before', async () => {
      const clock = new ManualClock();
      writeLock({ ...elsewhere, beatMs: clock.now() });
      let isOpen = false;
      const opening = openStorage(directory, testDependencies({ clock, ids: countingIds('V') })).finally(() => {
        isOpen = true;
      });
      await watching(clock);
      await passing(clock, HEARTBEAT_DEAD_MS - 500);
      expect(isOpen).toBe(false);
      await passing(clock, 1000);
      await (await opening).close();
    });

    it('takes over at once when the last beat is long past', async () => {
      const clock = new ManualClock();
      writeLock({ boot: 'before the reboot', beatMs: clock.now() - 61_000 });
      await (await openStorage(directory, testDependencies({ clock, ids: countingIds('V') }))).close();
    });

    it('takes over from a lock that makes no sense, after watching it', async () => {
      const clock = new ManualClock();
      writeFileSync(lockPath(), 'garbage');
      const opening = openStorage(directory, testDependencies({ clock, ids: countingIds('V') }));
      await watching(clock);
      await passing(clock, HEARTBEAT_DEAD_MS + 500);
      await (await opening).close();
    });
  });

  it('shows that it lives', async () => {
    const clock = new ManualClock();
    const storage = await openStorage(directory, testDependencies({ clock, ids: countingIds('V') }));
    const before = content();
    expect(before).toMatchObject({ pid: process.pid, beatMs: clock.now() });
    clock.advance(HEARTBEAT_MS);
    await until(() => content()['beatMs'] === clock.now());
    expect(content()).toEqual({ ...before, beatMs: clock.now() });
    await storage.close();
  });

  it('refuses to go on once another process has taken its lock', async () => {
    const clock = new ManualClock();
    const deps = testDependencies({ clock, ids: countingIds('V') });
    const storage = await openStorage(directory, deps);
    writeLock({ pid: 4242, token: 'another' });
    clock.advance(HEARTBEAT_MS);
    await until(() => deps.log.of('ERR').length > 0);
    expect(deps.log.of('ERR').join()).toMatch(/lost to another process.*taken by process 4242/);
    expect(storage.stats.failing).toContain('4242');
    await storage.close();
    // The lock is the other's now.
    expect(content()['token']).toBe('another');
  });

  function writeLock(overrides: Record<string, unknown>): void {
    const known = existsSync(lockPath()) ? content() : {};
    const identity = {
      pid: process.pid,
      start: '0',
      boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      pidNamespace: ownNamespace(),
      token: 'theirs',
      beatMs: 0,
    };
    writeFileSync(lockPath(), JSON.stringify({ ...identity, ...known, ...overrides }));
    // Coarse time stamps must not make a difference.
    utimesSync(lockPath(), 1, 1);
  }
});

function ownNamespace(): string {
  const { readlinkSync } = process.getBuiltinModule('node:fs');
  return readlinkSync('/proc/self/ns/pid');
}

/** The opener waits for a sign of the holder. */
async function watching(clock: ManualClock): Promise<void> {
  await until(() => clock.timers > 0);
}

/** Moves time in steps, as long as the opener takes to look in between. */
async function passing(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    clock.advance(100);
    const { timers } = clock;
    for (let tries = 0; clock.timers <= timers && tries < 30; tries++) await turns(2);
  }
}

async function until(check: () => boolean, withinMs = 5000): Promise<void> {
  for (const end = performance.now() + withinMs; !check(); ) {
    if (performance.now() > end) throw new Error('not in time');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
