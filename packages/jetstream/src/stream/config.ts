import type { Integer } from '../json/integer.ts';

/** Stream configuration as the API speaks it (spec/jetstream.md 2.2). Durations are nanoseconds. */

export type Retention = 'limits' | 'interest' | 'workqueue';
export type Discard = 'old' | 'new';
export type StorageKind = 'file' | 'memory';

/** Where a message goes instead: `src` is a filter with wildcards, `dest` a mapping. */
export interface SubjectTransformConfig {
  readonly src: string;
  readonly dest: string;
}

export interface RepublishConfig {
  readonly src: string;
  readonly dest: string;
  readonly headers_only?: boolean;
}

export interface PlacementConfig {
  readonly cluster?: string;
  readonly tags?: readonly string[];
  readonly preferred?: string;
}

/** Defaults and caps for the consumers of a stream. */
export interface ConsumerLimitsConfig {
  /** Nanoseconds. */
  readonly inactive_threshold?: Integer;
  readonly max_ack_pending?: Integer;
}

/**
 * A validated stream configuration with its defaults filled in, keys in the order of nats-server's JSON. Integers are exact.
 * Fields of features that nats-ts does not have yet are here as far as their neutral value is always printed.
 */
export interface StreamConfig {
  readonly name: string;
  readonly description?: string | undefined;
  readonly subjects?: readonly string[] | undefined;
  readonly retention: Retention;
  readonly max_consumers: Integer;
  readonly max_msgs: Integer;
  readonly max_bytes: Integer;
  /** Nanoseconds; 0 = unlimited. */
  readonly max_age: Integer;
  readonly max_msgs_per_subject: Integer;
  readonly max_msg_size: number;
  readonly discard: Discard;
  readonly storage: StorageKind;
  readonly num_replicas: number;
  readonly no_ack?: boolean | undefined;
  /** Nanoseconds. */
  readonly duplicate_window?: Integer | undefined;
  readonly placement?: PlacementConfig | undefined;
  readonly compression: 'none';
  readonly first_seq?: number | undefined;
  readonly subject_transform?: SubjectTransformConfig | undefined;
  readonly republish?: RepublishConfig | undefined;
  readonly allow_direct: boolean;
  readonly mirror_direct: boolean;
  readonly discard_new_per_subject?: boolean | undefined;
  readonly sealed: boolean;
  readonly deny_delete: boolean;
  readonly deny_purge: boolean;
  readonly allow_rollup_hdrs: boolean;
  readonly consumer_limits: ConsumerLimitsConfig;
  readonly allow_msg_ttl: boolean;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}
