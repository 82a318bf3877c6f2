import type { Timer } from '../../host.ts';
import type { ConsumerState } from '../store.ts';
import { ConsumerLogBatch } from './consumer-log-codec.ts';
import { EXPORTS_KEPT_MAX } from './consumer-replay.ts';
import type { StreamDependencies } from './dependencies.ts';
import { LogFile } from './log-file.ts';

/** The log is rewritten, one state per consumer, when it is above this and above twice what the last rewrite left. */
export const LOG_COMPACT_BYTES: number = 8 * 1024 * 1024;

/** At a clean stop the log is rewritten above this, so that the next start reads little. */
export const LOG_CLOSE_COMPACT_BYTES: number = 256 * 1024;

/**
 * Records that gather while a write is under way. Beyond, they are dropped for one state per consumer in the next
 * batch: a disk that stands still costs no more memory than that.
 */
export const LOG_BATCH_BYTES_MAX: number = 4 * 1024 * 1024;

/** What was written without anybody waiting for it is synced this long after, unless the sync interval is longer. */
export const LAZY_SYNC_MS = 1000;

/** How long after a failure the log is tried again, unless a sync is asked for before. */
export const LOG_RETRY_MS = 1000;

type Callback = (error: Error | null) => void;

/** A consumer as the log sees it. */
export interface LoggedConsumer {
  readonly name: string;
  /** Stands for it in the records. */
  readonly key: Buffer;
  /** Serial of its last record; 0 = it has none yet. */
  serial: number;
  /** Hashes of its exported o.dat, oldest first. */
  readonly exported: string[];
  /** Position of the last delivery reported. */
  deliveredConsumerSeq: number;
  deliveredStreamSeq: number;
  /** Its whole state goes into the next batch; what is reported until then is part of that. */
  needsState: boolean;
  /** Content of its meta.inf, of which the log keeps a copy. */
  readonly meta: Buffer;
  /** The log does not have that copy yet; it goes with the next state or record. */
  needsMeta: boolean;
  /** The state as it is now. */
  currentState(): ConsumerState;
}

/**
 * `consumers.log`: what the consumers of a stream deliver and get acked. Records gather in a batch that is written
 * once per turn of the event loop, one write in flight. A failed write or sync is made good by a rewrite, which holds
 * every consumer's whole state; until that worked every `sync` gets the error.
 */
export class ConsumerLog {
  readonly #deps: StreamDependencies;
  readonly #directory: string;
  readonly #file: LogFile;
  readonly #consumers = new Set<LoggedConsumer>();
  readonly #batch = new ConsumerLogBatch();
  #compactAbove = LOG_COMPACT_BYTES;
  #stateNeeded = false;
  #scheduled = false;
  #busy = false;
  #closed = false;
  #failing = false;
  #syncDue = false;
  #waitingForWrite: Callback[] = [];
  #waitingForSync: Callback[] = [];
  #whenIdle: (() => void) | null = null;
  #timer: Timer | null = null;

  /**
   * @param length bytes of the log that is there, 0 = none.
   * @param needsRewrite the log that is there is damaged or superseded.
   */
  constructor(deps: StreamDependencies, directory: string, length: number, needsRewrite: boolean) {
    this.#deps = deps;
    this.#directory = directory;
    this.#file = new LogFile(deps, directory, length, needsRewrite);
  }

  /** Puts a consumer under the log's care; nothing is written yet. */
  add(consumer: LoggedConsumer): void {
    this.#consumers.add(consumer);
  }

