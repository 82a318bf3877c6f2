import { sealRecord } from '../../hash/highwayhash.ts';
import { type FileSystem, removeIfThere } from '../file-system.ts';
import type { Block } from './block.ts';
import type { CommitQueue } from './commit-queue.ts';
import { recordLength } from './record.ts';
import { Segment } from './segment.ts';
import { SeqSet } from './seq-set.ts';
import type { StreamLog } from './stream-log.ts';
import { readTimeMs, readTimeNs } from './time64.ts';

/**
 * Makes a stream writable again after a write or sync failed. What the disk has behind the last durable byte of the
 * block is not known, so the file is cut there, and what is in memory from there on goes into a new block: never one
 * sequence in two blocks, which nats-server would count twice.
 */
export class Salvage {
  readonly #state: StreamLog;
  readonly #queue: CommitQueue;
  readonly #fs: FileSystem;
  /** `<stream>/msgs` */
  readonly #directory: string;

  constructor(state: StreamLog, queue: CommitQueue, fs: FileSystem, directory: string) {
    this.#state = state;
    this.#queue = queue;
    this.#fs = fs;
    this.#directory = directory;
  }

  /** Resolves when the files are as if nothing had been begun that failed. Rejects while the disk refuses. */
  async run(): Promise<void> {
    const pending = this.#pending();
    for (const block of pending) {
      await this.#close(block);
      if (block.suspect && block.durableBytes > 0) await this.#cut(block);
      else if (block.suspect || !block.created) await this.#remove(block);
    }
    // From here on nothing waits: reads see the old blocks or the new ones.
    let isMoved = false;
    for (const block of pending) {
      if (block.retired && block.suspect) this.#drop(block);
      else if (block.suspect && block.durableBytes > 0) isMoved = this.#split(block) || isMoved;
      else if (!block.created || block.suspect || (isMoved && block.durableBytes === 0)) this.#renumber(block);
      block.suspect = false;
    }
  }

  /** Blocks with bytes to be written, or whose file is not to be trusted since an earlier attempt. */
  #pending(): Block[] {
    const blocks = this.#queue.pendingBlocks();
    for (const block of this.#state.blocks) if (block.suspect) blocks.add(block);
    return [...blocks].sort((left, right) => left.index - right.index);
  }

  async #close(block: Block): Promise<void> {
    this.#queue.files.forget(block);
    if (block.fd < 0) return;
    const { fd } = block;
    block.fd = -1;
    await this.#fs.close(fd);
  }

  async #cut(block: Block): Promise<void> {
    const fd = await this.#fs.open(`${this.#directory}/${block.fileName}`, 'update');
    try {
      await this.#fs.truncate(fd, block.durableBytes);
      await this.#fs.fsync(fd);
    } finally {
      await this.#fs.close(fd);
    }
  }

  async #remove(block: Block): Promise<void> {
    if (await removeIfThere(this.#fs, `${this.#directory}/${block.fileName}`)) {
      await this.#fs.fsyncDir(this.#directory);
    }
  }

  /** A block that is about to be removed needs no more of its bytes on disk. */
  #drop(block: Block): void {
    this.#queue.backlogBytes -= block.fileBytes - block.writtenBytes;
    block.fileBytes = block.durableBytes;
    block.setDurable();
    block.written = null;
    this.#queue.drop(block);
  }

  /** Gives a block of which nothing is on disk an index that no file ever had. */
  #renumber(block: Block): void {
    const { index } = this.#state.newBlock(0);
    block.renumber(index);
    block.created = false;
    this.#queue.backlogBytes += block.writtenBytes;
    block.writtenBytes = 0;
    block.durableBytes = 0;
    const window = block.written;
    if (window !== null) reseal(block, window);
    if (block.suspect) this.#queue.redirect(block, block);
  }

  /** Moves what is not on disk into a new block. */
  #split(block: Block): boolean {
    this.#queue.backlogBytes += block.writtenBytes - block.durableBytes;
    const window = block.written;
    if (window === null || block.durableBytes === block.fileBytes) return false;
    const moved = this.#state.newBlock(block.durableSeq);
    const from = block.durableBytes - window.start;
    const target = new Segment(moved, 0, Buffer.from(window.buffer.subarray(from, window.length)));
    target.length = window.length - from;
    moved.written = target;
    moved.fileBytes = target.length;
    reseal(moved, target);
    moveMessages(block, moved, window, target, from);
    window.length = from;
    block.fileBytes = block.durableBytes;
    block.setDurable();
    this.#state.blocks.splice(this.#state.blocks.indexOf(block) + 1, 0, moved);
    this.#state.cache.use(target);
    this.#queue.redirect(block, moved);
    return true;
  }
}

/** The hashes are keyed with the block's number. */
function reseal(block: Block, segment: Segment): void {
  for (let at = 0; at < segment.length; at += recordLength(segment.buffer, at)) {
    sealRecord(block.key, segment.buffer, at, recordLength(segment.buffer, at));
  }
}

/** Takes the messages behind `from` in the old block's window into the new block, with all that is counted of them. */
function moveMessages(block: Block, moved: Block, window: Segment, target: Segment, from: number): void {
  const lastSeq = block.lastSeq;
  let first = window.count;
  while (first > 0 && window.offsetAt(first - 1) >= from) first--;
  for (let at = first; at < window.count; at++) {
    const seq = window.seqAt(at);
    const offset = window.offsetAt(at) - from;
    target.index(offset, seq, window.subjectIdAt(at), true);
    if (!block.has(seq)) continue;
    if (moved.messages === 0) setFirst(moved, target.buffer, offset, seq);
    moved.messages++;
    moved.bytes += recordLength(target.buffer, offset);
  }
  window.truncateIndex(first);
  block.messages -= moved.messages;
  block.bytes -= moved.bytes;
  moved.lastSeq = lastSeq;
  moved.lastTimeMs = block.lastTimeMs;
  moved.lastTimeNs = block.lastTimeNs;
  if (moved.messages === 0) moved.firstSeq = lastSeq + 1;
  splitRemoved(block, moved);
  block.lastSeq = block.durableSeq;
  if (block.messages === 0) block.firstSeq = block.lastSeq + 1;
  block.subjects = null;
}

function setFirst(block: Block, buffer: Buffer, offset: number, seq: number): void {
  block.firstSeq = seq;
  block.firstTimeMs = readTimeMs(buffer, offset + 12);
  block.firstTimeNs = readTimeNs(buffer, offset + 12);
}

function splitRemoved(block: Block, moved: Block): void {
  moved.evicted = block.evicted.between(block.durableSeq + 1, moved.lastSeq);
  block.evicted = block.evicted.between(1, block.durableSeq);
  const { removed } = block;
  block.removed = block.messages > 0 ? removed.between(block.firstSeq, block.durableSeq) : new SeqSet();
  if (moved.messages > 0) moved.removed = removed.between(moved.firstSeq, moved.lastSeq);
}
