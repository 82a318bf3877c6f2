import type { MessageStore, StreamStoreOptions } from '../store.ts';
import type { StreamDependencies } from './dependencies.ts';
import { FileMessages } from './messages/file-messages.ts';
import type { RecoveryFindings } from './messages/opener.ts';

/** A message store that has files to close. */
export interface ClosableMessages extends MessageStore {
  /** What opening them found; absent where there is nothing to be found. */
  readonly recovery?: RecoveryFindings;
  /**
   * Sequences up to here are known to have been used. Those that are not there are lost, and not used again; durable when it resolves.
   */
  ensureUsed?(seq: number): Promise<void>;
  /** Commits what is outstanding, writes the index and closes the files. */
  close(): Promise<void>;
  /** Closes the files without writing anything more: they are about to be removed, or somebody else's. */
  abandon(): Promise<void>;
}

/**
 * Opens the messages in a stream's directory.
 *
 * @param isNew the directory was just made: there is nothing to read.
 */
export type OpenMessages = (
  directory: string,
  stream: string,
  options: StreamStoreOptions,
  deps: StreamDependencies,
  isNew: boolean,
) => Promise<ClosableMessages>;

/** In block files, as nats-server keeps them. */
export const openFileMessages: OpenMessages = (directory, stream, options, deps, isNew) => {
  const { fs, clock, log, ids, stats, syncIntervalMs, cache, watch, onBlocksRead } = deps;
  const own = { fs, clock, log, random: ids, stats, syncIntervalMs, cache, watch, onBlocksRead };
  return FileMessages.open(directory, stream, options, own, isNew);
};
