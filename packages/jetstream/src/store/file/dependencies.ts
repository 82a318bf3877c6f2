import type { Clock, Ids, Log } from '../../host.ts';
import type { StorageStats } from '../store.ts';
import type { FileSystem } from './file-system.ts';
import type { BlockCache } from './messages/block-cache.ts';

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
}

/** The same inside of an open store. */
export interface StoreDependencies extends StorageDependencies {
  /** Figures the parts of the store add to. */
  readonly stats: StorageStats;
  /** The message blocks that are in memory. */
  readonly cache: BlockCache;
}

/** Runs one sync and keeps the figures. Times come from the monotonic clock: they are figures, nothing depends on them. */
export async function timedSync(deps: StoreDependencies, sync: () => Promise<void>): Promise<void> {
  const { stats } = deps;
  const start = performance.now();
  try {
    await sync();
  } catch (error) {
    stats.syncFailures++;
    stats.failing = (error as Error).message;
    throw error;
  }
  stats.syncs++;
  stats.syncMicros += Math.round((performance.now() - start) * 1000);
  stats.lastSyncMs = deps.clock.now();
  stats.failing = null;
}
