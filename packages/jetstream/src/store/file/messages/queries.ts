import { takesAll } from '../../shared/filters.ts';
import type { SubjectFilter } from '../../store.ts';
import type { Block } from './block.ts';
import type { BlockLoader } from './block-loader.ts';
import { compareTimes } from './record.ts';
import type { StreamLog } from './stream-log.ts';
import type { SubjectEntry } from './subject-table.ts';
import { readTimeMs, readTimeNs } from './time64.ts';

/**
 * Answers about counts, subjects and times, from what is known without the blocks where that is enough. Reads the
 * blocks on the event loop where it is not: control plane only.
 */
export class Queries {
  readonly #state: StreamLog;
  readonly #loader: BlockLoader;

  constructor(state: StreamLog, loader: BlockLoader) {
    this.#state = state;
    this.#loader = loader;
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
}
