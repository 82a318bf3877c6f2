import { dynamicMetadata, requiredLevelOf, staticMetadata } from '../stream/metadata.ts';
import type { ConsumerConfig } from './config.ts';

/** API level that pausing needs; everything else here is as old as JetStream (spec/jetstream.md 2.1). */
const PAUSE_LEVEL = 1;

/** The configuration as it is stored: the API level it needs is stamped, what only replies carry is dropped. */
export function stampMetadata(config: ConsumerConfig): ConsumerConfig {
  const level = config.pause_until === '' ? 0 : PAUSE_LEVEL;
  return { ...config, metadata: staticMetadata(config.metadata, level) };
}

/** The configuration with the API level of a stored one, so that the two compare by what the user set. */
export function adoptLevel(config: ConsumerConfig, stored: ConsumerConfig): ConsumerConfig {
  return { ...config, metadata: staticMetadata(config.metadata, requiredLevelOf(stored.metadata)) };
}

/** Metadata as replies show it. */
export function printMetadata(config: ConsumerConfig): ConsumerConfig {
  return { ...config, metadata: dynamicMetadata(config.metadata) };
}
