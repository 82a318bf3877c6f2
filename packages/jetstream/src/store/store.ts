/**
 * The storage port: what streams and consumers need from a store. Two implementations, `memory/` and `file/`,
 * pass the same suite. Design: ARCHITECTURE.md, "The file store".
 *
 * Mutations are synchronous and visible to the writer at once; each raises `applied`. They become durable in
 * groups, in order; `committed` follows `applied` and `onCommit` tells. A reply that depends on a mutation leaves
 * when `committed` has reached the value `applied` had right after it.
 */

/** Nanosecond time as two integers: milliseconds since the epoch, and nanoseconds within that millisecond. */
export interface Timestamp {
  /** Whole milliseconds since the Unix epoch. */
  ms: number;
  /** 0 … 999 999. */
  ns: number;
}

/**
 * A stored message read into a reused object. `buffer` is a view of the store's cache: valid until the caller's
 * turn of the event loop ends; whoever keeps bytes copies them.
 */
export interface StoredMessage {
  seq: number;
  subject: string;
  timeMs: number;
  timeNs: number;
  buffer: Buffer;
  /** Start of the header block; equal to `payloadStart` when the message has none. */
  headerStart: number;
  payloadStart: number;
  payloadEnd: number;
}

/** Answers of a read. `cold` = the block is not in memory: call `warm`, look again in its callback. */
export type LoadResult = 'found' | 'gone' | 'cold';

/** A compiled consumer filter: which subjects it takes. */
export interface SubjectFilter {
  /** The filter subjects; never empty. */
  readonly subjects: readonly string[];
  /** True if a message on this literal subject passes. */
  matches(subject: string): boolean;
}

/** What a stream holds. Times are null where nats-server prints the zero time. */
export interface StoreState {
  messages: number;
  /** As nats-server counts (spec/jetstream.md 2.3): the record's size on disk; in memory subject + header + payload + 16. */
  bytes: number;
  /** 0 when nothing was ever stored; last + 1 when everything was removed. */
  firstSeq: number;
  firstTime: Timestamp | null;
  lastSeq: number;
  lastTime: Timestamp | null;
  subjects: number;
  deleted: number;
  /** What damage cost: messages and bytes that recovery could not read. Null when nothing was lost. */
  lost: { seqs: readonly number[]; bytes: number } | null;
}

/** A message that damage took, and its subject if that can be told. */
export interface LostMessage {
  readonly seq: number;
  readonly subject: string | null;
}

/** Count, first and last sequence of one literal subject. */
export interface SubjectState {
  count: number;
  first: number;
  last: number;
}

/** Told by the store; set once by the owner before the first mutation. */
export interface StoreEvents {
  /** `committed` has advanced. Called outside of any mutation. */
  onCommit(): void;
  /** A write or sync failed: nothing above `committed` is durable and it never will be; the store refuses new mutations until `recover()`. */
  onFailure(error: Error): void;
}

/** The messages of one stream. */
export interface MessageStore {
  readonly kind: 'file' | 'memory';
  /** Number of mutations accepted. */
  readonly applied: number;
  /** Number of mutations that are durable (as durable as the sync interval says). */
  readonly committed: number;
  /** Last sequence that is committed: readers outside the ingest path see nothing above it. */
  readonly committedSeq: number;
  /** The error a failed write left, or null. */
  readonly failure: Error | null;
  setEvents(events: StoreEvents): void;

  /**
   * Appends one message and returns its sequence. Header and payload bytes are copied.
   * Pass headerEnd = headerStart for no header. Throws a RangeError for a record above 32 MiB.
   */
  append(
    subject: string,
    headerBuffer: Uint8Array,
    headerStart: number,
    headerEnd: number,
    payloadBuffer: Uint8Array,
    payloadStart: number,
    payloadEnd: number,
    timeMs: number,
    timeNs: number,
  ): number;
  /** Uses up the next sequences without storing anything (interest streams nobody listens to). Returns the last of them. */
  skip(count: number, timeMs: number, timeNs: number): number;
  /**
   * Removes one message. `user` deletes leave a tombstone (and overwrite the bytes when `erase`); `limit` evictions leave
   * none (see `sealEvictions`); `ack` removals (interest, work queue) as nats-server does. Returns the message's subject (which the store
   * knows: it keeps counts by subject, and consumers are told), or null if there is no such message.
   */
  remove(seq: number, reason: 'user' | 'limit' | 'ack', erase: boolean): string | null;
  /**
   * Removes messages whose subject passes `filter` (null = all) and whose sequence is below `belowSeq` (0 = no bound),
   * except the newest `keep` of them, and no more than the oldest `most` (absent = all; what takes no look at single messages may
   * remove more). Calls `onRemoved` per message removed when given. Returns how many.
   * Purging everything leaves firstSeq = lastSeq + 1.
   */
  purge(
    filter: SubjectFilter | null,
    belowSeq: number,
    keep: number,
    onRemoved: ((seq: number, subject: string) => void) | null,
    most?: number,
  ): number;

