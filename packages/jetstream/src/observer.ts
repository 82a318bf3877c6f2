/**
 * What JetStream tells somebody who watches it: metrics and traces, which the apps keep. Nothing here changes what JetStream
 * does, and whoever is not asked for costs nothing: each group is looked up once, where the watched part is made.
 *
 * Methods are called in the turn in which the thing happens, on the way of messages too: they must return at once, not throw,
 * and not call back into JetStream. `…Began` returns a number of the observer's choice (a time, the number of a span), which
 * comes back with `…Ended`; JetStream does not look at it.
 */
export interface JetStreamObserver {
  readonly syncs?: SyncObserver;
  readonly recovery?: RecoveryObserver;
}

/** Told of every write that is durable when it returns, and of every separate sync, of the file store. */
export interface SyncObserver {
  syncBegan(account: string, stream: string): number;
  /**
   * @param bytes how many bytes of messages it made durable; 0 for consumer state.
   * @param messages how many sequences; 0 for removals and consumer state.
   * @param error why they are not durable, or null.
   */
  syncEnded(began: number, account: string, stream: string, bytes: number, messages: number, error: Error | null): void;
}

/** Told of every stream that is read from disk at start. Several are read at once. */
export interface RecoveryObserver {
  recoveryBegan(account: string, stream: string): number;
  recoveryEnded(began: number, account: string, stream: string, findings: StreamRecovery): void;
}

/** What was found when a stream was opened. */
export interface StreamRecovery {
  /** Why the stream cannot run (its files stay as they are), or null. */
  readonly offline: string | null;
  readonly messages: number;
  /** The state came from its index; no block was read. */
  readonly fromIndex: boolean;
  /** Messages that damage has cost, and the bytes that could not be read. */
  readonly lostMessages: number;
  readonly lostBytes: number;
  /** Blocks that were written anew because of damage; the originals are kept as `<n>.blk.damaged`. */
  readonly damagedBlocks: number;
  /** Records in which a single wrong byte was put right. */
  readonly repairedRecords: number;
  /** Bytes of a write that never finished, cut from the end. */
  readonly tornBytes: number;
  readonly durationMs: number;
}
