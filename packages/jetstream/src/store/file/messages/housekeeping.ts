import type { Log } from '../../../host.ts';
import { type FileSystem, isMissing, removeIfThere, synchronise, writeFully } from '../file-system.ts';
import type { Block } from './block.ts';
import type { BlockLoader } from './block-loader.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { LogWriter } from './log-writer.ts';
import { EMPTY_RECORD_BYTES, isTombstone, recordLength, recordSeq, writeErasedRecord } from './record.ts';
import { Segment } from './segment.ts';
import type { StreamLog } from './stream-log.ts';

/** Where bytes come from that overwrite what was erased. */
export interface RandomBytes {
  bytes(length: number): Uint8Array;
}

/** Removes block files that hold nothing any more, and overwrites erased messages, once what they depend on is on disk. */
export class Housekeeping {
  readonly #state: StreamLog;
  readonly #writer: LogWriter;
  readonly #queue: CommitQueue;
  readonly #loader: BlockLoader;
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #random: RandomBytes;
  readonly #log: Log;
  #unlinks: Block[] = [];
  #unlinkStep: object | null = null;

  constructor(
    state: StreamLog,
    writer: LogWriter,
    queue: CommitQueue,
    loader: BlockLoader,
    fs: FileSystem,
    directory: string,
    random: RandomBytes,
    log: Log,
  ) {
    this.#state = state;
    this.#writer = writer;
    this.#queue = queue;
    this.#loader = loader;
    this.#fs = fs;
    this.#directory = directory;
    this.#random = random;
    this.#log = log;
  }

  /** Overwrites a removed message's record once its tombstone is on disk. */
  erase(block: Block, seq: number): void {
    this.#queue.enqueue(() => this.#erase(block, seq));
  }

  /**
   * A block has lost its last message: its file goes if nothing in it is needed any more. Returns false if it stays,
   * because it is written to or says that messages of other blocks are removed.
   *
   * @param later takes the block instead, to be handed to `unlink` when what has to be on disk first is written.
   */
  retire(block: Block, later: Block[] | null = null): boolean {
    if (block.messages > 0 || block === this.#state.tail || block.retired) return false;
    const isFirst = block === this.#state.blocks[0];
    if (!isFirst && this.hasForeignTombstones(block)) return false;
    if (block.lastSeq === this.#state.lastSeq) {
      // The file knows the last sequence, and no later one does.
      this.#writer.appendTombstone(this.#state.lastSeq, this.#state.lastTimeMs, this.#state.lastTimeNs);
    }
    this.#state.detach(block);
    if (later === null) this.unlink(block);
    else later.push(block);
    // What the next block says of messages in this one does not matter any more.
    if (isFirst) this.retire(this.#state.blocks[0]!, later);
    return true;
  }

  /** Removes the file of a block that has left the stream. */
  unlink(block: Block): void {
    if (this.#unlinkStep !== null && this.#queue.isWaitingLast(this.#unlinkStep)) {
      this.#unlinks.push(block);
      return;
    }
    const blocks = [block];
    this.#unlinks = blocks;
    this.#unlinkStep = this.#queue.enqueue(() => this.#unlink(blocks));
  }

  /** True if the block has a tombstone of a message whose record is still in the file of another one. */
  hasForeignTombstones(block: Block): boolean {
    this.#loader.loadSync(block);
    for (const segment of [block.read, block.written]) {
      const { buffer, length } = segment ?? { buffer: null, length: 0 };
      for (let at = 0; at < length; at += recordLength(buffer!, at)) {
        // Damage: what cannot be read is kept.
        if (recordLength(buffer!, at) < EMPTY_RECORD_BYTES) return true;
        if (isTombstone(buffer!, at) && this.isForeign(block, recordSeq(buffer!, at))) return true;
      }
    }
    return false;
  }

  /** True if a record with this sequence may be in the file of a block in front of this one. */
  isForeign(block: Block, seq: number): boolean {
    const holder = this.#state.blocks[this.#state.blockIndexOf(seq)];
    return holder !== undefined && holder.index < block.index && seq >= holder.lowSeq;
  }

  async #unlink(blocks: Block[]): Promise<void> {
    this.#unlinkStep = null;
    // Ascending: a block's tombstones of messages in front of it outlive those.
    blocks.sort((left, right) => left.index - right.index);
    for (const block of blocks) {
      if (block.fd >= 0) {
        this.#queue.files.forget(block);
        const { fd } = block;
        block.fd = -1;
        await this.#fs.close(fd);
      }
      await removeIfThere(this.#fs, `${this.#directory}/${block.fileName}`);
    }
    await this.#fs.fsyncDir(this.#directory);
  }

  async #erase(hint: Block, seq: number): Promise<void> {
    const current = this.#state.blocks[this.#state.blockIndexOf(seq)];
    const block = hint.retired || current === undefined ? hint : current;
    const found = this.#findInMemory(block, seq) ?? (await this.#findOnDisk(block, seq));
    if (found === null) return;
    const { segment, offset } = found;
    const length = recordLength(segment.buffer, offset);
    const filler = this.#random.bytes(length - EMPTY_RECORD_BYTES);
    block.generation++;
    writeErasedRecord(block.key, segment.buffer, offset, length, seq, filler, 0, 0);
    const fd = await this.#fs.open(`${this.#directory}/${block.fileName}`, 'update');
    try {
      await writeFully(this.#fs, fd, segment.buffer.subarray(offset, offset + length), segment.start + offset);
      await synchronise(this.#fs, fd);
    } finally {
      await this.#fs.close(fd);
    }
  }

  #findInMemory(block: Block, seq: number): { segment: Segment; offset: number } | null {
    for (const segment of [block.written, block.read]) {
      const at = segment?.find(seq) ?? -1;
      if (at >= 0) return { segment: segment!, offset: segment!.offsetAt(at) };
    }
    return null;
  }

  async #findOnDisk(block: Block, seq: number): Promise<{ segment: Segment; offset: number } | null> {
    let bytes: Buffer;
    try {
      bytes = await this.#loader.readBytes(block, block.writtenBytes);
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
    const segment = new Segment(block, 0, bytes);
    segment.length = bytes.length;
    segment.indexOwn(0);
    const at = segment.find(seq);
    if (at < 0) this.#log.warn(`Filestore [${block.stream}] message ${seq} to erase is not in ${block.fileName}`);
    return at < 0 ? null : { segment, offset: segment.offsetAt(at) };
  }
}
