import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TempDir, until } from '../../../tests/src/index.ts';
import { DISK_POLL_INTERVAL_MS, type DiskSpace, readSpace } from '../src/disk-watch.ts';
import { createEventsService, type EventsService } from '../src/index.ts';
import { ManualClock } from './support/manual-clock.ts';
import { type LogLine, logLines } from './support/service.ts';

const GIB = 1024 ** 3;

/** A service on a disk of 100 GiB that is as full as the test says. */
async function onDisk(
  dir: TempDir,
  nats: object = {},
): Promise<{ service: EventsService; set: (percent: number | Error) => Promise<void>; lines: () => LogLine[] }> {
  const clock = new ManualClock();
  const log = join(dir.path, 'log');
  let usedPercent: number | Error = 50;
  let looks = 0;
  const space = async (): Promise<DiskSpace> => {
    looks++;
    if (typeof usedPercent !== 'number') throw usedPercent;
    return { totalBytes: 100 * GIB, freeBytes: (100 - usedPercent) * GIB, usedPercent };
  };
  const service = await createEventsService({
    nats: { port: -1, storeDir: dir.path, ...nats },
    debug: { addr: '' },
    log: { file: log },
    clock,
    readSpace: space,
  });
  await until('the first look', () => looks === 1 && clock.pending > 0);
  return {
    service,
    set: async (percent) => {
      usedPercent = percent;
      const before = looks;
      clock.advance(DISK_POLL_INTERVAL_MS);
      await until('a look', () => looks > before && clock.pending > 0);
    },
    lines: () => logLines(readFileSync(log, 'utf8')).filter(({ message }) => message.includes('disk of')),
  };
}

it('warns with numbers, at any log level, long before the disk is full, and once per crossing', async () => {
  using dir = new TempDir('events');
  const { service, set, lines } = await onDisk(dir);
  await using _ = service;
  expect(service.disk.space).toMatchObject({ usedPercent: 50 });
  await set(79.9);
  expect(lines()).toEqual([]);
  await set(82);
  await set(85);
  // Hovering around the threshold is one crossing.
  await set(79.5);
  await set(80.5);
  expect(service.disk.level).toBe('warning');
  expect(lines()).toHaveLength(1);
  expect(lines()[0]).toMatchObject({
    level: 'warn',
    used_percent: 82,
    free_bytes: 18 * GIB,
    total_bytes: 100 * GIB,
    directory: dir.path,
  });
  expect(lines()[0]?.message).toContain('is 82 % full: 18.0 GiB of 100.0 GiB free (NATS_DISK_WARN_PERCENT=80)');
  expect(lines()[0]?.message).toContain('NATS_MAIN_QUEUE_MAX_AGE');
  await set(96);
  expect(service.disk.level).toBe('critical');
  expect(lines()[1]).toMatchObject({ level: 'error' });
  expect(lines()[1]?.message).toContain('4.0 GiB of 100.0 GiB free; publishers are refused when it is full');
  await set(60);
  expect(service.disk.level).toBe('ok');
  expect(lines()[2]).toMatchObject({ level: 'info' });
  await set(81);
  expect(lines()).toHaveLength(4);
});

it('takes its thresholds from the settings, 0 being none, and gives no advice that was followed', async () => {
  using dir = new TempDir('events');
  const { service, set, lines } = await onDisk(dir, {
    diskWarnPercent: 0,
    diskCriticalPercent: 60,
    mainQueueMaxAgeMs: 3_600_000,
  });
  await using _ = service;
  await set(59);
  expect(lines()).toEqual([]);
  await set(61);
  expect(lines().map(({ level }) => level)).toEqual(['error']);
  expect(lines()[0]?.message).not.toContain('NATS_MAIN_QUEUE_MAX_AGE');
});

it('goes on when the disk cannot be asked', async () => {
  using dir = new TempDir('events');
  const { service, set, lines } = await onDisk(dir);
  await using _ = service;
  await set(new Error('EIO'));
  await set(90);
  expect(lines().map(({ level }) => level)).toEqual(['warn']);
  expect(service.unready()).toEqual([]);
});

it('reads the room of a real disk', async () => {
  using dir = new TempDir('events');
  const space = await readSpace(dir.path);
  expect(space.totalBytes).toBeGreaterThan(space.freeBytes);
  expect(space.usedPercent).toBeGreaterThanOrEqual(0);
  expect(space.usedPercent).toBeLessThanOrEqual(100);
  await expect(readSpace(join(dir.path, 'nothing'))).rejects.toThrow('ENOENT');
});