  /**
   * Makes the removals of reason `limit` as lasting as the others. Until then a crash brings back what was evicted, and
   * the limits evict it again: to be called before limits become wider or what is counted against them becomes less in
   * a way the store does not see. Other removals and purges do it by themselves.
   */
  sealEvictions(): void;

  /** What opening found to be lost. It had pushed others out, which limits must not let back in. Absent = nothing. */
  readonly lostMessages?: readonly LostMessage[];

  /** Current state, including what is appended but not yet committed. The object is the caller's. */
  state(): StoreState;
  readonly messages: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Sequences between first and last that hold no message, ascending. */
  deletedSeqs(): number[];
  /** Literal subject's state; undefined when it has no message. */
  subject(subject: string): SubjectState | undefined;
  /**
   * Calls back for each subject that passes `filter` (null = all), in any order. Return false to stop. The state is valid during the
   * callback only.
   */
  eachSubject(
    filter: SubjectFilter | null,
    callback: (subject: string, state: SubjectState) => boolean | undefined,
  ): void;
  /** How many messages with sequence ≥ `from` pass `filter` (null = all). May read blocks synchronously: control plane only. */
  count(filter: SubjectFilter | null, from: number): number;

  /** Reads one message into `into`. Sees uncommitted ones too: callers on the read side stop at `committedSeq`. */
  load(seq: number, into: StoredMessage): LoadResult;
  /** Reads the first message with sequence ≥ `from` that passes `filter` (null = all). On `cold`, `into.seq` is the sequence to warm. */
  loadNext(filter: SubjectFilter | null, from: number, into: StoredMessage): LoadResult;
  /** Reads the last message on subjects that pass `filter` with sequence ≤ `upTo`. On `cold`, `into.seq` is the sequence to warm. */
  loadLast(filter: SubjectFilter, upTo: number, into: StoredMessage): LoadResult;
  /** First sequence whose time is at or after the given one; lastSeq + 1 if none. May read a block synchronously. */
  seqAtTime(timeMs: number, timeNs: number): number;
  /** Brings the block that holds `seq` into memory, off the event loop, then calls back (also on failure: look again). */
  warm(seq: number, callback: (error: Error | null) => void): void;

  /** After `failure`: tries to make the store writable again. Resolves false while the disk still refuses. */
  recover(): Promise<boolean>;
}

/** What outlives a restart of a consumer besides its configuration (o.dat in nats-server). */
export interface ConsumerState {
  delivered: { consumerSeq: number; streamSeq: number };
  ackFloor: { consumerSeq: number; streamSeq: number };
  /** Delivered, not yet acked: stream sequence → consumer sequence and time of (re)delivery. */
  pending: Map<number, { consumerSeq: number; timeMs: number }>;
  /** Stream sequence → number of deliveries beyond the first. */
  redelivered: Map<number, number>;
}

/**
 * Durable state of one consumer. The engine owns the state and reports each change here, in order;
 * `exportState` hands the whole of it over whenever the store compacts or exports.
 */
