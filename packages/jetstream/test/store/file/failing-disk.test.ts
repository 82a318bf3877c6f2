import { describe, expect, it } from 'vitest';
import { StoreBacklogError, StoreUnavailableError } from '../../../src/store/file/messages/errors.ts';
import type { FileMessages } from '../../../src/store/file/messages/file-messages.ts';
import { WRITE_BACKLOG_BYTES_MAX } from '../../../src/store/file/messages/limits.ts';
import { isMessage, recordLength, recordSeq } from '../../../src/store/file/messages/record.ts';
import { append, committed, filterOf, load, watch } from '../support.ts';
import { type Fault, SimDisk } from './sim-disk.ts';
import { dependencies, LineLog, openStream, TestClock } from './support.ts';

const SMALL = { maxBytes: 1 };

async function failed(store: FileMessages): Promise<Error> {
  for (let turns = 0; turns < 10_000 && store.failure === null; turns++) await turn();
  if (store.failure === null) throw new Error('nothing failed');
  return store.failure;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Sequences of the messages in the block files, in the order of the blocks. */
function sequencesOnDisk(disk: SimDisk): number[] {
  const names = disk.list('/S/msgs').filter((name) => name.endsWith('.blk'));
  names.sort((left, right) => Number.parseInt(left.slice(8), 10) - Number.parseInt(right.slice(8), 10));
  const sequences: number[] = [];
  for (const name of names) {
    const content = disk.content(name);
    for (let at = 0; at < content.length; at += recordLength(content, at)) {
      if (isMessage(content, at)) sequences.push(recordSeq(content, at));
    }
  }
  return sequences;
}

function oneTo(last: number): number[] {
  return Array.from({ length: last }, (_, at) => at + 1);
}

describe('a disk that refuses', () => {
  const faults: [string, Fault][] = [
    ['a write with EIO', { operation: 'write', code: 'EIO' }],
    ['a write with ENOSPC', { operation: 'write', code: 'ENOSPC' }],
    ['to create a block', { operation: 'open', path: /[2-9]\.blk$/, code: 'ENOSPC' }],
    ['to make a new block durable', { operation: 'fsyncDir', path: /msgs$/, code: 'EIO' }],
  ];
  it.each(faults)('%s latches the stream until it recovers, and no sequence is in two blocks', async (_what, fault) => {
    const disk = new SimDisk();
    disk.writeMax = 1000;
    const deps = dependencies(disk);
    const store = await openStream('/S', deps, SMALL);
    const watched = watch(store);
    for (let at = 0; at < 10; at++) append(store, 's.a', 'x'.repeat(1000));
    await committed(store);
    disk.faults.push(fault);
    for (let at = 0; at < 60; at++) append(store, `s.${at % 3}`, 'y'.repeat(1000));
    store.remove(5, 'user', false);
    const error = await failed(store);
    expect(watched.failures).toEqual([error]);
    expect(deps.stats).toMatchObject({ syncFailures: 1, failing: error.message });
    const { applied, committedSeq } = store;
    expect(store.committed).toBeLessThan(applied);
    expect(() => append(store, 's.a')).toThrow(StoreUnavailableError);
    expect(() => store.skip(1, 1, 0)).toThrow(StoreUnavailableError);
    expect(() => store.remove(1, 'user', false)).toThrow(StoreUnavailableError);
    expect(() => store.purge(null, 0, 0, null)).toThrow(StoreUnavailableError);
    expect(store.applied).toBe(applied);
    // Reads go on.
    expect((await load(store, committedSeq))?.seq).toBe(committedSeq);

    expect(await store.recover()).toBe(true);
    expect(store.failure).toBeNull();
    expect(store.committed).toBe(applied);
    expect(deps.stats.failing).toBeNull();
    expect(append(store, 's.a', 'z')).toBe(71);
    await committed(store);
    expect(sequencesOnDisk(disk)).toEqual(oneTo(71));
    const state = store.state();
    expect(state).toMatchObject({ messages: 70, deleted: 1, lost: null });
    const left = await openStream('/S', dependencies(disk.killed(() => 0)), SMALL);
    expect(left.recovery).toMatchObject({ lostSeqs: [], tornBytes: 0, healedBlocks: [] });
    expect(left.state()).toEqual(state);
    for (let seq = 1; seq <= 71; seq++) expect(await load(left, seq)).toEqual(await load(store, seq));
    await store.close();
  });

  it('stays latched for as long as it refuses, and loses nothing by trying', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < 5; at++) append(store, 's.a', 'x'.repeat(100));
    await committed(store);
    disk.capacity = 1500;
    for (let at = 0; at < 20; at++) append(store, 's.a', 'x'.repeat(100));
    expect((await failed(store)).message).toContain('ENOSPC');
    expect(await store.recover()).toBe(false);
    expect(await store.recover()).toBe(false);
    expect(store.failure).not.toBeNull();
    disk.faults.push({ operation: 'unlink', code: 'EIO' });
    disk.capacity = Number.POSITIVE_INFINITY;
    expect(await store.recover()).toBe(false);
    expect(await store.recover()).toBe(true);
    await committed(store);
    expect(sequencesOnDisk(disk)).toEqual(oneTo(25));
    await store.close();
    expect((await openStream('/S', dependencies(disk), SMALL)).messages).toBe(25);
  });

  it('does so once for several callers at a time', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    disk.faults.push({ operation: 'write', code: 'EIO' });
    append(store, 's.a');
    await failed(store);
    expect(await Promise.all([store.recover(), store.recover()])).toEqual([true, true]);
    await store.close();
    expect(sequencesOnDisk(disk)).toEqual([1]);
  });

  it('can be closed while it does; what was committed is there at the next start', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < 5; at++) append(store, 's.a', 'kept');
    await committed(store);
    disk.faults.push({ operation: 'write', code: 'EIO', times: 100 });
    append(store, 's.a', 'never acknowledged');
    await failed(store);
    await store.close();
    expect(disk.list('/S/msgs')).not.toContain('/S/msgs/index.db');
    const again = await openStream('/S', dependencies(disk.killed(() => 0)), SMALL);
    expect(again.messages).toBe(5);
  });

  it('can be closed while a block that is being rewritten waits for it', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < 40; at++) append(store, 's.a', 'x'.repeat(1000));
    await committed(store);
    for (let seq = 2; seq <= 25; seq++) store.remove(seq, 'user', false);
    for (let turns = 0; turns < 1000 && !disk.list('/S/msgs').includes('/S/msgs/1.new'); turns++) await turn();
    disk.faults.push({ operation: 'write', path: /blk$/, code: 'EIO', times: 1000 });
    append(store, 's.a', 'never acknowledged');
    await failed(store);
    await store.close();
    const again = await openStream('/S', dependencies(disk.killed(() => 0)), SMALL);
    expect(again.state()).toMatchObject({ messages: 16, lastSeq: 40 });
  });

  it('refuses a purge, a removal of blocks and an erasure on the way, and does them later', async () => {
    for (const operation of ['rename', 'unlink', 'fsyncDir', 'fdatasync', 'fsync', 'open'] as const) {
      for (const what of ['purge', 'evict', 'erase'] as const) {
        const disk = new SimDisk();
        const store = await openStream('/S', dependencies(disk), SMALL);
        for (let at = 0; at < 70; at++) append(store, 's.a', 'x'.repeat(1000));
        await committed(store);
        disk.faults.push({ operation, code: 'EIO' });
        if (what === 'purge') store.purge(null, 0, 0, null);
        else if (what === 'evict') store.purge(null, 65, 0, null);
        else store.remove(1, 'user', true);
        append(store, 's.a', 'after');
        for (let turns = 0; turns < 5_000 && store.committed < store.applied && store.failure === null; turns++)
          await turn();
        if (store.failure !== null) expect(await store.recover(), `${operation} ${what}`).toBe(true);
        await committed(store);
        const state = store.state();
        expect(state.lastSeq).toBe(71);
        const left = await openStream('/S', dependencies(disk.cut(() => 0)), SMALL);
        expect(left.state(), `${operation} ${what}`).toEqual(state);
        if (what === 'erase') expect(disk.content('/S/msgs/1.blk').subarray(30, 900).includes('xxx')).toBe(false);
        await store.close();
        const again = await openStream('/S', dependencies(disk), SMALL);
        expect(again.state(), `${operation} ${what}`).toEqual(state);
      }
    }
  });

  it('opens a stream whose blocks it will not let be healed', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < 5; at++) append(store, 's.a', 'x'.repeat(400));
    await committed(store);
    await store.abandon();
    const content = Buffer.from(disk.content('/S/msgs/1.blk'));
    content.fill(0, 100, 200);
    disk.setContent('/S/msgs/1.blk', content);
    disk.faults.push({ operation: 'rename', code: 'EIO' });
    const log = new LineLog();
    const again = await openStream('/S', dependencies(disk, { log }), SMALL);
    expect(again.messages).toBe(4);
    expect(log.lines.join('\n')).toContain('could not heal block 1.blk');
    expect(append(again, 's.a', 'more')).toBe(6);
    await committed(again);
    await again.close();
    expect(disk.list('/S')).toContain('/S/1.blk.damaged');
    const healed = await openStream('/S', dependencies(disk), SMALL);
    expect(healed.messages).toBe(5);
  });
});

