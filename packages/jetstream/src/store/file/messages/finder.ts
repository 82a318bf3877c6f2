import { takesAll } from '../../shared/filters.ts';
import type { LoadResult, StoredMessage, SubjectFilter } from '../../store.ts';
import type { Block } from './block.ts';
import type { MessageReader } from './message-reader.ts';
import type { StreamLog } from './stream-log.ts';

/** How many of the newest messages `loadLast` looks at before it asks what the subjects know. */
const NEWEST_PROBED = 64;

/** Subjects asked where the next message of a filter is, before a block is read to find out. */
const SUBJECTS_ASKED_MAX = 1024;

/** Sequences between which no message passes a filter. None ever will: messages come behind them. */
interface EmptyRange {
  from: number;
  to: number;
}

/** Finds messages by subject. Answers from memory, or says which block is missing. */
export class Finder {
  readonly #state: StreamLog;
  readonly #reader: MessageReader;
  /** What searches forward and backward have found out, so that a block that was read in vain is not read again. */
  readonly #emptyAhead = new WeakMap<SubjectFilter, EmptyRange>();
  readonly #emptyBehind = new WeakMap<SubjectFilter, EmptyRange>();

  constructor(state: StreamLog, reader: MessageReader) {
    this.#state = state;
    this.#reader = reader;
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
    if (only?.lastExact && only.last <= upTo) return this.#reader.load(only.last, into);
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
      if (at >= 0 && this.#reader.matches(filter, segment, at)) return this.#reader.read(block, segment, at, into);
      empty.from = upper;
      upper = this.#previousSeq(upper - 1);
    }
    const bounds = upper === 0 ? null : this.#lastBounds(filter, upper);
    if (bounds === null) return 'gone';
    if (bounds.low === bounds.high) return this.#reader.load(bounds.low, into);
    empty.from = bounds.high + 1;
    return this.#loadLastOfMany(filter, empty, bounds.low, into);
  }

  #loadNextOfAll(start: number, into: StoredMessage): LoadResult {
    const { blocks } = this.#state;
    for (let at = this.#state.blockIndexOf(start); at < blocks.length; at++) {
      const block = blocks[at]!;
      for (let seq = block.nextSeq(start); seq > 0; seq = block.nextSeq(seq + 1)) {
        // Gone all the same: its record turned out damaged just now.
        const result = this.#reader.load(seq, into);
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
      if (entry.first >= start && entry.firstExact) return this.#reader.load(entry.first, into);
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
    if (isFresh && !this.#reader.mayHave(block, filter)) return 'gone';
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
        if (!block.has(seq) || !this.#reader.matches(filter, segment, at)) continue;
        if (this.#reader.read(block, segment, at, into) === 'found') return 'found';
      }
    }
    return 'gone';
  }

  #previousIn(block: Block, filter: SubjectFilter, high: number, low: number, into: StoredMessage): LoadResult {
    const start = block.previousSeq(high);
    if (start === 0 || start < low || !this.#reader.mayHave(block, filter)) return 'gone';
    const coldEnd = block.coldEndSeq;
    for (const segment of [block.written, block.read]) {
      if (segment === null) continue;
      for (let at = segment.lowerBound(start + 1) - 1; at >= 0; at--) {
        const seq = segment.seqAt(at);
        if (seq < low) return 'gone';
        if (!block.has(seq) || !this.#reader.matches(filter, segment, at)) continue;
        if (this.#reader.read(block, segment, at, into) === 'found') return 'found';
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

  #previousSeq(seq: number): number {
    const { blocks } = this.#state;
    if (seq < 1) return 0;
    for (let at = Math.min(this.#state.blockIndexOf(seq), blocks.length - 1); at >= 0; at--) {
      const previous = blocks[at]!.previousSeq(seq);
      if (previous > 0) return previous;
    }
    return 0;
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
