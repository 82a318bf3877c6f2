import type { ApiError } from '../errors/api-error.ts';
import type { HostAccount, StandingMessage } from '../host.ts';
import { encodeJson } from '../json/encode.ts';

/** Digits of the largest sequence. */
const SEQUENCE_DIGITS_MAX = 16;
const DUPLICATE_TAIL = ',"duplicate": true}';
const BRACE = 0x7d;
const ZERO = 0x30;

/** The ack that is being sent: one object for all of them. */
class AckMessage implements StandingMessage {
  subject = '';
  readonly reply: Buffer;
  readonly replyEnd = 0;
  readonly buffer: Buffer;
  readonly headerStart = 0;
  readonly payloadStart = 0;
  payloadEnd = 0;

  constructor(buffer: Buffer) {
    this.reply = buffer;
    this.buffer = buffer;
  }
}

/** Writes the acknowledgements of one stream (spec/jetstream.md 3.3). One buffer is reused: a plain ack allocates nothing. */
export class PubAcks {
  readonly #account: HostAccount;
  readonly #stream: string;
  readonly #buffer: Buffer;
  readonly #prefixBytes: number;
  readonly #message: AckMessage;

  constructor(account: HostAccount, stream: string) {
    this.#account = account;
    this.#stream = stream;
    const prefix = `{"stream":${encodeJson(stream)},"seq":`;
    this.#prefixBytes = Buffer.byteLength(prefix);
    this.#buffer = Buffer.alloc(this.#prefixBytes + SEQUENCE_DIGITS_MAX + DUPLICATE_TAIL.length);
    this.#buffer.write(prefix);
    this.#message = new AckMessage(this.#buffer);
  }

  /** `{"stream":"S","seq":1}` */
  ack(reply: string, seq: number): void {
    const end = this.#writeSeq(seq);
    this.#buffer[end] = BRACE;
    this.#send(reply, end + 1);
  }

  /** `{"stream":"S","seq":1,"duplicate": true}` */
  duplicate(reply: string, seq: number): void {
    const end = this.#writeSeq(seq);
    this.#send(reply, end + this.#buffer.write(DUPLICATE_TAIL, end));
  }

  /** `{"error":{…},"stream":"S","seq":0}` */
  refusal(error: ApiError): Buffer {
    return Buffer.from(encodeJson({ error, stream: this.#stream, seq: 0 }));
  }

  send(reply: string, header: Buffer | null, body: Buffer): void {
    this.#account.deliver(reply, reply, null, header, body);
  }

  #send(reply: string, length: number): void {
    const message = this.#message;
    message.subject = reply;
    message.payloadEnd = length;
    this.#account.deliverStored(reply, message);
  }

  /** Writes the digits behind the prefix; returns the position after them. */
  #writeSeq(seq: number): number {
    let digits = 1;
    for (let power = 10; seq >= power; power *= 10) digits++;
    const end = this.#prefixBytes + digits;
    let rest = seq;
    for (let at = end - 1; at >= this.#prefixBytes; at--) {
      const next = Math.floor(rest / 10);
      this.#buffer[at] = ZERO + (rest - next * 10);
      rest = next;
    }
    return end;
  }
}
