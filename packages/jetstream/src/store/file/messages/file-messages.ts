import type { Clock, Log } from '../../../host.ts';
import type {
  LoadResult,
  LostMessage,
  MessageStore,
  StorageStats,
  StoredMessage,
  StoreEvents,
  StoreState,
  StreamStoreOptions,
  SubjectFilter,
  SubjectState,
} from '../../store.ts';
import type { FileSystem } from '../file-system.ts';
import type { SyncWatch } from '../sync-watch.ts';
import type { Block } from './block.ts';
import type { BlockCache } from './block-cache.ts';
import { BlockLoader } from './block-loader.ts';
import { blockBytes } from './block-size.ts';
import { CommitQueue } from './commit-queue.ts';
import { Compactor } from './compactor.ts';
import { StoreBacklogError, StoreUnavailableError } from './errors.ts';
import { Finder } from './finder.ts';
import { FullPurge } from './full-purge.ts';
import { Housekeeping, type RandomBytes } from './housekeeping.ts';
import { writeIndex } from './index-file.ts';
import { WRITE_BACKLOG_BYTES_MAX } from './limits.ts';
import { LogWriter } from './log-writer.ts';
import { MessageReader } from './message-reader.ts';
import { noFindings, Opener, type RecoveryFindings } from './opener.ts';
import { Purger } from './purger.ts';
import { Queries } from './queries.ts';
import { Salvage } from './salvage.ts';
import { deletedSeqsOf, EntryState, stateOf } from './state-view.ts';
import { StreamLog } from './stream-log.ts';
import { readTimeMs, readTimeNs } from './time64.ts';

/** What the message store of a stream needs from outside. */
export interface FileMessagesDependencies {
  fs: FileSystem;
  clock: Clock;
  log: Log;
  random: RandomBytes;
  stats: StorageStats;
  /** 0 = every commit is synced before it counts (the default of the server); else milliseconds between syncs. */
  syncIntervalMs: number;
  /** Shared by all streams. */
  cache: BlockCache;
  /** Told of the stream's syncs; null: nobody is. */
  watch: SyncWatch | null;
  /** Told while blocks are read at the start. */
  onBlocksRead?: ((blocks: number, total: number) => void) | null;
}

const NS_PER_MS = 1_000_000n;

/** Messages left in the first block when the next one is fetched for the removals to come. */
const PREFETCH_MESSAGES = 1024;

/**
 * The messages of one stream on disk, in nats-server's format: `<stream>/msgs`. Equivalent to fileStore in nats-server,
 * with the difference that what is committed is on disk (DESIGN.md).
 *
 * Changes are made in memory at once and brought to disk in order, in groups; reads answer from memory or say which
 * block to `warm`. Refuses changes after a failed write (until `recover`), and while WRITE_BACKLOG_BYTES_MAX wait for
 * the disk.
 */
export class FileMessages implements MessageStore {
  readonly kind = 'file';
  /** What opening the stream found. */
  readonly recovery: RecoveryFindings;
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #log: Log;
  readonly #state: StreamLog;
  readonly #writer: LogWriter;
  readonly #queue: CommitQueue;
  readonly #loader: BlockLoader;
  readonly #reader: MessageReader;
  readonly #finder: Finder;
  readonly #queries: Queries;
  readonly #housekeeping: Housekeeping;
  readonly #compactor: Compactor;
  readonly #fullPurge: FullPurge;
  readonly #purger: Purger;
  readonly #salvage: Salvage;
  #closed = false;
  #recovering: Promise<boolean> | null = null;

