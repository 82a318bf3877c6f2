import type { Socket } from 'node:net';
import type { MessageFrame } from '../delivery/message-frame.ts';
import { encodeHead, type Subscription } from '../delivery/subscription.ts';
import { LARGE_SLAB_BYTES, SMALL_SLAB_BYTES } from '../limits.ts';
import { COPY_SLACK_BYTES } from './arena.ts';
import type { Flushable, FlushQueue } from './flush-queue.ts';
import { PieceQueue } from './piece-queue.ts';
import type { Slab, SlabPool } from './slabs.ts';

/** Flushes that would have fitted a small slab before a connection goes back to small ones. */
const SHRINK_AFTER_FLUSHES = 64;

/** Who is told about what happens to the output. */
export interface OutboundOwner extends Flushable {
  /** More than max_pending bytes are queued. */
  onPendingExceeded(): void;
  /** The socket took only a part; the rest is in flight. */
  onWriteBlocked(): void;
  /** What was in flight has left; more may be (`isBlocked`). */
  onWriteProgress(): void;
}

/**
 * Output of one connection: messages and protocol lines are copied into slabs, large payloads are queued by reference,
 * and `flush` hands all of it to the socket in one write. At most one write is in flight; what comes meanwhile is
 * gathered. Bytes that have not left count against max_pending, referenced ones included.
 */
export class Outbound {
  /** Bytes appended that have not left. */
  pending = 0;
  /** Equivalent to max_pending. */
  readonly #maxPending: number;
  readonly #owner: OutboundOwner;
  #socket: Socket;
  readonly #pool: SlabPool;
  readonly #queue: FlushQueue;
  /** The slab being filled; [#start, #end) of it is not queued yet. */
  #slab: Slab | null = null;
  #start = 0;
  #end = 0;
  #isLarge = false;
  #calmFlushes = 0;
  /** What was gathered before the segment. */
  readonly #pieces: PieceQueue;
  #isDirty = false;
  #isInFlight = false;
  #flightBytes = 0;
  #isClosed = false;
  readonly #written: () => void = () => {
    // Also called late for a write that completed at once: then nothing, or a later write, is in flight.
    if (this.#isInFlight && this.#socket.writableLength === 0) this.#completed();
  };

  constructor(owner: OutboundOwner, socket: Socket, pool: SlabPool, queue: FlushQueue, maxPending: number) {
    this.#owner = owner;
    this.#socket = socket;
    this.#pool = pool;
    this.#pieces = new PieceQueue(pool);
    this.#queue = queue;
    this.#maxPending = maxPending;
  }

  /** The connection goes on over another socket. */
  setSocket(socket: Socket): void {
    this.#socket = socket;
  }

  /** A write is in flight: the peer does not take bytes as fast as they come. */
  get isBlocked(): boolean {
    return this.#isInFlight;
  }

  /** Pieces and bytes of the write in flight and behind it, for the log. */
  get chunkCount(): number {
    return this.#pieces.count + (this.#end > this.#start ? 1 : 0);
  }

