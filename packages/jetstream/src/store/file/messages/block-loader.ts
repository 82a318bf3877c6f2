import type { Log } from '../../../host.ts';
import type { StorageStats } from '../../store.ts';
import type { FileSystem } from '../file-system.ts';
import type { Block } from './block.ts';
import { isMessage, isSaneRecord, recordLength, recordSeq } from './record.ts';
import { scanBlock } from './scan.ts';
import { Segment } from './segment.ts';
import type { StreamLog } from './stream-log.ts';
import { SubjectRecount } from './subject-recount.ts';

type Waiter = (error: Error | null) => void;

/** What damage has cost since the stream was opened. */
export interface Loss {
  seqs: number[];
  bytes: number;
}

/** Sequences of lost messages that are listed; further ones only count. */
export const LOST_SEQS_MAX: number = 100_000;

/**
 * Brings blocks into memory: off the event loop for readers, on it where a caller of the control plane cannot wait.
 * What turns out damaged only now (a start from index.db reads no blocks) costs the messages that are hit.
 */
export class BlockLoader {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #state: StreamLog;
  readonly #log: Log;
  readonly #stats: StorageStats;
  readonly #loading = new Map<Block, Waiter[]>();
  /** Blocks that the disk would not read the last time. */
  readonly #unreadable = new WeakSet<Block>();
  readonly #onDamage: (block: Block) => void;
  /** What damage has cost so far; null = nothing. */
  loss: Loss | null = null;

  constructor(
    fs: FileSystem,
    directory: string,
    state: StreamLog,
    log: Log,
    stats: StorageStats,
    onDamage: (block: Block) => void,
  ) {
    this.#fs = fs;
    this.#directory = directory;
    this.#state = state;
    this.#log = log;
    this.#stats = stats;
    this.#onDamage = onDamage;
  }

  /** Reads the block off the event loop and calls back, also when it was in memory already. */
  warm(block: Block, callback: Waiter): void {
    if (block.isLoaded || block.retired) {
      queueMicrotask(() => callback(null));
      return;
    }
    const waiting = this.#loading.get(block);
    if (waiting !== undefined) {
      waiting.push(callback);
      return;
    }
    const waiters = [callback];
    this.#loading.set(block, waiters);
    const end = (error: Error | null): void => {
      this.#loading.delete(block);
      for (const waiter of waiters) waiter(error);
    };
    this.#read(block).then(
      () => {
        this.#noteReadable(block);
        end(null);
      },
      (error: unknown) => {
        this.#noteUnreadable(block, error);
        end(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  /** Reads the block on the event loop if it is not in memory. */
  loadSync(block: Block): void {
    if (block.isLoaded) return;
    const file = this.#fs.readFileSync(`${this.#directory}/${block.fileName}`);
    this.attach(block, file);
  }

  /** The block's bytes, read afresh, whatever is in memory. */
  async readBytes(block: Block, length: number, from = 0): Promise<Buffer> {
    const fd = await this.#fs.open(`${this.#directory}/${block.fileName}`, 'read');
    try {
      const bytes = Buffer.allocUnsafeSlow(length);
      for (let at = 0; at < length; ) {
        const count = await this.#fs.read(fd, bytes, at, length - at, from + at);
        if (count === 0) return bytes.subarray(0, at);
        at += count;
      }
      return bytes;
    } finally {
      await this.#fs.close(fd);
    }
  }

  /** Gives the block the bytes that were in front of what it has, and indexes them. */
  attach(block: Block, file: Buffer): void {
    const length = Math.min(file.length, block.unreadBytes);
    const segment = new Segment(block, 0, file.subarray(0, length), block.messages);
    segment.length = length;
    block.read = segment;
    const whole = length === block.unreadBytes;
    if (!whole || !indexSegment(segment, block)) {
      this.#indexVerified(segment, scanBlock(block.key, segment.buffer, length).offsets);
      this.#countOutMissing(block);
    }
    this.#state.cache.use(segment);
  }

  /** Gives the block its whole content, freshly read and scanned, and counts out what did not verify. */
  attachScanned(block: Block, bytes: Buffer, offsets: readonly number[]): void {
    this.#state.dropSegments(block);
    const segment = new Segment(block, 0, bytes, offsets.length);
    segment.length = bytes.length;
    block.read = segment;
    this.#indexVerified(segment, offsets);
    this.#countOutMissing(block);
    this.#state.cache.use(segment);
  }

  /** A message's record does not verify: it is gone, and its block will be rewritten. */
  lose(block: Block, segment: Segment, at: number): void {
    const seq = segment.seqAt(at);
    const length = recordLength(segment.buffer, segment.offsetAt(at));
    const entry = this.#state.entryAt(segment, at);
    if (entry === undefined) {
      this.#state.countOut(block, seq, length);
      this.#recount(block);
    } else {
      this.#state.takeOut(block, segment, at, seq);
    }
    this.#report(block, [seq], length);
  }

  /** Notes damage found elsewhere. */
  noteLoss(seqs: readonly number[], bytes: number): void {
    this.loss ??= { seqs: [], bytes: 0 };
    this.loss.bytes += bytes;
    for (const seq of seqs) if (this.loss.seqs.length < LOST_SEQS_MAX) this.loss.seqs.push(seq);
    this.#stats.lostMessages += seqs.length;
  }

  /** Told once: whoever reads tries again and again. What the disk does not give is not lost as long as it may give it yet. */
  #noteUnreadable(block: Block, error: unknown): void {
    if (this.#unreadable.has(block)) return;
    this.#unreadable.add(block);
    this.#log.error(
      `Filestore [${block.stream}] block ${block.fileName} cannot be read, ${block.messages} messages of it wait: ${String(error)}`,
    );
  }

  #noteReadable(block: Block): void {
    if (!this.#unreadable.delete(block)) return;
    this.#log.info(`Filestore [${block.stream}] block ${block.fileName} can be read again`);
  }

  async #read(block: Block): Promise<void> {
    for (;;) {
      const { generation, unreadBytes } = block;
      let bytes: Buffer;
      try {
        bytes = await this.readBytes(block, unreadBytes);
      } catch (error) {
        if (block.retired) return;
        throw error;
      }
      if (block.retired || block.isLoaded) return;
      if (block.generation === generation && block.unreadBytes === unreadBytes) {
        this.attach(block, bytes);
        return;
      }
    }
  }

  #indexVerified(segment: Segment, offsets: readonly number[]): void {
    const { block, buffer } = segment;
    segment.truncateIndex(0);
    for (const offset of offsets) {
      const seq = recordSeq(buffer, offset);
      if (isMessage(buffer, offset) && seq > segment.lastSeq && seq <= block.lastSeq)
        segment.index(offset, seq, 0, true);
    }
  }

