import { describe, expect, it } from 'vitest';
import { BlockCache } from '../../../src/store/file/messages/block-cache.ts';
import { LOST_SEQS_MAX } from '../../../src/store/file/messages/block-loader.ts';
import { blockBytes } from '../../../src/store/file/messages/block-size.ts';
import { UnsupportedStoreError } from '../../../src/store/file/messages/errors.ts';
import type { FileMessages } from '../../../src/store/file/messages/file-messages.ts';
import {
  BLOCK_BYTES_LARGE,
  BLOCK_BYTES_MEDIUM,
  BLOCK_BYTES_MIN,
  BLOCK_GAPS_MAX,
  BLOCK_SUBJECTS_MAX,
  INDEX_DELETED_MAX,
} from '../../../src/store/file/messages/limits.ts';
import { SKIP_RECORDS_MAX } from '../../../src/store/file/messages/log-writer.ts';
import {
  EMPTY_RECORD_BYTES,
  isErased,
  isTombstone,
  recordLength,
  recordSeq,
  writeEmptyRecord,
} from '../../../src/store/file/messages/record.ts';
import { sha256key } from '../../../src/store/hash/highwayhash.ts';
import { append, committed, filterOf, load, loadLast, loadNext, newMessage, storeOptions } from '../support.ts';
import { SimDisk } from './sim-disk.ts';
import { dependencies, LineLog, openStream } from './support.ts';

const SMALL = { maxBytes: 1 };

function blocksOf(disk: SimDisk): string[] {
  const names = disk.list('/S/msgs').filter((name) => name.endsWith('.blk'));
  return names
    .map((name) => name.slice('/S/msgs/'.length))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

/** Waits until `check` holds; the simulated disk needs turns of the event loop, not time. */
async function until(check: () => boolean): Promise<void> {
  for (let turns = 0; turns < 10_000 && !check(); turns++) await new Promise((resolve) => setImmediate(resolve));
  expect(check()).toBe(true);
}

/** The kinds and sequences of a block's records. */
function recordsOf(disk: SimDisk, block: string): string[] {
  const content = disk.content(`/S/msgs/${block}`);
  const records: string[] = [];
  for (let at = 0; at < content.length; at += recordLength(content, at)) {
    const kind = isTombstone(content, at) ? 'tombstone' : isErased(content, at) ? 'erased' : 'message';
    records.push(`${kind} ${recordSeq(content, at)}`);
  }
  return records;
}

describe('block size', () => {
  it.each([
    [{}, BLOCK_BYTES_LARGE],
    [{ retention: 'workqueue' as const }, BLOCK_BYTES_MEDIUM],
    [{ retention: 'interest' as const }, BLOCK_BYTES_MEDIUM],
    [{ maxMsgsPerSubject: 1 }, BLOCK_BYTES_MEDIUM],
    [{ maxBytes: 1000 }, BLOCK_BYTES_MIN],
    [{ maxBytes: 127_996 }, BLOCK_BYTES_MIN],
    [{ maxBytes: 128_000 }, BLOCK_BYTES_MEDIUM],
    [{ maxBytes: 10 * 1024 * 1024 }, BLOCK_BYTES_MEDIUM],
    [{ maxBytes: 32 * 1024 * 1024 }, BLOCK_BYTES_LARGE],
    [{ maxBytes: 1024 ** 4, retention: 'workqueue' as const }, BLOCK_BYTES_LARGE],
  ])('follows nats-server: %o', (options, bytes) => {
    expect(blockBytes(storeOptions(options))).toBe(bytes);
  });

  it('is kept: a record that does not fit starts the next block, and one larger than a block has its own', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    append(store, 'a', 'x'.repeat(BLOCK_BYTES_MIN - 31 - 31));
    append(store, 'a', '');
    append(store, 'a', '');
    append(store, 'a', 'y'.repeat(100_000));
    append(store, 'a', '');
    await committed(store);
    expect(blocksOf(disk)).toEqual(['1.blk', '2.blk', '3.blk', '4.blk']);
    expect(disk.content('/S/msgs/1.blk').length).toBe(BLOCK_BYTES_MIN);
    expect(disk.content('/S/msgs/3.blk').length).toBe(100_031);
  });
});

