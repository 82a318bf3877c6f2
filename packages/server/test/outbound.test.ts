import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { FlushQueue } from '../src/connection/flush-queue.ts';
import { Outbound } from '../src/connection/outbound.ts';
import { SlabPool } from '../src/connection/slabs.ts';
import { LARGE_SLAB_BYTES, WRITE_BYTES_MAX } from '../src/limits.ts';

/** A socket that takes bytes only when told to. */
class FakeSocket {
  readonly writes: Buffer[] = [];
  isOpen = true;
  #waiting: { bytes: number; done: (() => void) | undefined }[] = [];
  corked = 0;

  get writableLength(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  write(piece: Buffer, done?: () => void): boolean {
    this.writes.push(Buffer.from(piece));
    if (!this.isOpen) this.#waiting.push({ bytes: piece.length, done });
    else if (done !== undefined) process.nextTick(done);
    return this.isOpen;
  }

  cork(): void {
    this.corked++;
  }

  uncork(): void {
    this.corked--;
  }

  /** Takes everything that was written while it was closed. */
  take(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { done } of waiting) done?.();
  }
}

interface Fixture {
  readonly socket: FakeSocket;
  readonly outbound: Outbound;
  readonly events: string[];
  readonly pool: SlabPool;
}

function fixture(maxPending: number = 64 * 1024 * 1024): Fixture {
  const socket = new FakeSocket();
  const events: string[] = [];
  const pool = new SlabPool(null);
  const owner = {
    flush: () => outbound.flush(),
    onPendingExceeded: () => events.push('exceeded'),
    onWriteBlocked: () => events.push('blocked'),
    onWriteProgress: () => events.push('progress'),
  };
  const queue = new FlushQueue();
  queue.enter();
  const outbound: Outbound = new Outbound(owner, socket as unknown as Socket, pool, queue, maxPending);
  return { socket, outbound, events, pool };
}

const lines = (count: number, bytes: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => Buffer.alloc(bytes, 97 + (index % 26)));

describe('output', () => {
  it('is gathered and handed over in one write, after which no memory is held', () => {
    const { socket, outbound, pool } = fixture();
    const all = lines(10, 100);
    for (const line of all) outbound.append(line);
    expect(outbound.pending).toBe(1000);
    outbound.flush();
    expect(socket.writes).toEqual([Buffer.concat(all)]);
    expect(outbound.pending).toBe(0);
    expect(pool.freeCount).toBe(1);
  });

  it('of any amount goes out in order, also what comes while a write is in flight', () => {
    const { socket, outbound, events } = fixture();
    const all = lines(900, 1000);
    for (const [index, line] of all.entries()) {
      socket.isOpen = index % 300 > 150;
      outbound.append(line);
      if (index % 40 === 0) outbound.flush();
      if (index % 100 === 99) socket.take();
    }
    socket.isOpen = true;
    outbound.flush();
    for (let i = 0; i < 5; i++) socket.take();
    expect(Buffer.concat(socket.writes).equals(Buffer.concat(all))).toBe(true);
    expect(outbound.pending).toBe(0);
    expect(events).toContain('blocked');
    expect(events.at(-1)).toBe('progress');
    expect(socket.corked).toBe(0);
  });

  it('is not written a second time before the first write is done, and then in writes of limited size', () => {
    const { socket, outbound } = fixture();
    socket.isOpen = false;
    outbound.append(Buffer.from('first'));
    outbound.flush();
    const total = 2 * WRITE_BYTES_MAX;
    for (let bytes = 0; bytes < total; bytes += LARGE_SLAB_BYTES) outbound.append(Buffer.alloc(LARGE_SLAB_BYTES));
    outbound.flush();
    expect(socket.writes).toHaveLength(1);
    socket.take();
    const second = socket.writableLength;
    expect(second).toBeGreaterThan(WRITE_BYTES_MAX / 2);
    expect(second).toBeLessThanOrEqual(WRITE_BYTES_MAX);
  });

  it('above max_pending is reported', () => {
    const { socket, outbound, events } = fixture(1000);
    socket.isOpen = false;
    for (const line of lines(10, 100)) outbound.append(line);
    expect(events).not.toContain('exceeded');
    outbound.append(Buffer.from('x'));
    expect(events).toContain('exceeded');
  });

  it('of a closed connection is dropped; of a finishing one it goes out behind what is in flight', () => {
    const closed = fixture();
    closed.outbound.append(Buffer.from('a'));
    closed.outbound.close();
    closed.outbound.append(Buffer.from('b'));
    closed.outbound.flush();
    expect(closed.socket.writes).toEqual([]);
    const finishing = fixture();
    finishing.socket.isOpen = false;
    finishing.outbound.append(Buffer.from('a'));
    finishing.outbound.flush();
    finishing.outbound.append(Buffer.from('b'));
    finishing.outbound.finish();
    finishing.outbound.append(Buffer.from('c'));
    expect(Buffer.concat(finishing.socket.writes).toString()).toBe('ab');
  });

  it('of a connection that became calm goes back to small slabs', () => {
    const { outbound, pool } = fixture();
    for (const line of lines(20, 1000)) outbound.append(line);
    outbound.flush();
    outbound.append(Buffer.from('x'));
    outbound.flush();
    const large = pool.take(true);
    pool.give(large);
    for (let i = 0; i < 100; i++) {
      outbound.append(Buffer.from('x'));
      outbound.flush();
    }
    // The large slab stays where it is from now on.
    expect(pool.take(true)).toBe(large);
    outbound.append(Buffer.from('x'));
    outbound.flush();
    expect(pool.take(true)).not.toBe(large);
  });
});
