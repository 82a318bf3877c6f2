import { subjectByteLength, subjectFromBytes } from '@nats-ts/protocol';
import { Block } from './block.ts';
import { BlockSubjects } from './block-subjects.ts';
import { UnsupportedStoreError } from './errors.ts';
import { fillGap, type ResolvedGap, resolveGap } from './gap.ts';
import {
  isErased,
  isSafeSeq,
  isTombstone,
  RECORD_HEAD_BYTES,
  recordLength,
  recordSeq,
  subjectLength,
} from './record.ts';
import { type Gap, type ScanResult, scanBlock } from './scan.ts';
import { Segment } from './segment.ts';
import { SeqSet } from './seq-set.ts';
import type { StreamLog } from './stream-log.ts';
import { isTimeZero, readTimeMs, readTimeNs } from './time64.ts';

/** A block whose file has to be written anew because bytes of it were damaged. */
export interface HealedBlock {
  block: Block;
  bytes: Buffer;
}

/** What a recovery found, beside the messages. */
export interface RecoveryOutcome {
  healed: HealedBlock[];
  /** Blocks whose file ends in a write that was not finished: it is cut to `block.fileBytes`. */
  cut: Block[];
  /** Bytes of unfinished writes. */
  tornBytes: number;
  lostSeqs: number[];
  lostBytes: number;
  /** Subjects of lost messages, where their records still tell. */
  lostSubjects: Map<number, string>;
  repairedRecords: number;
}

interface ScannedBlock {
  block: Block;
  bytes: Buffer | null;
  scan: ScanResult;
  /** Lowest sequence that a record in it uses; 0 = none. */
  lowest: number;
}

/**
 * Builds a stream's state from its blocks. They are handed over from the last to the first: a message's tombstone
 * comes after it, so whoever goes backwards knows of a removal before meeting the message.
 */