describe('group commit', () => {
  it('writes what was appended in one turn with one write, and what came meanwhile with the next', async () => {
    const disk = new SimDisk();
    const deps = dependencies(disk);
    const store = await openStream('/S', deps, {});
    append(store, 'a');
    await committed(store);
    const before = deps.stats.syncs;
    for (let at = 0; at < 500; at++) append(store, 'a', 'x'.repeat(100));
    await new Promise((resolve) => setImmediate(resolve));
    for (let at = 0; at < 500; at++) append(store, 'a', 'x'.repeat(100));
    expect(store.committedSeq).toBe(1);
    await committed(store);
    expect(deps.stats.syncs - before).toBe(2);
    expect(deps.stats.lastSyncMs).toBe(1_700_000_000_000);
  });

  it('lets what is not committed be read', async () => {
    const store = await openStream('/S', dependencies(new SimDisk()), {});
    append(store, 'a', 'fresh');
    expect(store.committedSeq).toBe(0);
    expect(store.load(1, newMessage())).toBe('found');
    await store.close();
    expect(store.committedSeq).toBe(1);
  });
});

describe('removals', () => {
  it('leave a tombstone each and overwrite the bytes only when told to', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), {});
    for (const payload of ['kept', 'deleted', 'erased', 'acked', 'last']) append(store, 'a', payload);
    store.remove(2, 'user', false);
    store.remove(3, 'user', true);
    store.remove(4, 'ack', false);
    await committed(store);
    expect(recordsOf(disk, '1.blk')).toEqual([
      'message 1',
      'message 2',
      'erased 3',
      'message 4',
      'message 5',
      'tombstone 2',
      'tombstone 3',
      'tombstone 4',
    ]);
    const text = disk.content('/S/msgs/1.blk').toString('latin1');
    expect(text).toContain('deleted');
    expect(text).not.toContain('erased');
  });

  it('take the file of a block away once all its messages are gone', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < 100; at++) append(store, 'a', 'x'.repeat(1000));
    for (let seq = 1; seq <= 65; seq++) store.remove(seq, 'limit', false);
    await committed(store);
    expect(blocksOf(disk)).toEqual(['3.blk', '4.blk']);
    expect(store.state()).toMatchObject({ messages: 35, firstSeq: 66 });
  });

  it('keep the last sequence when the block that knows it goes', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < 31; at++) append(store, 'a', 'x'.repeat(1000));
    // The tombstones go into the second block, which has no message.
    for (let seq = 1; seq <= 31; seq++) store.remove(seq, 'ack', false);
    await committed(store);
    expect(blocksOf(disk)).toEqual(['2.blk']);
    const left = await openStream('/S', dependencies(disk.killed(() => 0)), SMALL);
    expect(left.state()).toEqual(store.state());
    expect(append(left, 'a')).toBe(32);
  });

  it('keep a block without messages for as long as it says that others are removed', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < 25; at++) append(store, 'a', 'x'.repeat(1000));
    await committed(store);
    for (let at = 0; at < 10; at++) append(store, 'b', 'x'.repeat(1000));
    store.remove(3, 'user', false);
    for (let at = 0; at < 60; at++) append(store, 'c', 'x'.repeat(1000));
    const state = store.state();
    expect(store.purge(filterOf('b'), 0, 0, null)).toBe(10);
    for (let seq = 36; seq <= 60; seq++) store.remove(seq, 'user', false);
    await committed(store);
    const left = await openStream('/S', dependencies(disk.killed(() => 0)), SMALL);
    expect(left.state()).toMatchObject({ messages: state.messages - 35, firstSeq: 1 });
    expect(await load(left, 3)).toBeNull();
  });

  it('have blocks rewritten that are mostly removed messages, and nothing changes by that', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < 100; at++) append(store, `s.${at % 5}`, 'x'.repeat(1000));
    await committed(store);
    const before = disk.content('/S/msgs/1.blk').length;
    for (let seq = 2; seq <= 28; seq++) store.remove(seq, 'user', true);
    await committed(store);
    await until(() => disk.content('/S/msgs/1.blk').length < before / 5);
    expect(recordsOf(disk, '1.blk').slice(0, 2)).toEqual(['message 1', 'message 29']);
    const state = store.state();
    for (let seq = 1; seq <= 30; seq++) expect((await load(store, seq)) === null).toBe(seq > 1 && seq < 29);
    const left = await openStream('/S', dependencies(disk.killed(() => 0)), SMALL);
    expect(left.state()).toEqual(state);
    await store.close();
    const again = await openStream('/S', dependencies(disk), SMALL);
    expect(again.recovery.fromIndex).toBe(true);
    expect(again.state()).toEqual(state);
    expect(again.deletedSeqs()).toEqual(Array.from({ length: 27 }, (_, at) => at + 2));
  });
});

