import type { Socket } from 'node:net';
import { WRITE_BYTES_MAX } from '../limits.ts';
import type { Slab, SlabPool } from './slabs.ts';

/**
 * Pieces of output that wait for the socket, oldest first, and the slabs that those in flight are in: they go back to
 * the pool when the write is through.
 */
export class PieceQueue {
  readonly #pool: SlabPool;
  #pieces: Buffer[] = [];
  /** The slab to give back when the piece of the same place has left; null = none. */
  #slabs: (Slab | null)[] = [];
  readonly #flightSlabs: Slab[] = [];

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Pieces that wait, and slabs in flight. */
  get count(): number {
    return this.#flightSlabs.length + this.#pieces.length;
  }

  push(piece: Buffer, slab: Slab | null): void {
    this.#pieces.push(piece);
    this.#slabs.push(slab);
  }

  /** The slab, which is not queued, goes back when the write in flight is through. */
  release(slab: Slab): void {
    this.#flightSlabs.push(slab);
  }

  /** Writes as many pieces as one write may have, at least one; returns their bytes. Ends with a call of `written`. */
  write(socket: Socket, written: () => void): number {
    const pieces = this.#pieces;
    let count = 0;
    let bytes = 0;
    while (count < pieces.length && (bytes === 0 || bytes + pieces[count]!.length <= WRITE_BYTES_MAX)) {
      bytes += pieces[count]!.length;
      const slab = this.#slabs[count]!;
      if (slab !== null) this.#flightSlabs.push(slab);
      count++;
    }
    socket.cork();
    for (let i = 0; i < count - 1; i++) socket.write(pieces[i]!);
    socket.write(pieces[count - 1]!, written);
    socket.uncork();
    if (count === pieces.length) {
      pieces.length = 0;
      this.#slabs.length = 0;
    } else {
      this.#pieces = pieces.slice(count);
      this.#slabs = this.#slabs.slice(count);
    }
    return bytes;
  }

  /** Hands everything to the socket, which keeps it until it has left. */
  writeAll(socket: Socket): void {
    for (const piece of this.#pieces) socket.write(piece);
  }

  /** The write in flight is over. */
  left(): void {
    const slabs = this.#flightSlabs;
    for (let i = 0; i < slabs.length; i++) this.#pool.give(slabs[i]!);
    slabs.length = 0;
  }

  /** Drops what waits. */
  clear(): void {
    this.#pieces = [];
    this.#slabs = [];
  }
}
