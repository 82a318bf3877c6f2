import type { StreamStoreOptions } from '../../store.ts';
import { BLOCK_BYTES_LARGE, BLOCK_BYTES_MEDIUM, BLOCK_BYTES_MIN } from './limits.ts';

/** Size at which a block of the stream is full, as nats-server picks it (autoTuneFileStorageBlockSize, dynBlkSize). */
export function blockBytes(options: StreamStoreOptions): number {
  if (options.maxBytes > 0) {
    const quarter = Math.ceil((Math.floor(options.maxBytes / 4) + 1) / 100) * 100;
    if (quarter <= BLOCK_BYTES_MIN) return BLOCK_BYTES_MIN;
    return quarter >= BLOCK_BYTES_LARGE ? BLOCK_BYTES_LARGE : BLOCK_BYTES_MEDIUM;
  }
  if (options.maxMsgsPerSubject > 0) return BLOCK_BYTES_MEDIUM;
  return options.retention === 'limits' ? BLOCK_BYTES_LARGE : BLOCK_BYTES_MEDIUM;
}
