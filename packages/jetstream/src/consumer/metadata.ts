import { ZERO_TIME } from '../json/go-time.ts';
import { dynamicMetadata, requiredLevelOf, staticMetadata } from '../stream/metadata.ts';
import type { ConsumerConfig } from './config.ts';

/** API level that pausing and priority groups need; everything else here is as old as JetStream (spec/jetstream.md 2.1). */
const LEVEL_2_11 = 1;

/** The configuration as it is stored: the API level it needs is stamped, what only replies carry is dropped. */
export function stampMetadata(config: ConsumerConfig): ConsumerConfig {
  const isPaused = config.pause_until !== '' && config.pause_until !== ZERO_TIME;
  const level = isPaused || hasPriority(config) ? LEVEL_2_11 : 0;
  return { ...config, metadata: staticMetadata(config.metadata, level) };
}

/** As asked for: a timeout below zero, which comes to nothing, counts as well. */
function hasPriority({
  priority_policy: policy,
  priority_groups: groups,
  priority_timeout: timeout,
}: ConsumerConfig): boolean {
  return policy !== 'none' || groups.length > 0 || timeout !== 0;
}

/** The configuration with the API level of a stored one, so that the two compare by what the user set. */
export function adoptLevel(config: ConsumerConfig, stored: ConsumerConfig): ConsumerConfig {
  return { ...config, metadata: staticMetadata(config.metadata, requiredLevelOf(stored.metadata)) };
}

/** Metadata as replies show it. */
export function printMetadata(config: ConsumerConfig): ConsumerConfig {
  return { ...config, metadata: dynamicMetadata(config.metadata) };
}
