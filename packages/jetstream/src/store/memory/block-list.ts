import { MemoryBlock } from './memory-block.ts';

/** The blocks of a memory store, ascending; none of them is empty. */
export class BlockList {
  #blocks: MemoryBlock[] = [];
  /** Index of the block that was found last: reads go forward. */
  #hint = 0;

  clear(): void {
    this.#blocks = [];
    this.#hint = 0;
  }

  /** Bytes of memory the blocks hold. Walks all of them. */
  get heldBytes(): number {
    return this.#blocks.reduce((total, block) => total + block.heldBytes, 0);
  }

  /** The block that takes a new message of `bytes` bytes. */
  forAppend(seq: number, bytes: number): MemoryBlock {
    const last = this.#blocks.at(-1);
    if (last?.takes(seq, bytes)) return last;
    const block = new MemoryBlock(seq);
    this.#blocks.push(block);
    return block;
  }

  /** The block whose range covers `seq`, or null. */
  holding(seq: number): MemoryBlock | null {
    const index = this.#indexFrom(seq);
    const block = this.#blocks[index];
    return block !== undefined && block.base <= seq ? block : null;
  }

  /** First sequence at or after `from` that holds a message; 0 = none. */
  nextLive(from: number): number {
    for (let index = this.#indexFrom(from); index < this.#blocks.length; index++) {
      const block = this.#blocks[index]!;
      const slot = block.liveFrom(block.slotFrom(from));
      if (slot >= 0) return block.seq(slot);
    }
    return 0;
  }

  /** Last sequence at or before `upTo` that holds a message; 0 = none. */
  previousLive(upTo: number): number {
    for (let index = Math.min(this.#indexFrom(upTo), this.#blocks.length - 1); index >= 0; index--) {
      const block = this.#blocks[index]!;
      const from = block.slotFrom(upTo);
      const slot = block.liveUpTo(from < block.slots && block.seq(from) === upTo ? from : from - 1);
      if (slot >= 0) return block.seq(slot);
    }
    return 0;
  }

  /** Calls back for each message from `from` on; false stops. The list must not change meanwhile. */
  eachLive(from: number, callback: (block: MemoryBlock, slot: number) => boolean): void {
    for (let index = this.#indexFrom(from); index < this.#blocks.length; index++) {
      const block = this.#blocks[index]!;
      for (let slot = block.liveFrom(block.slotFrom(from)); slot >= 0; slot = block.liveFrom(slot + 1)) {
        if (!callback(block, slot)) return;
      }
    }
  }

  /** First sequence whose time is at or after the given one; 0 = none. */
  atTime(timeMs: number, timeNs: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.#blocks[middle]!;
      if (isBefore(block, block.liveUpTo(block.slots - 1), timeMs, timeNs)) low = middle + 1;
      else high = middle;
    }
    const block = this.#blocks[low];
    if (block === undefined) return 0;
    let slot = 0;
    let end = block.slots;
    while (slot < end) {
      const middle = (slot + end) >>> 1;
      if (isBefore(block, middle, timeMs, timeNs)) slot = middle + 1;
      else end = middle;
    }
    return block.seq(block.liveFrom(slot));
  }

  /** Frees what removals left behind in `block`: drops it when empty, packs it or joins it with a neighbour when sparse. */
  tidy(block: MemoryBlock): void {
    if (block.live > 0 && !block.wasteful) return;
    const index = this.#indexFrom(block.base);
    if (block.live === 0) {
      this.#blocks.splice(index, 1);
      return;
    }
    const left = this.#blocks[index - 1];
    const right = this.#blocks[index + 1];
    if (left?.canMerge(block)) this.#blocks.splice(index - 1, 2, MemoryBlock.compact(left, block));
    else if (right !== undefined && block.canMerge(right))
      this.#blocks.splice(index, 2, MemoryBlock.compact(block, right));
    else this.#blocks[index] = MemoryBlock.compact(block, null);
  }

  /** Index of the first block whose last sequence is at or above `seq`. */
  #indexFrom(seq: number): number {
    const blocks = this.#blocks;
    const end = blocks.length;
    // Reads and removals mostly stay in a block or go on to the next; appends look at the last one.
    if (this.#isIndexFrom(this.#hint, seq)) return this.#hint;
    if (this.#isIndexFrom(this.#hint + 1, seq)) return ++this.#hint;
    if (this.#isIndexFrom(end - 1, seq)) return (this.#hint = end - 1);
    let low = 0;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (blocks[middle]!.lastSeq < seq) low = middle + 1;
      else high = middle;
    }
    return (this.#hint = low);
  }

  #isIndexFrom(index: number, seq: number): boolean {
    const block = this.#blocks[index];
    return block !== undefined && block.lastSeq >= seq && (index === 0 || this.#blocks[index - 1]!.lastSeq < seq);
  }
}

function isBefore(block: MemoryBlock, slot: number, timeMs: number, timeNs: number): boolean {
  const ms = block.timeMs(slot);
  return ms < timeMs || (ms === timeMs && block.timeNs(slot) < timeNs);
}
