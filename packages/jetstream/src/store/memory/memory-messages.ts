import { subjectByteLength } from '@nats-ts/protocol';
import { emptyMessage } from '../shared/empty.ts';
import { isLiteralFilter, takesAll } from '../shared/filters.ts';
import { checkRecordBytes, checkSequence } from '../shared/limits.ts';
import type {
  LoadResult,
  MessageStore,
  StoredMessage,
  StoreEvents,
  StoreState,
  SubjectFilter,
  SubjectState,
  Timestamp,
} from '../store.ts';
import { BlockList } from './block-list.ts';
import type { MemoryBlock } from './memory-block.ts';
import { type SubjectEntry, SubjectIndex } from './subject-index.ts';

type Removed = ((seq: number, subject: string) => void) | null;

/** What the memory store counts per message beside subject, header and payload, as nats-server does. */
const MESSAGE_OVERHEAD_BYTES = 16;

/** How many of the newest messages `loadLast` looks at before it asks the subject index. */
const NEWEST_PROBED = 64;

/**
 * The messages of one stream in memory. Every mutation is committed at once (`committed === applied`);
 * `onCommit` is called in one microtask after the mutations of a turn. Nothing is ever cold and nothing fails.
 * Costs 48 bytes per message beside its header and payload, and one object per distinct subject.
 */
export class MemoryMessages implements MessageStore {
  readonly kind = 'memory';
  applied = 0;
  messages = 0;
  bytes = 0;
  firstSeq = 0;
  lastSeq = 0;
  #firstTime: Timestamp | null = null;
  #lastTime: Timestamp | null = null;
  readonly #blocks = new BlockList();
  readonly #subjects = new SubjectIndex();
  #events: StoreEvents | null = null;
  #commitScheduled = false;
  #closed = false;
  readonly #announce = (): void => {
    this.#commitScheduled = false;
    if (!this.#closed) this.#events?.onCommit();
  };

  /** @param firstSeq number of the first message; 0 or 1 = 1. */
  constructor(firstSeq = 0) {
    checkSequence(firstSeq);
    if (firstSeq > 0) {
      this.firstSeq = firstSeq;
      this.lastSeq = firstSeq - 1;
    }
  }

  get committed(): number {
    return this.applied;
  }

  get committedSeq(): number {
    return this.lastSeq;
  }

  get failure(): Error | null {
    return null;
  }

  /** Bytes of memory held for messages, removed ones that are not packed away yet included. Walks all blocks. */
  get heldBytes(): number {
    return this.#blocks.heldBytes;
  }

  setEvents(events: StoreEvents): void {
    this.#events = events;
  }

  /** Stops the calls of `onCommit`. */
  close(): void {
    this.#closed = true;
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
    const headerBytes = headerEnd - headerStart;
    const payloadBytes = payloadEnd - payloadStart;
    const known = this.#subjects.get(subject);
    checkRecordBytes(known?.bytes ?? subjectByteLength(subject), headerBytes, payloadBytes);
    const seq = this.lastSeq + 1;
    checkSequence(seq);
    const entry = known ?? this.#subjects.add(subject);

    const block = this.#blocks.forAppend(seq, headerBytes + payloadBytes);
    const slot = block.slots;
    const offset = block.append(seq, entry.id, headerBytes, payloadBytes, timeMs, timeNs);
    if (headerBytes > 0) copy(headerBuffer, headerStart, headerEnd, block.slab, offset);
    if (payloadBytes > 0) copy(payloadBuffer, payloadStart, payloadEnd, block.slab, offset + headerBytes);

    if (entry.count === 0) {
      entry.first = seq;
    } else {
      block.setPrevious(slot, entry.last);
      this.#link(entry.last, 0, seq);
    }
    entry.last = seq;
    entry.count++;
    if (this.messages === 0) {
      this.firstSeq = seq;
      this.#firstTime = { ms: timeMs, ns: timeNs };
    }
    this.messages++;
    this.bytes += entry.bytes + headerBytes + payloadBytes + MESSAGE_OVERHEAD_BYTES;
    this.lastSeq = seq;
    this.#setLastTime(timeMs, timeNs);
    this.#mutated();
    return seq;
  }

