import type { StorageStats } from '../store.ts';

/** Figures of a store that has done nothing yet. */
export function emptyStats(): StorageStats {
  return {
    syncs: 0,
    syncFailures: 0,
    lastSyncMs: 0,
    failing: null,
    syncMicros: 0,
    recoveredStreams: 0,
    recoveredMessages: 0,
    lostMessages: 0,
  };
}
