import type { EncodedJson } from '../json/encode.ts';
import { formatTime, formatTimestamp } from '../json/go-time.ts';
import { committedState } from './committed-state.ts';
import { dynamicMetadata } from './metadata.ts';
import type { Stream } from './stream.ts';

/** What STREAM.INFO adds to the state. */
export interface StateDetails {
  readonly deleted?: boolean;
  readonly subjects?: EncodedJson | undefined;
}

/** StreamState as the API prints it (spec/jetstream.md 2.3). */
export function streamState(stream: Stream, details: StateDetails = {}): Record<string, unknown> {
  const state = committedState(stream);
  const deleted = details.deleted ? stream.messages.deletedSeqs().filter((seq) => seq <= state.lastSeq) : [];
  return {
    messages: state.messages,
    bytes: state.bytes,
    first_seq: state.firstSeq,
    first_ts: formatTimestamp(state.firstTime),
    last_seq: state.lastSeq,
    last_ts: formatTimestamp(state.lastTime),
    num_subjects: state.subjects || undefined,
    subjects: details.subjects,
    num_deleted: state.deleted || undefined,
    deleted: deleted.length === 0 ? undefined : deleted,
    lost:
      state.lost === null
        ? undefined
        : { msgs: state.lost.seqs.length === 0 ? null : state.lost.seqs, bytes: state.lost.bytes },
    consumer_count: stream.registry.visibleCount,
  };
}

/** The configuration as replies show it; LIST shows the stored metadata only. */
export function shownConfig(stream: Stream, withServerMetadata: boolean): Record<string, unknown> {
  if (!withServerMetadata) return { ...stream.config };
  return { ...stream.config, metadata: dynamicMetadata(stream.config.metadata) };
}

/** StreamInfo without what only some replies have. */
export function streamInfo(
  stream: Stream,
  options: { dynamic: boolean; details?: StateDetails },
): Record<string, unknown> {
  return {
    config: shownConfig(stream, options.dynamic),
    created: stream.created,
    state: streamState(stream, options.details),
  };
}

/** `ts` of a reply. */
export function nowText(stream: Stream): string {
  return formatTime(stream.host.clock.now(), 0);
}
