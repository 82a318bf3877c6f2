import type { FrameSource } from '@nats-ts/protocol';
import { ORIGIN_OWNED, REFERENCE_BYTES_MIN } from '../delivery/message-frame.ts';
import { FRAMES_MAX } from '../limits.ts';
import { type Arena, COPY_SLACK_BYTES } from './arena.ts';

/** Smaller messages are cut from Node's own pool. */
const FRAME_BYTES_MIN = 4096;
/** Larger ones are sent by reference, so they need a buffer of their own. */
const FRAME_BYTES_MAX: number = REFERENCE_BYTES_MIN;

/**
 * Where messages of medium size are put together when a read ends in the middle of one, which at 16 KiB is every
 * eighth. A buffer for each would keep the garbage collector busy for a tenth of the server's time. FRAMES_MAX at a
 * time, in the arena; beyond that they get buffers of their own.
 */
export class FramePool implements FrameSource {
  readonly #arena: Arena | null;
  /** Addresses of blocks that are free. */
  readonly #free: number[] = [];
  #made = 0;

  constructor(arena: Arena | null) {
    this.#arena = arena;
  }

  /** Blocks that wait to be used again. */
  get freeCount(): number {
    return this.#free.length;
  }

  take(bytes: number): Buffer | null {
    if (this.#arena === null || bytes < FRAME_BYTES_MIN || bytes > FRAME_BYTES_MAX) return null;
    const address = this.#free.pop() ?? this.#make(this.#arena);
    return address < 0 ? null : this.#arena.bytes.subarray(address, address + bytes);
  }

  give(frame: Buffer): void {
    this.#free.push(frame.byteOffset);
  }

  /** Address of a buffer that `take` gave, ORIGIN_OWNED for any other. */
  originOf(buffer: Buffer): number {
    return buffer.buffer === this.#arena?.bytes.buffer ? buffer.byteOffset : ORIGIN_OWNED;
  }

  #make(arena: Arena): number {
    if (this.#made === FRAMES_MAX) return -1;
    this.#made++;
    return arena.take(FRAME_BYTES_MAX + COPY_SLACK_BYTES);
  }
}
