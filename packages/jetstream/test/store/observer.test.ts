import { describe, expect, it, vi } from 'vitest';
import type { JetStreamObserver, StreamRecovery } from '../../src/observer.ts';
import { FileStorage } from '../../src/store/file/file-storage.ts';
import type { ConsumerStore, StreamStore } from '../../src/store/store.ts';
import { ManualClock } from '../manual-clock.ts';
import { anyOptions, consumerMeta, streamMeta, testDependencies } from './dependencies.ts';
import { SimulatedFileSystem } from './simulated-fs.ts';
import { append, committed, storeOptions } from './support.ts';

type Sync = { account: string; stream: string; bytes: number; messages: number; error: string | null };

/** Keeps what it is told. */
class Recorder {
  readonly syncs: Sync[] = [];
  readonly recoveries: { account: string; stream: string; findings: StreamRecovery }[] = [];
  /** What has begun and not ended. */
  readonly open = new Set<number>();
  #next = 1;

  readonly observer: JetStreamObserver = {
    syncs: {
      syncBegan: () => this.#begin(),
      syncEnded: (began, account, stream, bytes, messages, error) => {
        this.#end(began);
        this.syncs.push({ account, stream, bytes, messages, error: error?.message ?? null });
      },
    },
    recovery: {
      recoveryBegan: () => this.#begin(),
      recoveryEnded: (began, account, stream, findings) => {
        this.#end(began);
        this.recoveries.push({ account, stream, findings });
      },
    },
  };

  #begin(): number {
    this.open.add(this.#next);
    return this.#next++;
  }

  #end(began: number): void {
    expect(this.open.delete(began)).toBe(true);
  }
}

const STORE = '/store';

async function createStream(storage: FileStorage): Promise<StreamStore> {
  return storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
}

/** Resolves when the consumer's state is durable. */
function synced(consumer: ConsumerStore): Promise<void> {
  return new Promise((resolve, reject) => consumer.sync((error) => (error === null ? resolve() : reject(error))));
}

describe('syncs', () => {
  it('are told with what they made durable, one per group', async () => {
    const { observer, syncs, open } = new Recorder();
    const storage = await FileStorage.open(STORE, testDependencies({ observer }, new SimulatedFileSystem()));
    const stream = await createStream(storage);
    for (let at = 0; at < 5; at++) append(stream.messages, 'S.a', 'payload');
    await committed(stream.messages);
    append(stream.messages, 'S.a', 'payload');
    await committed(stream.messages);
    const bytes = stream.messages.bytes / 6;
    expect(syncs).toEqual([
      { account: '$G', stream: 'S', bytes: 5 * bytes, messages: 5, error: null },
      { account: '$G', stream: 'S', bytes, messages: 1, error: null },
    ]);
    expect(open.size).toBe(0);
    await storage.close();
  });

  it('are told when there is a sync interval, and not the writes between them', async () => {
    const { observer, syncs } = new Recorder();
    const clock = new ManualClock();
    const deps = testDependencies({ observer, clock, syncIntervalMs: 100 }, new SimulatedFileSystem());
    const storage = await FileStorage.open(STORE, deps);
    const stream = await createStream(storage);
    for (let at = 0; at < 3; at++) {
      append(stream.messages, 'S.a', 'payload');
      await committed(stream.messages);
    }
    expect(syncs).toEqual([]);
    clock.advance(100);
    await vi.waitUntil(() => syncs.length > 0);
    expect(syncs).toEqual([{ account: '$G', stream: 'S', bytes: stream.messages.bytes, messages: 3, error: null }]);
    await storage.close();
  });

  it('that fail are told with the error', async () => {
    const { observer, syncs, open } = new Recorder();
    const disk = new SimulatedFileSystem();
    const storage = await FileStorage.open(STORE, testDependencies({ observer }, disk));
    const stream = await createStream(storage);
    append(stream.messages, 'S.a', 'payload');
    await committed(stream.messages);
    disk.fault = ({ name }) => (name === 'write' ? 'ENOSPC' : null);
    append(stream.messages, 'S.a', 'payload');
    await vi.waitUntil(() => stream.messages.failure !== null);
    expect(syncs[1]).toEqual({
      account: '$G',
      stream: 'S',
      bytes: 0,
      messages: 0,
      error: expect.stringContaining('ENOSPC'),
    });
    expect(open.size).toBe(0);
    disk.fault = () => null;
    await storage.close();
  });

  it('of consumer state are told too', async () => {
    const { observer, syncs } = new Recorder();
    const storage = await FileStorage.open(STORE, testDependencies({ observer }, new SimulatedFileSystem()));
    const stream = await createStream(storage);
    const consumer = await stream.createConsumer('C', consumerMeta('C'), false);
    consumer.setExporter(() => ({
      delivered: { consumerSeq: 1, streamSeq: 1 },
      ackFloor: { consumerSeq: 0, streamSeq: 0 },
      pending: new Map(),
      redelivered: new Map(),
    }));
    consumer.delivered(1, 1, 1, 1_000);
    await synced(consumer);
    expect(syncs.length).toBeGreaterThan(0);
    for (const sync of syncs) expect(sync).toEqual({ account: '$G', stream: 'S', bytes: 0, messages: 0, error: null });
    await storage.close();
  });
});