  /** Counts out the messages a block in memory should have and has not. */
  #countOutMissing(block: Block): void {
    let bytes = 0;
    for (const segment of [block.read, block.written]) {
      for (let at = 0; at < (segment?.count ?? 0); at++) {
        if (block.has(segment!.seqAt(at))) bytes += recordLength(segment!.buffer, segment!.offsetAt(at));
      }
    }
    const lost: number[] = [];
    for (let seq = block.nextSeq(0); seq > 0; seq = block.nextSeq(seq + 1)) {
      if ((block.segmentOf(seq)?.find(seq) ?? -1) < 0) lost.push(seq);
    }
    if (lost.length === 0) return;
    const lostBytes = Math.max(0, block.bytes - bytes);
    lost.forEach((seq, at) => {
      this.#state.countOut(block, seq, at === 0 ? lostBytes : 0);
    });
    this.#recount(block);
    this.#report(block, lost, lostBytes);
  }

  /** Counts subjects again: which subject a lost message had cannot be told any more. Reads every block. */
  #recount(block: Block): void {
    block.subjects = null;
    new SubjectRecount(this.#state, (other) => this.loadSync(other)).run();
  }

  #report(block: Block, seqs: readonly number[], bytes: number): void {
    const range =
      seqs.length === 1 ? `message ${seqs[0]}` : `${seqs.length} messages from ${seqs[0]} to ${seqs.at(-1)}`;
    this.#log.error(
      `Filestore [${block.stream}] damaged block ${block.fileName}: ${range} cannot be read (${bytes} bytes)`,
    );
    this.noteLoss(seqs, bytes);
    block.damaged = true;
    // Whoever came across it is in the midst of the blocks.
    queueMicrotask(() => this.#onDamage(block));
  }
}

/** Indexes the messages of a segment by their lengths alone; false if those cannot be right. */
function indexSegment(segment: Segment, block: Block): boolean {
  const { buffer, length } = segment;
  for (let at = 0; at < length; at += recordLength(buffer, at)) {
    if (!isSaneRecord(buffer, at, length - at)) return false;
    if (!isMessage(buffer, at)) continue;
    const seq = recordSeq(buffer, at);
    if (seq > block.lastSeq) return false;
    // A sequence that was there already counts for nothing.
    if (seq > segment.lastSeq) segment.index(at, seq, 0, false);
  }
  let missing = block.messages - (block.written === null ? 0 : countIn(block, block.written));
  for (let at = 0; at < segment.count; at++) if (block.has(segment.seqAt(at))) missing--;
  return missing === 0;
}

/** How many messages of the block are in the segment. */
function countIn(block: Block, segment: Segment): number {
  return segment.count === 0 ? 0 : block.countFrom(segment.firstSeq);
}
