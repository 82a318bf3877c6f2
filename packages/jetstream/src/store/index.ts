/** Internal entry of the stores, for the rest of the package. */
export type { StorageDependencies } from './file/dependencies.ts';
export { FileStorage } from './file/file-storage.ts';
export { CONCURRENT_SYNCS_MAX, NodeFileSystem } from './file/file-system.ts';
export { BLOCK_CACHE_BYTES_MAX } from './file/messages/block-cache.ts';
export { StoreLockedError } from './file/store-lock.ts';
export { MemoryStorage } from './memory/memory-storage.ts';
