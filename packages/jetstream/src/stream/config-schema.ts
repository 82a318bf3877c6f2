import type { Integer } from '../json/integer.ts';
import { enumSchema, listSchema, type ObjectSchema, objectSchema } from '../json/schema.ts';
import type { Discard, Retention, StorageKind } from './config.ts';

const transform = objectSchema('SubjectTransformConfig', { src: 'string', dest: 'string' });

const streamSource = objectSchema('StreamSource', {
  name: 'string',
  opt_start_seq: 'uint64',
  opt_start_time: 'time',
  filter_subject: 'string',
  subject_transforms: listSchema(transform),
  external: objectSchema('ExternalStream', { api: 'string', deliver: 'string' }),
  consumer: objectSchema('StreamConsumerSource', { name: 'string', deliver_subject: 'string' }),
});

const fields = {
  name: 'string',
  description: 'string',
  subjects: 'strings',
  retention: enumSchema(['limits', 'interest', 'workqueue']),
  max_consumers: 'int',
  max_msgs: 'int64',
  max_bytes: 'int64',
  max_age: 'duration',
  max_msgs_per_subject: 'int64',
  max_msg_size: 'int32',
  discard: enumSchema(['old', 'new']),
  storage: enumSchema(['file', 'memory']),
  num_replicas: 'int',
  no_ack: 'bool',
  duplicate_window: 'duration',
  placement: objectSchema('Placement', { cluster: 'string', tags: 'strings', preferred: 'string' }),
  mirror: streamSource,
  sources: listSchema(streamSource),
  compression: enumSchema(['none', 's2'], refuseCompression),
  first_seq: 'uint64',
  subject_transform: transform,
  republish: objectSchema('RePublish', { src: 'string', dest: 'string', headers_only: 'bool' }),
  allow_direct: 'bool',
  mirror_direct: 'bool',
  discard_new_per_subject: 'bool',
  sealed: 'bool',
  deny_delete: 'bool',
  deny_purge: 'bool',
  allow_rollup_hdrs: 'bool',
  consumer_limits: objectSchema('StreamConsumerLimits', { inactive_threshold: 'duration', max_ack_pending: 'int' }),
  allow_msg_ttl: 'bool',
  subject_delete_marker_ttl: 'duration',
  allow_msg_counter: 'bool',
  allow_atomic: 'bool',
  allow_msg_schedules: 'bool',
  persist_mode: enumSchema(['default', 'async']),
  allow_batched: 'bool',
  metadata: 'metadata',
} as const;

/** Body of STREAM.CREATE and STREAM.UPDATE. */
export const STREAM_CONFIG_REQUEST: ObjectSchema = objectSchema('StreamConfigRequest', { ...fields, pedantic: 'bool' });

/** A stream's configuration as it is stored. */
export const STORED_STREAM_CONFIG: ObjectSchema = objectSchema('StreamConfig', fields);

/** A stream configuration as decoded, before any check: every field may be missing. */
export interface RawStreamConfig {
  name?: string;
  description?: string;
  subjects?: string[];
  retention?: Retention;
  max_consumers?: Integer;
  max_msgs?: Integer;
  max_bytes?: Integer;
  max_age?: Integer;
  max_msgs_per_subject?: Integer;
  max_msg_size?: number;
  discard?: Discard;
  storage?: StorageKind;
  num_replicas?: Integer;
  no_ack?: boolean;
  duplicate_window?: Integer;
  placement?: { cluster?: string; tags?: string[]; preferred?: string };
  mirror?: { name?: string };
  sources?: { name?: string }[];
  compression?: 'none' | 's2';
  first_seq?: Integer;
  subject_transform?: { src?: string; dest?: string };
  republish?: { src?: string; dest?: string; headers_only?: boolean };
  allow_direct?: boolean;
  mirror_direct?: boolean;
  discard_new_per_subject?: boolean;
  sealed?: boolean;
  deny_delete?: boolean;
  deny_purge?: boolean;
  allow_rollup_hdrs?: boolean;
  consumer_limits?: { inactive_threshold?: Integer; max_ack_pending?: Integer };
  allow_msg_ttl?: boolean;
  subject_delete_marker_ttl?: Integer;
  allow_msg_counter?: boolean;
  allow_atomic?: boolean;
  allow_msg_schedules?: boolean;
  persist_mode?: 'default' | 'async';
  allow_batched?: boolean;
  metadata?: Record<string, string>;
  pedantic?: boolean;
}

function refuseCompression(raw: string): string {
  if (raw.startsWith('"') || raw === 'null') return 'unknown compression algorithm';
  const kind = raw === 'true' || raw === 'false' ? 'bool' : raw.startsWith('{') ? 'object' : 'number';
  return `json: cannot unmarshal ${raw.startsWith('[') ? 'array' : kind} into Go value of type string`;
}
