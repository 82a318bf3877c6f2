import { FREE_LARGE_SLABS_MAX, FREE_SMALL_SLABS_MAX, LARGE_SLAB_BYTES, SMALL_SLAB_BYTES } from '../limits.ts';
import type { Arena } from './arena.ts';
import { HeadCells } from './head-cells.ts';

/** A piece of memory that output is gathered in. Reused: whoever holds it owns it until it is given back. */
export class Slab {
  readonly bytes: Buffer;
  /** Where it begins in the arena; -1 = it is elsewhere. */
  readonly address: number;

  constructor(bytes: Buffer, address: number) {
    this.bytes = bytes;
    this.address = address;
  }
}

/**
 * Output slabs of two sizes. An idle connection holds none. They come from the arena as long as there is room, then from
 * the heap.
 */
export class SlabPool {
  readonly arena: Arena | null;
  readonly heads: HeadCells | null;
  readonly #small: Slab[] = [];
  readonly #large: Slab[] = [];

  constructor(arena: Arena | null) {
    this.arena = arena;
    this.heads = arena === null ? null : new HeadCells(arena);
  }

  /** Slabs waiting to be used again. */
  get freeCount(): number {
    return this.#small.length + this.#large.length;
  }

  take(large: boolean): Slab {
    const free = large ? this.#large : this.#small;
    return free.pop() ?? this.#make(large ? LARGE_SLAB_BYTES : SMALL_SLAB_BYTES);
  }

  /** Nothing may read or write the slab any more. */
  give(slab: Slab): void {
    const isLarge = slab.bytes.length === LARGE_SLAB_BYTES;
    const free = isLarge ? this.#large : this.#small;
    // One in the arena is never lost: there is no other way to get its memory back.
    const max = isLarge ? FREE_LARGE_SLABS_MAX : FREE_SMALL_SLABS_MAX;
    if (free.length < max || slab.address >= 0) free.push(slab);
  }

  #make(bytes: number): Slab {
    const address = this.arena === null ? -1 : this.arena.take(bytes);
    if (this.arena === null || address < 0) return new Slab(Buffer.allocUnsafeSlow(bytes), -1);
    return new Slab(this.arena.bytes.subarray(address, address + bytes), address);
  }
}
