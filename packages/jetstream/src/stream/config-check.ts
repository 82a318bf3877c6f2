import { formatGoDuration } from '../consumer/go-duration.ts';
import { type ApiError, apiError, notSupportedYet } from '../errors/api-error.ts';
import type { Integer } from '../json/integer.ts';
import type { PlacementConfig, StreamConfig } from './config.ts';
import type { RawStreamConfig } from './config-schema.ts';
import { checkRepublish, checkSubjects, checkTransform } from './config-subjects.ts';
import { staticMetadata } from './metadata.ts';
import { unsupportedFeature } from './unsupported.ts';

/** Longest name of a stream or consumer, bytes. */
export const NAME_BYTES_MAX = 255;
/** Longest description of a stream or consumer, bytes. */
export const DESCRIPTION_BYTES_MAX: number = 4 * 1024;
/** Keys and values of an asset's metadata together, bytes. */
export const METADATA_BYTES_MAX: number = 128 * 1024;
/** Most replicas nats-server allows; more than one needs a cluster. */
const REPLICAS_MAX = 5;

const NANOS_PER_MS = 1_000_000;
/** duplicate_window of a stream that says nothing. */
const DUPLICATE_WINDOW_DEFAULT_NS = 120_000 * NANOS_PER_MS;
/** Shortest max_age and duplicate_window. */
const WINDOW_MIN_NS = 100 * NANOS_PER_MS;

/** Limits of server and account a stream's configuration is held against. */
export interface ConfigRules {
  /** Server limit of duplicate_window, nanoseconds; 0 = none. */
  readonly duplicateWindowMaxNs: number;
  /** Account: streams must set max_bytes. */
  readonly maxBytesRequired: boolean;
  /** Account: largest max_bytes by storage; ≤ 0 = unlimited. */
  readonly maxStreamBytes: { readonly file: number; readonly memory: number };
}

/** 10052 with the given text. */
export function invalidConfig(text: string): ApiError {
  return apiError('StreamInvalidConfig', { err: text });
}

/**
 * Fills in the defaults of a stream configuration and refuses what is not valid, in the order and with the texts of nats-server
 * (checkStreamCfg; spec/jetstream.md 2.2). Throws ApiError.
 */
export function checkStreamConfig(raw: RawStreamConfig, rules: ConfigRules): StreamConfig {
  checkTexts(raw);
  const unsupported = unsupportedFeature(raw);
  if (unsupported !== null) throw notSupportedYet(unsupported);
  const pedantic = raw.pedantic === true;
  const replicas = checkReplicas(raw.num_replicas ?? 0);
  const counts = checkCounts(raw, pedantic);
  const maxAge = checkMaxAge(raw.max_age ?? 0);
  const duplicateWindow = checkDuplicateWindow(raw.duplicate_window ?? 0, maxAge, rules, pedantic);
  checkDiscard(raw, counts.max_msgs_per_subject);
  const subjects = checkSubjects(raw, replicas);
  const storage = raw.storage ?? 'file';
  const bytesMax = rules.maxStreamBytes[storage];
  if (rules.maxBytesRequired && counts.max_bytes <= 0) throw apiError('StreamMaxBytesRequired');
  if (bytesMax > 0 && counts.max_bytes > bytesMax) throw apiError('StreamMaxStreamBytesExceeded');
  const transform = checkTransform(raw);
  const republish = checkRepublish(raw, subjects, pedantic);
  return {
    name: raw.name ?? '',
    description: raw.description || undefined,
    subjects,
    retention: raw.retention ?? 'limits',
    max_consumers: counts.max_consumers,
    max_msgs: counts.max_msgs,
    max_bytes: counts.max_bytes,
    max_age: maxAge,
    max_msgs_per_subject: counts.max_msgs_per_subject,
    max_msg_size: Number(counts.max_msg_size),
    discard: raw.discard ?? 'old',
    storage,
    num_replicas: replicas,
    no_ack: raw.no_ack || undefined,
    duplicate_window: duplicateWindow || undefined,
    placement: checkPlacement(raw.placement),
    compression: 'none',
    first_seq: checkFirstSeq(raw.first_seq ?? 0) || undefined,
    subject_transform: transform,
    republish,
    allow_direct: raw.allow_direct ?? false,
    mirror_direct: raw.mirror_direct ?? false,
    discard_new_per_subject: raw.discard_new_per_subject || undefined,
    sealed: raw.sealed ?? false,
    deny_delete: raw.deny_delete ?? false,
    deny_purge: raw.deny_purge ?? false,
    allow_rollup_hdrs: raw.allow_rollup_hdrs ?? false,
    consumer_limits: {
      ...(raw.consumer_limits?.inactive_threshold && { inactive_threshold: raw.consumer_limits.inactive_threshold }),
      ...(raw.consumer_limits?.max_ack_pending && { max_ack_pending: raw.consumer_limits.max_ack_pending }),
    },
    allow_msg_ttl: false,
    metadata: staticMetadata(raw.metadata, 0),
  };
}