describe('recovery', () => {
  it('is told per stream, with its damage', async () => {
    const disk = new SimulatedFileSystem();
    const first = await FileStorage.open(STORE, testDependencies({}, disk));
    const stream = await createStream(first);
    for (let at = 0; at < 10; at++) append(stream.messages, 'S.a', 'x'.repeat(1_000));
    await committed(stream.messages);
    await first.close();
    await disk.unlink(`${STORE}/jetstream/$G/streams/S/msgs/index.db`);
    const block = disk.files().get(`${STORE}/jetstream/$G/streams/S/msgs/1.blk`)!;
    block.fill(0xff, 2_200, 2_300);
    const { observer, recoveries, open } = new Recorder();
    const storage = await FileStorage.open(STORE, testDependencies({ observer }, disk));
    await storage.recoverAccount('$G', anyOptions);
    expect(open.size).toBe(0);
    expect(recoveries.map(({ account, stream: name }) => [account, name])).toEqual([['$G', 'S']]);
    expect(recoveries[0]?.findings).toMatchObject({
      offline: null,
      messages: 9,
      fromIndex: false,
      lostMessages: 1,
      damagedBlocks: 1,
      repairedRecords: 0,
      tornBytes: 0,
    });
    expect(recoveries[0]?.findings.lostBytes).toBeGreaterThan(1_000);
    expect(recoveries[0]?.findings.durationMs).toBeGreaterThanOrEqual(0);
    await storage.close();
  });

  it('of a stream that cannot run is told with the reason', async () => {
    const disk = new SimulatedFileSystem();
    const first = await FileStorage.open(STORE, testDependencies({}, disk));
    await createStream(first);
    await first.close();
    const { observer, recoveries } = new Recorder();
    const storage = await FileStorage.open(STORE, testDependencies({ observer }, disk));
    await storage.recoverAccount('$G', () => ({ offline: 'not today' }));
    expect(recoveries[0]?.findings).toMatchObject({ offline: 'not today', messages: 0, lostMessages: 0 });
    await storage.close();
  });
});

describe('the progress of a recovery', () => {
  it('is told stream by stream, and block by block where blocks are read', async () => {
    const disk = new SimulatedFileSystem();
    const first = await FileStorage.open(STORE, testDependencies({}, disk));
    const stream = await createStream(first);
    for (let at = 0; at < 10; at++) append(stream.messages, 'S.a', 'x'.repeat(1_000));
    await committed(stream.messages);
    await first.close();
    const told: unknown[] = [];
    const progress = {
      streamsFound: (...args: unknown[]) => told.push(['found', ...args]),
      blocksRead: (...args: unknown[]) => told.push(['blocks', ...args]),
      streamRead: (...args: unknown[]) => told.push(['read', ...args]),
    };
    const open = async (): Promise<void> => {
      const storage = await FileStorage.open(STORE, testDependencies({ observer: { progress } }, disk));
      await storage.recoverAccount('$G', anyOptions);
      await storage.close();
    };
    await open();
    expect(told).toEqual([
      ['found', '$G', 1],
      ['read', '$G', 'S', 10],
    ]);
    told.length = 0;
    await disk.unlink(`${STORE}/jetstream/$G/streams/S/msgs/index.db`);
    await open();
    expect(told).toEqual([
      ['found', '$G', 1],
      ['blocks', '$G', 'S', 1, 1],
      ['read', '$G', 'S', 10],
    ]);
  });
});
