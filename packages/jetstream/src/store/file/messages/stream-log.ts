import { subjectFromBytes } from '@nats-ts/protocol';
import { checkSequence } from '../../shared/limits.ts';
import { Block } from './block.ts';
import type { BlockCache } from './block-cache.ts';
import { BlockSubjects } from './block-subjects.ts';
import { RECORD_HEAD_BYTES, recordLength, subjectLength } from './record.ts';
import type { Segment } from './segment.ts';
import { SeqSet } from './seq-set.ts';
import { type SubjectEntry, SubjectTable } from './subject-table.ts';
import { readTimeMs, readTimeNs } from './time64.ts';

/**
 * The state of a stream's messages: blocks, subjects and counts. Its methods change it at once and touch no file.
 * `LogWriter` adds to it, and `CommitQueue` brings what that leaves in the blocks' buffers to disk.
 */
export class StreamLog {
  readonly stream: string;
  /** Size at which a block is full. */
  readonly blockBytesMax: number;
  readonly cache: BlockCache;
  /** Ascending by index and by sequence; the last one is written to. Empty until something is stored. */
  blocks: Block[] = [];
  readonly subjects: SubjectTable = new SubjectTable();
  messages = 0;
  bytes = 0;
  /** Evicted messages that only the blocks' `evicted` know of. */
  evicted = 0;
  /** 0 until something was stored; lastSeq + 1 when there is no message. */
  firstSeq = 0;
  lastSeq = 0;
  /** Time of the last message ever stored; (0, 0) = none. */
  lastTimeMs = 0;
  lastTimeNs = 0;
  /** Index the next new block gets at least. */
  #nextIndex = 1;

  constructor(stream: string, blockBytesMax: number, cache: BlockCache) {
    this.stream = stream;
    this.blockBytesMax = blockBytesMax;
    this.cache = cache;
  }

  get tail(): Block | undefined {
    return this.blocks.at(-1);
  }

  /** A limit evicted a message: as long as nothing else is removed, the same limit would evict it again. */
  noteEvicted(block: Block, seq: number): void {
    if (block.evicted.add(seq)) this.evicted++;
  }

  /** Index of the block in which the sequence is, or would be; `blocks.length` if it is above all. */
  blockIndexOf(seq: number): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.blocks[middle]!.lastSeq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The block that has the message; undefined if there is no such message. */
  blockWith(seq: number): Block | undefined {
    const block = this.blocks[this.blockIndexOf(seq)];
    return block?.has(seq) ? block : undefined;
  }

  /** The subject of a message in memory; undefined only after damage that hit a subject. */
  entryAt(segment: Segment, at: number): SubjectEntry | undefined {
    const known = this.subjects.byId(segment.subjectIdAt(at));
    if (known !== undefined) return known;
    const offset = segment.offsetAt(at);
    const start = offset + RECORD_HEAD_BYTES;
    const end = start + subjectLength(segment.buffer, offset);
    const entry = this.subjects.get(subjectFromBytes(segment.buffer, start, end));
    if (entry !== undefined) segment.setSubjectId(at, entry.id);
    return entry;
  }

  /**
   * Takes a message that is in memory out of all counts. Returns the length of its record. The block may be without
   * messages afterwards.
   */
  takeOut(block: Block, segment: Segment, at: number, seq: number): number {
    const length = recordLength(segment.buffer, segment.offsetAt(at));
    const entry = this.entryAt(segment, at);
    if (entry === undefined) {
      block.subjects = null;
    } else {
      block.subjects?.removed(entry);
      this.subjects.removed(entry, seq);
    }
    this.countOut(block, seq, length);
    return length;
  }

  /** Takes out all messages of the first block that has any, going by what is known of its subjects. */
  takeOutAll(block: Block, subjects: BlockSubjects): void {
    for (const [entry, count] of subjects.entries()) {
      if (entry.first <= block.lastSeq) {
        entry.first = block.lastSeq + 1;
        entry.firstExact = false;
      }
      this.subjects.removed(entry, 0, count);
    }
    this.messages -= block.messages;
    this.bytes -= block.bytes;
    block.messages = 0;
    block.bytes = 0;
    block.subjects = null;
    emptied(block);
    this.findFirst();
  }

