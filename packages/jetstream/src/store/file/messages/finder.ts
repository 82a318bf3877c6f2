import { subjectFromBytes } from '@nats-ts/protocol';
import { takesAll } from '../../shared/filters.ts';
import type { LoadResult, StoredMessage, SubjectFilter } from '../../store.ts';
import type { Block } from './block.ts';
import type { BlockLoader } from './block-loader.ts';
import {
  compareTimes,
  hasHeaders,
  headerLength,
  RECORD_HASH_BYTES,
  RECORD_HEAD_BYTES,
  recordLength,
  subjectLength,
} from './record.ts';
import type { Segment } from './segment.ts';
import type { StreamLog } from './stream-log.ts';
import type { SubjectEntry } from './subject-table.ts';
import { readTimeMs, readTimeNs } from './time64.ts';

/** How many of the newest messages `loadLast` looks at before it asks what the subjects know. */
const NEWEST_PROBED = 64;

/** Subjects asked where the next message of a filter is, before a block is read to find out. */
const SUBJECTS_ASKED_MAX = 1024;

/** Sequences between which no message passes a filter. None ever will: messages come behind them. */
interface EmptyRange {
  from: number;
  to: number;
}

/** Reads messages and finds them by subject and time. Answers from memory, or says which block is missing. */
export class Finder {
  readonly #state: StreamLog;
  readonly #loader: BlockLoader;
  /** What searches forward and backward have found out, so that a block that was read in vain is not read again. */
  readonly #emptyAhead = new WeakMap<SubjectFilter, EmptyRange>();
  readonly #emptyBehind = new WeakMap<SubjectFilter, EmptyRange>();

  constructor(state: StreamLog, loader: BlockLoader) {
    this.#state = state;
    this.#loader = loader;
  }

  load(seq: number, into: StoredMessage): LoadResult {
    const block = this.#state.blockWith(seq);
    if (block === undefined) return 'gone';
    const segment = block.segmentOf(seq);
    if (segment === null) {
      into.seq = seq;
      return 'cold';
    }
    const at = segment.find(seq);
    return at < 0 ? 'gone' : this.#read(block, segment, at, into);
  }

  loadNext(filter: SubjectFilter | null, from: number, into: StoredMessage): LoadResult {
    const { firstSeq, lastSeq, messages } = this.#state;
    if (from > lastSeq || messages === 0) return 'gone';
    const start = Math.max(from, firstSeq);
    if (filter === null || takesAll(filter)) return this.#loadNextOfAll(start, into);
    if (filter.subjects.length === 1) return this.#loadNextOfOne(filter, start, into);
    return this.#loadNextOfMany(filter, start, lastSeq, into);
  }

