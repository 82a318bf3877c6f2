import { subjectByteLength, writeSubject } from '@nats-ts/protocol';
import { sealRecord } from '../../hash/highwayhash.ts';
import { RECORD_BYTES_MAX } from '../../shared/limits.ts';
import { writeTime, writeWord } from './time64.ts';

/*
 * A record of a block file (spec/jetstream.md 7.2), all little endian:
 *
 *   0   u32  length of the whole record; bit 31: there is a header block
 *   4   u64  sequence; bit 63: erased or skipped (no message), bit 62: tombstone (the message was deleted)
 *  12   i64  time, nanoseconds since the epoch; 0 = none
 *  20   u16  length of the subject
 *  22        subject
 *       u32  length of the header block          only with bit 31
 *            header block                        only with bit 31
 *            payload
 *       u64  HighwayHash-64 over sequence, time, subject, header block and payload
 */

/** Bytes in front of the subject. */
export const RECORD_HEAD_BYTES = 22;
/** Bytes of the hash at the end. */
export const RECORD_HASH_BYTES = 8;
/** A record without subject, header and payload: a tombstone or a skipped sequence. */
export const EMPTY_RECORD_BYTES: number = RECORD_HEAD_BYTES + RECORD_HASH_BYTES;
/** Longest subject that fits its length field. */
export const SUBJECT_BYTES_MAX = 0xffff;

const HEADERS_BIT = 0x8000_0000;
const LENGTH_MASK = 0x7fff_ffff;
const ERASED_BIT = 0x8000_0000;
const TOMBSTONE_BIT = 0x4000_0000;
const SEQUENCE_HIGH_MASK = 0x3fff_ffff;
const WORD = 0x1_0000_0000;
/** Upper half of 2^53 - 1. */
const SAFE_HIGH_MAX = 0x1f_ffff;

/** Length of the whole record, as written. */
export function recordLength(block: Buffer, at: number): number {
  return block.readUInt32LE(at) & LENGTH_MASK;
}

export function hasHeaders(block: Buffer, at: number): boolean {
  return block[at + 3]! >= 0x80;
}

/** The record's sequence without its bits; above 2^53 - 1 it is not exact. */
export function recordSeq(block: Buffer, at: number): number {
  return (block.readUInt32LE(at + 8) & SEQUENCE_HIGH_MASK) * WORD + block.readUInt32LE(at + 4);
}

/** True if the sequence is one a number counts exactly. */
export function isSafeSeq(block: Buffer, at: number): boolean {
  return (block.readUInt32LE(at + 8) & SEQUENCE_HIGH_MASK) <= SAFE_HIGH_MAX;
}

export function isTombstone(block: Buffer, at: number): boolean {
  return (block[at + 11]! & 0x40) !== 0;
}

/** A sequence without message: erased, skipped, or 0 as very old servers wrote. */
export function isErased(block: Buffer, at: number): boolean {
  return block[at + 11]! >= 0x80 || (block.readUInt32LE(at + 4) === 0 && block.readUInt32LE(at + 8) === 0);
}

/** True for a record that is a message, deleted later or not. */
export function isMessage(block: Buffer, at: number): boolean {
  return !isTombstone(block, at) && !isErased(block, at);
}

export function subjectLength(block: Buffer, at: number): number {
  return block[at + 20]! | (block[at + 21]! << 8);
}

/** Length of the header block, 0 without one. */
export function headerLength(block: Buffer, at: number): number {
  return hasHeaders(block, at) ? block.readUInt32LE(at + RECORD_HEAD_BYTES + subjectLength(block, at)) : 0;
}

/** True if the lengths at `at` describe a record that fits into the `available` bytes. Says nothing of the hash. */
export function isSaneRecord(block: Buffer, at: number, available: number): boolean {
  if (available < EMPTY_RECORD_BYTES) return false;
  const length = recordLength(block, at);
  if (length < EMPTY_RECORD_BYTES || length > available || length > RECORD_BYTES_MAX) return false;
  const subjectEnd = RECORD_HEAD_BYTES + subjectLength(block, at);
  if (!hasHeaders(block, at)) return subjectEnd + RECORD_HASH_BYTES <= length;
  if (subjectEnd + 4 + RECORD_HASH_BYTES > length) return false;
  return subjectEnd + 4 + block.readUInt32LE(at + subjectEnd) + RECORD_HASH_BYTES <= length;
}