describe('a full purge', () => {
  it('leaves one block that remembers the last sequence, and no other file', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < 100; at++) append(store, 'a', 'x'.repeat(1000));
    store.purge(null, 0, 0, null);
    await committed(store);
    await until(() => disk.list('/S').length === 1);
    expect(recordsOf(disk, '5.blk')).toEqual(['tombstone 100']);
  });

  it.each([
    ['complete', ['/S/__new_msgs__/2.blk'], 0],
    ['not', ['/S/__new_msgs__/2.new'], 3],
  ] as const)(
    'that was begun is finished at the start if its new block is %s there',
    async (_what, files, messages) => {
      const disk = new SimDisk();
      const store = await openStream('/S', dependencies(disk), {});
      for (let at = 0; at < 3; at++) append(store, 'a');
      await committed(store);
      await store.abandon();
      await disk.mkdir('/S/__new_msgs__');
      const block = Buffer.alloc(30);
      writeEmptyRecord(sha256key('S-2'), block, 0, 3, 'tombstone', 5, 0);
      await disk.open(files[0], 'create');
      disk.setContent(files[0], block);
      const again = await openStream('/S', dependencies(disk), {});
      expect(again.state()).toMatchObject({ messages, lastSeq: 3 });
      expect(disk.list('/S')).toEqual([messages === 0 ? '/S/msgs/2.blk' : '/S/msgs/1.blk']);
    },
  );
});

