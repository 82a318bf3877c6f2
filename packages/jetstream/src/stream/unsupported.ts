import type { RawStreamConfig } from './config-schema.ts';

/**
 * The first feature of a stream configuration that nats-ts does not have yet, named as the user wrote it; null = all are there.
 * Nothing is accepted and ignored: STREAM.CREATE and UPDATE refuse these, and a stored stream with one stays offline.
 */
export function unsupportedFeature(config: RawStreamConfig): string | null {
  if (config.mirror !== undefined) return 'a stream mirror (mirror)';
  if (config.sources !== undefined && config.sources.length > 0) return 'stream sourcing (sources)';
  if (config.compression === 's2') return 'stream compression "s2" (compression)';
  if (config.allow_msg_ttl === true) return 'per-message TTL (allow_msg_ttl)';
  if ((config.subject_delete_marker_ttl ?? 0) !== 0) return 'delete markers (subject_delete_marker_ttl)';
  if (config.allow_msg_counter === true) return 'message counters (allow_msg_counter)';
  if (config.allow_atomic === true) return 'atomic batch publishing (allow_atomic)';
  if (config.allow_batched === true) return 'fast batch publishing (allow_batched)';
  if (config.allow_msg_schedules === true) return 'message scheduling (allow_msg_schedules)';
  if (config.persist_mode === 'async') return 'the persist mode "async" (persist_mode)';
  return null;
}
