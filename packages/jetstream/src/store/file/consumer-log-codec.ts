import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { emptyConsumerState } from '../shared/empty.ts';
import type { ConsumerState } from '../store.ts';
import { EXPORT_HASH_BYTES } from './export-hash.ts';
import { shortCrc32 } from './short-crc.ts';
import { VARINT_BYTES_MAX, VarintReader, writeUvarint, writeVarint } from './varint.ts';

/**
 * Records of `consumers.log`, the durable state of a stream's consumers. Little endian, integers after the head as varints:
 *
 * ```
 * 0  u8   magic A5
 * 1  u8   kind
 * 2  u32  length of the whole record
 * 6  8 B  consumer: first bytes of sha256(name 00 creation time)
 * 14      serial: 1, 2, 3 … per consumer, so that a missing record is noticed
 *         what the kind says, below
 *    u32  crc32 of everything before it
 *
 * state      name length, name | state (see writeState) | number and 8-byte hashes of exported o.dat
 * delivered  deliveries * 2 + (1 if nothing is acked) | consumer seq | stream seq
 *            | delivered consumer seq, stream seq before | time ms
 * acked      consumer seq | stream seq | floor consumer seq, stream seq | delivered consumer seq, stream seq - floor's
 * exported   8-byte hash of an o.dat that is about to be put in place
 * removed    nothing
 * meta       name length, name | length and bytes of meta.inf: a copy for when that is damaged; its serial is 0
 * ```
 *
 * delivered and acked repeat the position the consumer had: a reader that misses the record before knows what it missed.
 */

export const KIND_STATE = 1;
export const KIND_DELIVERED = 2;
export const KIND_ACKED = 3;
export const KIND_EXPORTED = 4;
export const KIND_REMOVED = 5;
export const KIND_META = 6;

const MAGIC = 0xa5;
const KIND_MAX = KIND_META;
const HEAD_BYTES = 14;
const CRC_BYTES = 4;
/** Shortest record: head, a serial of one byte, CRC. */
const RECORD_BYTES_MIN: number = HEAD_BYTES + 1 + CRC_BYTES;

/** Up to this many bytes a sum in JavaScript is faster than the call: all records but those of whole states. */
const SHORT_CRC_BYTES_MAX = 256;

/** Longest record a reader believes in: the state of a consumer with several million pending messages. */
export const LOG_RECORD_BYTES_MAX: number = 256 * 1024 * 1024;

/** Bytes of a consumer's key. */
export const KEY_BYTES = 8;

/** The bytes that stand for a consumer in the log: a consumer created again under the same name is another one. */
export function consumerKey(name: string, created: string): Buffer {
  return createHash('sha256').update(`${name}\0${created}`).digest().subarray(0, KEY_BYTES);
}

/** Encodes records one behind the other. */
export class ConsumerLogBatch {
  #buffer: Buffer = Buffer.allocUnsafe(4096);
  #used = 0;
  #start = 0;

  /** Bytes encoded and not taken yet. */
  get bytes(): number {
    return this.#used;
  }