describe('a start', () => {
  async function filled(messages: number): Promise<SimDisk> {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < messages; at++) append(store, `s.${at % 3}`, 'x'.repeat(1000));
    store.remove(5, 'user', false);
    await store.close();
    return disk;
  }

  it('with an index reads no block: only a few bytes of each', async () => {
    const disk = await filled(300);
    disk.reads.length = 0;
    const store = await openStream('/S', dependencies(disk), SMALL);
    expect(store.recovery).toMatchObject({ fromIndex: true, messages: 299 });
    for (const { path, bytes } of disk.reads) if (path.endsWith('.blk')) expect(bytes).toBeLessThan(100);
    expect(store.state()).toMatchObject({ messages: 299, firstSeq: 1, lastSeq: 300, subjects: 3 });
    expect(store.subject('s.1')).toEqual({ count: 99, first: 2, last: 299 });
    expect(store.count(null, 150)).toBe(151);
    for (const { path, bytes } of disk.reads) if (path.endsWith('.blk')) expect(bytes).toBeLessThan(100);
  });

  it('removes the index before the first change, and not before', async () => {
    const disk = await filled(10);
    const store = await openStream('/S', dependencies(disk), SMALL);
    await store.close();
    expect(disk.list('/S/msgs')).toContain('/S/msgs/index.db');
    const again = await openStream('/S', dependencies(disk), SMALL);
    append(again, 'a');
    const stopped = disk.cut(() => 0.999);
    expect(stopped.list('/S/msgs')).toContain('/S/msgs/index.db');
    await committed(again);
    expect(disk.cut(() => 0).list('/S/msgs')).not.toContain('/S/msgs/index.db');
  });

  it.each([
    ['is missing', (disk: SimDisk) => disk.removeTree('/S/msgs/index.db')],
    ['is damaged', (disk: SimDisk) => disk.setContent('/S/msgs/index.db', Buffer.alloc(100, 7))],
    ['is too short', (disk: SimDisk) => disk.setContent('/S/msgs/index.db', Buffer.from([11, 1]))],
    [
      'has one wrong byte',
      (disk: SimDisk) => {
        const file = Buffer.from(disk.content('/S/msgs/index.db'));
        file[20]! ^= 1;
        disk.setContent('/S/msgs/index.db', file);
      },
    ],
    [
      'is older than the last record',
      (disk: SimDisk) => {
        const record = Buffer.alloc(30);
        writeEmptyRecord(sha256key('S-1'), record, 0, 7, 'tombstone', 5, 0);
        disk.setContent('/S/msgs/1.blk', Buffer.concat([disk.content('/S/msgs/1.blk'), record]));
      },
    ],
  ])('reads the blocks when the index %s', async (what, spoil) => {
    const disk = await filled(10);
    await spoil(disk);
    const store = await openStream('/S', dependencies(disk), SMALL);
    expect(store.recovery.fromIndex).toBe(false);
    expect(store.messages).toBe(what.startsWith('is older') ? 8 : 9);
    expect(store.lastSeq).toBe(10);
  });

  it('takes blocks in the order of their numbers, whatever files are beside them', async () => {
    const disk = await filled(400);
    await disk.removeTree('/S/msgs/index.db');
    for (const name of ['3.new', 'index.db.tmp', '7.blk.damaged', 'x.blk', '01x', 'thw.db']) {
      await disk.open(`/S/msgs/${name}`, 'create');
    }
    const store = await openStream('/S', dependencies(disk), SMALL);
    expect(blocksOf(disk).length).toBeGreaterThan(10);
    expect(store.state()).toMatchObject({ messages: 399, lastSeq: 400, lost: null });
    expect(disk.list('/S/msgs')).not.toContain('/S/msgs/3.new');
    expect(disk.list('/S/msgs')).not.toContain('/S/msgs/index.db.tmp');
    expect(disk.list('/S/msgs')).toContain('/S/msgs/thw.db');
  });

  it.each([
    ['compression', '/S/msgs/1.blk', Buffer.from('cmp\x01rest of a compressed block')],
    ['encryption', '/S/msgs/1.key', Buffer.alloc(64)],
    ['encryption', '/S/meta.key', Buffer.alloc(64)],
  ] as const)('refuses a store with %s (%s) and leaves it as it is', async (feature, path, content) => {
    const disk = new SimDisk();
    await disk.mkdir('/S/msgs');
    for (const name of [path, '/S/msgs/2.new', '/S/msgs/index.db']) await disk.open(name, 'create');
    disk.setContent(path, content);
    const files = disk.list('/S');
    const error = await openStream('/S', dependencies(disk), {}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnsupportedStoreError);
    expect(error).toMatchObject({ feature, path });
    expect((error as Error).message).toContain('not supported yet by nats-ts');
    expect(disk.list('/S')).toEqual(files);
  });

  it('refuses a sequence above 2^53 - 1', async () => {
    const disk = new SimDisk();
    await disk.mkdir('/S/msgs');
    await disk.open('/S/msgs/1.blk', 'create');
    const record = Buffer.alloc(30);
    writeEmptyRecord(sha256key('S-1'), record, 0, 2 ** 53, 'erased', 5, 0);
    disk.setContent('/S/msgs/1.blk', record);
    await expect(openStream('/S', dependencies(disk), {})).rejects.toMatchObject({ feature: 'sequence' });
  });

  it('does not take the same sequence twice', async () => {
    const disk = await filled(5);
    await disk.open('/S/msgs/2.blk', 'create');
    const first = disk.content('/S/msgs/1.blk');
    // Two records of the first block once more, sealed for the second.
    const store = await openStream('/T', dependencies(disk), SMALL);
    await store.abandon();
    disk.setContent('/S/msgs/2.blk', first);
    const log = new LineLog();
    const again = await openStream('/S', dependencies(disk, { log }), SMALL);
    expect(again.messages).toBe(4);
    expect(again.lastSeq).toBeGreaterThanOrEqual(5);
  });
});

