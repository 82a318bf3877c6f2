import type { Segment } from './segment.ts';

/** Bytes of message blocks in memory, over all streams. */
export const BLOCK_CACHE_BYTES_MAX: number = 128 * 1024 * 1024;

/**
 * Which blocks of all streams are in memory. At the limit the least recently used bytes leave it; bytes that are not
 * safe on disk yet stay whatever the limit says.
 */
export class BlockCache {
  readonly bytesMax: number;
  /** Bytes held now. */
  bytes = 0;
  #newest: Segment | null = null;
  #oldest: Segment | null = null;

  /** @param bytesMax default BLOCK_CACHE_BYTES_MAX. */
  constructor(bytesMax: number = BLOCK_CACHE_BYTES_MAX) {
    this.bytesMax = bytesMax;
  }

  /** Takes in a segment, or moves it to the front and takes note of its size. */
  use(segment: Segment): void {
    if (segment.cached) {
      if (this.#newest === segment) return;
      this.#unlink(segment);
    } else {
      segment.cached = true;
      segment.cachedBytes = segment.memoryBytes;
      this.bytes += segment.cachedBytes;
    }
    segment.older = this.#newest;
    if (this.#newest !== null) this.#newest.newer = segment;
    this.#newest = segment;
    this.#oldest ??= segment;
    if (this.bytes > this.bytesMax) this.#evict();
  }

  /** Takes note of a segment that has grown. */
  resized(segment: Segment): void {
    if (!segment.cached) return;
    this.bytes += segment.memoryBytes - segment.cachedBytes;
    segment.cachedBytes = segment.memoryBytes;
    if (this.bytes > this.bytesMax) this.#evict();
  }

  /** Forgets a segment that its owner has dropped. */
  remove(segment: Segment): void {
    if (!segment.cached) return;
    this.#unlink(segment);
    segment.cached = false;
    this.bytes -= segment.cachedBytes;
  }

  #unlink(segment: Segment): void {
    if (segment.newer === null) this.#newest = segment.older;
    else segment.newer.older = segment.older;
    if (segment.older === null) this.#oldest = segment.newer;
    else segment.older.newer = segment.newer;
    segment.newer = null;
    segment.older = null;
  }

  #evict(): void {
    let segment = this.#oldest;
    // The block used last stays, both parts of it: somebody is about to read it.
    const used = this.#newest?.block;
    while (this.bytes > this.bytesMax && segment !== null) {
      const next: Segment | null = segment.newer;
      if (segment.block !== used) this.#release(segment);
      segment = next === null || next.cached ? next : this.#oldest;
    }
  }

  /** Takes a segment from its block, to be read again when needed, unless bytes of it are not safe on disk. */
  #release(segment: Segment): void {
    const { block } = segment;
    if (block.written === segment) {
      if (block.durableBytes < segment.end) return;
      block.written = null;
      // What was read in front of it does not reach to the end of the file without it.
      if (block.read !== null) this.remove(block.read);
    }
    block.read = null;
    this.remove(segment);
  }
}