  /** Copies a protocol line. */
  append(line: Uint8Array): void {
    if (this.#isClosed) return;
    const length = line.length;
    if (!this.#reserve(length)) {
      this.#appendReference(Buffer.from(line));
      return;
    }
    this.#slab!.bytes.set(line, this.#end);
    this.#end += length;
    this.#appended(length);
  }

  /** Copies a message for `subscription`; `isHmsg` = it has headers and the client takes them. */
  appendMessage(subscription: Subscription, frame: MessageFrame, isHmsg: boolean): void {
    if (this.#isClosed) return;
    const head = subscription.repeatedHead(frame.subject);
    if (head === null) {
      this.#appendWithNewHead(subscription, frame, isHmsg);
      return;
    }
    const from = isHmsg ? 0 : 1;
    const headBytes = head.length - from;
    const total = headBytes + frame.tailBytes;
    if (frame.reference !== null || !this.#reserve(total)) {
      this.#appendLarge(head, from, frame, total);
      return;
    }
    const slab = this.#slab!;
    const { arena, heads } = this.#pool;
    if (arena !== null && heads !== null && slab.address >= 0 && frame.bodyAddress >= 0) {
      let address = subscription.headAddress;
      if (address < 0) address = heads.place(subscription, head);
      if (address >= 0) {
        arena.append(slab.address + this.#end, address + from, headBytes, frame.bodyAddress, frame.tailBytes);
        this.#end += total;
        this.#appended(total);
        return;
      }
    }
    head.copy(slab.bytes, this.#end, from);
    this.#end = frame.writeTail(slab.bytes, this.#end + headBytes);
    this.#appended(total);
  }

  /** Hands everything gathered to the socket, unless a write is in flight: its completion does it then. */
  flush(): void {
    this.#isDirty = false;
    this.#send();
    if (!this.#isInFlight) this.#release();
  }

  /** Takes nothing more and drops what the socket does not have yet. */
  close(): void {
    this.#isClosed = true;
    if (!this.#isInFlight) this.#drop();
  }

  /** Hands everything to the socket, also behind a write in flight, and takes nothing more. */
  finish(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queueSegment();
    this.#pieces.writeAll(this.#socket);
    this.#drop();
  }

  /** The head is written where it is needed: nobody knows whether there will be a second message like it. */
  #appendWithNewHead(subscription: Subscription, frame: MessageFrame, isHmsg: boolean): void {
    const { sid } = subscription;
    const total = (isHmsg ? 7 : 6) + frame.subjectBytes + sid.length + frame.tailBytes;
    if (frame.reference !== null || !this.#reserve(total)) {
      this.#appendLarge(encodeHead(frame.subject, sid), isHmsg ? 0 : 1, frame, total);
      return;
    }
    const slab = this.#slab!;
    const target = slab.bytes;
    let at = this.#end;
    if (isHmsg) target[at++] = 0x48;
    target[at] = 0x4d;
    target[at + 1] = 0x53;
    target[at + 2] = 0x47;
    target[at + 3] = 0x20;
    at = frame.writeSubject(target, at + 4);
    target[at++] = 0x20;
    for (let i = 0; i < sid.length; i++) target[at++] = sid.charCodeAt(i);
    target[at++] = 0x20;
    const { arena } = this.#pool;
    if (arena !== null && slab.address >= 0 && frame.bodyAddress >= 0) {
      arena.copy(slab.address + at, frame.bodyAddress, frame.tailBytes);
      at += frame.tailBytes;
    } else {
      at = frame.writeTail(target, at);
    }
    this.#end = at;
    this.#appended(total);
  }

  #appended(bytes: number): void {
    this.pending += bytes;
    if (!this.#isDirty) {
      this.#isDirty = true;
      this.#queue.add(this.#owner);
    }
    if (this.pending > this.#maxPending) this.#owner.onPendingExceeded();
  }

  /** Makes room for `bytes`, and the slack behind them, in the slab; false if no slab is that large. */
  #reserve(bytes: number): boolean {
    const slab = this.#slab;
    const needed = bytes + COPY_SLACK_BYTES;
    if (slab !== null && this.#end + needed <= slab.bytes.length) return true;
    if (needed > LARGE_SLAB_BYTES) return false;
    if (slab !== null) this.#retire(slab);
    if (this.#slab === null) {
      this.#slab = this.#pool.take(this.#isLarge || needed > SMALL_SLAB_BYTES);
      this.#start = 0;
      this.#end = 0;
    }
    return this.#end + needed <= this.#slab.bytes.length || this.#reserve(bytes);
  }

  /** The slab is full: it is written now if the socket is free and it was a large one, else it waits. */
  #retire(slab: Slab): void {
    if (slab.bytes.length === LARGE_SLAB_BYTES && !this.#isInFlight) {
      this.#send();
      if (!this.#isInFlight) {
        this.#start = 0;
        this.#end = 0;
        return;
      }
    }
    this.#isLarge = true;
    this.#calmFlushes = 0;
    if (this.#end > this.#start) {
      this.#pieces.push(slab.bytes.subarray(this.#start, this.#end), slab);
    } else if (this.#isInFlight) {
      this.#pieces.release(slab);
    } else {
      this.#pool.give(slab);
    }
    this.#slab = null;
  }

  #appendLarge(head: Buffer, from: number, frame: MessageFrame, total: number): void {
    const headBytes = head.length - from;
    if (!this.#reserve(headBytes + frame.headBytes)) {
      this.#appendReference(frame.toBuffer(head, from));
      return;
    }
    const target = this.#slab!.bytes;
    head.copy(target, this.#end, from);
    this.#end = frame.writeHead(target, this.#end + headBytes);
    this.#queueSegment();
    this.#pieces.push(frame.body(), null);
    this.#appended(total);
  }

  #appendReference(piece: Buffer): void {
    this.#queueSegment();
    this.#pieces.push(piece, null);
    this.#appended(piece.length);
  }

  /** Queues what was gathered in the slab; the slab goes on being filled behind it. */
  #queueSegment(): void {
    if (this.#slab === null || this.#end === this.#start) return;
    this.#pieces.push(this.#slab.bytes.subarray(this.#start, this.#end), null);
    this.#start = this.#end;
  }

  #send(): void {
    while (!this.#isInFlight) {
      if (!this.#pieces.isEmpty) this.#sendPieces();
      else if (this.#end > this.#start) this.#sendSegment();
      else return;
      if (this.#socket.writableLength === 0) this.#left();
      else {
        this.#isInFlight = true;
        this.#owner.onWriteBlocked();
      }
    }
  }

  #sendSegment(): void {
    const bytes = this.#end - this.#start;
    const piece = this.#slab!.bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#flightBytes = bytes;
    this.#socket.write(piece, this.#written);
  }

  #sendPieces(): void {
    this.#queueSegment();
    this.#flightBytes = this.#pieces.write(this.#socket, this.#written);
  }

  /** The write in flight is over. */
  #left(): void {
    this.pending -= this.#flightBytes;
    this.#flightBytes = 0;
    this.#pieces.left();
  }

  #completed(): void {
    this.#isInFlight = false;
    this.#left();
    if (this.#isClosed) {
      this.#drop();
      return;
    }
    this.#send();
    if (!this.#isInFlight) this.#release();
    this.#owner.onWriteProgress();
  }

  /** Nothing is queued: the slab goes back, and a connection that has become calm returns to small ones. */
  #release(): void {
    const slab = this.#slab;
    if (slab === null || this.#end > this.#start) return;
    if (this.#isLarge) {
      if (this.#end > SMALL_SLAB_BYTES / 2) this.#calmFlushes = 0;
      else if (++this.#calmFlushes >= SHRINK_AFTER_FLUSHES) this.#isLarge = false;
    }
    this.#slab = null;
    this.#pool.give(slab);
  }

  #drop(): void {
    this.#pieces.clear();
    this.#slab = null;
    this.#start = 0;
    this.#end = 0;
    this.pending = 0;
  }
}