describe('limits', () => {
  it('sequences skipped at once get a record each up to a number, and one for all beyond', async () => {
    for (const [count, records] of [
      [SKIP_RECORDS_MAX, SKIP_RECORDS_MAX],
      [SKIP_RECORDS_MAX + 1, 1],
    ] as const) {
      const disk = new SimDisk();
      const store = await openStream('/S', dependencies(disk), {});
      store.skip(count, 1, 0);
      await committed(store);
      expect(store.lastSeq).toBe(count);
      expect(disk.content('/S/msgs/1.blk').length).toBe(records * EMPTY_RECORD_BYTES);
      await store.close();
    }
  });

  it('a jump over more sequences than a block may lack starts a new block', async () => {
    const disk = new SimDisk();
    const store = await openStream('/S', dependencies(disk), {});
    append(store, 'a');
    store.skip(BLOCK_GAPS_MAX, 1, 0);
    append(store, 'a');
    await committed(store);
    expect(blocksOf(disk)).toEqual(['1.blk']);
    store.skip(100, 1, 0);
    append(store, 'a');
    await committed(store);
    expect(blocksOf(disk)).toEqual(['1.blk', '2.blk']);
    expect(store.state()).toMatchObject({ messages: 3, deleted: BLOCK_GAPS_MAX + 100 });
    const left = await openStream('/S', dependencies(disk.killed(() => 0)), {});
    expect(left.state()).toEqual(store.state());
  });

  it('a block with more subjects than are remembered is read when a search comes by; one with fewer is not', async () => {
    for (const subjects of [BLOCK_SUBJECTS_MAX, BLOCK_SUBJECTS_MAX + 1]) {
      const disk = new SimDisk();
      const cache = new BlockCache(1);
      const store = await openStream('/S', dependencies(disk, { cache }), { maxBytes: 8_000_000 });
      for (let at = 0; at < subjects; at++) append(store, `many.${at}`, 'x'.repeat(4_000_000 / subjects));
      append(store, 'many.0', 'x'.repeat(300_000));
      for (let at = 0; at < 3; at++) append(store, 'rare', '');
      await committed(store);
      disk.reads.length = 0;
      expect((await loadNext(store, filterOf('r*', 'rar?', 'rare'), 1))?.subject).toBe('rare');
      const read = disk.reads.filter(({ path }) => path === '/S/msgs/1.blk').length;
      if (subjects <= BLOCK_SUBJECTS_MAX) expect(read).toBe(0);
      else expect(read).toBeGreaterThan(0);
      await store.close();
    }
  });

  it('no index is written that would describe more removed sequences than it may', async () => {
    const disk = new SimDisk();
    const log = new LineLog();
    // Two messages with a great gap in one block, as damage or another store may leave.
    await disk.mkdir('/S/msgs');
    await disk.open('/S/msgs/1.blk', 'create');
    const other = new SimDisk();
    const source = await openStream('/S', dependencies(other), { firstSeq: INDEX_DELETED_MAX + 10 });
    append(source, 'a', 'far');
    await committed(source);
    const near = await openStream('/S', dependencies(disk), {});
    append(near, 'a', 'near');
    await committed(near);
    await near.abandon();
    const far = other.content('/S/msgs/1.blk').subarray(30);
    disk.setContent('/S/msgs/1.blk', Buffer.concat([disk.content('/S/msgs/1.blk'), far]));
    const store = await openStream('/S', dependencies(disk, { log }), {});
    expect(store.state()).toMatchObject({ messages: 2, deleted: INDEX_DELETED_MAX + 8 });
    expect((await loadNext(store, null, 2))?.payload).toBe('far');
    expect((await loadLast(store, filterOf('a'), INDEX_DELETED_MAX))?.payload).toBe('near');
    await store.close();
    expect(disk.list('/S/msgs')).not.toContain('/S/msgs/index.db');
  });

  it('lists so many lost sequences and counts the rest', async () => {
    const disk = new SimDisk();
    const first = await openStream('/S', dependencies(disk), { firstSeq: LOST_SEQS_MAX * 2 });
    append(first, 'a');
    await first.close();
    // The index knows of one message more than the block.
    const block = disk.content('/S/msgs/1.blk');
    disk.setContent('/S/msgs/1.blk', block.subarray(0, 30));
    const store = await openStream('/S', dependencies(disk), {});
    expect(store.state().lost?.seqs.length).toBeLessThanOrEqual(LOST_SEQS_MAX);
    expect(store.lastSeq).toBe(LOST_SEQS_MAX * 2);
  });
});