  /** The consumer is gone: its state is not kept any more. */
  remove(consumer: LoggedConsumer): void {
    if (!this.#consumers.delete(consumer) || consumer.serial === 0 || this.#file.needsRewrite) return;
    this.#batch.removed(consumer.key, ++consumer.serial);
    this.#schedule();
  }

  delivered(
    consumer: LoggedConsumer,
    consumerSeq: number,
    streamSeq: number,
    deliveries: number,
    timeMs: number,
    ackNone: boolean,
  ): void {
    const consumerSeqBefore = consumer.deliveredConsumerSeq;
    const streamSeqBefore = consumer.deliveredStreamSeq;
    if (consumerSeq > consumerSeqBefore) consumer.deliveredConsumerSeq = consumerSeq;
    if (streamSeq > streamSeqBefore) consumer.deliveredStreamSeq = streamSeq;
    if (this.#isCovered(consumer)) return;
    this.#batch.delivered(
      consumer.key,
      ++consumer.serial,
      consumerSeq,
      streamSeq,
      deliveries,
      timeMs,
      ackNone,
      consumerSeqBefore,
      streamSeqBefore,
    );
    this.#schedule();
  }

  acked(
    consumer: LoggedConsumer,
    consumerSeq: number,
    streamSeq: number,
    floorConsumerSeq: number,
    floorStreamSeq: number,
  ): void {
    if (floorConsumerSeq > consumer.deliveredConsumerSeq) consumer.deliveredConsumerSeq = floorConsumerSeq;
    if (floorStreamSeq > consumer.deliveredStreamSeq) consumer.deliveredStreamSeq = floorStreamSeq;
    if (this.#isCovered(consumer)) return;
    this.#batch.acked(
      consumer.key,
      ++consumer.serial,
      consumerSeq,
      streamSeq,
      floorConsumerSeq,
      floorStreamSeq,
      consumer.deliveredConsumerSeq,
      consumer.deliveredStreamSeq,
    );
    this.#schedule();
  }

  /** Anything else changed: the whole state goes into the next batch. */
  replaced(consumer: LoggedConsumer): void {
    consumer.needsState = true;
    this.#stateNeeded = true;
    this.#schedule();
  }

  /** Its meta.inf has another content now. */
  metaChanged(consumer: LoggedConsumer): void {
    consumer.needsMeta = true;
    this.#stateNeeded = true;
    this.#schedule();
  }

  /** An o.dat with this hash is about to be put in place: wait for `written` before doing so. */
  exported(consumer: LoggedConsumer, hash: string): void {
    consumer.exported.push(hash);
    if (consumer.exported.length > EXPORTS_KEPT_MAX) consumer.exported.shift();
    if (this.#isCovered(consumer)) return;
    this.#batch.exported(consumer.key, ++consumer.serial, hash);
    this.#schedule();
  }

  /** Calls back when everything reported so far is as durable as the sync interval asks for. */
  sync(callback: Callback): void {
    if (this.#closed) queueMicrotask(() => callback(new Error(`the consumer log in ${this.#directory} is closed`)));
    else if (this.#deps.syncIntervalMs === 0) this.#waitingForSync.push(callback);
    else this.#waitingForWrite.push(callback);
    this.#schedule(true);
  }

  /** Resolves when the end of the process cannot take back anything reported so far. */
  written(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new Error(`the consumer log in ${this.#directory} is closed`));
        return;
      }
      this.#waitingForWrite.push((error) => (error === null ? resolve() : reject(error)));
      this.#schedule(true);
    });
  }

  /** Writes and syncs what is outstanding and closes the file. Rejects if that failed, but the file is closed. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    if (this.#busy) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    const callbacks = this.#takeCallbacks();
    try {
      if (this.#consumers.size === 0) await this.#file.remove();
      else await this.#write(true, this.#file.length > LOG_CLOSE_COMPACT_BYTES);
      settle(callbacks, null);
    } catch (error) {
      settle(callbacks, error as Error);
      throw error;
    } finally {
      await this.#file.close();
    }
  }

  /** Closes the file as it is: the stream is being deleted. */
  async abandon(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    if (this.#busy) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    settle(this.#takeCallbacks(), new Error(`the stream in ${this.#directory} is deleted`));
    await this.#file.close();
  }

  /** True if a state record yet to be written will hold what is being reported. */
  #isCovered(consumer: LoggedConsumer): boolean {
    if (this.#closed) return true;
    if (this.#batch.bytes > LOG_BATCH_BYTES_MAX) this.#giveUpRecords();
    if (!consumer.needsState && !this.#file.needsRewrite) return false;
    this.replaced(consumer);
    return true;
  }

  #giveUpRecords(): void {
    this.#batch.clear();
    this.#stateNeeded = true;
    for (const consumer of this.#consumers) {
      consumer.needsState ||= consumer.serial > 0;
      consumer.needsMeta = true;
    }
  }

  /** After a failure only a sync (`now`) or the timer tries again: not every delivery. */
  #schedule(now = false): void {
    if (this.#scheduled || this.#busy || this.#closed || (this.#failing && !now)) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#busy && !this.#closed) this.#run();
    });
  }