  loadLast(filter: SubjectFilter, upTo: number, into: StoredMessage): LoadResult {
    const only = filter.subjects.length === 1 ? this.#state.subjects.get(filter.subjects[0]!) : undefined;
    if (only?.lastExact && only.last <= upTo) return this.load(only.last, into);
    const empty = emptyRange(this.#emptyBehind, filter);
    let upper = Math.min(upTo, this.#state.lastSeq);
    if (upper > empty.to || upper < empty.from - 1) {
      empty.from = upper + 1;
      empty.to = upper;
    }
    upper = this.#previousSeq(empty.from - 1);
    // The newest few first: they answer for a filter that takes much.
    for (let probes = 0; upper > 0 && probes < NEWEST_PROBED; probes++) {
      const block = this.#state.blockWith(upper)!;
      const segment = block.segmentOf(upper);
      if (segment === null) break;
      const at = segment.find(upper);
      if (at >= 0 && this.matches(filter, segment, at)) return this.#read(block, segment, at, into);
      empty.from = upper;
      upper = this.#previousSeq(upper - 1);
    }
    const bounds = upper === 0 ? null : this.#lastBounds(filter, upper);
    if (bounds === null) return 'gone';
    if (bounds.low === bounds.high) return this.load(bounds.low, into);
    empty.from = bounds.high + 1;
    return this.#loadLastOfMany(filter, empty, bounds.low, into);
  }

  count(filter: SubjectFilter | null, from: number): number {
    const { blocks, firstSeq } = this.#state;
    const all = filter === null || takesAll(filter);
    let total = 0;
    if (all) {
      for (let at = this.#state.blockIndexOf(from); at < blocks.length; at++) total += blocks[at]!.countFrom(from);
      return total;
    }
    const straddling = new Set<SubjectEntry>();
    this.#state.subjects.each(filter, (entry) => {
      if (entry.first >= from || from <= firstSeq) total += entry.count;
      else if (entry.last >= from) straddling.add(entry);
      return true;
    });
    return straddling.size === 0 ? total : total + this.#countFrom(straddling, from);
  }

  seqAtTime(timeMs: number, timeNs: number): number {
    for (const block of this.#state.blocks) {
      if (block.messages === 0 || compareTimes(block.lastTimeMs, block.lastTimeNs, timeMs, timeNs) < 0) continue;
      if (compareTimes(block.firstTimeMs, block.firstTimeNs, timeMs, timeNs) >= 0) return block.firstSeq;
      this.#loader.loadSync(block);
      for (let seq = block.nextSeq(0); seq > 0; seq = block.nextSeq(seq + 1)) {
        const segment = block.segmentOf(seq)!;
        const at = segment.find(seq);
        if (at < 0) continue;
        const time = segment.offsetAt(at) + 12;
        const ms = readTimeMs(segment.buffer, time);
        if (compareTimes(ms, readTimeNs(segment.buffer, time), timeMs, timeNs) >= 0) return seq;
      }
    }
    return this.#state.lastSeq + 1;
  }

  /** Makes the first sequence of a subject exact. Reads blocks on the event loop if need be. */
  resolveFirst(entry: SubjectEntry): void {
    const { blocks } = this.#state;
    for (let at = this.#state.blockIndexOf(entry.first); !entry.firstExact && at < blocks.length; at++) {
      const block = blocks[at]!;
      if (block.messages === 0 || block.subjects?.has(entry) === false) continue;
      this.#loader.loadSync(block);
      this.#eachOf(entry, block, entry.first, (seq) => {
        entry.first = seq;
        entry.firstExact = true;
        return false;
      });
    }
  }

  /** Makes the last sequence of a subject exact. Reads blocks on the event loop if need be. */
  resolveLast(entry: SubjectEntry): void {
    const { blocks } = this.#state;
    const start = Math.min(this.#state.blockIndexOf(entry.last), blocks.length - 1);
    for (let at = start; !entry.lastExact && at >= 0; at--) {
      const block = blocks[at]!;
      if (block.messages === 0 || block.subjects?.has(entry) === false) continue;
      this.#loader.loadSync(block);
      let last = 0;
      this.#eachOf(entry, block, 0, (seq) => {
        if (seq <= entry.last) last = seq;
        return true;
      });
      if (last === 0) continue;
      entry.last = last;
      entry.lastExact = true;
    }
  }

  #loadNextOfAll(start: number, into: StoredMessage): LoadResult {
    const { blocks } = this.#state;
    for (let at = this.#state.blockIndexOf(start); at < blocks.length; at++) {
      const block = blocks[at]!;
      for (let seq = block.nextSeq(start); seq > 0; seq = block.nextSeq(seq + 1)) {
        // Gone all the same: its record turned out damaged just now.
        const result = this.load(seq, into);
        if (result !== 'gone') return result;
      }
    }
    return 'gone';
  }

  /** One subject or pattern: for a literal one it is known in which part of the stream its messages are. */
  #loadNextOfOne(filter: SubjectFilter, start: number, into: StoredMessage): LoadResult {
    const { lastSeq, subjects } = this.#state;
    const entry = subjects.get(filter.subjects[0]!);
    let from = start;
    let to = lastSeq;
    if (entry !== undefined) {
      if (entry.last < start) return 'gone';
      if (entry.first >= start && entry.firstExact) return this.load(entry.first, into);
      from = Math.max(start, entry.first);
      to = entry.last;
    } else if (!filter.subjects[0]!.includes('*') && !filter.subjects[0]!.includes('>')) {
      return 'gone';
    }
    return this.#loadNextOfMany(filter, from, to, into);
  }

  /** Block by block from `from` to `to`. */
  #loadNextOfMany(filter: SubjectFilter, from: number, to: number, into: StoredMessage): LoadResult {
    const { blocks } = this.#state;
    const empty = emptyRange(this.#emptyAhead, filter);
    if (from < empty.from || from > empty.to + 1) {
      empty.from = from;
      empty.to = from - 1;
    }
    const start = Math.max(from, empty.to + 1);
    for (let at = this.#state.blockIndexOf(start); at < blocks.length && blocks[at]!.firstSeq <= to; at++) {
      const result = this.#nextIn(blocks[at]!, filter, start, to, into);
      if (result !== 'gone') return result;
      empty.to = Math.max(empty.to, Math.min(blocks[at]!.lastSeq, to));
    }
    return 'gone';
  }

  /** Block by block from what is known to be empty down to `low`. */
  #loadLastOfMany(filter: SubjectFilter, empty: EmptyRange, low: number, into: StoredMessage): LoadResult {
    const { blocks } = this.#state;
    const start = empty.from - 1;
    const last = Math.min(this.#state.blockIndexOf(start), blocks.length - 1);
    for (let at = last; at >= 0 && blocks[at]!.lastSeq >= low; at--) {
      const result = this.#previousIn(blocks[at]!, filter, start, low, into);
      if (result !== 'gone') return result;
      empty.from = Math.min(empty.from, Math.max(blocks[at]!.firstSeq, low));
    }
    return 'gone';
  }

  #nextIn(block: Block, filter: SubjectFilter, from: number, to: number, into: StoredMessage): LoadResult {
    const start = block.nextSeq(from);
    if (start === 0 || start > to) return 'gone';
    const coldEnd = block.coldEndSeq;
    // In memory, and in the midst of it: looking is cheaper than asking.
    const isFresh = start <= block.firstSeq || start <= coldEnd;
    if (isFresh && !this.mayHave(block, filter)) return 'gone';
    if (start <= coldEnd) {
      const nearest = this.#nearest(filter, start);
      if (nearest === 0 || nearest > to) return 'gone';
      if (nearest <= coldEnd) {
        into.seq = nearest;
        return 'cold';
      }
    }
    for (const segment of [block.read, block.written]) {
      if (segment === null) continue;
      for (let at = segment.lowerBound(start); at < segment.count; at++) {
        const seq = segment.seqAt(at);
        if (seq > to) return 'gone';
        if (!block.has(seq) || !this.matches(filter, segment, at)) continue;
        if (this.#read(block, segment, at, into) === 'found') return 'found';
      }
    }
    return 'gone';
  }

  #previousIn(block: Block, filter: SubjectFilter, high: number, low: number, into: StoredMessage): LoadResult {
    const start = block.previousSeq(high);
    if (start === 0 || start < low || !this.mayHave(block, filter)) return 'gone';
    const coldEnd = block.coldEndSeq;
    for (const segment of [block.written, block.read]) {
      if (segment === null) continue;
      for (let at = segment.lowerBound(start + 1) - 1; at >= 0; at--) {
        const seq = segment.seqAt(at);
        if (seq < low) return 'gone';
        if (!block.has(seq) || !this.matches(filter, segment, at)) continue;
        if (this.#read(block, segment, at, into) === 'found') return 'found';
      }
    }
    const cold = block.previousSeq(Math.min(start, coldEnd));
    if (coldEnd === 0 || cold < Math.max(low, 1)) return 'gone';
    into.seq = cold;
    return 'cold';
  }

  /** Between which sequences the last message at or before `upper` is; null if there is none. */
  #lastBounds(filter: SubjectFilter, upper: number): { low: number; high: number } | null {
    let low = 0;
    let high = 0;
    this.#state.subjects.each(filter, (entry) => {
      if (entry.first > upper) return true;
      high = Math.max(high, Math.min(entry.last, upper));
      if (entry.lastExact && entry.last <= upper) low = Math.max(low, entry.last);
      else if (entry.firstExact) low = Math.max(low, entry.first);
      return true;
    });
    return high === 0 ? null : { low, high };
  }

  /** A sequence at or after `from` in front of which no message passes; 0 if none does at all. */
  #nearest(filter: SubjectFilter, from: number): number {
    const { subjects } = this.#state;
    if (subjects.size > SUBJECTS_ASKED_MAX) return from;
    let nearest = 0;
    subjects.each(filter, (entry) => {
      if (entry.last < from) return true;
      const seq = Math.max(entry.first, from);
      if (nearest === 0 || seq < nearest) nearest = seq;
      return nearest > from;
    });
    return nearest;
  }

  #countFrom(entries: ReadonlySet<SubjectEntry>, from: number): number {
    const { blocks } = this.#state;
    const middle = this.#state.blockIndexOf(from);
    const isCheap = (block: Block): boolean => block.isLoaded || block.subjects !== null;
    const before = blocks.slice(0, middle + 1).filter((block) => !isCheap(block)).length;
    const after = blocks.slice(middle).filter((block) => !isCheap(block)).length;
    let count = 0;
    if (after <= before) {
      for (const block of blocks.slice(middle)) count += this.#countIn(block, entries, from, Number.MAX_SAFE_INTEGER);
      return count;
    }
    for (const entry of entries) count += entry.count;
    for (const block of blocks.slice(0, middle + 1)) count -= this.#countIn(block, entries, 0, from - 1);
    return count;
  }

  #countIn(block: Block, entries: ReadonlySet<SubjectEntry>, from: number, to: number): number {
    if (block.messages === 0 || block.lastSeq < from || block.firstSeq > to) return 0;
    let count = 0;
    if (block.subjects !== null && from <= block.firstSeq && to >= block.lastSeq) {
      for (const [entry, inBlock] of block.subjects.entries()) if (entries.has(entry)) count += inBlock;
      return count;
    }
    this.#loader.loadSync(block);
    for (const segment of [block.read, block.written]) {
      if (segment === null) continue;
      for (let at = segment.lowerBound(from); at < segment.count; at++) {
        const seq = segment.seqAt(at);
        if (seq > to) break;
        const entry = block.has(seq) ? this.#state.entryAt(segment, at) : undefined;
        if (entry !== undefined && entries.has(entry)) count++;
      }
    }
    return count;
  }

  /** Calls back for the messages of a subject in a block in memory, from `from` on, until the callback returns false. */
  #eachOf(entry: SubjectEntry, block: Block, from: number, callback: (seq: number) => boolean): void {
    for (const segment of [block.read, block.written]) {
      if (segment === null) continue;
      for (let at = segment.lowerBound(from); at < segment.count; at++) {
        const seq = segment.seqAt(at);
        if (block.has(seq) && this.#state.entryAt(segment, at) === entry && !callback(seq)) return;
      }
    }
  }

  #previousSeq(seq: number): number {
    const { blocks } = this.#state;
    if (seq < 1) return 0;
    for (let at = Math.min(this.#state.blockIndexOf(seq), blocks.length - 1); at >= 0; at--) {
      const previous = blocks[at]!.previousSeq(seq);
      if (previous > 0) return previous;
    }
    return 0;
  }

  mayHave(block: Block, filter: SubjectFilter): boolean {
    if (block.subjects === null) return true;
    for (const [entry] of block.subjects.entries()) if (this.#state.subjects.passes(filter, entry)) return true;
    return false;
  }

  matches(filter: SubjectFilter, segment: Segment, at: number): boolean {
    const entry = this.#state.entryAt(segment, at);
    return entry === undefined ? filter.matches(subjectAt(segment, at)) : this.#state.subjects.passes(filter, entry);
  }

  /** The subject of a message in memory. */
  subjectAt(segment: Segment, at: number): string {
    return this.#state.entryAt(segment, at)?.subject ?? subjectAt(segment, at);
  }

  #read(block: Block, segment: Segment, at: number, into: StoredMessage): LoadResult {
    if (!segment.verify(at)) {
      this.#loader.lose(block, segment, at);
      return 'gone';
    }
    const { buffer } = segment;
    const offset = segment.offsetAt(at);
    const headerBytes = headerLength(buffer, offset);
    const subjectEnd = offset + RECORD_HEAD_BYTES + subjectLength(buffer, offset);
    into.seq = segment.seqAt(at);
    into.subject = this.subjectAt(segment, at);
    into.timeMs = readTimeMs(buffer, offset + 12);
    into.timeNs = readTimeNs(buffer, offset + 12);
    into.buffer = buffer;
    into.headerStart = hasHeaders(buffer, offset) ? subjectEnd + 4 : subjectEnd;
    into.payloadStart = into.headerStart + headerBytes;
    into.payloadEnd = offset + recordLength(buffer, offset) - RECORD_HASH_BYTES;
    return 'found';
  }
}

function emptyRange(ranges: WeakMap<SubjectFilter, EmptyRange>, filter: SubjectFilter): EmptyRange {
  let range = ranges.get(filter);
  if (range === undefined) {
    range = { from: 1, to: 0 };
    ranges.set(filter, range);
  }
  return range;
}

function subjectAt(segment: Segment, at: number): string {
  const start = segment.offsetAt(at) + RECORD_HEAD_BYTES;
  return subjectFromBytes(segment.buffer, start, start + subjectLength(segment.buffer, segment.offsetAt(at)));
}
