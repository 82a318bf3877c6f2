import type { StorageStats } from '@nats-ts/natsd';
import type { RecoveryFigures } from './recovery-figures.ts';
import type { Sheet } from './sheet.ts';
import { SYNC_BUCKETS_MS, type SyncFigures } from './sync-figures.ts';

export function gatherStore(sheet: Sheet, stats: StorageStats): void {
  sheet.set('nats_store_sync_failures_total', stats.syncFailures);
  sheet.set('nats_store_failing', stats.failing === null ? 0 : 1);
  sheet.set('nats_store_last_sync_timestamp_seconds', stats.lastSyncMs / 1000);
  sheet.set('nats_store_lost_messages_total', stats.lostMessages);
}

export function gatherSyncs(sheet: Sheet, syncs: SyncFigures): void {
  let below = 0;
  SYNC_BUCKETS_MS.forEach((bound, at) => {
    below += syncs.counts[at]!;
    sheet.set('nats_store_sync_duration_seconds', below, { ...sheet.common, le: String(bound / 1000) }, '_bucket');
  });
  sheet.set('nats_store_sync_duration_seconds', syncs.count, { ...sheet.common, le: '+Inf' }, '_bucket');
  sheet.set('nats_store_sync_duration_seconds', syncs.sumMs / 1000, undefined, '_sum');
  sheet.set('nats_store_sync_duration_seconds', syncs.count, undefined, '_count');
  sheet.set('nats_store_synced_messages_total', syncs.messages);
  sheet.set('nats_store_synced_bytes_total', syncs.bytes);
}

export function gatherRecovery(sheet: Sheet, recovery: RecoveryFigures): void {
  sheet.set('nats_recovery_running_streams', recovery.running);
  sheet.set('nats_recovery_streams', recovery.streams);
  sheet.set('nats_recovery_duration_seconds', recovery.seconds);
  sheet.set('nats_recovery_messages', recovery.messages);
  sheet.set('nats_recovery_scanned_streams', recovery.scanned);
  sheet.set('nats_recovery_offline_streams', recovery.offline);
  sheet.set('nats_recovery_lost_messages', recovery.lostMessages);
  sheet.set('nats_recovery_lost_bytes', recovery.lostBytes);
  sheet.set('nats_recovery_damaged_blocks', recovery.damagedBlocks);
  sheet.set('nats_recovery_repaired_records', recovery.repairedRecords);
  sheet.set('nats_recovery_torn_bytes', recovery.tornBytes);
}
