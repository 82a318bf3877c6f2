import { subjectByteLength, subjectFromBytes, writeSubject } from '@nats-ts/protocol';
import { hh64, sha256key } from '../../hash/highwayhash.ts';
import { VARINT_BYTES_MAX, VarintReader, writeUvarint } from '../varint.ts';
import { SET_CHUNK, SeqSet } from './seq-set.ts';

/*
 * msgs/index.db: a stream's state, so that a start need not read every block (spec/jetstream.md 7.5). Trusted only
 * while its last-record hash is that of the last block.
 *
 *   11, version
 *   uvarint messages, bytes, first sequence; varint first time; uvarint last sequence; varint last time
 *   uvarint subjects, each: uvarint length, subject, uvarint count, first block, and (version 4, or count > 1) last block
 *   uvarint blocks, each: uvarint index, bytes, first; varint first time - base; uvarint last; varint last time - base;
 *     uvarint removed; (version 2) uvarint with TTL; (version 3) uvarint schedules; if removed > 0 a sequence set
 *   uvarint last block; its last record's hash, 8 bytes
 *   [ours, which nats-server skips: "nats-ts1", then per subject uvarint first * 2 + exact, uvarint last * 2 + exact]
 *   HighwayHash-64 of all of it, 8 bytes
 *
 * Times are nanoseconds; base is the stream's first time. Version 1 is written where it can hold the content: 2.10
 * takes no other, 2.15 takes all.
 */

const MAGIC = 11;
const VERSION_MIN = 1;
const VERSION_MAX = 4;
const HASH_BYTES = 8;
/** nats-server takes a shorter file for damaged. */
const FILE_BYTES_MIN = 32;
const SET_MAGIC = 22;
const SET_VERSION = 2;
const SET_NODE_BYTES: number = 8 + SET_CHUNK / 8 + 2;
const EXTENSION: Buffer = Buffer.from('nats-ts1');

/** A block as index.db describes it. Times are nanoseconds since the epoch. */
export interface IndexedBlock {
  index: number;
  bytes: number;
  firstSeq: number;
  firstTime: bigint;
  lastSeq: number;
  lastTime: bigint;
  removed: SeqSet;
}

/** A subject as index.db describes it: in which blocks its first and last message are, or between which. */
export interface IndexedSubject {
  subject: string;
  count: number;
  firstBlock: number;
  lastBlock: number;
  /** False if another message of it may be in a later block. */
  lastBlockKnown: boolean;
  /** Sequences, where the writer was this store. 0 = not known. */
  first: number;
  firstExact: boolean;
  last: number;
  lastExact: boolean;
}

/** The content of an index.db. */
export interface StreamIndex {
  messages: number;
  bytes: number;
  firstSeq: number;
  /** 0 = none. */
  firstTime: bigint;
  lastSeq: number;
  lastTime: bigint;
  subjects: IndexedSubject[];
  blocks: IndexedBlock[];
  /** Index of the block written last and the hash of its last record; zeros if it has none. */
  lastBlock: number;
  lastHash: Buffer;
  /** It was written here: all that is removed is marked so in the blocks as well. */
  isOwn: boolean;
}

/** Reads an index.db; null if it is damaged or of a version that is not known. */
export function decodeIndex(stream: string, file: Buffer): StreamIndex | null {
  const end = file.length - HASH_BYTES;
  if (file.length < FILE_BYTES_MIN || file[0] !== MAGIC) return null;
  const version = file[1]!;
  if (version < VERSION_MIN || version > VERSION_MAX) return null;
  if (!hh64(sha256key(stream), file.subarray(0, end)).equals(file.subarray(end))) return null;
  const reader = new VarintReader(file, 2, end);
  const index = readState(reader, version);
  readExtension(reader, index);
  return reader.failed ? null : index;
}

