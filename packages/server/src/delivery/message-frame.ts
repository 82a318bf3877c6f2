import { type PublishArgs, subjectByteLength, subjectFromBytes, writeDecimal, writeSubject } from '@nats-ts/protocol';
import { type Arena, COPY_SLACK_BYTES } from '../connection/arena.ts';
import type { Connection } from '../connection/connection.ts';
import type { ClientInfo, InternalMessage, PublisherHold, StandingMessage } from '../internal-message.ts';
import { copyBytes, isVerbatim, SPACE, writeLineEnd, writePublishedHead } from './frame-bytes.ts';

const EMPTY: Buffer = Buffer.alloc(0);
/** Origin of a buffer that was made for one message and is not used again: slices of it may be kept. */
export const ORIGIN_OWNED = -2;
/** Origin of a buffer outside of the arena that will be used again. */
export const ORIGIN_ELSEWHERE = -1;
/** Payloads of at least this many bytes that stand in a buffer of their own are sent by reference. */
export const REFERENCE_BYTES_MIN: number = 32 * 1024;
/** Longest `<reply> <hdr> <total>\r\n` that needs no buffer of its own. */
const SCRATCH_BYTES: number = 8 * 1024;

/**
 * One message on its way to its subscribers: everything behind `MSG <subject> <sid> `, worked out once for all of them.
 * It is a head (`[reply ][hdr ]total\r\n`) and a body (header block, payload, `\r\n`). When the publisher wrote its
 * frame the way MSG is written, which is the rule, the head is empty and the body begins at the reply or size of the
 * published bytes. Reused for every message; valid until the next one is begun.
 */
export class MessageFrame implements InternalMessage {
  /** Who published it; null = the server itself. */
  publisher: Connection | null = null;
  /** Who a part of this process stands for, when that published it; set for one delivery only. */
  actor: ClientInfo | null = null;
  /** Subject on the wire. */
  subject = '';
  /** Where the bytes of the message are. */
  buffer: Buffer = EMPTY;
  /** Subject in `buffer`, -1 = it is only known as text. */
  #subjectStart = -1;
  /** Bytes of the subject. */
  subjectBytes = 0;
  /** Reply in `buffer`, -1 = none. */
  replyStart = -1;
  replyEnd = -1;
  #reply: string | null = null;
  /** Header block [headerStart, payloadStart) and payload [payloadStart, payloadEnd) in `buffer`. */
  headerStart = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** Bytes of head and body. */
  tailBytes = 0;
  headBytes = 0;
  /** The body when it is to be sent by reference, else null. */
  reference: Buffer | null = null;
  /** Address of the body in the arena when it is there and the head is empty, else -1. */
  bodyAddress = -1;

  #head: Buffer = EMPTY;
  readonly #arena: Arena | null;
  readonly #scratch: Buffer;
  readonly #scratchAddress: number;
  #bodyStart = 0;
  #bodyEnd = 0;

  /** A frame to put a version without headers into, made when first needed. */
  #bare: MessageFrame | null = null;

  constructor(arena: Arena | null) {
    const bytes = SCRATCH_BYTES + COPY_SLACK_BYTES;
    const address = arena === null ? -1 : arena.take(bytes);
    this.#arena = arena;
    this.#scratchAddress = address;
    this.#scratch =
      arena === null || address < 0 ? Buffer.allocUnsafeSlow(bytes) : arena.bytes.subarray(address, address + bytes);
  }

  /** Bytes of header block and payload. */
  get size(): number {
    return this.payloadEnd - this.headerStart;
  }

  get hasHeader(): boolean {
    return this.payloadStart > this.headerStart;
  }

  /** The reply subject, built when asked for. */
  get reply(): string | null {
    if (this.replyStart < 0) return null;
    this.#reply ??= subjectFromBytes(this.buffer, this.replyStart, this.replyEnd);
    return this.#reply;
  }

