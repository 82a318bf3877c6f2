import { sha256key } from '../../hash/highwayhash.ts';
import type { BlockSubjects } from './block-subjects.ts';
import type { Segment } from './segment.ts';
import { SeqSet } from './seq-set.ts';

/**
 * One block file of a stream: `msgs/<index>.blk`. All that is kept per block when its bytes are not in memory.
 */
export class Block {
  readonly stream: string;
  index: number;
  #key: Buffer | null = null;

  /** Bytes of all records, those that are not written yet included. */
  fileBytes = 0;
  /** Bytes that have been written, all of their records: durable too unless a sync interval is set. */
  writtenBytes = 0;
  /** Highest sequence in them. */
  writtenSeq = 0;
  /** Bytes that are known to be on the disk, and the highest sequence in them. */
  durableBytes = 0;
  durableSeq = 0;
  /** A write or sync of it has failed: behind the durable bytes the file may have anything. */
  suspect = false;

  messages = 0;
  /** Bytes of the records of its messages. */
  bytes = 0;
  /** First message; `lastSeq + 1` when there is none. */
  firstSeq = 0;
  /** Highest sequence used up by a record of the block or of one before it. */
  lastSeq = 0;
  /** No record of a message in the file has a lower sequence; 0 where that is not known. */
  lowSeq: number;
  /** Time of the first message. */
  firstTimeMs = 0;
  firstTimeNs = 0;
  /** Time of the last record. */
  lastTimeMs = 0;
  lastTimeNs = 0;
  /** Sequences between first and last without a message. */
  removed: SeqSet = new SeqSet();
  /** Messages a limit evicted whose records are still in the file, and nothing on disk says that they are gone. */
  evicted: SeqSet = new SeqSet();
  /** How many messages each subject has here, where that is known. */
  subjects: BlockSubjects | null = null;

  /** Bytes read from the file, in front of those of `written`. */
  read: Segment | null = null;
  /** Bytes that were written by this process. */
  written: Segment | null = null;

  /** Open file, or -1. */
  fd = -1;
  /** The file is there and its name is durable. */
  created = true;
  /** No longer part of the stream; its file goes, or has gone. */
  retired = false;
  /** Bytes of it were found damaged: to be rewritten, with the original kept. */
  damaged = false;
  /** Counts the changes of bytes in place: what was read before one of them must not be used after it. */
  generation = 0;
  /** Bytes after the last rewriting, so that one that saved little is not repeated. */
  compactedBytes = 0;

  constructor(stream: string, index: number, lastSeq: number) {
    this.stream = stream;
    this.index = index;
    this.lastSeq = lastSeq;
    this.firstSeq = lastSeq + 1;
    this.lowSeq = lastSeq + 1;
  }

  /** What the hashes of its records are keyed with. */
  get key(): Buffer {
    this.#key ??= sha256key(`${this.stream}-${this.index}`);
    return this.#key;
  }

  get fileName(): string {
    return `${this.index}.blk`;
  }

  /** Everything it has is on disk. */
  setDurable(): void {
    this.writtenBytes = this.fileBytes;
    this.durableBytes = this.fileBytes;
    this.writtenSeq = this.lastSeq;
    this.durableSeq = this.lastSeq;
  }

  /** Gives the block another number; its records have to be sealed again. */
  renumber(index: number): void {
    this.index = index;
    this.#key = null;
  }

  /** True if all of the block's bytes are in memory. */
  get isLoaded(): boolean {
    if (this.fileBytes === 0) return true;
    if (this.written !== null) return this.written.start === 0 || this.read !== null;
    return this.read !== null;
  }

  /** Bytes in front of `written`: what a read of the file has to bring. */
  get unreadBytes(): number {
    return this.written === null ? this.fileBytes : this.written.start;
  }

  /** Highest sequence whose record may be in the part of the file that is not in memory; 0 = all of it is. */
  get coldEndSeq(): number {
    if (this.isLoaded) return 0;
    return this.written !== null && this.written.count > 0 ? this.written.firstSeq - 1 : this.lastSeq;
  }

  /** The segment that has the message (or would have it), if it is in memory. */
  segmentOf(seq: number): Segment | null {
    const { written } = this;
    if (written !== null && (written.start === 0 || (written.count > 0 && seq >= written.firstSeq))) return written;
    return this.read;
  }

  /** True if there is a message with this sequence, going by what is kept without the bytes. */
  has(seq: number): boolean {
    return seq >= this.firstSeq && seq <= this.lastSeq && this.messages > 0 && !this.removed.has(seq);
  }

  /** First message at or after `seq`; 0 if there is none. */
  nextSeq(seq: number): number {
    if (this.messages === 0) return 0;
    const next = this.removed.nextAbsent(Math.max(seq, this.firstSeq));
    return next > this.lastSeq ? 0 : next;
  }

  /** Last message at or before `seq`; 0 if there is none. */
  previousSeq(seq: number): number {
    if (this.messages === 0) return 0;
    const previous = this.removed.previousAbsent(Math.min(seq, this.lastSeq));
    return previous < this.firstSeq ? 0 : previous;
  }

  /** How many messages are at or after `seq`. */
  countFrom(seq: number): number {
    if (seq <= this.firstSeq || this.messages === 0) return this.messages;
    if (seq > this.lastSeq) return 0;
    return this.lastSeq - seq + 1 - this.removed.countFrom(seq);
  }
}
