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
  readonly progress?: ProgressObserver;
  readonly api?: ApiObserver;
  readonly messages?: MessageObserver;
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

/** Told how far the recovery of a large store has come, for whoever waits for it. Memory streams are none of it. */
export interface ProgressObserver {
  /** So many streams of an account are about to be read. */
  streamsFound(account: string, streams: number): void;
  /** So many of a stream's blocks are read. Not called for a stream whose index spares that. */
  blocksRead(account: string, stream: string, blocks: number, blocksTotal: number): void;
  /** A stream is read. @param messages how many it holds; 0 if it cannot run. */
  streamRead(account: string, stream: string, messages: number): void;
}

/**
 * Told of every request to `$JS.API.` that is carried out. Pull requests are not among them: they are part of the way of
 * messages. So are direct gets, which are only told if messages are.
 */
export interface ApiObserver {
  /** @param receivedMs when the request came, by the host's clock; since then it waited for its turn */
  apiBegan(request: ObservedRequest, receivedMs: number): number;
  /** The answer was made; a request that nobody waits for is answered too. */
  apiEnded(began: number, failure: ObservedFailure | null): void;
}

/** A request as its subject describes it. */
export interface ObservedRequest {
  readonly account: string;
  /** The subject without names: `STREAM.CREATE`, `CONSUMER.DURABLE.CREATE`, `STREAM.MSG.GET`. */
  readonly name: string;
  /** The names in it; '' if there is none. */
  readonly stream: string;
  readonly consumer: string;
  /** Header block, or null. */
  readonly header: Buffer | null;
}

/** The error of an answer. */
export interface ObservedFailure {
  readonly code: number;
  readonly errCode: number;
  readonly description: string;
}

/** How a delivered message was done with: by the client, `exhausted` (max_deliver), or `gone`: it, or its consumer, is no more. */
export type Settlement = 'ack' | 'nak' | 'term' | 'exhausted' | 'gone';

/**
 * Told of every message of every stream, on its way: taken, stored, delivered, settled. Buffers are valid during the call only. The
 * header block is `header[headerStart, headerEnd)`, empty if there is none.
 */
export interface MessageObserver {
  /** A stream has taken the message under this sequence; it is not durable yet. */
  taken(
    account: string,
    stream: string,
    seq: number,
    subject: string,
    header: Buffer,
    headerStart: number,
    headerEnd: number,
    payload: Buffer,
    payloadStart: number,
    payloadEnd: number,
  ): void;
  /** A stream has refused the message. */
  refused(
    account: string,
    stream: string,
    failure: ObservedFailure,
    subject: string,
    header: Buffer,
    headerStart: number,
    headerEnd: number,
    payload: Buffer,
    payloadStart: number,
    payloadEnd: number,
  ): void;
  /** The message is durable, and its publisher was told. */
  stored(account: string, stream: string, seq: number): void;
  /** What was taken and is not stored may never be: publishers were told so. */
  notStored(account: string, stream: string, error: Error): void;
  /**
   * The message went out to a consumer.
   * @param deliveries 1 = for the first time
   * @param awaitsAck false: the consumer acknowledges nothing
   */
  delivered(
    account: string,
    stream: string,
    consumer: string,
    deliveries: number,
    awaitsAck: boolean,
    message: ObservedMessage,
  ): void;
  settled(account: string, stream: string, consumer: string, seq: number, how: Settlement): void;
}

/** A message as it stands in the store; header block and payload are in one buffer. */
export interface ObservedMessage {
  readonly seq: number;
  readonly subject: string;
  readonly buffer: Buffer;
  readonly headerStart: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
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