  /**
   * A message of a client.
   * @param origin address of the buffer of `args` in the arena, or one of the constants above.
   */
  setPublished(publisher: Connection, subject: string, args: PublishArgs, origin: number): void {
    const buffer = args.buffer;
    const headerSize = args.headerSize;
    const payloadEnd = args.payloadEnd;
    const payloadStart = args.payloadStart;
    this.publisher = publisher;
    this.subject = subject;
    this.buffer = buffer;
    this.#subjectStart = args.subjectStart;
    this.subjectBytes = args.subjectEnd - args.subjectStart;
    this.replyStart = args.replyStart;
    this.replyEnd = args.replyEnd;
    this.#reply = null;
    this.headerStart = payloadStart;
    this.payloadStart = headerSize > 0 ? payloadStart + headerSize : payloadStart;
    this.payloadEnd = payloadEnd;
    this.#bodyEnd = payloadEnd + 2;
    if (isVerbatim(args)) {
      const bodyStart = args.replyStart >= 0 ? args.replyStart : args.sizeStart;
      this.headBytes = 0;
      this.#bodyStart = bodyStart;
      this.tailBytes = payloadEnd + 2 - bodyStart;
      this.bodyAddress = origin >= 0 ? origin + bodyStart : -1;
    } else {
      this.#bodyStart = payloadStart;
      this.bodyAddress = -1;
      this.#copyHead(args);
      this.tailBytes = this.headBytes + payloadEnd + 2 - payloadStart;
    }
    const isByReference = origin === ORIGIN_OWNED && this.tailBytes >= REFERENCE_BYTES_MIN;
    this.reference = isByReference ? buffer.subarray(this.#bodyStart, this.#bodyEnd) : null;
  }

  /** A message from inside the process, written as one of a client is. */
  setInternal(subject: string, reply: string | null, header: Uint8Array | null, payload: Uint8Array | null): void {
    const headerBytes = header === null ? 0 : header.length;
    const size = headerBytes + (payload === null ? 0 : payload.length);
    const buffer = this.#room((reply === null ? 0 : subjectByteLength(reply)) + size + 40);
    const replyEnd = reply === null ? -1 : writeSubject(reply, buffer, 0);
    const at = this.#setSizes(subject, buffer, replyEnd, headerBytes, size);
    this.#reply = reply;
    if (header !== null) buffer.set(header, at);
    if (payload !== null) buffer.set(payload, at + headerBytes);
    this.#setEnd(at + size);
  }

  /** The same for a message that stands in buffers. */
  setStored(message: StandingMessage): void {
    const { headerStart, payloadEnd, replyEnd } = message;
    const size = payloadEnd - headerStart;
    const buffer = this.#room(replyEnd + size + 40);
    if (replyEnd > 0) copyBytes(message.reply, 0, replyEnd, buffer, 0);
    const headerBytes = message.payloadStart - headerStart;
    const at = this.#setSizes(message.subject, buffer, replyEnd > 0 ? replyEnd : -1, headerBytes, size);
    this.#reply = null;
    this.#setEnd(copyBytes(message.buffer, headerStart, payloadEnd, buffer, at));
  }

  /** The same message for a receiver without headers: the block is cut off, the size is the payload's. */
  bare(): MessageFrame {
    this.#bare ??= new MessageFrame(this.#arena);
    const into = this.#bare;
    const payloadBytes = this.payloadEnd - this.payloadStart;
    into.publisher = this.publisher;
    into.subject = this.subject;
    into.#subjectStart = this.#subjectStart;
    into.subjectBytes = this.subjectBytes;
    into.replyStart = this.replyStart;
    into.replyEnd = this.replyEnd;
    into.#reply = this.#reply;
    into.buffer = this.buffer;
    into.headerStart = this.payloadStart;
    into.payloadStart = this.payloadStart;
    into.payloadEnd = this.payloadEnd;
    const head = into.#headRoom(this.replyEnd - this.replyStart + 20);
    let at = 0;
    if (this.replyStart >= 0) {
      at = copyBytes(this.buffer, this.replyStart, this.replyEnd, head, at);
      head[at++] = SPACE;
    }
    into.headBytes = writeLineEnd(head, writeDecimal(payloadBytes, head, at));
    into.#bodyStart = this.#bodyEnd - 2 - payloadBytes;
    into.#bodyEnd = this.#bodyEnd;
    into.tailBytes = into.headBytes + payloadBytes + 2;
    into.reference =
      this.reference !== null && payloadBytes >= REFERENCE_BYTES_MIN
        ? this.buffer.subarray(into.#bodyStart, into.#bodyEnd)
        : null;
    return into;
  }

  /** Writes the subject; returns the offset behind it. */
  writeSubject(target: Buffer, at: number): number {
    const start = this.#subjectStart;
    return start < 0
      ? writeSubject(this.subject, target, at)
      : copyBytes(this.buffer, start, start + this.subjectBytes, target, at);
  }

  /** Writes head and body; returns the offset behind them. */
  writeTail(target: Buffer, at: number): number {
    if (this.headBytes > 0) at = copyBytes(this.#head, 0, this.headBytes, target, at);
    return copyBytes(this.buffer, this.#bodyStart, this.#bodyEnd, target, at);
  }

  writeHead(target: Buffer, at: number): number {
    return copyBytes(this.#head, 0, this.headBytes, target, at);
  }

  /** The body in a buffer that stays as it is. */
  body(): Buffer {
    this.reference ??= Buffer.from(this.buffer.subarray(this.#bodyStart, this.#bodyEnd));
    return this.reference;
  }

  /** `head[from…)`, and behind it head and body of the message, in a buffer of their own. */
  toBuffer(head: Buffer, from: number): Buffer {
    const all = Buffer.allocUnsafe(head.length - from + this.tailBytes);
    head.copy(all, 0, from);
    this.writeTail(all, head.length - from);
    return all;
  }

  /** Who sent it; null when the server itself did. */
  clientInfo(): ClientInfo | null {
    return this.publisher === null ? this.actor : this.publisher.clientInfo();
  }

  holdPublisher(): PublisherHold | null {
    return this.publisher === null ? null : this.publisher.intake.shut();
  }

  /** Lets go of the buffers of the last message. */
  release(): void {
    this.publisher = null;
    this.buffer = EMPTY;
    this.reference = null;
  }

  /** Where a message from inside the process is put together. */
  #room(bytes: number): Buffer {
    return bytes <= SCRATCH_BYTES ? this.#scratch : Buffer.allocUnsafeSlow(bytes);
  }

  /** Writes the sizes behind the reply, which stands in front of `replyEnd` (-1 = none); returns where header and payload go. */
  #setSizes(subject: string, buffer: Buffer, replyEnd: number, headerBytes: number, size: number): number {
    let at = 0;
    if (replyEnd >= 0) {
      buffer[replyEnd] = SPACE;
      at = replyEnd + 1;
    }
    if (headerBytes > 0) {
      at = writeDecimal(headerBytes, buffer, at);
      buffer[at++] = SPACE;
    }
    at = writeLineEnd(buffer, writeDecimal(size, buffer, at));
    this.publisher = null;
    this.subject = subject;
    this.#subjectStart = -1;
    this.subjectBytes = subjectByteLength(subject);
    this.buffer = buffer;
    this.replyStart = replyEnd >= 0 ? 0 : -1;
    this.replyEnd = replyEnd;
    this.headerStart = at;
    this.payloadStart = at + headerBytes;
    return at;
  }

  /** The payload ends at `payloadEnd`: the frame is complete. */
  #setEnd(payloadEnd: number): void {
    const { buffer } = this;
    const end = writeLineEnd(buffer, payloadEnd);
    this.payloadEnd = payloadEnd;
    this.headBytes = 0;
    this.#bodyStart = 0;
    this.#bodyEnd = end;
    this.tailBytes = end;
    const isScratch = buffer === this.#scratch;
    this.bodyAddress = isScratch ? this.#scratchAddress : -1;
    this.reference = isScratch || end < REFERENCE_BYTES_MIN ? null : buffer.subarray(0, end);
  }

  #headRoom(bytes: number): Buffer {
    this.#head = bytes <= SCRATCH_BYTES ? this.#scratch : Buffer.allocUnsafeSlow(bytes);
    return this.#head;
  }

  #copyHead(args: PublishArgs): void {
    const head = this.#headRoom(args.replyEnd - args.replyStart + args.sizeEnd - args.sizeStart + 4);
    this.headBytes = writePublishedHead(args, head);
  }
}
