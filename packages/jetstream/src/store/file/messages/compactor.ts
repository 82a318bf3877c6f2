import type { Log } from '../../../host.ts';
import { type FileSystem, removeIfThere, writeNewFile } from '../file-system.ts';
import type { Block } from './block.ts';
import type { BlockLoader } from './block-loader.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Housekeeping } from './housekeeping.ts';
import { COMPACT_BYTES_MIN } from './limits.ts';
import { EMPTY_RECORD_BYTES, isMessage, isTombstone, recordLength, recordSeq, writeEmptyRecord } from './record.ts';
import { scanBlock } from './scan.ts';
import { SeqSet } from './seq-set.ts';
import type { StreamLog } from './stream-log.ts';

/** How often a block is read again because it changed in place while it was being rewritten. */
const TRIES_MAX = 5;

/**
 * Rewrites blocks that are more than half removed messages, or damaged, in the background, one at a time: a new file
 * beside the old one, synced, renamed over it. A failure of that costs nothing but the space.
 */
export class Compactor {
  readonly #state: StreamLog;
  readonly #queue: CommitQueue;
  readonly #loader: BlockLoader;
  readonly #housekeeping: Housekeeping;
  readonly #fs: FileSystem;
  /** `<stream>` */
  readonly #directory: string;
  readonly #log: Log;
  /** Blocks to be rewritten. */
  readonly #candidates = new Set<Block>();
  /** Those of them of which all is on disk: what is not would not be in the new file. */
  readonly #ready = new Set<Block>();
  #running: Promise<void> | null = null;
  /** Gives up waiting for the queue to put the new file in place. */
  #giveUp: (() => void) | null = null;
  #closed = false;
  /** The queue has ended: there is nothing to wait for. */
  #isAlone = false;

  constructor(
    state: StreamLog,
    queue: CommitQueue,
    loader: BlockLoader,
    housekeeping: Housekeeping,
    fs: FileSystem,
    directory: string,
    log: Log,
  ) {
    this.#state = state;
    this.#queue = queue;
    this.#loader = loader;
    this.#housekeeping = housekeeping;
    this.#fs = fs;
    this.#directory = directory;
    this.#log = log;
  }

  /** Looks whether a block is worth rewriting, and does so later if it is. */
  consider(block: Block): void {
    if (block === this.#state.tail || block.retired || !this.#isWorthwhile(block) || this.#candidates.has(block))
      return;
    this.#candidates.add(block);
    // Its bytes have to be on disk first.
    this.#queue.enqueue(async () => this.#start(block));
  }

  /** Resolves when nothing is under way; nothing more is begun. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#giveUp?.();
    await this.#running;
  }

  /** Rewrites the damaged blocks there are, the last one too. Nothing else is under way any more. */
  async healAll(): Promise<void> {
    this.#isAlone = true;
    for (const block of [...this.#state.blocks]) if (block.damaged) await this.#compact(block);
  }

  /** Half of it is removed messages, and the last rewriting was worth it; or it is damaged. */
  #isWorthwhile(block: Block): boolean {
    if (block.damaged) return true;
    const least = Math.min(COMPACT_BYTES_MIN, this.#state.blockBytesMax / 2);
    const live = block.bytes * 2;
    if (block.fileBytes <= least || live >= block.fileBytes) return false;
    return block.compactedBytes === 0 || live < block.compactedBytes;
  }

  #start(block: Block): void {
    this.#ready.add(block);
    this.#running ??= this.#runAll().finally(() => {
      this.#running = null;
    });
  }