/** True for a name streams and consumers may have: no white space, dot, wildcard or path separator. */
export function isAssetName(name: string): boolean {
  return name !== '' && !/[ \t\r\n\f.*>\\/]/.test(name);
}

function checkTexts(raw: RawStreamConfig): void {
  const name = raw.name ?? '';
  if (!isAssetName(name)) {
    throw invalidConfig("stream name is required and can not contain '.', '*', '>', '\\', '/'");
  }
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
    throw invalidConfig(`stream name is too long, maximum allowed is ${NAME_BYTES_MAX}`);
  }
  if (Buffer.byteLength(raw.description ?? '') > DESCRIPTION_BYTES_MAX) {
    throw invalidConfig(`stream description is too long, maximum allowed is ${DESCRIPTION_BYTES_MAX}`);
  }
  let bytes = 0;
  for (const [key, value] of Object.entries(raw.metadata ?? {})) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > METADATA_BYTES_MAX) {
    throw invalidConfig(`stream metadata exceeds maximum size of ${METADATA_BYTES_MAX} bytes`);
  }
}

function checkReplicas(replicas: Integer): number {
  if (replicas > REPLICAS_MAX) throw invalidConfig(`maximum replicas is ${REPLICAS_MAX}`);
  if (replicas < 0) throw apiError('ReplicasCountCannotBeNegative');
  return replicas === 0 ? 1 : Number(replicas);
}

const COUNTS = ['max_msgs', 'max_msgs_per_subject', 'max_bytes', 'max_msg_size', 'max_consumers'] as const;

/** 0 and everything below -1 mean -1, unlimited; pedantic requests must not rely on the latter. */
function checkCounts(raw: RawStreamConfig, pedantic: boolean): Record<(typeof COUNTS)[number], Integer> {
  const counts: Record<(typeof COUNTS)[number], Integer> = {
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_bytes: -1,
    max_msg_size: -1,
    max_consumers: -1,
  };
  for (const name of COUNTS) {
    const count = raw[name] ?? 0;
    if (pedantic && count < -1) throw apiError('Pedantic', { err: `${name} must be set to -1` });
    if (count > 0) counts[name] = count;
  }
  return counts;
}

/** Sequences are numbers: a stream cannot begin beyond what they hold. */
function checkFirstSeq(firstSeq: Integer): number {
  if (firstSeq <= Number.MAX_SAFE_INTEGER) return Number(firstSeq);
  throw notSupportedYet(`a first sequence above ${Number.MAX_SAFE_INTEGER} (first_seq)`);
}

function checkMaxAge(maxAge: Integer): Integer {
  if (maxAge < 0) throw invalidConfig('max age can not be negative');
  if (maxAge !== 0 && maxAge < WINDOW_MIN_NS) throw invalidConfig('max age needs to be >= 100ms');
  return maxAge;
}

function checkDuplicateWindow(window: Integer, maxAge: Integer, rules: ConfigRules, pedantic: boolean): Integer {
  const limit = rules.duplicateWindowMaxNs;
  if (window === 0) {
    window = DUPLICATE_WINDOW_DEFAULT_NS;
    if (limit > 0 && window > limit) {
      if (pedantic) throw apiError('Pedantic', { err: 'duplicate window limits are higher than current limits' });
      window = limit;
    }
    if (maxAge !== 0 && maxAge < window) {
      if (pedantic) throw apiError('Pedantic', { err: 'duplicate window cannot be bigger than max age' });
      window = maxAge;
    }
  }
  if (window < 0) throw invalidConfig('duplicates window can not be negative');
  if (maxAge !== 0 && window > maxAge) throw invalidConfig('duplicates window can not be larger then max age');
  if (limit > 0 && window > limit) {
    throw invalidConfig(`duplicates window can not be larger then server limit of ${formatGoDuration(limit)}`);
  }
  if (window < WINDOW_MIN_NS) throw invalidConfig('duplicates window needs to be >= 100ms');
  return window;
}

function checkDiscard(raw: RawStreamConfig, maxMsgsPerSubject: Integer): void {
  if (raw.deny_purge === true && raw.allow_rollup_hdrs === true) {
    throw invalidConfig('roll-ups require the purge permission');
  }
  if (raw.discard_new_per_subject !== true) return;
  if (raw.discard !== 'new') throw invalidConfig('discard new per subject requires discard new policy to be set');
  if (maxMsgsPerSubject <= 0) throw invalidConfig('discard new per subject requires max msgs per subject > 0');
}

/** Accepted, kept and of no effect on a single server (spec/jetstream.md 8); an empty one is dropped unless it names a list of tags. */
function checkPlacement(placement: RawStreamConfig['placement']): PlacementConfig | undefined {
  if (placement === undefined) return undefined;
  if (placement.preferred) throw invalidConfig('preferred server not permitted in placement');
  const kept = {
    ...(placement.cluster && { cluster: placement.cluster }),
    ...(placement.tags !== undefined && placement.tags.length > 0 && { tags: placement.tags }),
  };
  return Object.keys(kept).length === 0 && placement.tags === undefined ? undefined : kept;
}
