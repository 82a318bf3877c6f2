import type { Clock, Ids, Log } from '../../host.ts';
import type { JetStreamObserver } from '../../observer.ts';
import type { StorageStats } from '../store.ts';
import type { FileSystem } from './file-system.ts';
import type { BlockCache } from './messages/block-cache.ts';
import type { SyncWatch } from './sync-watch.ts';

/** What a file store needs from outside. */
export interface StorageDependencies {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly fs: FileSystem;
  /** Longest time between a write and its sync, ms. 0 = synced before it counts as committed (nats-server's `sync_interval: always`). */
  readonly syncIntervalMs: number;
  /** Bytes of message blocks kept in memory over all streams. */
  readonly blockCacheBytesMax: number;
  /** Told of syncs and of recovery; absent: nobody is. */
  readonly observer?: JetStreamObserver | undefined;
}

/** The same inside of an open store. */
export interface StoreDependencies extends StorageDependencies {
  /** Figures the parts of the store add to. */
  readonly stats: StorageStats;
  /** The message blocks that are in memory. */
  readonly cache: BlockCache;
}

/** The same for one stream. */
export interface StreamDependencies extends StoreDependencies {
  /** Told of the stream's syncs; null: nobody is. */
  readonly watch: SyncWatch | null;
  /** Told while blocks are read at the start; null: nobody is. */
  readonly onBlocksRead: ((blocks: number, total: number) => void) | null;
}

/** Runs one sync and keeps the figures. Times come from the monotonic clock: they are figures, nothing depends on them. */
export async function timedSync(deps: StreamDependencies, sync: () => Promise<void>): Promise<void> {
  const { stats, watch } = deps;
  const start = performance.now();
  const began = watch === null ? 0 : watch.began();
  try {
    await sync();
  } catch (error) {
    stats.syncFailures++;
    stats.failing = (error as Error).message;
    watch?.ended(began, 0, 0, error as Error);
    throw error;
  }
  stats.syncs++;
  stats.syncMicros += Math.round((performance.now() - start) * 1000);
  stats.lastSyncMs = deps.clock.now();
  stats.failing = null;
  watch?.ended(began, 0, 0, null);
}