  async #runAll(): Promise<void> {
    for (const block of this.#ready) {
      this.#ready.delete(block);
      this.#candidates.delete(block);
      if (this.#closed || this.#queue.failure !== null) return;
      if (!block.retired && block !== this.#state.tail && this.#isWorthwhile(block)) await this.#compact(block);
    }
  }

  async #compact(block: Block): Promise<void> {
    const temporary = `${this.#directory}/msgs/${block.index}.new`;
    try {
      for (let tries = 0; tries < TRIES_MAX && !block.retired; tries++) {
        const { generation } = block;
        if (block.writtenBytes < block.fileBytes) return;
        const bytes = await this.#loader.readBytes(block, block.writtenBytes);
        if (block.retired || block.generation !== generation) continue;
        const content = this.#content(block, bytes);
        await writeNewFile(this.#fs, temporary, content);
        if (await this.#installed(block, generation, content)) return;
      }
    } catch (error) {
      this.#log.warn(`Filestore [${block.stream}] could not rewrite block ${block.fileName}: ${String(error)}`);
    }
    await removeIfThere(this.#fs, temporary).catch(() => false);
  }

  /** What the block comes down to: its messages, and what other blocks still need to know from it. */
  #content(block: Block, bytes: Buffer): Buffer {
    const { offsets, gaps, end, repaired } = scanBlock(block.key, bytes, bytes.length);
    if (repaired.length > 0) block.damaged = true;
    if (gaps.length > 0 || end < bytes.length) this.#loader.attachScanned(block, bytes, offsets);
    const kept = offsets.filter((at) => this.#isKept(block, bytes, at));
    const last = kept.findLast((at) => isMessage(bytes, at));
    const needsLast =
      block.lastSeq === this.#state.lastSeq && (last === undefined || recordSeq(bytes, last) < block.lastSeq);
    let length = needsLast ? EMPTY_RECORD_BYTES : 0;
    for (const at of kept) length += recordLength(bytes, at);
    const content = Buffer.allocUnsafeSlow(length);
    let to = 0;
    for (const at of kept) to += bytes.copy(content, to, at, at + recordLength(bytes, at));
    if (needsLast) {
      writeEmptyRecord(block.key, content, to, block.lastSeq, 'erased', block.lastTimeMs, block.lastTimeNs);
    }
    return content;
  }

  #isKept(block: Block, bytes: Buffer, at: number): boolean {
    const seq = recordSeq(bytes, at);
    if (isTombstone(bytes, at)) return this.#housekeeping.isForeign(block, seq);
    return isMessage(bytes, at) && block.has(seq);
  }

  /** Puts the new file in the old one's place, between commits. False if the block has changed in place meanwhile. */
  #installed(block: Block, generation: number, content: Buffer): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#giveUp = () => reject(new Error('the store was closed'));
      const install = async (): Promise<void> => {
        this.#giveUp = null;
        try {
          resolve(await this.#install(block, generation, content));
        } catch (error) {
          reject(error);
        }
      };
      // Files that its tombstones are for may still have to go.
      if (this.#isAlone) void install();
      else if (this.#closed) this.#giveUp();
      else this.#queue.enqueue(install);
    });
  }

  async #install(block: Block, generation: number, content: Buffer): Promise<boolean> {
    if (block.retired || block.generation !== generation) return false;
    const messages = `${this.#directory}/msgs`;
    if (block.damaged) await keepDamaged(this.#fs, this.#directory, block);
    await this.#fs.rename(`${messages}/${block.index}.new`, `${messages}/${block.fileName}`);
    this.#replace(block, content);
    await this.#fs.fsyncDir(messages);
    return true;
  }

  #replace(block: Block, content: Buffer): void {
    block.generation++;
    block.fileBytes = content.length;
    this.#state.evicted -= block.evicted.size;
    block.evicted = stillIn(block, content);
    this.#state.evicted += block.evicted.size;
    shrink(block, content);
    block.setDurable();
    block.compactedBytes = content.length;
    block.damaged = false;
    this.#state.dropSegments(block);
    this.#loader.attach(block, content);
    this.#housekeeping.retire(block);
  }
}

/** Evicted messages that were there when the content was put together. */
function stillIn(block: Block, content: Buffer): SeqSet {
  const left = new SeqSet();
  if (block.evicted.size === 0) return left;
  for (let at = 0; at < content.length; at += recordLength(content, at)) {
    if (isMessage(content, at) && block.evicted.has(recordSeq(content, at))) left.add(recordSeq(content, at));
  }
  return left;
}

/** Which sequences a block spans follows from its records alone, for whoever reads the file. */
function shrink(block: Block, content: Buffer): void {
  if (block.messages === 0) return;
  let last = 0;
  // Not the first message: those removed while the content was written are in it, and their tombstones count.
  let low = block.firstSeq;
  for (let at = 0; at < content.length; at += recordLength(content, at)) {
    if (isTombstone(content, at)) continue;
    last = recordSeq(content, at);
    low = Math.min(low, last);
  }
  block.lowSeq = low;
  block.lastSeq = last;
  block.removed = block.removed.between(block.firstSeq, last);
}

/**
 * Keeps a damaged block's file under a second name, in the stream's own directory: in msgs/ nats-server 2.10 would take
 * it for a block.
 */
export async function keepDamaged(fs: FileSystem, directory: string, block: Block): Promise<void> {
  const copy = `${directory}/${block.fileName}.damaged`;
  await removeIfThere(fs, copy);
  await fs.link(`${directory}/msgs/${block.fileName}`, copy);
  await fs.fsyncDir(directory);
}