  skip(count: number, timeMs: number, timeNs: number): number {
    checkSequence(this.lastSeq + count);
    this.lastSeq += count;
    this.#setLastTime(timeMs, timeNs);
    if (this.messages === 0) this.#setEmpty(this.lastSeq + 1);
    this.#mutated();
    return this.lastSeq;
  }

  remove(seq: number, _reason: 'user' | 'limit' | 'ack', erase: boolean): string | null {
    const subject = this.#remove(seq, erase, null);
    if (subject !== null) this.#mutated();
    return subject;
  }

  /** Nothing here outlives the process. */
  sealEvictions(): void {}

  purge(
    filter: SubjectFilter | null,
    belowSeq: number,
    keep: number,
    onRemoved: Removed,
    most: number = Number.POSITIVE_INFINITY,
  ): number {
    // As nats-server: "everything below 1" is nothing.
    if (belowSeq === 1) return 0;
    const all = takesAll(filter);
    if (all && keep === 0) return this.#purgeBelow(belowSeq === 0 ? this.lastSeq + 1 : belowSeq, onRemoved);

    const total = this.count(filter, 0);
    let left = Math.min(most, total - keep);
    const last = belowSeq === 0 ? this.lastSeq : Math.min(belowSeq - 1, this.lastSeq);
    let purged = 0;
    const into = emptyMessage();
    for (let from = this.firstSeq; left > 0 && from <= last; from = into.seq + 1) {
      if (this.loadNext(filter, from, into) !== 'found' || into.seq > last) break;
      this.#remove(into.seq, false, onRemoved);
      purged++;
      left--;
    }
    if (purged > 0) this.#mutated();
    return purged;
  }

  state(): StoreState {
    return {
      messages: this.messages,
      bytes: this.bytes,
      firstSeq: this.firstSeq,
      firstTime: this.#firstTime === null ? null : { ...this.#firstTime },
      lastSeq: this.lastSeq,
      lastTime: this.#lastTime === null ? null : { ...this.#lastTime },
      subjects: this.#subjects.size,
      deleted: this.messages === 0 ? 0 : this.lastSeq - this.firstSeq + 1 - this.messages,
      lost: null,
    };
  }

