import { type EnumSchema, enumSchema, listSchema, type ObjectSchema, objectSchema } from '../json/schema.ts';

/** An enumeration whose decoder names itself when it refuses, as two of nats-server's do. */
function namedEnum(name: string, ...values: readonly string[]): EnumSchema {
  return enumSchema(values, (raw) => `unknown ${name}: ${raw}`);
}

/** The configuration of a consumer as requests carry it (spec/jetstream.md 2.4). */
const CONSUMER_CONFIG_SCHEMA: ObjectSchema = objectSchema('ConsumerConfig', {
  durable_name: 'string',
  name: 'string',
  description: 'string',
  // "undefined" is what old clients print for the zero value; it means all.
  deliver_policy: enumSchema([
    'all',
    'undefined',
    'last',
    'last_per_subject',
    'new',
    'by_start_sequence',
    'by_start_time',
  ]),
  opt_start_seq: 'uint64',
  opt_start_time: 'time',
  ack_policy: enumSchema(['none', 'all', 'explicit', 'flow_control']),
  ack_wait: 'duration',
  max_deliver: 'int',
  backoff: listSchema('duration'),
  filter_subject: 'string',
  filter_subjects: 'strings',
  replay_policy: enumSchema(['instant', 'original']),
  rate_limit_bps: 'uint64',
  sample_freq: 'string',
  max_waiting: 'int',
  max_ack_pending: 'int',
  flow_control: 'bool',
  headers_only: 'bool',
  max_batch: 'int',
  max_expires: 'duration',
  max_bytes: 'int',
  deliver_subject: 'string',
  deliver_group: 'string',
  idle_heartbeat: 'duration',
  inactive_threshold: 'duration',
  num_replicas: 'int',
  mem_storage: 'bool',
  direct: 'bool',
  sourcing: 'bool',
  metadata: 'metadata',
  pause_until: 'time',
  priority_groups: 'strings',
  priority_policy: namedEnum('priority policy', 'none', 'overflow', 'pinned_client', 'prioritized'),
  priority_timeout: 'duration',
});

/** Body of CONSUMER.CREATE and CONSUMER.DURABLE.CREATE. */
export const CREATE_REQUEST_SCHEMA: ObjectSchema = objectSchema('CreateConsumerRequest', {
  stream_name: 'string',
  config: CONSUMER_CONFIG_SCHEMA,
  action: namedEnum('consumer action', '', 'create', 'update'),
  pedantic: 'bool',
});

/** Body of CONSUMER.NAMES and CONSUMER.LIST. */
export const PAGE_REQUEST_SCHEMA: ObjectSchema = objectSchema('JSApiConsumersRequest', { offset: 'int' });

/** Body of CONSUMER.PAUSE. */
export const PAUSE_REQUEST_SCHEMA: ObjectSchema = objectSchema('JSApiConsumerPauseRequest', { pause_until: 'time' });

/** Body of CONSUMER.RESET. */
export const RESET_REQUEST_SCHEMA: ObjectSchema = objectSchema('JSApiConsumerResetRequest', { seq: 'sequence' });

/** Body of CONSUMER.UNPIN. */
export const UNPIN_REQUEST_SCHEMA: ObjectSchema = objectSchema('JSApiConsumerUnpinRequest', { group: 'string' });