function readState(reader: VarintReader, version: number): StreamIndex {
  const messages = reader.uvarint();
  const bytes = reader.uvarint();
  const firstSeq = reader.uvarint();
  const firstTime = readTime(reader);
  const lastSeq = reader.uvarint();
  const lastTime = readTime(reader);
  const subjects = readSubjects(reader, version);
  const blocks = readBlocks(reader, version, firstTime);
  const lastBlock = reader.uvarint();
  const lastHash = Buffer.from(reader.bytes(HASH_BYTES));
  return {
    messages,
    bytes,
    firstSeq,
    firstTime,
    lastSeq,
    lastTime,
    subjects,
    blocks,
    lastBlock,
    lastHash,
    isOwn: false,
  };
}

function readSubjects(reader: VarintReader, version: number): IndexedSubject[] {
  const subjects: IndexedSubject[] = [];
  for (let left = reader.uvarint(); left > 0 && !reader.failed; left--) {
    const length = reader.uvarint();
    if (length === 0) continue;
    const name = reader.bytes(length);
    const count = reader.uvarint();
    const firstBlock = reader.uvarint();
    const lastBlockKnown = version >= 4 || count > 1;
    const lastBlock = lastBlockKnown ? reader.uvarint() : firstBlock;
    const subject = subjectFromBytes(name, 0, name.length);
    const unknown = { first: 0, firstExact: false, last: 0, lastExact: false };
    subjects.push({ subject, count, firstBlock, lastBlock, lastBlockKnown, ...unknown });
  }
  return subjects;
}

function readBlocks(reader: VarintReader, version: number, base: bigint): IndexedBlock[] {
  const blocks: IndexedBlock[] = [];
  for (let left = reader.uvarint(); left > 0 && !reader.failed; left--) {
    const index = reader.uvarint();
    const bytes = reader.uvarint();
    const firstSeq = reader.uvarint();
    const firstTime = readTime(reader) + base;
    const lastSeq = reader.uvarint();
    const lastTime = readTime(reader) + base;
    const removedCount = reader.uvarint();
    if (version >= 2) reader.uvarint();
    if (version >= 3) reader.uvarint();
    const removed = removedCount > 0 ? readSet(reader) : new SeqSet();
    if (removed.size !== removedCount) reader.failed = true;
    blocks.push({ index, bytes, firstSeq, firstTime, lastSeq, lastTime, removed });
  }
  return blocks;
}

/** A sequence set: bitmaps of 2048 sequences, in the order of a tree that does not matter here. */
function readSet(reader: VarintReader): SeqSet {
  const set = new SeqSet();
  const head = reader.bytes(10);
  if (reader.failed || head[0] !== SET_MAGIC || head[1] !== SET_VERSION) {
    reader.failed = true;
    return set;
  }
  for (let left = head.readUInt32LE(2); left > 0 && !reader.failed; left--) {
    const node = reader.bytes(SET_NODE_BYTES);
    if (reader.failed) break;
    const base = Number(node.readBigUInt64LE(0));
    if (!Number.isSafeInteger(base) || base % SET_CHUNK !== 0) {
      reader.failed = true;
      break;
    }
    const words = new Uint32Array(SET_CHUNK / 32);
    for (let word = 0; word < words.length; word++) words[word] = node.readUInt32LE(8 + word * 4);
    set.addBitmap(base, words);
  }
  return set;
}

function readExtension(reader: VarintReader, index: StreamIndex): void {
  if (reader.failed || reader.end - reader.offset < EXTENSION.length) return;
  if (!reader.bytes(EXTENSION.length).equals(EXTENSION)) return;
  index.isOwn = true;
  for (const subject of index.subjects) {
    const first = reader.uvarint();
    const last = reader.uvarint();
    subject.first = Math.floor(first / 2);
    subject.firstExact = first % 2 === 1;
    subject.last = Math.floor(last / 2);
    subject.lastExact = last % 2 === 1;
  }
}

function readTime(reader: VarintReader): bigint {
  const raw = BigInt(reader.uvarint64());
  return (raw & 1n) === 0n ? raw >> 1n : -(raw >> 1n) - 1n;
}