  private constructor(
    directory: string,
    state: StreamLog,
    queue: CommitQueue,
    recovery: RecoveryFindings,
    deps: FileMessagesDependencies,
  ) {
    const { fs, log } = deps;
    const messages = `${directory}/msgs`;
    this.#fs = fs;
    this.#directory = directory;
    this.#log = log;
    this.#state = state;
    this.#writer = new LogWriter(state, (block, bytes) => queue.written(block, bytes));
    this.#queue = queue;
    this.recovery = recovery;
    this.#loader = new BlockLoader(fs, messages, state, log, deps.stats, (block) => this.#tidy(block));
    this.#reader = new MessageReader(state, this.#loader);
    this.#finder = new Finder(state, this.#reader);
    this.#queries = new Queries(state, this.#loader);
    this.#housekeeping = new Housekeeping(state, this.#writer, queue, this.#loader, fs, messages, deps.random, log);
    this.#compactor = new Compactor(state, queue, this.#loader, this.#housekeeping, fs, directory, log);
    this.#fullPurge = new FullPurge(state, this.#writer, queue, fs, directory);
    this.#purger = new Purger(
      state,
      this.#writer,
      this.#loader,
      this.#reader,
      this.#queries,
      this.#housekeeping,
      this.#compactor,
      this.#fullPurge,
    );
    this.#salvage = new Salvage(state, queue, fs, messages);
  }

  /**
   * Opens a stream's messages, recovering whatever the last run left; an empty or missing directory is a new stream.
   *
   * @param directory `<stream>`, which `msgs` is in.
   * @param isNew `msgs` was just made: there is nothing to read.
   * @throws UnsupportedStoreError for compressed or encrypted blocks; the directory is as it was then.
   */
  static async open(
    directory: string,
    streamName: string,
    options: StreamStoreOptions,
    deps: FileMessagesDependencies,
    isNew = false,
  ): Promise<FileMessages> {
    const queue = new CommitQueue({ ...deps, directory: `${directory}/msgs` });
    const state = new StreamLog(streamName, blockBytes(options), deps.cache);
    const opener = new Opener(deps.fs, directory, state, deps.log, deps.onBlocksRead ?? null);
    const findings = isNew ? noFindings() : await opener.open();
    const messages = new FileMessages(directory, state, queue, findings, deps);
    await messages.#begin(options, isNew);
    deps.stats.recoveredMessages += findings.messages;
    return messages;
  }

  get applied(): number {
    return this.#queue.applied;
  }

  get committed(): number {
    return this.#queue.committed;
  }

  get committedSeq(): number {
    return this.#queue.committedSeq;
  }

  get failure(): Error | null {
    return this.#queue.failure;
  }

  get lostMessages(): LostMessage[] {
    const { lostSeqs, lostSubjects } = this.recovery;
    return lostSeqs.map((seq) => ({ seq, subject: lostSubjects.get(seq) ?? null }));
  }

  get messages(): number {
    return this.#state.messages;
  }

  get bytes(): number {
    return this.#state.bytes;
  }

  get firstSeq(): number {
    return this.#state.firstSeq;
  }

  get lastSeq(): number {
    return this.#state.lastSeq;
  }

  setEvents(events: StoreEvents): void {
    this.#queue.setEvents(events);
  }

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
  ): number {
    this.#checkWritable();
    if (this.#queue.backlogBytes > WRITE_BACKLOG_BYTES_MAX) {
      throw new StoreBacklogError(this.#state.stream, this.#queue.backlogBytes);
    }
    const seq = this.#writer.append(
      subject,
      headerBuffer,
      headerStart,
      headerEnd,
      payloadBuffer,
      payloadStart,
      payloadEnd,
      timeMs,
      timeNs,
    );
    this.#queue.mutated(seq);
    return seq;
  }

  skip(count: number, timeMs: number, timeNs: number): number {
    this.#checkWritable();
    const seq = this.#state.lastSeq + count;
    this.#writer.skipTo(seq, timeMs, timeNs);
    this.#queue.mutated(seq);
    return seq;
  }

  remove(seq: number, reason: 'user' | 'limit' | 'ack', erase: boolean): string | null {
    this.#checkWritable();
    const block = this.#state.blockWith(seq);
    if (block === undefined) return null;
    this.#loader.loadSync(block);
    const segment = block.segmentOf(seq);
    const at = segment !== null && block.has(seq) ? segment.find(seq) : -1;
    if (segment === null || at < 0) return null;
    const subject = this.#reader.subjectAt(segment, at);
    const time = segment.offsetAt(at) + 12;
    const timeMs = readTimeMs(segment.buffer, time);
    const timeNs = readTimeNs(segment.buffer, time);
    this.#state.takeOut(block, segment, at, seq);
    if (reason === 'limit') {
      this.#state.noteEvicted(block, seq);
    } else {
      // With this one gone the limits would let others back in that they evicted.
      this.#writer.sealEvictions();
      this.#writer.appendTombstone(seq, timeMs, timeNs);
    }
    if (erase) this.#housekeeping.erase(block, seq);
    this.#tidy(block);
    this.#prefetch(block);
    this.#queue.mutated(this.#state.lastSeq);
    return subject;
  }

  purge(
    filter: SubjectFilter | null,
    belowSeq: number,
    keep: number,
    onRemoved: ((seq: number, subject: string) => void) | null,
    most: number = Number.POSITIVE_INFINITY,
  ): number {
    this.#checkWritable();
    const removed = this.#purger.purge(filter, belowSeq, keep, onRemoved, most);
    if (removed < 0) return 0;
    this.#queue.mutated(this.#state.lastSeq);
    return removed;
  }

  sealEvictions(): void {
    this.#checkWritable();
    if (this.#writer.sealEvictions()) this.#queue.mutated(this.#state.lastSeq);
  }

  state(): StoreState {
    return stateOf(this.#state, this.#loader.loss);
  }

  deletedSeqs(): number[] {
    return deletedSeqsOf(this.#state);
  }

  subject(subject: string): SubjectState | undefined {
    const entry = this.#state.subjects.get(subject);
    if (entry === undefined) return undefined;
    this.#queries.resolveFirst(entry);
    this.#queries.resolveLast(entry);
    return { count: entry.count, first: entry.first, last: entry.last };
  }

  eachSubject(
    filter: SubjectFilter | null,
    callback: (subject: string, state: SubjectState) => boolean | undefined,
  ): void {
    const state = new EntryState(this.#queries);
    this.#state.subjects.each(filter, (entry) => {
      state.entry = entry;
      return callback(entry.subject, state);
    });
  }

  count(filter: SubjectFilter | null, from: number): number {
    return this.#queries.count(filter, from);
  }

  load(seq: number, into: StoredMessage): LoadResult {
    return this.#reader.load(seq, into);
  }

  loadNext(filter: SubjectFilter | null, from: number, into: StoredMessage): LoadResult {
    return this.#finder.loadNext(filter, from, into);
  }

  loadLast(filter: SubjectFilter, upTo: number, into: StoredMessage): LoadResult {
    return this.#finder.loadLast(filter, upTo, into);
  }

  seqAtTime(timeMs: number, timeNs: number): number {
    return this.#queries.seqAtTime(timeMs, timeNs);
  }

  warm(seq: number, callback: (error: Error | null) => void): void {
    const block = this.#state.blocks[this.#state.blockIndexOf(seq)];
    if (block === undefined) queueMicrotask(() => callback(null));
    else this.#loader.warm(block, callback);
  }

  async ensureUsed(seq: number): Promise<void> {
    if (seq <= this.#state.lastSeq) return;
    this.#burn(seq, this.#state.lastTimeMs, this.#state.lastTimeNs);
    await this.#queue.settled();
  }

  recover(): Promise<boolean> {
    if (this.#queue.failure === null) return Promise.resolve(true);
    this.#recovering ??= this.#recover().finally(() => {
      this.#recovering = null;
    });
    return this.#recovering;
  }

  /** Commits what is outstanding (its callbacks run), writes the index and closes the files. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#recovering;
    await this.#compactor.close();
    // The next run does not know which of the removed messages only a limit evicted.
    if (this.#queue.failure === null && this.#writer.sealEvictions()) this.#queue.mutated(this.#state.lastSeq);
    await this.#queue.settled();
    await this.#fullPurge.idle();
    try {
      if (this.#queue.failure === null) {
        await this.#queue.files.sync();
        if (this.#loader.loss !== null) await this.#queue.dropIndex();
        await this.#compactor.healAll();
        if (!this.recovery.fromIndex || !this.#queue.hasIndex) await this.#writeIndex();
      }
    } finally {
      await this.#queue.close();
      this.#release();
    }
  }

  /** Closes the files and leaves everything else as it is: the stream's directory is about to be removed. */
  async abandon(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#compactor.close();
    await this.#queue.close();
    await this.#fullPurge.idle();
    this.#release();
  }

  /** What a fresh or recovered stream still needs before it can be used. */
  async #begin(options: StreamStoreOptions, isNew: boolean): Promise<void> {
    const { lostSeqs, lostBytes, missingUpTo, missingTime } = this.recovery;
    this.#queue.committedSeq = this.#state.lastSeq;
    this.#queue.appliedSeq = this.#state.lastSeq;
    this.#queue.hasIndex = !isNew;
    if (lostBytes > 0) this.#loader.noteLoss(lostSeqs, lostBytes);
    if (missingUpTo > this.#state.lastSeq)
      this.#burn(missingUpTo, Number(missingTime / NS_PER_MS), Number(missingTime % NS_PER_MS));
    if (options.firstSeq > this.#state.lastSeq + 1) {
      this.#writer.appendTombstone(options.firstSeq - 1, 0, 0);
      this.#queue.mutated(this.#state.lastSeq);
    } else if (options.firstSeq === 1 && this.#state.firstSeq === 0) {
      this.#state.firstSeq = 1;
    }
    // The index that knows of them goes with the first change.
    if (this.#writer.sealEvictions()) this.#queue.mutated(this.#state.lastSeq);
    for (const block of [...this.#state.blocks]) this.#tidy(block);
    await this.#queue.settled();
    if (this.#queue.failure !== null) throw this.#queue.failure;
  }

  /** Something says that sequences were used which no block has: they are not used again. */
  #burn(upTo: number, timeMs: number, timeNs: number): void {
    const first = this.#state.lastSeq + 1;
    this.#log.error(`Filestore [${this.#state.stream}] messages from ${first} to ${upTo} are missing`);
    this.#writer.appendTombstone(upTo, timeMs, timeNs);
    this.#state.lastTimeMs = timeMs;
    this.#state.lastTimeNs = timeNs;
    const seqs = Array.from({ length: Math.min(upTo - first + 1, 1000) }, (_, at) => first + at);
    this.#loader.noteLoss(seqs, 0);
    this.#queue.mutated(upTo);
  }

  /** A block has lost a message, or was found damaged: its file goes if it was the last one, or is rewritten. */
  #tidy(block: Block): void {
    if (this.#closed || this.#queue.failure !== null) return;
    if (block.messages === 0 && this.#housekeeping.retire(block)) return;
    this.#compactor.consider(block);
  }

  /** Removals from the front go on in the next block: have it in memory by then. */
  #prefetch(block: Block): void {
    if (block.messages > PREFETCH_MESSAGES) return;
    const next = block === this.#state.blocks[0] ? this.#state.blocks[1] : undefined;
    if (next !== undefined && !next.isLoaded) this.#loader.warm(next, () => {});
  }

  async #recover(): Promise<boolean> {
    const { failure } = this.#queue;
    try {
      await this.#queue.settled();
      await this.#salvage.run();
    } catch (error) {
      this.#log.warn(`Filestore [${this.#state.stream}] cannot be written yet: ${String(error)}`);
      return false;
    }
    this.#log.info(`Filestore [${this.#state.stream}] goes on after: ${String(failure?.message)}`);
    this.#queue.resume();
    await this.#queue.settled();
    return this.#queue.failure === null;
  }

  /** Without an index the next start reads the blocks instead. */
  async #writeIndex(): Promise<void> {
    try {
      await writeIndex(this.#fs, `${this.#directory}/msgs`, this.#state, this.#loader);
    } catch (error) {
      this.#log.warn(`Filestore [${this.#state.stream}] could not write index.db: ${String(error)}`);
    }
  }

  #release(): void {
    for (const block of this.#state.blocks) this.#state.dropSegments(block);
  }

  #checkWritable(): void {
    if (this.#closed) throw new StoreUnavailableError(`stream ${JSON.stringify(this.#state.stream)} is closed`);
    const { failure } = this.#queue;
    if (failure === null) return;
    const message = `stream ${JSON.stringify(this.#state.stream)} cannot be written: ${failure.message}`;
    throw new StoreUnavailableError(message, { cause: failure });
  }
}