  /** Takes a message out of the counts of block and stream. */
  countOut(block: Block, seq: number, length: number): void {
    this.messages--;
    this.bytes -= length;
    block.messages--;
    block.bytes -= length;
    if (block.messages === 0) emptied(block);
    else if (seq === block.firstSeq) this.#advanceFirst(block);
    else block.removed.add(seq);
    if (seq === this.firstSeq) this.findFirst();
  }

  /** Sets the stream's first sequence to that of the first block with a message. */
  findFirst(): void {
    for (const block of this.blocks) {
      if (block.messages === 0) continue;
      this.firstSeq = block.firstSeq;
      return;
    }
    this.firstSeq = this.lastSeq + 1;
  }

  /** Takes a block out of the stream. Its messages have been counted out. */
  detach(block: Block): void {
    block.retired = true;
    this.evicted -= block.evicted.size;
    block.evicted = new SeqSet();
    const at = this.blocks.indexOf(block);
    if (at >= 0) this.blocks.splice(at, 1);
    this.dropSegments(block);
  }

  /** Takes a block's bytes from memory, those that still have to be written excepted. */
  dropSegments(block: Block): void {
    if (block.read !== null) this.cache.remove(block.read);
    block.read = null;
    if (block.written !== null) this.cache.remove(block.written);
    if (block.durableBytes === block.fileBytes) block.written = null;
  }

  /** Leaves everything behind and goes on in a new block, above `lastSeq`. */
  startOver(lastSeq: number): Block {
    checkSequence(lastSeq);
    const block = this.newBlock(lastSeq);
    for (const old of this.blocks) {
      old.retired = true;
      this.dropSegments(old);
    }
    this.blocks = [block];
    this.subjects.clear();
    this.messages = 0;
    this.bytes = 0;
    this.evicted = 0;
    this.lastSeq = lastSeq;
    this.firstSeq = lastSeq + 1;
    return block;
  }

  /** A block with the next free index that is not in the list yet. */
  newBlock(lastSeq: number): Block {
    this.#nextIndex = Math.max(this.#nextIndex, (this.tail?.index ?? 0) + 1);
    const block = new Block(this.stream, this.#nextIndex++, lastSeq);
    block.created = false;
    return block;
  }

  /** No new block gets an index below this. */
  reserveIndex(index: number): void {
    this.#nextIndex = Math.max(this.#nextIndex, index);
  }

  /** Notes which subjects a block in memory has, unless they are too many. */
  noteSubjects(block: Block): void {
    if (block.subjects !== null || !block.isLoaded) return;
    const subjects = new BlockSubjects();
    for (const segment of [block.read, block.written]) {
      for (let at = 0; at < (segment?.count ?? 0); at++) {
        if (!block.has(segment!.seqAt(at))) continue;
        const entry = this.entryAt(segment!, at);
        if (entry === undefined || !subjects.add(entry)) return;
      }
    }
    block.subjects = subjects;
  }

  /** Moves a block's first sequence to its next message, which is in memory as the one before it was. */
  #advanceFirst(block: Block): void {
    const next = block.removed.nextAbsent(block.firstSeq + 1);
    if (next !== block.firstSeq + 1) block.removed.removeBelow(next);
    block.firstSeq = next;
    const segment = block.segmentOf(next);
    const at = segment === null ? -1 : segment.find(next);
    if (at < 0) return;
    const offset = segment!.offsetAt(at);
    block.firstTimeMs = readTimeMs(segment!.buffer, offset + 12);
    block.firstTimeNs = readTimeNs(segment!.buffer, offset + 12);
  }
}

/** What a block looks like that has no message any more. */
function emptied(block: Block): void {
  block.firstSeq = block.lastSeq + 1;
  block.firstTimeMs = 0;
  block.firstTimeNs = 0;
  block.removed = new SeqSet();
}
