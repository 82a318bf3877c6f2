import { subjectFromBytes } from '@nats-ts/protocol';
import type { LoadResult, StoredMessage, SubjectFilter } from '../../store.ts';
import type { Block } from './block.ts';
import type { BlockLoader } from './block-loader.ts';
import {
  hasHeaders,
  headerLength,
  RECORD_HASH_BYTES,
  RECORD_HEAD_BYTES,
  recordLength,
  subjectLength,
} from './record.ts';
import type { Segment } from './segment.ts';
import type { StreamLog } from './stream-log.ts';
import { readTimeMs, readTimeNs } from './time64.ts';

/** Reads messages that are in memory. What turns out damaged is gone from then on. */
export class MessageReader {
  readonly #state: StreamLog;
  readonly #loader: BlockLoader;

  constructor(state: StreamLog, loader: BlockLoader) {
    this.#state = state;
    this.#loader = loader;
  }

  load(seq: number, into: StoredMessage): LoadResult {
    const block = this.#state.blockWith(seq);
    if (block === undefined) return 'gone';
    const segment = block.segmentOf(seq);
    if (segment === null) {
      into.seq = seq;
      return 'cold';
    }
    const at = segment.find(seq);
    return at < 0 ? 'gone' : this.read(block, segment, at, into);
  }

  /** Reads the message at an index of a segment. */
  read(block: Block, segment: Segment, at: number, into: StoredMessage): LoadResult {
    if (!segment.verify(at)) {
      this.#loader.lose(block, segment, at);
      return 'gone';
    }
    const { buffer } = segment;
    const offset = segment.offsetAt(at);
    const headerBytes = headerLength(buffer, offset);
    const subjectEnd = offset + RECORD_HEAD_BYTES + subjectLength(buffer, offset);
    into.seq = segment.seqAt(at);
    into.subject = this.subjectAt(segment, at);
    into.timeMs = readTimeMs(buffer, offset + 12);
    into.timeNs = readTimeNs(buffer, offset + 12);
    into.buffer = buffer;
    into.headerStart = hasHeaders(buffer, offset) ? subjectEnd + 4 : subjectEnd;
    into.payloadStart = into.headerStart + headerBytes;
    into.payloadEnd = offset + recordLength(buffer, offset) - RECORD_HASH_BYTES;
    return 'found';
  }

  /** The subject of a message in memory. */
  subjectAt(segment: Segment, at: number): string {
    return this.#state.entryAt(segment, at)?.subject ?? subjectAt(segment, at);
  }

  /** True if a message in memory passes. */
  matches(filter: SubjectFilter, segment: Segment, at: number): boolean {
    const entry = this.#state.entryAt(segment, at);
    return entry === undefined ? filter.matches(subjectAt(segment, at)) : this.#state.subjects.passes(filter, entry);
  }

  /** False if it is known that no message of the block passes. */
  mayHave(block: Block, filter: SubjectFilter): boolean {
    if (block.subjects === null) return true;
    for (const [entry] of block.subjects.entries()) if (this.#state.subjects.passes(filter, entry)) return true;
    return false;
  }
}

function subjectAt(segment: Segment, at: number): string {
  const start = segment.offsetAt(at) + RECORD_HEAD_BYTES;
  return subjectFromBytes(segment.buffer, start, start + subjectLength(segment.buffer, segment.offsetAt(at)));
}
