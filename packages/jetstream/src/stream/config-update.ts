import { apiError } from '../errors/api-error.ts';
import { encodeJson } from '../json/encode.ts';
import type { StreamConfig } from './config.ts';
import { invalidConfig } from './config-check.ts';
import { userMetadata } from './metadata.ts';

/**
 * Holds an update against the configuration it replaces, as nats-server's configUpdateCheck (spec/jetstream.md 2.2 "Update rules").
 * Returns what is to be stored. Throws ApiError.
 */
export function checkStreamUpdate(old: StreamConfig, next: StreamConfig): StreamConfig {
  if (next.name !== old.name) throw invalidConfig('stream configuration name must match original');
  checkReplicasSupported(next);
  if (next.storage !== old.storage) {
    throw invalidConfig('stream configuration update can not change storage type');
  }
  if (next.retention !== old.retention && (old.retention === 'workqueue' || next.retention === 'workqueue')) {
    throw invalidConfig('stream configuration update can not change retention policy to/from workqueue');
  }
  if (old.sealed && !next.sealed) throw invalidConfig('stream configuration update can not unseal a sealed stream');
  if (old.deny_delete && !next.deny_delete) {
    throw invalidConfig('stream configuration update can not cancel deny message deletes');
  }
  if (old.deny_purge && !next.deny_purge) {
    throw invalidConfig('stream configuration update can not cancel deny purge');
  }
  if (!next.sealed) return next;
  return {
    ...next,
    max_age: 0,
    discard: 'new',
    deny_delete: true,
    deny_purge: true,
    allow_rollup_hdrs: false,
  };
}

/** Throws 10074 for more than one replica: there is no cluster. */
export function checkReplicasSupported(config: StreamConfig): void {
  if (config.num_replicas > 1) throw apiError('StreamReplicasNotSupported');
}

/** True if both say the same; version metadata is not compared. */
export function isSameConfig(a: StreamConfig, b: StreamConfig): boolean {
  return comparable(a) === comparable(b);
}

function comparable(config: StreamConfig): string {
  return encodeJson({ ...config, metadata: userMetadata(config.metadata) });
}
