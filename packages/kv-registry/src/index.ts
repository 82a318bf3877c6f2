export type { BucketEvent, BucketWatch, KeyValueBucket } from './bucket.ts';
export type { RegistryClock } from './clock.ts';
export { MEMORY_ENTRIES_MAX, MemoryBucket } from './memory-bucket.ts';
export { decodeRecord, encodeRecord, formatKey, parseKey, RECORD_BYTES_MAX, type RecordKey } from './record.ts';
export { REGISTERED_MAX, Registry, type RegistryOptions } from './registry.ts';
export { RegistryError, type RegistryErrorCode } from './registry-error.ts';
export type { Endpoint, Node, Service, Value } from './service.ts';
export { decodeStoreKey, encodeStoreKey } from './store-key.ts';
export { INSTANCES_MAX, type RegistryEvent } from './watcher.ts';
