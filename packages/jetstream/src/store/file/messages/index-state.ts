import { subjectByteLength } from '@nats-ts/protocol';
import { Block } from './block.ts';
import type { IndexedBlock, IndexedSubject, StreamIndex } from './index-db.ts';
import { INDEX_DELETED_MAX } from './limits.ts';
import type { StreamLog } from './stream-log.ts';
import type { SubjectEntry } from './subject-table.ts';

const NS_PER_MS = 1_000_000n;

/** Nanoseconds since the epoch. */
export function toNanoseconds(ms: number, ns: number): bigint {
  return BigInt(ms) * NS_PER_MS + BigInt(ns);
}

function milliseconds(time: bigint): number {
  return Number((time - BigInt(nanoseconds(time))) / NS_PER_MS);
}

function nanoseconds(time: bigint): number {
  const rest = time % NS_PER_MS;
  return Number(rest < 0n ? rest + NS_PER_MS : rest);
}

/**
 * Sets a fresh stream's state from an index, without reading any block. False, and nothing set, if it contradicts
 * itself or the files.
 *
 * @param sizes length of each block's file, by index.
 */
export function restoreIndex(state: StreamLog, index: StreamIndex, sizes: ReadonlyMap<number, number>): boolean {
  if (index.blocks.at(-1)?.index !== index.lastBlock) return false;
  for (const found of sizes.keys()) if (found > index.lastBlock) return false;
  const blocks: Block[] = [];
  for (const indexed of index.blocks) {
    const size = sizes.get(indexed.index);
    const block = restoreBlock(state.stream, indexed, size ?? 0);
    const isNeeded = block.messages > 0 || indexed.index === index.lastBlock;
    if (size === undefined && isNeeded) return false;
    if (size !== undefined) blocks.push(block);
  }
  if (!addsUp(index, blocks)) return false;
  state.blocks = blocks;
  state.messages = index.messages;
  state.bytes = index.bytes;
  state.firstSeq = index.firstSeq;
  state.lastSeq = index.lastSeq;
  state.lastTimeMs = milliseconds(index.lastTime);
  state.lastTimeNs = nanoseconds(index.lastTime);
  const first = blocks.find((block) => block.messages > 0);
  if (first !== undefined && index.firstTime !== 0n) {
    // 2.10 gives the block the time of a sequence it skipped.
    first.firstTimeMs = milliseconds(index.firstTime);
    first.firstTimeNs = nanoseconds(index.firstTime);
  }
  for (const subject of index.subjects) restoreSubject(state, subject);
  return true;
}

function restoreBlock(stream: string, indexed: IndexedBlock, size: number): Block {
  const block = new Block(stream, indexed.index, indexed.lastSeq);
  const messages = indexed.lastSeq - indexed.firstSeq + 1 - indexed.removed.size;
  // Which sequences it held before its first one the index does not say.
  block.lowSeq = 0;
  block.fileBytes = size;
  block.setDurable();
  block.lastTimeMs = milliseconds(indexed.lastTime);
  block.lastTimeNs = nanoseconds(indexed.lastTime);
  if (messages <= 0) return block;
  block.messages = messages;
  block.bytes = indexed.bytes;
  block.firstSeq = indexed.firstSeq;
  block.firstTimeMs = milliseconds(indexed.firstTime);
  block.firstTimeNs = nanoseconds(indexed.firstTime);
  block.removed = indexed.removed;
  return block;
}

function addsUp(index: StreamIndex, blocks: readonly Block[]): boolean {
  let messages = 0;
  let bytes = 0;
  let lastSeq = 0;
  let firstSeq = 0;
  for (const block of blocks) {
    if (block.messages > 0) {
      if (block.firstSeq <= lastSeq) return false;
      if (firstSeq === 0) firstSeq = block.firstSeq;
    }
    if (block.lastSeq < lastSeq) return false;
    messages += block.messages;
    bytes += block.bytes;
    lastSeq = block.lastSeq;
  }
  const subjects = index.subjects.reduce((sum, { count }) => sum + count, 0);
  const isFirst = messages > 0 ? firstSeq === index.firstSeq : index.firstSeq === index.lastSeq + 1;
  return (
    messages === index.messages && bytes === index.bytes && subjects === messages && lastSeq <= index.lastSeq && isFirst
  );
}

function restoreSubject(state: StreamLog, indexed: IndexedSubject): void {
  const entry = state.subjects.add(indexed.subject, subjectByteLength(indexed.subject));
  entry.count = indexed.count;
  if (indexed.first > 0 && indexed.last > 0) {
    entry.first = indexed.first;
    entry.firstExact = indexed.firstExact;
    entry.last = indexed.last;
    entry.lastExact = indexed.lastExact;
    return;
  }
  const { blocks } = state;
  entry.firstExact = false;
  entry.lastExact = false;
  entry.first = blocks.find((block) => block.index >= indexed.firstBlock && block.messages > 0)?.firstSeq ?? 0;
  entry.last = state.lastSeq;
  if (!indexed.lastBlockKnown) return;
  const last = blocks.findLast((block) => block.index <= indexed.lastBlock && block.messages > 0);
  if (last !== undefined) entry.last = last.lastSeq;
}

/** A stream's state as an index; null if there is nothing to index, or too much. */
export function captureIndex(state: StreamLog, lastHash: Buffer): StreamIndex | null {
  const { blocks, tail } = state;
  if (tail === undefined) return null;
  let removed = 0;
  for (const block of blocks) removed += block.removed.size;
  if (removed > INDEX_DELETED_MAX) return null;
  const subjects: IndexedSubject[] = [];
  state.subjects.each(null, (entry) => {
    subjects.push(captureSubject(state, entry));
    return true;
  });
  const first = blocks.find((block) => block.messages > 0);
  return {
    messages: state.messages,
    bytes: state.bytes,
    firstSeq: state.firstSeq,
    firstTime: first === undefined ? 0n : toNanoseconds(first.firstTimeMs, first.firstTimeNs),
    lastSeq: state.lastSeq,
    lastTime: toNanoseconds(state.lastTimeMs, state.lastTimeNs),
    subjects,
    blocks: blocks.map(captureBlock),
    lastBlock: tail.index,
    lastHash,
    isOwn: true,
  };
}

function captureSubject(state: StreamLog, entry: SubjectEntry): IndexedSubject {
  const { blocks } = state;
  const firstBlock = blocks[Math.min(state.blockIndexOf(entry.first), blocks.length - 1)]!.index;
  const lastBlock = blocks[Math.min(state.blockIndexOf(entry.last), blocks.length - 1)]!.index;
  return {
    subject: entry.subject,
    count: entry.count,
    firstBlock,
    lastBlock,
    // With one message nats-server takes the first block for the last.
    lastBlockKnown: entry.count > 1 || firstBlock === lastBlock,
    first: entry.first,
    firstExact: entry.firstExact,
    last: entry.last,
    lastExact: entry.lastExact,
  };
}

function captureBlock(block: Block): IndexedBlock {
  return {
    index: block.index,
    bytes: block.bytes,
    firstSeq: block.firstSeq,
    firstTime: block.messages === 0 ? 0n : toNanoseconds(block.firstTimeMs, block.firstTimeNs),
    lastSeq: block.lastSeq,
    lastTime: toNanoseconds(block.lastTimeMs, block.lastTimeNs),
    removed: block.removed,
  };
}
