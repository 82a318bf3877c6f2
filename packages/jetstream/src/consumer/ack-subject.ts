/** The reply subject of a delivered message: `$JS.ACK.<stream>.<consumer>.<deliveries>.<sseq>.<cseq>.<ts ns>.<pending>`. */

const DOT = 46;
const ZERO = 48;
const MILLION = 1_000_000;

/** Room for the five numbers and their dots: sequences of 16 digits, a time of 19, a count of 16. */
const NUMBERS_BYTES_MAX = 96;

/** What `parse` found; the number of something that is not a number is -1. */
export interface AckNumbers {
  deliveries: number;
  streamSeq: number;
  consumerSeq: number;
}

/**
 * Builds and takes apart the ack subjects of one consumer (spec/jetstream.md 4.4, the v1 form). Built digit by digit in
 * a buffer: concatenating five numbers costs twice as much, and the nanosecond time must not pass through a double.
 */
export class AckSubjects {
  /** What every ack subject of the consumer starts with, its last dot included. */
  readonly prefix: string;
  /** What to subscribe to. */
  readonly pattern: string;
  /** Where `write` puts the subject. */
  readonly buffer: Buffer;
  readonly #start: number;

  constructor(stream: string, consumer: string) {
    this.prefix = `$JS.ACK.${stream}.${consumer}.`;
    this.pattern = `${this.prefix}*.*.*.*.*`;
    const prefixBytes = Buffer.byteLength(this.prefix, 'utf8');
    this.buffer = Buffer.alloc(prefixBytes + NUMBERS_BYTES_MAX);
    this.#start = this.buffer.write(this.prefix, 'utf8');
  }

  /**
   * Puts the subject at the start of `buffer`; returns how many bytes it has.
   * @param timeMs,timeNs when the message was stored: milliseconds, and nanoseconds within that millisecond
   */
  write(
    deliveries: number,
    streamSeq: number,
    consumerSeq: number,
    timeMs: number,
    timeNs: number,
    pending: number,
  ): number {
    const { buffer } = this;
    let at = writeNumber(buffer, this.#start, deliveries);
    buffer[at++] = DOT;
    at = writeNumber(buffer, at, streamSeq);
    buffer[at++] = DOT;
    at = writeNumber(buffer, at, consumerSeq);
    buffer[at++] = DOT;
    if (timeMs > 0) {
      at = writeMillis(buffer, at, timeMs);
      at = writeSixDigits(buffer, at, timeNs);
    } else {
      at = writeNumber(buffer, at, timeNs);
    }
    buffer[at++] = DOT;
    return writeNumber(buffer, at, pending);
  }

  /** Reads the numbers of a subject that matched `pattern`. */
  parse(subject: string, into: AckNumbers): void {
    let at = this.prefix.length;
    let end = subject.indexOf('.', at);
    into.deliveries = readNumber(subject, at, end);
    at = end + 1;
    end = subject.indexOf('.', at);
    into.streamSeq = readNumber(subject, at, end);
    at = end + 1;
    into.consumerSeq = readNumber(subject, at, subject.indexOf('.', at));
  }
}

function writeNumber(buffer: Buffer, at: number, value: number): number {
  let end = at + 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end++;
  let position = end;
  // Above 2^31 in doubles, below with integer arithmetic.
  while (value > 0x7fffffff) {
    const quotient = Math.floor(value / 10);
    buffer[--position] = ZERO + (value - quotient * 10);
    value = quotient;
  }
  value |= 0;
  while (position > at) {
    const quotient = (value / 10) | 0;
    buffer[--position] = ZERO + (value - quotient * 10);
    value = quotient;
  }
  return end;
}

/** In two halves: each is small enough for integer arithmetic. */
function writeMillis(buffer: Buffer, at: number, value: number): number {
  if (value < MILLION) return writeNumber(buffer, at, value);
  const upper = Math.floor(value / MILLION);
  return writeSixDigits(buffer, writeNumber(buffer, at, upper), value - upper * MILLION);
}

function writeSixDigits(buffer: Buffer, at: number, value: number): number {
  for (let position = at + 5; position >= at; position--) {
    const quotient = (value / 10) | 0;
    buffer[position] = ZERO + (value - quotient * 10);
    value = quotient;
  }
  return at + 6;
}

function readNumber(text: string, start: number, end: number): number {
  if (end <= start) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