/** Writes a record without subject, header and payload, and seals it. Time (0, 0) stands for none. */
export function writeEmptyRecord(
  key: Uint8Array,
  block: Buffer,
  at: number,
  seq: number,
  kind: 'tombstone' | 'erased',
  timeMs: number,
  timeNs: number,
): void {
  writeHead(block, at, EMPTY_RECORD_BYTES, seq, timeMs, timeNs, 0);
  block[at + 11]! |= kind === 'tombstone' ? TOMBSTONE_BIT >>> 24 : ERASED_BIT >>> 24;
  sealRecord(key, block, at, EMPTY_RECORD_BYTES);
}

/**
 * Turns `length` bytes at `at` into an erased record: the sequence stays used, the bytes between become `filler`
 * (random to overwrite what a user wants gone), which is `length - EMPTY_RECORD_BYTES` bytes long.
 */
export function writeErasedRecord(
  key: Uint8Array,
  block: Buffer,
  at: number,
  length: number,
  seq: number,
  filler: Uint8Array,
  timeMs: number,
  timeNs: number,
): void {
  writeHead(block, at, length, seq, timeMs, timeNs, 0);
  block[at + 11]! |= ERASED_BIT >>> 24;
  block.set(filler, at + RECORD_HEAD_BYTES);
  sealRecord(key, block, at, length);
}

/** Writes a message and seals it. Its length is `length`, which the caller computed and made room for. */
export function writeMessageRecord(
  key: Uint8Array,
  block: Buffer,
  at: number,
  length: number,
  seq: number,
  subject: string,
  subjectBytes: number,
  header: Uint8Array,
  headerStart: number,
  headerEnd: number,
  payload: Uint8Array,
  payloadStart: number,
  payloadEnd: number,
  timeMs: number,
  timeNs: number,
): void {
  const headerBytes = headerEnd - headerStart;
  writeHead(block, at, length, seq, timeMs, timeNs, subjectBytes);
  let end = writeSubject(subject, block, at + RECORD_HEAD_BYTES);
  if (headerBytes > 0) {
    block[at + 3]! |= HEADERS_BIT >>> 24;
    writeWord(block, end, headerBytes);
    copyBytes(header, headerStart, headerEnd, block, end + 4);
    end += 4 + headerBytes;
  }
  copyBytes(payload, payloadStart, payloadEnd, block, end);
  sealRecord(key, block, at, length);
}

/** Length of a subject in a record. Throws a RangeError for one that is too long for its field. */
export function checkedSubjectBytes(subject: string): number {
  const bytes = subjectByteLength(subject);
  if (bytes > SUBJECT_BYTES_MAX) {
    throw new RangeError(`subject of ${bytes} bytes is above the limit of ${SUBJECT_BYTES_MAX} bytes`);
  }
  return bytes;
}

/** Compares the times of two records: negative if the first is earlier. */
export function compareTimes(ms1: number, ns1: number, ms2: number, ns2: number): number {
  return ms1 === ms2 ? ns1 - ns2 : ms1 - ms2;
}

function writeHead(
  block: Buffer,
  at: number,
  length: number,
  seq: number,
  timeMs: number,
  timeNs: number,
  subjectBytes: number,
): void {
  writeWord(block, at, length);
  writeWord(block, at + 4, seq % WORD);
  writeWord(block, at + 8, Math.floor(seq / WORD));
  writeTime(block, at + 12, timeMs, timeNs);
  block[at + 20] = subjectBytes;
  block[at + 21] = subjectBytes >> 8;
}

/** Below this a loop is faster than the call. */
const COPY_LOOP_MAX = 32;

function copyBytes(source: Uint8Array, start: number, end: number, target: Buffer, at: number): void {
  if (end - start <= COPY_LOOP_MAX) for (let i = start; i < end; i++) target[at++] = source[i]!;
  else if (source instanceof Buffer) source.copy(target, at, start, end);
  else target.set(source.subarray(start, end), at);
}