export class Recovery {
  readonly #state: StreamLog;
  readonly #tombstones = new SeqSet();
  readonly #scanned: ScannedBlock[] = [];
  /** Lowest sequence used by the blocks so far; what is not below it is there twice. */
  #ceiling = Number.POSITIVE_INFINITY;
  /** Highest sequence that any record names, and the time of the highest that has one. */
  #lastSeq = 0;
  #timedSeq = 0;
  readonly #outcome: RecoveryOutcome = {
    healed: [],
    cut: [],
    tornBytes: 0,
    lostSeqs: [],
    lostBytes: 0,
    lostSubjects: new Map(),
    repairedRecords: 0,
  };

  constructor(state: StreamLog) {
    this.#state = state;
  }

  /** Takes in the content of the next lower block. @param path names it in errors. */
  add(index: number, bytes: Buffer, path: string): void {
    const block = new Block(this.#state.stream, index, 0);
    const scan = scanBlock(block.key, bytes, bytes.length);
    block.fileBytes = scan.end;
    this.#noteTombstones(bytes, scan, path);
    const used = this.#usedRecords(bytes, scan, path);
    this.#build(block, bytes, used);
    const lowest = used.length === 0 ? 0 : recordSeq(bytes, used[0]!);
    const isLast = this.#scanned.length === 0;
    const isDamaged = scan.gaps.length > 0 || scan.repaired.length > 0;
    if (isLast && !isDamaged) this.#attach(block, bytes);
    this.#scanned.push({ block, bytes: isDamaged ? bytes : null, scan, lowest });
    if (lowest > 0) this.#ceiling = lowest;
    if (scan.end < bytes.length) this.#outcome.cut.push(block);
    this.#outcome.tornBytes += bytes.length - scan.end;
    this.#outcome.repairedRecords += scan.repaired.length;
  }

  /** After the last block: sets the stream's state. */
  finish(): RecoveryOutcome {
    const state = this.#state;
    this.#scanned.reverse();
    let before = 0;
    let used = 0;
    this.#scanned.forEach((scanned, at) => {
      const { block } = scanned;
      if (scanned.bytes !== null) this.#heal(scanned, used, this.#lowestAfter(at));
      block.lastSeq = Math.max(block.lastSeq, before);
      before = block.lastSeq;
      used = Math.max(used, before, scanned.scan.usedSeq);
      block.lowSeq = scanned.lowest === 0 ? block.lastSeq + 1 : scanned.lowest;
      if (block.messages === 0) block.firstSeq = block.lastSeq + 1;
      state.blocks.push(block);
    });
    state.lastSeq = Math.max(before, this.#lastSeq);
    const tail = state.tail;
    if (tail !== undefined && tail.messages === 0) {
      tail.lastSeq = state.lastSeq;
      tail.firstSeq = state.lastSeq + 1;
    }
    for (const block of state.blocks) block.setDurable();
    if (state.lastSeq > 0) state.findFirst();
    return this.#outcome;
  }

  #noteTombstones(bytes: Buffer, scan: ScanResult, path: string): void {
    for (const at of scan.offsets) {
      if (!isSafeSeq(bytes, at)) throw new UnsupportedStoreError('sequence', path);
      if (!isTombstone(bytes, at)) continue;
      this.#tombstones.add(recordSeq(bytes, at));
      this.#noteLast(bytes, at);
    }
    // A tombstone beyond repair still says which message it was for: rather that one is gone than back.
    for (const gap of scan.gaps) if (gap.tombstone) this.#tombstones.add(gap.hint);
  }

  /** Records that use up a sequence, in order, without those that were there before. */
  #usedRecords(bytes: Buffer, scan: ScanResult, path: string): number[] {
    const used: number[] = [];
    let last = 0;
    for (const at of scan.offsets) {
      if (isTombstone(bytes, at)) continue;
      const seq = recordSeq(bytes, at);
      if (seq <= last || seq >= this.#ceiling) continue;
      if (!Number.isSafeInteger(seq)) throw new UnsupportedStoreError('sequence', path);
      last = seq;
      used.push(at);
    }
    return used;
  }

  #build(block: Block, bytes: Buffer, used: readonly number[]): void {
    const live: number[] = [];
    for (const at of used) {
      const seq = recordSeq(bytes, at);
      this.#noteLast(bytes, at);
      if (isErased(bytes, at) || this.#tombstones.has(seq)) continue;
      const expected = block.messages === 0 ? seq : block.lastSeq + 1;
      if (block.messages === 0) this.#setFirst(block, bytes, at);
      if (seq > expected) block.removed.addRange(expected, seq - 1);
      block.messages++;
      block.bytes += recordLength(bytes, at);
      block.lastSeq = seq;
      live.push(at);
    }
    const last = used.at(-1);
    if (last !== undefined) {
      const lastSeq = recordSeq(bytes, last);
      if (block.messages > 0 && lastSeq > block.lastSeq) block.removed.addRange(block.lastSeq + 1, lastSeq);
      block.lastSeq = lastSeq;
    }
    // Erased records have no time.
    const timed = used.findLast((at) => !isTimeZero(bytes, at + 12));
    if (timed !== undefined) {
      block.lastTimeMs = readTimeMs(bytes, timed + 12);
      block.lastTimeNs = readTimeNs(bytes, timed + 12);
    }
    this.#state.messages += block.messages;
    this.#state.bytes += block.bytes;
    this.#countSubjects(block, bytes, live);
  }

  #setFirst(block: Block, bytes: Buffer, at: number): void {
    block.firstSeq = recordSeq(bytes, at);
    block.firstTimeMs = readTimeMs(bytes, at + 12);
    block.firstTimeNs = readTimeNs(bytes, at + 12);
  }

  #countSubjects(block: Block, bytes: Buffer, live: readonly number[]): void {
    const { subjects } = this.#state;
    let counts: BlockSubjects | null = new BlockSubjects();
    for (let i = live.length - 1; i >= 0; i--) {
      const start = live[i]! + RECORD_HEAD_BYTES;
      const subject = subjectFromBytes(bytes, start, start + subjectLength(bytes, live[i]!));
      const entry = subjects.get(subject) ?? subjects.add(subject, subjectByteLength(subject));
      subjects.prepended(entry, recordSeq(bytes, live[i]!));
      if (counts?.add(entry) === false) counts = null;
    }
    block.subjects = counts;
  }

  #noteLast(bytes: Buffer, at: number): void {
    const seq = recordSeq(bytes, at);
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    if (isTimeZero(bytes, at + 12) || seq < this.#timedSeq) return;
    this.#timedSeq = seq;
    this.#state.lastTimeMs = readTimeMs(bytes, at + 12);
    this.#state.lastTimeNs = readTimeNs(bytes, at + 12);
  }

  #lowestAfter(at: number): number {
    for (const { lowest } of this.#scanned.slice(at + 1)) if (lowest > 0) return lowest;
    return 0;
  }

  /** Puts erased records over the gaps, so that whoever reads the file next can step over them. */
  #heal(scanned: ScannedBlock, before: number, after: number): void {
    const { block, scan } = scanned;
    const bytes = scanned.bytes!.subarray(0, scan.end);
    for (const gap of scan.gaps) {
      const resolved = resolveGap(gap, before, after, this.#lastSeq, this.#tombstones);
      this.#noteSubject(bytes, gap, resolved);
      fillGap(block.key, bytes, gap, resolved.fillSeq, scan.offsets);
      this.#countLost(resolved, gap.end - gap.start);
      if (resolved.fillSeq > block.lastSeq) {
        if (block.messages > 0) block.removed.addRange(block.lastSeq + 1, resolved.fillSeq);
        block.lastSeq = resolved.fillSeq;
      }
    }
    if (scanned === this.#scanned.at(-1)) this.#attach(block, bytes);
    this.#outcome.healed.push({ block, bytes });
  }

  /** A record that is damaged in its payload, as most of it is, still says which subject it had. */
  #noteSubject(bytes: Buffer, gap: Gap, { lostSeqs }: ResolvedGap): void {
    if (!gap.single || lostSeqs.length !== 1 || gap.hint !== lostSeqs[0]) return;
    const start = gap.start + RECORD_HEAD_BYTES;
    const subject = subjectFromBytes(bytes, start, start + subjectLength(bytes, gap.start));
    this.#outcome.lostSubjects.set(gap.hint, subject);
  }

  #countLost(gap: ResolvedGap, bytes: number): void {
    // A gap may have swallowed more of them than a call takes arguments.
    for (const seq of gap.lostSeqs) this.#outcome.lostSeqs.push(seq);
    this.#outcome.lostBytes += bytes;
  }

  /** The last block stays in memory. */
  #attach(block: Block, bytes: Buffer): void {
    if (block.fileBytes === 0) return;
    const segment = new Segment(block, 0, bytes, block.messages);
    segment.length = block.fileBytes;
    segment.indexOwn(0);
    block.read = segment;
    this.#state.cache.use(segment);
  }
}