describe('a disk that does not keep up', () => {
  it('makes appends fail once the backlog is full, and take up again', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), {});
    const large = 'x'.repeat(8 * 1024 * 1024);
    let appended = 0;
    const fill = (): void => {
      for (; appended < 100; appended++) append(store, 's.a', large);
    };
    expect(fill).toThrow(StoreBacklogError);
    expect(appended).toBeGreaterThan(WRITE_BACKLOG_BYTES_MAX / large.length - 1);
    expect(appended).toBeLessThan(WRITE_BACKLOG_BYTES_MAX / large.length + 2);
    expect(store.failure).toBeNull();
    expect(store.messages).toBe(appended);
    await committed(store);
    expect(append(store, 's.a', 'more')).toBe(appended + 1);
    await store.close();
  });
});

describe('with a sync interval', () => {
  it('commits without syncing and syncs when the timer fires', async () => {
    const disk = new SimDisk();
    const clock = new TestClock();
    const deps = dependencies(disk, { clock, syncIntervalMs: 1000 });
    const store = await openStream('/S', deps, {});
    append(store, 's.a', 'one');
    await committed(store);
    expect(deps.stats.syncs).toBe(0);
    expect((await openStream('/S', dependencies(disk.cut(() => 0)), {})).messages).toBe(0);
    expect((await openStream('/S', dependencies(disk.killed(() => 0)), {})).messages).toBe(1);
    clock.fire();
    for (let turns = 0; turns < 100 && deps.stats.syncs === 0; turns++) await turn();
    expect(deps.stats.syncs).toBe(1);
    expect((await openStream('/S', dependencies(disk.cut(() => 0)), {})).messages).toBe(1);
    await store.close();
  });

  it('syncs a block before the next one is begun, and before anything is removed', async () => {
    const disk = new SimDisk();
    const clock = new TestClock();
    const deps = dependencies(disk, { clock, syncIntervalMs: 1000 });
    const store = await openStream('/S', deps, SMALL);
    for (let at = 0; at < 100; at++) append(store, 's.a', 'x'.repeat(1000));
    await committed(store);
    expect(deps.stats.syncs).toBe(3);
    store.purge(null, 90, 0, null);
    await committed(store);
    // Its tombstones are synced before its blocks are unlinked.
    expect(deps.stats.syncs).toBeGreaterThan(3);
    const left = await openStream('/S', dependencies(disk.cut(() => 0)), SMALL);
    expect(left.state()).toEqual(store.state());
    await store.close();
  });

  it('latches when the sync fails, and writes anew what was not synced', async () => {
    const disk = new SimDisk();
    const clock = new TestClock();
    const store = await openStream('/S', dependencies(disk, { clock, syncIntervalMs: 1000 }), {});
    for (let at = 0; at < 3; at++) append(store, 's.a', 'synced');
    await committed(store);
    clock.fire();
    for (let turns = 0; turns < 20; turns++) await turn();
    for (let at = 0; at < 3; at++) append(store, 's.a', 'not synced');
    await committed(store);
    disk.faults.push({ operation: 'fdatasync', code: 'EIO' });
    clock.fire();
    expect((await failed(store)).message).toContain('EIO');
    expect(await store.recover()).toBe(true);
    append(store, 's.a', 'after');
    await store.close();
    expect(sequencesOnDisk(disk)).toEqual(oneTo(7));
    const again = await openStream('/S', dependencies(disk.cut(() => 0)), {});
    expect(again.messages).toBe(7);
    expect(again.count(filterOf('s.a'), 4)).toBe(4);
  });
});
