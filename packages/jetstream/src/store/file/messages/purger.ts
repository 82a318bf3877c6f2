import { takesAll } from '../../shared/filters.ts';
import type { SubjectFilter } from '../../store.ts';
import type { Block } from './block.ts';
import type { BlockLoader } from './block-loader.ts';
import type { Compactor } from './compactor.ts';
import type { FullPurge } from './full-purge.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { LogWriter } from './log-writer.ts';
import type { MessageReader } from './message-reader.ts';
import type { Queries } from './queries.ts';
import type { Segment } from './segment.ts';
import type { StreamLog } from './stream-log.ts';
import { readTimeMs, readTimeNs } from './time64.ts';

type Removed = ((seq: number, subject: string) => void) | null;

/** What remains to be written of a removal: the sequence and its message's time. */
interface Tombstone {
  seq: number;
  timeMs: number;
  timeNs: number;
}

/** What a removal leaves to be done: the tombstones of the block at hand, and in the end the files. */
interface Work {
  readonly tombstones: Tombstone[];
  readonly retired: Block[];
  readonly onRemoved: Removed;
}

/** Removes many messages at once. Reads the blocks they are in, on the event loop: control plane only. */
export class Purger {
  readonly #state: StreamLog;
  readonly #writer: LogWriter;
  readonly #loader: BlockLoader;
  readonly #reader: MessageReader;
  readonly #queries: Queries;
  readonly #housekeeping: Housekeeping;
  readonly #compactor: Compactor;
  readonly #fullPurge: FullPurge;

  constructor(
    state: StreamLog,
    writer: LogWriter,
    loader: BlockLoader,
    reader: MessageReader,
    queries: Queries,
    housekeeping: Housekeeping,
    compactor: Compactor,
    fullPurge: FullPurge,
  ) {
    this.#state = state;
    this.#writer = writer;
    this.#loader = loader;
    this.#reader = reader;
    this.#queries = queries;
    this.#housekeeping = housekeeping;
    this.#compactor = compactor;
    this.#fullPurge = fullPurge;
  }

  /** As MessageStore.purge. Returns -1 if nothing changed at all. */
  purge(filter: SubjectFilter | null, belowSeq: number, keep: number, onRemoved: Removed, limit: number): number {
    // As nats-server: "everything below 1" is nothing.
    if (belowSeq === 1) return -1;
    const all = filter === null || takesAll(filter);
    if (all && keep === 0) {
      const below = belowSeq === 0 ? this.#state.lastSeq + 1 : belowSeq;
      if (below < this.#state.firstSeq) return -1;
      if (below > this.#state.lastSeq) return this.#purgeAll(below, onRemoved);
    }
    const total = this.#queries.count(filter, 0);
    const most = Math.min(limit, total - keep);
    const last = belowSeq === 0 ? this.#state.lastSeq : Math.min(belowSeq - 1, this.#state.lastSeq);
    const removed = most > 0 ? this.#removeMatching(all ? null : filter, last, most, onRemoved) : 0;
    return removed === 0 ? -1 : removed;
  }

  #purgeAll(belowSeq: number, onRemoved: Removed): number {
    const removed = this.#state.messages;
    if (onRemoved !== null) {
      for (const block of this.#state.blocks) {
        if (block.messages === 0) continue;
        this.#loader.loadSync(block);
        this.#eachMatching(block, null, Number.MAX_SAFE_INTEGER, (segment, at, seq) => {
          onRemoved(seq, this.#reader.subjectAt(segment, at));
          return true;
        });
      }
    }
    this.#fullPurge.begin(belowSeq - 1);
    return removed;
  }

  #removeMatching(filter: SubjectFilter | null, last: number, most: number, onRemoved: Removed): number {
    const work: Work = { tombstones: [], retired: [], onRemoved };
    let removed = 0;
    // Retiring a block takes it, and perhaps more, out of the list.
    for (const block of [...this.#state.blocks]) {
      if (removed === most || block.firstSeq > last) break;
      if (block.messages === 0 || (filter !== null && !this.#reader.mayHave(block, filter))) continue;
      if (filter === null && onRemoved === null && block.lastSeq <= last && block.messages <= most - removed) {
        const { messages } = block;
        if (this.#removeFirst(block, work)) {
          removed += messages;
          continue;
        }
      }
      this.#loader.loadSync(block);
      removed += this.#removeFrom(block, filter, last, most - removed, work);
      this.#writeTombstones(work.tombstones);
    }
    if (removed > 0) this.#writer.sealEvictions();
    for (const block of work.retired) this.#housekeeping.unlink(block);
    return removed;
  }

  /** Block by block: a purge may remove more messages than there is room for as objects. */
  #writeTombstones(tombstones: Tombstone[]): void {
    // With these gone the limits would let others back in that they evicted.
    if (tombstones.length > 0) this.#writer.sealEvictions();
    for (const { seq, timeMs, timeNs } of tombstones) this.#writer.appendTombstone(seq, timeMs, timeNs);
    tombstones.length = 0;
  }

  /** Removes the stream's first block without reading it, if it is known which subjects it has. */
  #removeFirst(block: Block, { retired }: Work): boolean {
    if (block !== this.#state.blocks[0] || block === this.#state.tail || block.subjects === null) return false;
    this.#state.takeOutAll(block, block.subjects);
    return this.#housekeeping.retire(block, retired);
  }

  #removeFrom(block: Block, filter: SubjectFilter | null, last: number, most: number, work: Work): number {
    const { tombstones, retired, onRemoved } = work;
    let removed = 0;
    this.#eachMatching(block, filter, last, (segment, at, seq) => {
      if (removed === most) return false;
      const time = segment.offsetAt(at) + 12;
      tombstones.push({ seq, timeMs: readTimeMs(segment.buffer, time), timeNs: readTimeNs(segment.buffer, time) });
      const subject = this.#reader.subjectAt(segment, at);
      this.#state.takeOut(block, segment, at, seq);
      onRemoved?.(seq, subject);
      removed++;
      return true;
    });
    // A file that goes takes what it says of its messages with it.
    if (block.messages === 0 && this.#housekeeping.retire(block, retired)) tombstones.length = 0;
    else this.#compactor.consider(block);
    return removed;
  }

  /** Calls back for the messages of a block in memory that pass, up to `last`, until the callback returns false. */
  #eachMatching(
    block: Block,
    filter: SubjectFilter | null,
    last: number,
    callback: (segment: Segment, at: number, seq: number) => boolean,
  ): void {
    for (const segment of [block.read, block.written]) {
      if (segment === null) continue;
      for (let at = 0; at < segment.count; at++) {
        const seq = segment.seqAt(at);
        if (seq > last) return;
        if (!block.has(seq)) continue;
        if (filter !== null && !this.#reader.matches(filter, segment, at)) continue;
        if (!callback(segment, at, seq)) return;
      }
    }
  }
}