  #run(): void {
    this.#busy = true;
    const forWrite = this.#waitingForWrite;
    const forSync = this.#waitingForSync;
    this.#waitingForWrite = [];
    this.#waitingForSync = [];
    const isSyncDue = this.#syncDue || forSync.length > 0;
    this.#syncDue = false;
    this.#write(isSyncDue, this.#file.length > this.#compactAbove).then(
      () => this.#ran([...forWrite, ...forSync], null),
      (error: unknown) => this.#ran([...forWrite, ...forSync], error as Error),
    );
  }

  async #write(isSyncDue: boolean, compact: boolean): Promise<void> {
    if (compact || this.#file.needsRewrite) {
      const snapshot = this.#snapshot();
      if (snapshot === null) return;
      await this.#file.rewrite(snapshot);
      this.#compactAbove = Math.max(LOG_COMPACT_BYTES, this.#file.length * 2);
      return;
    }
    if (this.#stateNeeded) {
      for (const consumer of this.#consumers) {
        if (consumer.needsMeta) this.#addMeta(consumer);
        if (consumer.needsState) this.#addState(consumer);
      }
    }
    this.#stateNeeded = false;
    if (this.#batch.bytes > 0) await this.#file.append(this.#batch.take());
    if (isSyncDue && this.#file.unsynced) await this.#file.sync();
  }

  /** Every consumer's state; null when none has any. */
  #snapshot(): Buffer | null {
    this.#batch.clear();
    this.#stateNeeded = false;
    for (const consumer of this.#consumers) {
      if (!consumer.needsState && consumer.serial === 0) continue;
      this.#addMeta(consumer);
      this.#addState(consumer);
    }
    return this.#batch.bytes === 0 ? null : this.#batch.take();
  }

  #addMeta(consumer: LoggedConsumer): void {
    consumer.needsMeta = false;
    this.#batch.meta(consumer.key, consumer.name, consumer.meta);
  }

  #addState(consumer: LoggedConsumer): void {
    const state = consumer.currentState();
    consumer.needsState = false;
    consumer.deliveredConsumerSeq = state.delivered.consumerSeq;
    consumer.deliveredStreamSeq = state.delivered.streamSeq;
    this.#batch.state(consumer.key, ++consumer.serial, consumer.name, state, consumer.exported);
  }

  #ran(callbacks: Callback[], error: Error | null): void {
    this.#busy = false;
    if (error !== null && !this.#failing) {
      this.#deps.log.error(`Consumer state in ${this.#directory} cannot be written: ${error.message}`);
    } else if (error === null && this.#failing) {
      this.#deps.log.info(`Consumer state in ${this.#directory} is written again`);
    }
    this.#failing = error !== null;
    settle(callbacks, error);
    if (this.#whenIdle !== null) {
      this.#whenIdle();
      return;
    }
    if (error !== null) this.#setTimer(LOG_RETRY_MS);
    else if (this.#file.unsynced) this.#setTimer(Math.max(this.#deps.syncIntervalMs, LAZY_SYNC_MS));
    const isWaitedFor = this.#waitingForSync.length > 0 || this.#waitingForWrite.length > 0;
    if (isWaitedFor || this.#batch.bytes > 0 || this.#stateNeeded) this.#schedule(isWaitedFor);
  }

  #setTimer(delayMs: number): void {
    if (this.#timer !== null || this.#closed) return;
    this.#timer = this.#deps.clock.setTimer(() => {
      this.#timer = null;
      this.#syncDue = true;
      this.#schedule(true);
    }, delayMs);
  }

  #takeCallbacks(): Callback[] {
    const callbacks = [...this.#waitingForWrite, ...this.#waitingForSync];
    this.#waitingForWrite = [];
    this.#waitingForSync = [];
    return callbacks;
  }
}

function settle(callbacks: readonly Callback[], error: Error | null): void {
  for (const callback of callbacks) callback(error);
}
