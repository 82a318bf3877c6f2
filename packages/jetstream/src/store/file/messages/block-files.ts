import type { Clock, Log } from '../../../host.ts';
import type { StorageStats } from '../../store.ts';
import { type FileSystem, synchronise, type WriteCallback, writeAll } from '../file-system.ts';
import type { SyncWatch } from '../sync-watch.ts';
import type { Block } from './block.ts';

export interface BlockFilesOptions {
  fs: FileSystem;
  clock: Clock;
  log: Log;
  stats: StorageStats;
  /** `<stream>/msgs` */
  directory: string;
  /** 0 = every write is durable when it returns; else milliseconds between syncs. */
  syncIntervalMs: number;
  /** Told of syncs; null: nobody is. */
  watch: SyncWatch | null;
}

/**
 * The file of the block that is written to, the only one kept open. It is opened with O_DSYNC; with a sync interval
 * without, and then synced by the timer, before the next block is begun, and whenever `sync` is called.
 */
export class BlockFiles {
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stats: StorageStats;
  readonly #directory: string;
  readonly #syncIntervalMs: number;
  readonly #watch: SyncWatch | null;
  readonly #onSyncFailure: (error: Error) => void;
  #open: Block | null = null;
  #timer = false;
  #closed = false;
  /** The sync that is under way. */
  #syncing: Promise<void> | null = null;
  /** Block with bytes that were written but not synced; only with a sync interval. */
  unsynced: Block | null = null;

  constructor(options: BlockFilesOptions, onSyncFailure: (error: Error) => void) {
    this.#fs = options.fs;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#stats = options.stats;
    this.#directory = options.directory;
    this.#syncIntervalMs = options.syncIntervalMs;
    this.#watch = options.watch;
    this.#onSyncFailure = onSyncFailure;
  }

  /** Opens a block's file for writing, creates it if need be, and makes its name durable. */
  async open(block: Block): Promise<void> {
    // The block before it is complete, and known to be, before this one exists.
    if (this.unsynced !== block) await this.sync();
    const fd = await this.#fs.open(
      `${this.#directory}/${block.fileName}`,
      this.#syncIntervalMs === 0 ? 'create-synced' : 'create',
    );
    if (!block.created) {
      try {
        await this.#fs.fsyncDir(this.#directory);
      } catch (error) {
        await this.#fs.close(fd).catch(() => {});
        throw error;
      }
      block.created = true;
    }
    this.adopt(block, fd);
  }

  /** Takes an open file as the one that is written to, and closes the one before. */
  adopt(block: Block, fd: number): void {
    const open = this.#open;
    block.fd = fd;
    this.#open = block;
    if (open === null || open.fd < 0 || open === block) return;
    const old = open.fd;
    open.fd = -1;
    this.#fs.close(old).catch((error: unknown) => this.#log.warn(`Filestore ${this.#directory}: ${String(error)}`));
  }

  /** Writes all that the block's buffer has and its file has not. It counts as written when it is complete. */
  write(block: Block, callback: WriteCallback): void {
    const window = block.written!;
    const from = block.writtenBytes;
    const seq = block.lastSeq;
    const began = performance.now();
    const watch = this.#syncIntervalMs === 0 ? this.#watch : null;
    const watched = watch === null ? 0 : watch.began();
    writeAll(this.#fs, block.fd, window.buffer, from - window.start, block.fileBytes - from, from, (error, written) => {
      if (error !== null) {
        block.suspect = true;
        watch?.ended(watched, 0, 0, error);
        callback(error, 0);
        return;
      }
      const messages = sequencesIn(block, block.writtenSeq, seq);
      block.writtenBytes = from + written;
      block.writtenSeq = seq;
      if (this.#syncIntervalMs === 0) {
        block.durableBytes = block.writtenBytes;
        block.durableSeq = seq;
        this.#countSync(began);
        watch?.ended(watched, written, messages, null);
      } else {
        this.unsynced = block;
        this.#armTimer();
      }
      callback(null, written);
    });
  }

  /** Makes durable what was written, if anything was not. */
  async sync(): Promise<void> {
    while (this.#syncing !== null) await this.#syncing;
    if (this.unsynced === null) return;
    this.#syncing = this.#sync(this.unsynced).finally(() => {
      this.#syncing = null;
    });
    await this.#syncing;
  }

  /** Closes the file. No write is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#syncing?.catch(() => {});
    const open = this.#open;
    this.#open = null;
    if (open === null || open.fd < 0) return;
    const { fd } = open;
    open.fd = -1;
    await this.#fs.close(fd);
  }

  /** Forgets the open file; its owner closes it. */
  forget(block: Block): void {
    if (this.#open === block) this.#open = null;
    if (this.unsynced === block) this.unsynced = null;
  }

  #armTimer(): void {
    if (this.#timer) return;
    this.#timer = true;
    this.#clock.setTimer(() => {
      this.#timer = false;
      if (!this.#closed) this.sync().catch((error: unknown) => this.#onSyncFailure(error as Error));
    }, this.#syncIntervalMs);
  }

  /** A failure of this is one of the whole store: the system forgets which bytes it was. */
  async #sync(block: Block): Promise<void> {
    const { writtenBytes, writtenSeq } = block;
    const began = performance.now();
    const watch = this.#watch;
    const watched = watch === null ? 0 : watch.began();
    try {
      await synchronise(this.#fs, block.fd);
    } catch (error) {
      block.suspect = true;
      watch?.ended(watched, 0, 0, error as Error);
      throw error;
    }
    this.#countSync(began);
    const bytes = writtenBytes - block.durableBytes;
    watch?.ended(watched, bytes, sequencesIn(block, block.durableSeq, writtenSeq), null);
    block.durableBytes = writtenBytes;
    block.durableSeq = writtenSeq;
    if (block.writtenBytes > writtenBytes) this.#armTimer();
    else if (this.unsynced === block) this.unsynced = null;
  }

  #countSync(began: number): void {
    this.#stats.syncs++;
    this.#stats.syncMicros += Math.round((performance.now() - began) * 1000);
    this.#stats.lastSyncMs = this.#clock.now();
    this.#stats.failing = null;
  }
}

/** How many sequences of the block come after `before`, up to `seq`. */
function sequencesIn(block: Block, before: number, seq: number): number {
  return Math.max(0, seq - Math.max(before, block.lowSeq - 1));
}
