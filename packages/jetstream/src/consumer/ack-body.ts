import { decodeJson } from '../json/decode.ts';
import type { Integer } from '../json/integer.ts';
import { type ObjectSchema, objectSchema } from '../json/schema.ts';
import { JsonError } from '../json/value.ts';
import { parseGoDuration } from './go-duration.ts';

/** What the body of an ack says; anything else acknowledges nothing. */
export const ACK = 1;
export const NAK = 2;
export const PROGRESS = 3;
export const NEXT = 4;
export const TERM = 5;
const UNKNOWN = 0;

export type AckKind = typeof ACK | typeof NAK | typeof PROGRESS | typeof NEXT | typeof TERM | typeof UNKNOWN;

const NAK_BYTES = 4;
const NEXT_BYTES = 4;
const TERM_BYTES = 5;

const OPENING_BRACE = 0x7b;

const NAK_OPTIONS: ObjectSchema = objectSchema('ConsumerNakOptions', { delay: 'duration' });

/** Reads the kind of an ack from `buffer[start, end)` (spec/jetstream.md 4.4). */
export function ackKind(buffer: Buffer, start: number, end: number): AckKind {
  const length = end - start;
  if (length === 0) return ACK;
  if (startsWith(buffer, start, length, '+ACK')) return length === 4 ? ACK : UNKNOWN;
  if (startsWith(buffer, start, length, '-NAK')) return NAK;
  if (startsWith(buffer, start, length, '+WPI')) return length === 4 ? PROGRESS : UNKNOWN;
  if (startsWith(buffer, start, length, '+NXT')) return NEXT;
  if (startsWith(buffer, start, length, '+TERM')) return TERM;
  if (startsWith(buffer, start, length, '+OK')) return length === 3 ? ACK : UNKNOWN;
  return UNKNOWN;
}

function startsWith(buffer: Buffer, start: number, length: number, text: string): boolean {
  if (length < text.length) return false;
  for (let at = 0; at < text.length; at++) {
    if (buffer[start + at] !== text.charCodeAt(at)) return false;
  }
  return true;
}

/** Where the pull request of a `+NXT` begins. */
export function nextRequestStart(start: number): number {
  return start + NEXT_BYTES;
}

/** The reason behind `+TERM`, '' for none. */
export function termReason(buffer: Buffer, start: number, end: number): string {
  return end - start === TERM_BYTES ? '' : buffer.toString('utf8', start + TERM_BYTES, end).trim();
}

/** Milliseconds a `-NAK` asks to wait; 0 = at once, null = the delay cannot be read. */
export function nakDelayMs(buffer: Buffer, start: number, end: number): number | null {
  if (end - start === NAK_BYTES) return 0;
  const text = nakArgument(buffer, start, end);
  if (text === '') return 0;
  const delayNs = text.charCodeAt(0) === OPENING_BRACE ? delayOfJson(text) : parseGoDuration(text);
  if (delayNs === null) return null;
  return delayNs <= 0n ? 0 : Math.ceil(Number(delayNs) / 1_000_000);
}

/** What stands behind `-NAK`. */
export function nakArgument(buffer: Buffer, start: number, end: number): string {
  return buffer.toString('utf8', start + NAK_BYTES, end).trim();
}

function delayOfJson(text: string): bigint | null {
  try {
    const { delay } = decodeJson(Buffer.from(text), NAK_OPTIONS, { strict: false }) as { delay?: Integer };
    return BigInt(delay ?? 0);
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}
