/** Internal entry of the stores, for the rest of the package. */
export { MemoryMessages } from './memory/memory-messages.ts';
export { MemoryStorage } from './memory/memory-storage.ts';
