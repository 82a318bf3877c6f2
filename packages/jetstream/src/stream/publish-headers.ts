import { findHeader, removeHeader } from '@nats-ts/protocol';
import type { StoredMessage } from '../store/store.ts';

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const BLANK = 0x20;

/** `NATS/1.0`, without a status. */
const VERSION_BYTES = 8;
/** `NATS/1.0\r\n\r\n`: a block with nothing in it. */
const EMPTY_BLOCK_BYTES = 12;

const MSG_ID = Buffer.from('Nats-Msg-Id');

/**
 * The headers of a published message that the stream acts on (spec/jetstream.md 3.1): names in exact case, the first of a name
 * counts, '' = not there. One object is reused for all messages.
 */
export class PublishHeaders {
  msgId = '';
  expectedStream = '';
  expectedLastSeq = '';
  expectedLastMsgId = '';
  expectedLastSubjectSeq = '';
  expectedLastSubjectSeqSubject = '';
  rollup = '';
  ttl = '';
  incr = '';
  batchId = '';
  schedule = '';
  scheduler = '';
  scheduleNext = '';
  streamSource = '';
  /** The block has a status behind its version: it is not stored. */
  hasStatus = false;
  /** The block has a Nats-Request-Info: it is not stored. */
  hasRequestInfo = false;

  /** Reads the block `buffer[start, end)`. */
  read(buffer: Buffer, start: number, end: number): void {
    this.#reset();
    let at = lineEnd(buffer, start, end);
    this.hasStatus = at > start + VERSION_BYTES;
    while (at < end) {
      const line = at + 2;
      at = lineEnd(buffer, line, end);
      // All names we know begin with "Nats-".
      if (buffer[line] !== 0x4e || buffer[line + 4] !== 0x2d) continue;
      let colon = line + 5;
      while (colon < at && buffer[colon] !== COLON) colon++;
      if (colon < at) this.#take(buffer, line + 5, colon, at);
    }
  }

  #reset(): void {
    this.msgId = '';
    this.expectedStream = '';
    this.expectedLastSeq = '';
    this.expectedLastMsgId = '';
    this.expectedLastSubjectSeq = '';
    this.expectedLastSubjectSeqSubject = '';
    this.rollup = '';
    this.ttl = '';
    this.incr = '';
    this.batchId = '';
    this.schedule = '';
    this.scheduler = '';
    this.scheduleNext = '';
    this.streamSource = '';
    this.hasStatus = false;
    this.hasRequestInfo = false;
  }

  #take(buffer: Buffer, nameStart: number, colon: number, end: number): void {
    let start = colon + 1;
    while (start < end && buffer[start] === BLANK) start++;
    switch (buffer.toString('latin1', nameStart, colon)) {
      case 'Msg-Id':
        this.msgId ||= buffer.toString('utf8', start, end);
        return;
      case 'Expected-Stream':
        this.expectedStream ||= buffer.toString('utf8', start, end);
        return;
      case 'Expected-Last-Sequence':
        this.expectedLastSeq ||= buffer.toString('latin1', start, end);
        return;
      case 'Expected-Last-Msg-Id':
        this.expectedLastMsgId ||= buffer.toString('utf8', start, end);
        return;
      case 'Expected-Last-Subject-Sequence':
        this.expectedLastSubjectSeq ||= buffer.toString('latin1', start, end);
        return;
      case 'Expected-Last-Subject-Sequence-Subject':
        this.expectedLastSubjectSeqSubject ||= buffer.toString('utf8', start, end);
        return;
      case 'Rollup':
        this.rollup ||= buffer.toString('utf8', start, end).toLowerCase();
        return;
      default:
        this.#takeRare(buffer, nameStart, colon, start, end);
    }
  }

  #takeRare(buffer: Buffer, nameStart: number, colon: number, start: number, end: number): void {
    const value = buffer.toString('utf8', start, end);
    switch (buffer.toString('latin1', nameStart, colon)) {
      case 'TTL':
        this.ttl ||= value;
        return;
      case 'Incr':
        this.incr ||= value;
        return;
      case 'Batch-Id':
        this.batchId ||= value;
        return;
      case 'Schedule':
        this.schedule ||= value;
        return;
      case 'Scheduler':
        this.scheduler ||= value;
        return;
      case 'Schedule-Next':
        this.scheduleNext ||= value;
        return;
      case 'Stream-Source':
        this.streamSource ||= value;
        return;
      case 'Request-Info':
        this.hasRequestInfo = true;
    }
  }
}

/**
 * A copy of a header block without its status and without Nats-Request-Info, which are not stored; null when nothing but the
 * version is left. As removeHeaderStatusIfPresent and removeHeaderIfPresent in nats-server.
 */
export function cleanedBlock(buffer: Buffer, start: number, end: number): Buffer | null {
  let block = Buffer.from(buffer.subarray(start, end));
  const first = lineEnd(block, 0, block.length);
  if (first > VERSION_BYTES) {
    block = Buffer.concat([block.subarray(0, VERSION_BYTES), block.subarray(first)]);
    if (block.length === EMPTY_BLOCK_BYTES) return null;
  }
  return removeHeader(block, 'Nats-Request-Info');
}

/** The Nats-Msg-Id of a stored message; '' when it has none. */
export function msgIdOf({ buffer, headerStart, payloadStart }: StoredMessage): string {
  if (payloadStart === headerStart) return '';
  const found = findHeader(buffer, headerStart, payloadStart, MSG_ID);
  return found === null ? '' : buffer.toString('utf8', found.start, found.end);
}

/** Position of the CR of the first CRLF at or after `at`; `end` if there is none. */
function lineEnd(buffer: Buffer, at: number, end: number): number {
  while (at < end && !(buffer[at] === CR && buffer[at + 1] === LF)) at++;
  return at;
}

/** A decimal sequence of a header; NaN for anything else, which equals no sequence. As parseInt64 in nats-server. */
export function parseSequence(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}