describe('the block cache', () => {
  async function streams(cache: BlockCache, count: number): Promise<FileMessages[]> {
    const disk = new SimDisk();
    const stores: FileMessages[] = [];
    for (let at = 0; at < count; at++) {
      const store = await openStream(`/${at}/S`, dependencies(disk, { cache }), SMALL);
      for (let n = 0; n < 200; n++) append(store, 'a', 'x'.repeat(1000));
      await committed(store);
      stores.push(store);
    }
    return stores;
  }

  it('holds at most its limit over all streams, and drops what was used longest ago', async () => {
    const cache = new BlockCache(300_000);
    const [first, second] = await streams(cache, 2);
    for (const store of [first!, second!])
      for (let seq = 1; seq <= 200; seq++) expect(await load(store, seq)).not.toBeNull();
    expect(cache.bytes).toBeLessThanOrEqual(300_000);
    expect(cache.bytes).toBeGreaterThan(200_000);
    expect(second!.load(200, newMessage())).toBe('found');
    expect(first!.load(1, newMessage())).toBe('cold');
    await first!.close();
    await second!.close();
    expect(cache.bytes).toBe(0);
  });

  it('keeps what is not on disk, whatever its limit', async () => {
    const cache = new BlockCache(1);
    const store = await openStream('/S', dependencies(new SimDisk(), { cache }), SMALL);
    for (let at = 0; at < 100; at++) append(store, 'a', 'x'.repeat(1000));
    expect(cache.bytes).toBeGreaterThan(100_000);
    for (let seq = 1; seq <= 100; seq++) expect(store.load(seq, newMessage())).toBe('found');
    await committed(store);
    await load(store, 1);
    expect(cache.bytes).toBeLessThan(50_000);
  });

  it('answers cold without reading, and warms a block once for all who wait for it', async () => {
    const disk = new SimDisk();
    let store = await openStream('/S', dependencies(disk), SMALL);
    for (let at = 0; at < 10; at++) append(store, 'a', 'x');
    await store.close();
    store = await openStream('/S', dependencies(disk), SMALL);
    disk.reads.length = 0;
    const into = newMessage();
    expect(store.load(3, into)).toBe('cold');
    expect(store.loadNext(null, 4, into)).toBe('cold');
    expect(into.seq).toBe(4);
    expect(disk.reads).toEqual([]);
    await Promise.all([3, 4, 10].map((seq) => new Promise((resolve) => store.warm(seq, resolve))));
    expect(disk.reads.length).toBe(1);
    expect(store.load(3, into)).toBe('found');
    expect(await new Promise((resolve) => store.warm(99, resolve))).toBeNull();
  });

  it('tells who waits for a block that cannot be read', async () => {
    const disk = new SimDisk();
    let store = await openStream('/S', dependencies(disk), SMALL);
    append(store, 'a', 'x');
    await store.close();
    store = await openStream('/S', dependencies(disk), SMALL);
    disk.faults.push({ operation: 'read', code: 'EIO' });
    expect(String(await new Promise((resolve) => store.warm(1, resolve)))).toContain('EIO');
    expect((await load(store, 1))?.payload).toBe('x');
  });
});
