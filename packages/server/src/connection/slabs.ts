import { FREE_SLABS_MAX, LARGE_SLAB_BYTES, SMALL_SLAB_BYTES } from '../limits.ts';

/** A piece of memory that output is gathered in. Reused: whoever holds it owns it until it is given back. */
export class Slab {
  readonly bytes: Buffer;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }
}

/** Output slabs of two sizes. An idle connection holds none. */
export class SlabPool {
  readonly #small: Slab[] = [];
  readonly #large: Slab[] = [];

  /** Slabs waiting to be used again. */
  get freeCount(): number {
    return this.#small.length + this.#large.length;
  }

  take(large: boolean): Slab {
    const free = large ? this.#large : this.#small;
    return free.pop() ?? new Slab(large ? LARGE_SLAB_BYTES : SMALL_SLAB_BYTES);
  }

  /** Nothing may read or write the slab any more. */
  give(slab: Slab): void {
    const free = slab.bytes.length === LARGE_SLAB_BYTES ? this.#large : this.#small;
    if (free.length < FREE_SLABS_MAX) free.push(slab);
  }
}
