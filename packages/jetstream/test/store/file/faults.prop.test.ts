import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockCache } from '../../../src/store/file/messages/block-cache.ts';
import type { FileMessages } from '../../../src/store/file/messages/file-messages.ts';
import { isMessage, recordLength, recordSeq } from '../../../src/store/file/messages/record.ts';
import { MessageModel } from '../message-model.ts';
import { append, filterOf, load } from '../support.ts';
import { type Fault, SimDisk } from './sim-disk.ts';
import { dependencies, openStream } from './support.ts';

const OPTIONS = { maxBytes: 1 };
const SUBJECTS = ['a', 'b', 'c'];

type Step =
  | { do: 'append'; subject: number; bytes: number; times: number }
  | { do: 'remove'; at: number; erase: boolean }
  | { do: 'skip'; count: number }
  | { do: 'purge'; filter: number; below: number }
  | { do: 'wait' }
  | { do: 'fault'; fault: Fault };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      subject: fc.nat(2),
      bytes: fc.constantFrom(0, 20, 700, 5000),
      times: fc.constantFrom(1, 2, 12),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('remove' as const), at: fc.nat(60), erase: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('purge' as const), filter: fc.nat(3), below: fc.constantFrom(0, 0, 15) }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'wait' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      fault: fc.record({
        operation: fc.constantFrom(
          'write' as const,
          'write' as const,
          'open' as const,
          'fsyncDir' as const,
          'fdatasync' as const,
          'fsync' as const,
          'rename' as const,
          'unlink' as const,
          'truncate' as const,
        ),
        code: fc.constantFrom('EIO' as const, 'ENOSPC' as const),
        times: fc.constantFrom(1, 1, 3),
      }),
    }),
  },
);

function apply(one: Step, store: FileMessages, model: MessageModel, disk: SimDisk): void {
  const timeMs = 1_000_000 + model.lastSeq;
  if (one.do === 'append') {
    for (let at = 0; at < one.times; at++) {
      const payload = `${at}`.repeat(one.bytes);
      append(store, SUBJECTS[one.subject]!, payload, '', timeMs, 0);
      model.append({ subject: SUBJECTS[one.subject]!, header: '', payload, timeMs, timeNs: 0 });
    }
  } else if (one.do === 'remove') {
    const seq = model.messages[one.at % Math.max(1, model.messages.length)]?.seq ?? 1;
    expect(store.remove(seq, 'user', one.erase)).toBe(model.remove(seq));
  } else if (one.do === 'skip') {
    store.skip(one.count, timeMs, 0);
    model.skip(one.count, timeMs, 0);
  } else if (one.do === 'purge') {
    const filter = one.filter === 3 ? null : filterOf(SUBJECTS[one.filter]!);
    store.purge(filter, one.below, 0, null);
    model.purge(filter, one.below, 0);
  } else if (one.do === 'fault') {
    disk.faults.push({ ...one.fault });
  }
}

/** Waits for the disk, and makes the store writable again for as long as that takes. */
async function settle(store: FileMessages): Promise<void> {
  for (let turns = 0; turns < 100_000; turns++) {
    if (store.failure !== null) await store.recover();
    else if (store.committed === store.applied) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('the store does not come to rest');
}

async function compare(store: FileMessages, model: MessageModel): Promise<void> {
  expect({ ...store.state(), lost: null }).toEqual(model.state());
  for (let seq = 1; seq <= model.lastSeq; seq++) expect(await load(store, seq)).toEqual(model.load(seq));
}

function expectNothingTwice(disk: SimDisk): void {
  const seen = new Set<number>();
  for (const name of disk.list('/S/msgs')) {
    if (!name.endsWith('.blk')) continue;
    const content = disk.content(name);
    for (let at = 0; at < content.length; at += recordLength(content, at)) {
      if (!isMessage(content, at)) continue;
      expect(seen.has(recordSeq(content, at)), `message ${recordSeq(content, at)} is in two places`).toBe(false);
      seen.add(recordSeq(content, at));
    }
  }
}

describe('a failing disk', () => {
  it.each([0, 1000])('costs nothing once it works again (sync interval %d)', async (syncIntervalMs) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const disk = new SimDisk();
        disk.writeMax = 3000;
        // A cache that holds next to nothing: what is not on disk must stay in memory all the same.
        const deps = dependencies(disk, { syncIntervalMs, cache: new BlockCache(1) });
        const store = await openStream('/S', deps, OPTIONS);
        const model = new MessageModel('file');
        for (const one of steps) {
          if (one.do === 'wait' || store.failure !== null) await settle(store);
          apply(one, store, model, disk);
          expect({ ...store.state(), lost: null }).toEqual(model.state());
        }
        await settle(store);
        disk.faults.length = 0;
        await compare(store, model);
        expectNothingTwice(disk);
        const left = await openStream('/S', dependencies(disk.killed(() => 0)), OPTIONS);
        expect(left.recovery).toMatchObject({ lostSeqs: [], tornBytes: 0 });
        if (model.lastSeq > 0) await compare(left, model);
        await store.close();
        await compare(await openStream('/S', dependencies(disk), OPTIONS), model);
      }),
      { numRuns: 150 },
    );
  });
});
