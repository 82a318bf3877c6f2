import { compileFilter } from '@nats-ts/sublist';
import { encodeJson } from '../json/encode.ts';
import type { Integer } from '../json/integer.ts';
import type { SubjectFilter } from '../store/store.ts';

export type DeliverPolicy = 'all' | 'last' | 'new' | 'by_start_sequence' | 'by_start_time' | 'last_per_subject';
export type AckPolicy = 'none' | 'all' | 'explicit' | 'flow_control';
type ReplayPolicy = 'instant' | 'original';

/** What a create or update request asked for; what it left out is absent. Durations are nanoseconds. */
export interface RequestedConfig {
  readonly durable_name?: string;
  readonly name?: string;
  readonly description?: string;
  readonly deliver_policy?: DeliverPolicy | 'undefined';
  readonly opt_start_seq?: Integer;
  /** RFC 3339, in Go's normal form. */
  readonly opt_start_time?: string;
  readonly ack_policy?: AckPolicy;
  readonly ack_wait?: Integer;
  readonly max_deliver?: Integer;
  readonly backoff?: readonly Integer[];
  readonly filter_subject?: string;
  readonly filter_subjects?: readonly string[];
  readonly replay_policy?: ReplayPolicy;
  readonly rate_limit_bps?: Integer;
  readonly sample_freq?: string;
  readonly max_waiting?: Integer;
  readonly max_ack_pending?: Integer;
  readonly flow_control?: boolean;
  readonly headers_only?: boolean;
  readonly max_batch?: Integer;
  readonly max_expires?: Integer;
  readonly max_bytes?: Integer;
  readonly deliver_subject?: string;
  readonly deliver_group?: string;
  readonly idle_heartbeat?: Integer;
  readonly inactive_threshold?: Integer;
  readonly num_replicas?: Integer;
  readonly mem_storage?: boolean;
  readonly direct?: boolean;
  readonly sourcing?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly pause_until?: string;
  readonly priority_groups?: readonly string[];
  readonly priority_policy?: 'none' | 'overflow' | 'pinned_client' | 'prioritized';
  readonly priority_timeout?: Integer;
}

/**
 * A consumer's configuration with nothing absent: neutral values stand where the API prints nothing. Durations are
 * nanoseconds (spec/jetstream.md 2.4). Never mutated.
 */
export interface ConsumerConfig {
  /** Empty = ephemeral. */
  readonly durable_name: string;
  readonly name: string;
  readonly description: string;
  readonly deliver_policy: DeliverPolicy;
  readonly opt_start_seq: Integer;
  /** Empty = not set. */
  readonly opt_start_time: string;
  readonly ack_policy: AckPolicy;
  readonly ack_wait: Integer;
  /** -1 = unlimited. */
  readonly max_deliver: Integer;
  readonly backoff: readonly Integer[];
  readonly filter_subject: string;
  readonly filter_subjects: readonly string[];
  readonly replay_policy: ReplayPolicy;
  /** Bits per second; 0 = unlimited. */
  readonly rate_limit_bps: Integer;
  readonly sample_freq: string;
  /** Pull requests that may wait; 0 for push. */
  readonly max_waiting: Integer;
  /** -1 = unlimited, 0 = does not apply. */
  readonly max_ack_pending: Integer;
  readonly flow_control: boolean;
  readonly headers_only: boolean;
  readonly max_batch: Integer;
  readonly max_expires: Integer;
  readonly max_bytes: Integer;
  /** Empty = pull. */
  readonly deliver_subject: string;
  readonly deliver_group: string;
  readonly idle_heartbeat: Integer;
  /** 0 = lives on without use. */
  readonly inactive_threshold: Integer;
  readonly num_replicas: Integer;
  readonly mem_storage: boolean;
  readonly direct: boolean;
  readonly sourcing: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  /** Empty = not paused. */
  readonly pause_until: string;
  readonly priority_groups: readonly string[];
  readonly priority_policy: 'none' | 'overflow' | 'pinned_client' | 'prioritized';
  readonly priority_timeout: Integer;
}

const NEUTRAL: ConsumerConfig = {
  durable_name: '',
  name: '',
  description: '',
  deliver_policy: 'all',
  opt_start_seq: 0,
  opt_start_time: '',
  ack_policy: 'none',
  ack_wait: 0,
  max_deliver: 0,
  backoff: [],
  filter_subject: '',
  filter_subjects: [],
  replay_policy: 'instant',
  rate_limit_bps: 0,
  sample_freq: '',
  max_waiting: 0,
  max_ack_pending: 0,
  flow_control: false,
  headers_only: false,
  max_batch: 0,
  max_expires: 0,
  max_bytes: 0,
  deliver_subject: '',
  deliver_group: '',
  idle_heartbeat: 0,
  inactive_threshold: 0,
  num_replicas: 0,
  mem_storage: false,
  direct: false,
  sourcing: false,
  metadata: {},
  pause_until: '',
  priority_groups: [],
  priority_policy: 'none',
  priority_timeout: 0,
};

/** Fields that the API prints whatever their value. */
const ALWAYS_PRINTED: ReadonlySet<string> = new Set(['deliver_policy', 'ack_policy', 'replay_policy', 'num_replicas']);

/** Fills what the request left out (or gave as null) with the neutral value, as decoding into a Go struct does. */
export function completeConfig(requested: RequestedConfig): ConsumerConfig {
  const { deliver_policy: policy, ...rest } = requested;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined && value !== null);
  return {
    ...NEUTRAL,
    ...Object.fromEntries(given),
    deliver_policy: policy === 'undefined' ? 'all' : (policy ?? 'all'),
  };
}

/** The configuration as the API prints it and meta.inf keeps it: Go's field order, neutral values left out. */
export function printConfig(config: ConsumerConfig): Record<string, unknown> {
  const printed: Record<string, unknown> = {};
  for (const key of Object.keys(NEUTRAL) as (keyof ConsumerConfig)[]) {
    const value = config[key];
    if (ALWAYS_PRINTED.has(key) || !isNeutral(key, value)) printed[key] = value;
  }
  return printed;
}

function isNeutral(key: keyof ConsumerConfig, value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (key === 'metadata') return Object.keys(value as object).length === 0;
  return value === NEUTRAL[key];
}

export function isDurable(config: ConsumerConfig): boolean {
  return config.durable_name !== '';
}

export function isPush(config: ConsumerConfig): boolean {
  return config.deliver_subject !== '';
}

/** All filter subjects, from either field. */
export function filterSubjects(config: ConsumerConfig): readonly string[] {
  return config.filter_subject === '' ? config.filter_subjects : [config.filter_subject];
}

/** The filter of a valid configuration; null = takes everything. */
export function compileConfigFilter(config: ConsumerConfig): SubjectFilter | null {
  const subjects = filterSubjects(config);
  return subjects.length === 0 ? null : compileFilter(subjects);
}

/** True if two configurations are the same, field by field. */
export function sameConfig(one: ConsumerConfig, other: ConsumerConfig): boolean {
  return encodeJson(sortKeys(one)) === encodeJson(sortKeys(other));
}

function sortKeys(config: ConsumerConfig): unknown {
  const metadata = Object.entries(config.metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.keys(NEUTRAL).map((key) => (key === 'metadata' ? metadata : config[key as keyof ConsumerConfig]));
}