  deletedSeqs(): number[] {
    const deleted: number[] = [];
    if (this.messages === 0) return deleted;
    let expected = this.firstSeq;
    this.#blocks.eachLive(this.firstSeq, (block, slot) => {
      const seq = block.seq(slot);
      for (; expected < seq; expected++) deleted.push(expected);
      expected = seq + 1;
      return true;
    });
    for (; expected <= this.lastSeq; expected++) deleted.push(expected);
    return deleted;
  }

  subject(subject: string): SubjectState | undefined {
    const entry = this.#subjects.get(subject);
    return entry && { count: entry.count, first: entry.first, last: entry.last };
  }

  eachSubject(
    filter: SubjectFilter | null,
    callback: (subject: string, state: SubjectState) => boolean | undefined,
  ): void {
    this.#subjects.each(filter, (entry) => callback(entry.subject, entry));
  }

  count(filter: SubjectFilter | null, from: number): number {
    const all = takesAll(filter);
    if (all && from <= this.firstSeq) return this.messages;
    let total = 0;
    if (from <= this.firstSeq) {
      this.#subjects.each(filter, (entry) => {
        total += entry.count;
        return true;
      });
      return total;
    }
    this.#blocks.eachLive(from, (block, slot) => {
      if (all || this.#subjects.passes(filter!, block.subjectId(slot))) total++;
      return true;
    });
    return total;
  }

  load(seq: number, into: StoredMessage): LoadResult {
    const block = this.#blocks.holding(seq);
    const slot = block === null ? -1 : block.slotOf(seq);
    return slot < 0 ? 'gone' : this.#read(block!, slot, into);
  }

  loadNext(filter: SubjectFilter | null, from: number, into: StoredMessage): LoadResult {
    if (from > this.lastSeq || this.messages === 0) return 'gone';
    let seq = 0;
    if (filter === null || takesAll(filter)) {
      seq = this.#blocks.nextLive(from);
    } else if (filter.subjects.length === 1 && isLiteralFilter(filter)) {
      const entry = this.#subjects.get(filter.subjects[0]!);
      if (entry !== undefined) seq = this.#nextOf(entry, from);
    } else {
      this.#blocks.eachLive(from, (block, slot) => {
        if (!this.#subjects.passes(filter, block.subjectId(slot))) return true;
        seq = block.seq(slot);
        return false;
      });
    }
    return seq === 0 ? 'gone' : this.load(seq, into);
  }

  loadLast(filter: SubjectFilter, upTo: number, into: StoredMessage): LoadResult {
    let best = this.#blocks.previousLive(upTo);
    // The newest few first: they answer for a filter that takes much. Then subject by subject.
    for (let tries = 0; best > 0 && !this.#subjects.passes(filter, this.#subjectIdOf(best)); tries++) {
      if (tries < NEWEST_PROBED) best = this.#blocks.previousLive(best - 1);
      else return this.#loadLastBySubject(filter, best, into);
    }
    return best === 0 ? 'gone' : this.load(best, into);
  }

  #loadLastBySubject(filter: SubjectFilter, upTo: number, into: StoredMessage): LoadResult {
    let best = 0;
    this.#subjects.each(filter, (entry) => {
      if (entry.last <= upTo) best = Math.max(best, entry.last);
      else if (entry.first <= upTo) best = Math.max(best, this.#lastOf(entry, upTo));
      return true;
    });
    return best === 0 ? 'gone' : this.load(best, into);
  }

  seqAtTime(timeMs: number, timeNs: number): number {
    const seq = this.#blocks.atTime(timeMs, timeNs);
    return seq === 0 ? this.lastSeq + 1 : seq;
  }

  /** Nothing is ever cold: calls back in the next microtask. */
  warm(_seq: number, callback: (error: Error | null) => void): void {
    queueMicrotask(() => callback(null));
  }

  recover(): Promise<boolean> {
    return Promise.resolve(true);
  }

  #mutated(): void {
    this.applied++;
    if (this.#commitScheduled) return;
    this.#commitScheduled = true;
    queueMicrotask(this.#announce);
  }

  #setLastTime(ms: number, ns: number): void {
    if (this.#lastTime === null) {
      this.#lastTime = { ms, ns };
    } else {
      this.#lastTime.ms = ms;
      this.#lastTime.ns = ns;
    }
  }

  #setEmpty(firstSeq: number): void {
    this.firstSeq = firstSeq;
    this.#firstTime = null;
  }

  /** Removes what is below `belowSeq`. Beyond the end it also moves the next sequence there, as nats-server does. */
  #purgeBelow(belowSeq: number, onRemoved: Removed): number {
    checkSequence(belowSeq - 1);
    if (belowSeq < this.firstSeq) return 0;
    let purged = 0;
    if (belowSeq > this.lastSeq) {
      purged = this.messages;
      if (onRemoved !== null) {
        this.#blocks.eachLive(0, (block, slot) => {
          onRemoved(block.seq(slot), this.#subjects.byId(block.subjectId(slot)).subject);
          return true;
        });
      }
      this.#blocks.clear();
      this.#subjects.clear();
      this.messages = 0;
      this.bytes = 0;
      this.lastSeq = belowSeq - 1;
      this.#setEmpty(belowSeq);
    } else {
      while (this.firstSeq < belowSeq && this.#remove(this.firstSeq, false, onRemoved) !== null) purged++;
      if (purged === 0) return 0;
    }
    this.#mutated();
    return purged;
  }

  /** Removes a message and returns its subject; null if there is none. */
  #remove(seq: number, erase: boolean, onRemoved: Removed): string | null {
    const block = this.#blocks.holding(seq);
    const slot = block === null ? -1 : block.slotOf(seq);
    if (block === null || slot < 0) return null;
    const entry = this.#subjects.byId(block.subjectId(slot));
    this.messages--;
    this.bytes -= entry.bytes + block.headerBytes(slot) + block.payloadBytes(slot) + MESSAGE_OVERHEAD_BYTES;
    this.#unlink(entry, block.previous(slot), block.next(slot));
    block.remove(slot, erase);
    this.#blocks.tidy(block);
    if (seq === this.firstSeq) this.#advanceFirst();
    onRemoved?.(seq, entry.subject);
    return entry.subject;
  }

  #advanceFirst(): void {
    const seq = this.messages === 0 ? 0 : this.#blocks.nextLive(this.firstSeq + 1);
    if (seq === 0) {
      this.#setEmpty(this.lastSeq + 1);
      return;
    }
    const block = this.#blocks.holding(seq)!;
    const slot = block.slotOf(seq);
    this.firstSeq = seq;
    this.#firstTime = { ms: block.timeMs(slot), ns: block.timeNs(slot) };
  }

  #unlink(entry: SubjectEntry, previous: number, next: number): void {
    if (--entry.count === 0) {
      this.#subjects.remove(entry);
      return;
    }
    if (previous === 0) entry.first = next;
    else this.#link(previous, 0, next);
    if (next === 0) entry.last = previous;
    else this.#link(next, 1, previous);
  }

  /** Sets the next (0) or previous (1) sequence on the subject of the message `seq`. */
  #link(seq: number, which: 0 | 1, to: number): void {
    const block = this.#blocks.holding(seq)!;
    const slot = block.slotOf(seq);
    if (which === 0) block.setNext(slot, to);
    else block.setPrevious(slot, to);
  }

  /**
   * First message of the subject at or after `from`; 0 = none. Walks the subject's own list and the stream side by
   * side, so that it costs little both for a rare subject and for a frequent one.
   */
  #nextOf(entry: SubjectEntry, from: number): number {
    if (entry.last < from) return 0;
    let own = entry.first;
    let probe = from - 1;
    for (;;) {
      if (own >= from) return own;
      own = this.#neighbour(own, 0);
      probe = this.#blocks.nextLive(probe + 1);
      if (this.#subjectIdOf(probe) === entry.id) return probe;
    }
  }

  /** Last message of the subject at or before `upTo`, which has one. The same two walks as in `#nextOf`, backwards. */
  #lastOf(entry: SubjectEntry, upTo: number): number {
    let own = entry.last;
    let probe = upTo + 1;
    for (;;) {
      if (own <= upTo) return own;
      own = this.#neighbour(own, 1);
      probe = this.#blocks.previousLive(probe - 1);
      if (this.#subjectIdOf(probe) === entry.id) return probe;
    }
  }

  #subjectIdOf(seq: number): number {
    const block = this.#blocks.holding(seq)!;
    return block.subjectId(block.slotOf(seq));
  }

  #neighbour(seq: number, which: 0 | 1): number {
    const block = this.#blocks.holding(seq)!;
    const slot = block.slotOf(seq);
    return which === 0 ? block.next(slot) : block.previous(slot);
  }

  #read(block: MemoryBlock, slot: number, into: StoredMessage): LoadResult {
    const offset = block.offset(slot);
    into.seq = block.seq(slot);
    into.subject = this.#subjects.byId(block.subjectId(slot)).subject;
    into.timeMs = block.timeMs(slot);
    into.timeNs = block.timeNs(slot);
    into.buffer = block.slab;
    into.headerStart = offset;
    into.payloadStart = offset + block.headerBytes(slot);
    into.payloadEnd = into.payloadStart + block.payloadBytes(slot);
    return 'found';
  }
}

function copy(source: Uint8Array, start: number, end: number, target: Buffer, offset: number): void {
  if (source instanceof Buffer) source.copy(target, offset, start, end);
  else target.set(source.subarray(start, end), offset);
}
