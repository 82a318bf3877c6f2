import { type FileSystem, replaceFile } from '../file-system.ts';
import type { BlockLoader } from './block-loader.ts';
import { encodeIndex } from './index-db.ts';
import { captureIndex } from './index-state.ts';
import { RECORD_HASH_BYTES } from './record.ts';
import type { StreamLog } from './stream-log.ts';

/** Writes index.db as the state is, unless there is nothing to index, or too much. Nothing else is under way. */
export async function writeIndex(
  fs: FileSystem,
  directory: string,
  state: StreamLog,
  loader: BlockLoader,
): Promise<void> {
  const index = captureIndex(state, await lastHash(state, loader));
  if (index === null) return;
  await replaceFile(fs, directory, 'index.db.tmp', 'index.db', encodeIndex(state.stream, index));
}

/** Hash of the last record; zeros if there is none. */
async function lastHash({ tail }: StreamLog, loader: BlockLoader): Promise<Buffer> {
  if (tail === undefined || tail.fileBytes < RECORD_HASH_BYTES) return Buffer.alloc(RECORD_HASH_BYTES);
  return loader.readBytes(tail, RECORD_HASH_BYTES, tail.fileBytes - RECORD_HASH_BYTES);
}