export interface ConsumerStore {
  readonly name: string;
  /** What the last run left; a fresh object for a new consumer. */
  readonly recovered: ConsumerState;
  /** False when nothing was ever kept of it: a new consumer, or one whose creation a crash cut short. It begins at its start position. */
  readonly hasState: boolean;
  /** How the store reads the engine's current state. Set once, before the first change. */
  setExporter(exportState: () => ConsumerState): void;
  /** A message went out. `deliveries` is 1 for the first time. */
  delivered(consumerSeq: number, streamSeq: number, deliveries: number, timeMs: number): void;
  /**
   * A message was acked (or terminated, or gone from the stream); the ack floor afterwards. Everything at or below the
   * floor is done with: an ack of all needs no more than this.
   */
  acked(consumerSeq: number, streamSeq: number, floorConsumerSeq: number, floorStreamSeq: number): void;
  /** Anything else (reset, a redelivery list changed): the whole state is written, once per turn of the event loop. */
  replaced(): void;
  /** Calls back when everything reported so far is durable, a new consumer itself too: creations and confirmed (double) acks wait for it. */
  sync(callback: (error: Error | null) => void): void;
  /** Replaces the stored configuration; resolves when durable. */
  updateMeta(meta: AssetMeta): Promise<void>;
  /** Removes the consumer's files; resolves when that is durable. */
  delete(): Promise<void>;
}

/** Configuration as meta.inf keeps it: the creation time and the flat configuration object of the API. */
export interface AssetMeta {
  /** RFC 3339 with nanoseconds, as first given out. */
  created: string;
  /** JSON-ready; integers that do not fit a double are BigInt. */
  config: Record<string, unknown>;
}

/** One stream in the store: its configuration, messages and consumers. */
export interface StreamStore {
  readonly name: string;
  readonly meta: AssetMeta;
  readonly messages: MessageStore;
  /** Consumers the last run left, with their configuration. */
  recoveredConsumers(): readonly { name: string; meta: AssetMeta; store: ConsumerStore }[];
  /** Adds a consumer; it is durable after its first `sync`. `memory` keeps it out of the directory (ephemeral, mem_storage). */
  createConsumer(name: string, meta: AssetMeta, memory: boolean): Promise<ConsumerStore>;
  /** Replaces the stored configuration; resolves when durable. */
  updateMeta(meta: AssetMeta): Promise<void>;
  /** Removes the stream and everything in it; resolves when that is durable. */
  delete(): Promise<void>;
  /** Commits what is outstanding (its callbacks run), writes the index and closes the files. */
  close(): Promise<void>;
}

/** A stream found at start that this server cannot run: left untouched on disk, listed as offline. */
export interface OfflineStream {
  name: string;
  reason: string;
  /** As far as it could be read. */
  meta: AssetMeta | null;
}

/** Options of a stream's store that follow from its configuration. */
export interface StreamStoreOptions {
  kind: 'file' | 'memory';
  /** Number the first message gets; 0 or 1 = 1. */
  firstSeq: number;
  /** Decides the block size as nats-server does (spec/jetstream.md 7.2). */
  retention: 'limits' | 'interest' | 'workqueue';
  maxBytes: number;
  maxMsgsPerSubject: number;
}

/** All streams of all accounts. */
export interface Storage {
  /** Opens the account's directory and recovers its streams. Unreadable ones come back as offline, never vanish. */
  recoverAccount(
    account: string,
    options: (meta: AssetMeta) => StreamStoreOptions | { offline: string },
  ): Promise<{ streams: StreamStore[]; offline: OfflineStream[] }>;
  /** Names of accounts that have a directory. */
  accounts(): Promise<string[]>;
  /** Adds a stream; resolves when it is durable. */
  createStream(account: string, name: string, meta: AssetMeta, options: StreamStoreOptions): Promise<StreamStore>;
  /** Removes the files of a stream that came back as offline; resolves when that is durable. */
  deleteOffline(account: string, name: string): Promise<void>;
  /** Figures for monitoring and health: sync latency, failures, recovery findings. */
  readonly stats: StorageStats;
  /** Closes every stream that is still open and frees the lock. */
  close(): Promise<void>;
}

/** Plain counters, read by monitoring. */
export interface StorageStats {
  syncs: number;
  syncFailures: number;
  /** Time of the last successful sync of any stream, ms since the epoch; 0 = none yet. */
  lastSyncMs: number;
  /** Error text of the newest failed sync that no successful one has followed, or null. */
  failing: string | null;
  /** Sum of sync times, microseconds. */
  syncMicros: number;
  recoveredStreams: number;
  recoveredMessages: number;
  lostMessages: number;
}