  /** Hands over what was encoded, as the caller's own, and starts again. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#used));
    this.clear();
    return taken;
  }

  clear(): void {
    this.#used = 0;
    if (this.#buffer.length > 1024 * 1024) this.#buffer = Buffer.allocUnsafe(4096);
  }

  state(key: Buffer, serial: number, name: string, state: ConsumerState, exported: readonly string[]): void {
    const nameBytes = Buffer.from(name);
    const numbers = 8 + state.pending.size * 3 + state.redelivered.size * 2;
    let at = this.#begin(
      KIND_STATE,
      key,
      serial,
      nameBytes.length + numbers * VARINT_BYTES_MAX + exported.length * EXPORT_HASH_BYTES,
    );
    const buffer = this.#buffer;
    at = writeUvarint(buffer, at, nameBytes.length);
    at += nameBytes.copy(buffer, at);
    at = writeState(buffer, at, state);
    at = writeUvarint(buffer, at, exported.length);
    for (const hash of exported) at += buffer.write(hash, at, 'latin1');
    this.#end(at);
  }

  delivered(
    key: Buffer,
    serial: number,
    consumerSeq: number,
    streamSeq: number,
    deliveries: number,
    timeMs: number,
    ackNone: boolean,
    consumerSeqBefore: number,
    streamSeqBefore: number,
  ): void {
    let at = this.#begin(KIND_DELIVERED, key, serial, 6 * VARINT_BYTES_MAX);
    const buffer = this.#buffer;
    at = writeUvarint(buffer, at, deliveries * 2 + (ackNone ? 1 : 0));
    at = writeUvarint(buffer, at, consumerSeq);
    at = writeUvarint(buffer, at, streamSeq);
    at = writeUvarint(buffer, at, consumerSeqBefore);
    at = writeUvarint(buffer, at, streamSeqBefore);
    at = writeVarint(buffer, at, timeMs);
    this.#end(at);
  }

  acked(
    key: Buffer,
    serial: number,
    consumerSeq: number,
    streamSeq: number,
    floorConsumerSeq: number,
    floorStreamSeq: number,
    deliveredConsumerSeq: number,
    deliveredStreamSeq: number,
  ): void {
    let at = this.#begin(KIND_ACKED, key, serial, 6 * VARINT_BYTES_MAX);
    const buffer = this.#buffer;
    at = writeUvarint(buffer, at, consumerSeq);
    at = writeUvarint(buffer, at, streamSeq);
    at = writeUvarint(buffer, at, floorConsumerSeq);
    at = writeUvarint(buffer, at, floorStreamSeq);
    at = writeUvarint(buffer, at, Math.max(0, deliveredConsumerSeq - floorConsumerSeq));
    at = writeUvarint(buffer, at, Math.max(0, deliveredStreamSeq - floorStreamSeq));
    this.#end(at);
  }

  exported(key: Buffer, serial: number, hash: string): void {
    const at = this.#begin(KIND_EXPORTED, key, serial, EXPORT_HASH_BYTES);
    this.#end(at + this.#buffer.write(hash, at, 'latin1'));
  }

  removed(key: Buffer, serial: number): void {
    this.#end(this.#begin(KIND_REMOVED, key, serial, 0));
  }

  meta(key: Buffer, name: string, bytes: Buffer): void {
    const nameBytes = Buffer.from(name);
    let at = this.#begin(KIND_META, key, 0, 2 * VARINT_BYTES_MAX + nameBytes.length + bytes.length);
    const buffer = this.#buffer;
    at = writeUvarint(buffer, at, nameBytes.length);
    at += nameBytes.copy(buffer, at);
    at = writeUvarint(buffer, at, bytes.length);
    this.#end(at + bytes.copy(buffer, at));
  }

  #begin(kind: number, key: Buffer, serial: number, bytes: number): number {
    this.#reserve(HEAD_BYTES + VARINT_BYTES_MAX + bytes + CRC_BYTES);
    const start = this.#used;
    const buffer = this.#buffer;
    this.#start = start;
    buffer[start] = MAGIC;
    buffer[start + 1] = kind;
    for (let at = 0; at < KEY_BYTES; at++) buffer[start + 6 + at] = key[at]!;
    return writeUvarint(buffer, start + HEAD_BYTES, serial);
  }

  #end(at: number): void {
    const start = this.#start;
    const buffer = this.#buffer;
    writeWord(buffer, start + 2, at + CRC_BYTES - start);
    const isShort = at - start <= SHORT_CRC_BYTES_MAX;
    writeWord(buffer, at, isShort ? shortCrc32(buffer, start, at) : crc32(buffer.subarray(start, at)));
    this.#used = at + CRC_BYTES;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#used + bytes));
    this.#buffer.copy(grown, 0, 0, this.#used);
    this.#buffer = grown;
  }
}

/** A u32, little endian. */
function writeWord(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value;
  buffer[at + 1] = value >>> 8;
  buffer[at + 2] = value >>> 16;
  buffer[at + 3] = value >>> 24;
}

function writeState(buffer: Buffer, at: number, state: ConsumerState): number {
  const { delivered, ackFloor, pending, redelivered } = state;
  at = writeUvarint(buffer, at, delivered.consumerSeq);
  at = writeUvarint(buffer, at, delivered.streamSeq);
  at = writeUvarint(buffer, at, ackFloor.consumerSeq);
  at = writeUvarint(buffer, at, ackFloor.streamSeq);
  at = writeUvarint(buffer, at, pending.size);
  for (const [streamSeq, { consumerSeq, timeMs }] of pending) {
    at = writeUvarint(buffer, at, streamSeq);
    at = writeUvarint(buffer, at, consumerSeq);
    at = writeVarint(buffer, at, timeMs);
  }
  at = writeUvarint(buffer, at, redelivered.size);
  for (const [streamSeq, count] of redelivered) {
    at = writeUvarint(buffer, at, streamSeq);
    at = writeUvarint(buffer, at, count);
  }
  return at;
}

/** Reads what a state record holds behind its serial. Null if it makes no sense. */
export function readStateRecord(
  reader: VarintReader,
): { name: string; state: ConsumerState; exported: string[] } | null {
  const name = reader.bytes(reader.uvarint()).toString();
  const state = emptyConsumerState();
  state.delivered.consumerSeq = reader.uvarint();
  state.delivered.streamSeq = reader.uvarint();
  state.ackFloor.consumerSeq = reader.uvarint();
  state.ackFloor.streamSeq = reader.uvarint();
  for (let left = reader.uvarint(); left > 0 && !reader.failed; left--) {
    const streamSeq = reader.uvarint();
    state.pending.set(streamSeq, { consumerSeq: reader.uvarint(), timeMs: reader.varint() });
  }
  for (let left = reader.uvarint(); left > 0 && !reader.failed; left--) {
    const streamSeq = reader.uvarint();
    state.redelivered.set(streamSeq, reader.uvarint());
  }
  const exported: string[] = [];
  for (let left = reader.uvarint(); left > 0 && !reader.failed; left--) {
    exported.push(reader.bytes(EXPORT_HASH_BYTES).toString('latin1'));
  }
  return reader.failed ? null : { name, state, exported };
}

/** Reads what a record of a consumer's meta.inf holds behind its serial. Null if it makes no sense. */
export function readMetaRecord(reader: VarintReader): { name: string; bytes: Buffer } | null {
  const name = reader.bytes(reader.uvarint()).toString();
  const bytes = reader.bytes(reader.uvarint());
  return reader.failed ? null : { name, bytes };
}

/** Bytes of a log that no record was found in. */
export interface DamagedRange {
  start: number;
  end: number;
}

/**
 * Calls back for every record that verifies, in order: kind, the consumer's key as latin1, its serial, and a reader that stands behind it.
 * Damage costs the records it lies in: reading goes on at the next one that verifies. Returns where no record was found; the
 * last range ends at the end of the log when its tail is torn.
 */
export function readLog(
  log: Buffer,
  visit: (kind: number, key: string, serial: number, reader: VarintReader) => void,
): DamagedRange[] {
  const damaged: DamagedRange[] = [];
  let at = 0;
  let lostFrom = -1;
  while (at < log.length) {
    const length = recordLength(log, at);
    if (length === 0) {
      if (lostFrom < 0) lostFrom = at;
      const next = log.indexOf(MAGIC, at + 1);
      at = next < 0 ? log.length : next;
      continue;
    }
    if (lostFrom >= 0) damaged.push({ start: lostFrom, end: at });
    lostFrom = -1;
    const reader = new VarintReader(log, at + HEAD_BYTES, at + length - CRC_BYTES);
    const serial = reader.uvarint();
    visit(log[at + 1]!, log.toString('latin1', at + 6, at + HEAD_BYTES), serial, reader);
    at += length;
  }
  if (lostFrom >= 0) damaged.push({ start: lostFrom, end: log.length });
  return damaged;
}

/** Length of the record at `at`, 0 if none that verifies begins there. */
function recordLength(log: Buffer, at: number): number {
  if (log[at] !== MAGIC || log.length - at < RECORD_BYTES_MIN) return 0;
  const kind = log[at + 1]!;
  const length = log.readUInt32LE(at + 2);
  if (kind === 0 || kind > KIND_MAX || length < RECORD_BYTES_MIN || length > LOG_RECORD_BYTES_MAX) return 0;
  if (length > log.length - at) return 0;
  const crcAt = at + length - CRC_BYTES;
  return crc32(log.subarray(at, crcAt)) === log.readUInt32LE(crcAt) ? length : 0;
}
