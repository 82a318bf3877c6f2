import type { LoadResult, StoredMessage, SubjectFilter } from '../store/store.ts';
import type { ConsumerStream } from '../stream/consumer-port.ts';

/** Where a consumer begins. */
export interface StartPosition {
  /** First stream sequence to look at. */
  readonly nextSeq: number;
  /** Only these are delivered up to `resumeAfter` (deliver last_per_subject), ascending; null = all. */
  readonly only: Float64Array | null;
  readonly resumeAfter: number;
}

/**
 * The messages a consumer has not delivered yet: which comes next, and exactly how many there are. Counts what the
 * stream announced (`visibleSeq`), so that a count never includes what is not durable.
 */
export class Backlog {
  readonly #stream: ConsumerStream;
  #filter: SubjectFilter | null;
  #nextSeq: number;
  #count = 0;
  #only: Float64Array | null;
  #onlyAt = 0;
  /** Members of `only` that left the stream before they were delivered. */
  readonly #onlyGone = new Set<number>();
  #resumeAfter: number;

  constructor(stream: ConsumerStream, filter: SubjectFilter | null, start: StartPosition) {
    this.#stream = stream;
    this.#filter = filter;
    this.#nextSeq = start.nextSeq;
    this.#only = start.only === null || start.only.length === 0 ? null : start.only;
    this.#resumeAfter = start.resumeAfter;
    if (start.only !== null && this.#only === null) this.#nextSeq = start.resumeAfter + 1;
    this.recount();
  }

  /** Messages waiting for their first delivery (num_pending). */
  get count(): number {
    return this.#count;
  }

  /** The stream sequence looked at next. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /**
   * Reads the next message. `gone` = there is none at present; on `cold`, `into.seq` is the sequence to warm.
   * Reading again gives the same message until `taken` is called.
   */
  find(into: StoredMessage): LoadResult {
    if (this.#only !== null) {
      const result = this.#findOnly(into);
      if (result !== 'gone') return result;
    }
    const visibleSeq = this.#stream.visibleSeq;
    if (this.#count > 0) {
      const result = this.#stream.messages.loadNext(this.#filter, this.#nextSeq, into);
      if (result === 'cold' || (result === 'found' && into.seq <= visibleSeq)) return result;
      // Messages that were counted are not there (damage on disk): the store's word counts.
      this.#count = 0;
    }
    if (this.#nextSeq <= visibleSeq) this.#nextSeq = visibleSeq + 1;
    return 'gone';
  }

  #findOnly(into: StoredMessage): LoadResult {
    const only = this.#only!;
    for (; this.#onlyAt < only.length; this.#onlyAt++) {
      const seq = only[this.#onlyAt]!;
      this.#nextSeq = seq;
      if (this.#onlyGone.delete(seq)) continue;
      const result = this.#stream.messages.load(seq, into);
      if (result !== 'gone') {
        into.seq = seq;
        return result;
      }
      this.#count--;
    }
    this.#leaveOnly();
    return 'gone';
  }

  #leaveOnly(): void {
    this.#only = null;
    this.#onlyGone.clear();
    this.#nextSeq = this.#resumeAfter + 1;
  }

  /** The message that `find` gave was delivered. */
  taken(seq: number): void {
    this.#count--;
    if (this.#only !== null) {
      this.#onlyAt++;
      if (this.#onlyAt === this.#only.length) this.#leaveOnly();
      else this.#nextSeq = this.#only[this.#onlyAt]!;
      return;
    }
    this.#nextSeq = seq + 1;
  }

  /** A message that passes the filter became visible. */
  onStored(seq: number): void {
    if (seq >= this.#nextSeq && (this.#only === null || seq > this.#resumeAfter)) this.#count++;
  }

  /** A visible message that passes the filter is gone. */
  onRemoved(seq: number): void {
    if (seq < this.#nextSeq) return;
    if (this.#only !== null && seq <= this.#resumeAfter) {
      if (!this.#isAhead(seq)) return;
      this.#onlyGone.add(seq);
    }
    this.#count--;
  }

  /** True if the sequence is one of `only` and not delivered yet. */
  #isAhead(seq: number): boolean {
    const only = this.#only!;
    let low = this.#onlyAt;
    let high = only.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (only[middle]! < seq) low = middle + 1;
      else high = middle;
    }
    return low < only.length && only[low] === seq;
  }

  /** Everything below `firstSeq` left the stream. */
  onPurged(firstSeq: number): void {
    if (this.#only !== null) {
      while (this.#onlyAt < this.#only.length && this.#only[this.#onlyAt]! < firstSeq) this.#onlyAt++;
      if (this.#onlyAt === this.#only.length) this.#leaveOnly();
      else this.#nextSeq = this.#only[this.#onlyAt]!;
    }
    if (this.#nextSeq < firstSeq) this.#nextSeq = firstSeq;
    this.recount();
  }

  /** Begins again at a sequence. */
  moveTo(nextSeq: number): void {
    this.#only = null;
    this.#onlyGone.clear();
    this.#nextSeq = nextSeq;
    this.recount();
  }

  setFilter(filter: SubjectFilter | null): void {
    this.#filter = filter;
    this.recount();
  }

  /** Asks the store for the count. Not for the hot path. */
  recount(): void {
    const { messages, visibleSeq } = this.#stream;
    let from = this.#nextSeq;
    let count = 0;
    if (this.#only !== null) {
      for (let at = this.#onlyAt; at < this.#only.length; at++) {
        if (!this.#onlyGone.has(this.#only[at]!)) count++;
      }
      from = this.#resumeAfter + 1;
    }
    if (from <= visibleSeq) {
      count += messages.count(this.#filter, from);
      if (messages.lastSeq > visibleSeq) count -= messages.count(this.#filter, visibleSeq + 1);
    }
    this.#count = count;
  }
}