/** Bytes of an index.db with this content. */
export function encodeIndex(stream: string, index: StreamIndex): Buffer {
  const version = index.subjects.every((subject) => subject.lastBlockKnown || subject.count > 1) ? 1 : VERSION_MAX;
  const writer = new Writer();
  writer.bytes(Buffer.from([MAGIC, version]));
  writer.uvarint(index.messages);
  writer.uvarint(index.bytes);
  writer.uvarint(index.firstSeq);
  writer.time(index.firstTime);
  writer.uvarint(index.lastSeq);
  writer.time(index.lastTime);
  writeSubjects(writer, index.subjects, version);
  writeBlocks(writer, index, version);
  writer.uvarint(index.lastBlock);
  writer.bytes(index.lastHash);
  writer.bytes(EXTENSION);
  for (const { first, firstExact, last, lastExact } of index.subjects) {
    // Twice a sequence of the very last ones would not be safe; those start over with what their blocks say.
    const fits = last <= Number.MAX_SAFE_INTEGER / 2 - 1;
    writer.uvarint(fits ? first * 2 + (firstExact ? 1 : 0) : 0);
    writer.uvarint(fits ? last * 2 + (lastExact ? 1 : 0) : 0);
  }
  const body = writer.done();
  return Buffer.concat([body, hh64(sha256key(stream), body)]);
}

function writeSubjects(writer: Writer, subjects: readonly IndexedSubject[], version: number): void {
  writer.uvarint(subjects.length);
  for (const { subject, count, firstBlock, lastBlock } of subjects) {
    writer.subject(subject);
    writer.uvarint(count);
    writer.uvarint(firstBlock);
    if (version >= 4 || count > 1) writer.uvarint(lastBlock);
  }
}

function writeBlocks(writer: Writer, { blocks, firstTime }: StreamIndex, version: number): void {
  writer.uvarint(blocks.length);
  for (const block of blocks) {
    writer.uvarint(block.index);
    writer.uvarint(block.bytes);
    writer.uvarint(block.firstSeq);
    writer.time(block.firstTime - firstTime);
    writer.uvarint(block.lastSeq);
    writer.time(block.lastTime - firstTime);
    writer.uvarint(block.removed.size);
    if (version >= 2) writer.uvarint(0);
    if (version >= 3) writer.uvarint(0);
    if (block.removed.size > 0) writeSet(writer, block.removed);
  }
}

function writeSet(writer: Writer, set: SeqSet): void {
  const bitmaps = set.bitmaps();
  const head = Buffer.alloc(10);
  head[0] = SET_MAGIC;
  head[1] = SET_VERSION;
  head.writeUInt32LE(bitmaps.length, 2);
  head.writeUInt32LE(set.size, 6);
  writer.bytes(head);
  // nats-server puts the nodes into its tree as they come and rebalances nothing: parents first, of a balanced tree.
  const write = (from: number, to: number): void => {
    if (from >= to) return;
    const middle = (from + to) >>> 1;
    const { base, words } = bitmaps[middle]!;
    const node = Buffer.alloc(SET_NODE_BYTES);
    node.writeBigUInt64LE(BigInt(base), 0);
    for (let word = 0; word < words.length; word++) node.writeUInt32LE(words[word]!, 8 + word * 4);
    node.writeUInt16LE(treeHeight(to - from), SET_NODE_BYTES - 2);
    writer.bytes(node);
    write(from, middle);
    write(middle + 1, to);
  };
  write(0, bitmaps.length);
}

/** Height of the balanced tree of `nodes` that always takes the middle for its root. */
function treeHeight(nodes: number): number {
  return nodes === 0 ? 0 : 1 + treeHeight(nodes >>> 1);
}

/** Bytes that grow as they are written. */
class Writer {
  #buffer = Buffer.allocUnsafe(4096);
  #length = 0;

  uvarint(value: number): void {
    this.#reserve(VARINT_BYTES_MAX);
    this.#length = writeUvarint(this.#buffer, this.#length, value);
  }

  time(value: bigint): void {
    this.#reserve(VARINT_BYTES_MAX);
    let rest = BigInt.asUintN(64, value < 0n ? -value * 2n - 1n : value * 2n);
    for (; rest >= 0x80n; rest >>= 7n) this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#buffer[this.#length++] = Number(rest);
  }

  subject(subject: string): void {
    const bytes = subjectByteLength(subject);
    this.uvarint(bytes);
    this.#reserve(bytes);
    this.#length = writeSubject(subject, this.#buffer, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  done(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
