import type { Subscription } from '../delivery/subscription.ts';
import type { Arena } from './arena.ts';

/** Heads kept in the arena at a time; a new one takes the place of the oldest. */
export const HEAD_CELLS = 4096;
const CELL_BYTES = 64;

/** The heads of the messages of busy subscriptions, in the arena, where they are copied from. */
export class HeadCells {
  readonly #arena: Arena;
  readonly #start: number;
  readonly #owners: (Subscription | null)[] = new Array<Subscription | null>(HEAD_CELLS).fill(null);
  #next = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#start = arena.take(HEAD_CELLS * CELL_BYTES);
  }

  /** Puts the head of `subscription` into a cell; its address, or -1 if it is too long for one. */
  place(subscription: Subscription, head: Buffer): number {
    if (head.length > CELL_BYTES || this.#start < 0) return -1;
    const cell = this.#next;
    this.#next = (cell + 1) % HEAD_CELLS;
    const address = this.#start + cell * CELL_BYTES;
    const owner = this.#owners[cell]!;
    if (owner !== null && owner.headAddress === address) owner.headAddress = -1;
    this.#owners[cell] = subscription;
    head.copy(this.#arena.bytes, address);
    subscription.headAddress = address;
    return address;
  }
}
