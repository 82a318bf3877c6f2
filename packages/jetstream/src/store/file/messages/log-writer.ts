import { checkSequence, RECORD_BYTES_MAX } from '../../shared/limits.ts';
import type { Block } from './block.ts';
import { BLOCK_GAPS_MAX, WINDOW_BYTES_MIN } from './limits.ts';
import { checkedSubjectBytes, EMPTY_RECORD_BYTES, writeEmptyRecord, writeMessageRecord } from './record.ts';
import { Segment } from './segment.ts';
import { SeqSet } from './seq-set.ts';
import type { StreamLog } from './stream-log.ts';

/** Sequences skipped at once that get a record each; more share a single one, that of the last. */
export const SKIP_RECORDS_MAX = 64;

/** Appends records to the last block's buffer, and begins the next block when it is full. Touches no file. */
export class LogWriter {
  readonly #state: StreamLog;
  readonly #onWritten: (block: Block, bytes: number) => void;

  /** @param onWritten told of bytes that stand in a block's buffer and have to go to its file. */
  constructor(state: StreamLog, onWritten: (block: Block, bytes: number) => void) {
    this.#state = state;
    this.#onWritten = onWritten;
  }

  /** Appends a message to the last block's buffer and returns its sequence. */
  append(
    subject: string,
    header: Uint8Array,
    headerStart: number,
    headerEnd: number,
    payload: Uint8Array,
    payloadStart: number,
    payloadEnd: number,
    timeMs: number,
    timeNs: number,
  ): number {
    const known = this.#state.subjects.get(subject);
    const subjectBytes = known === undefined ? checkedSubjectBytes(subject) : known.bytes;
    const headerBytes = headerEnd > headerStart ? headerEnd - headerStart + 4 : 0;
    const length = EMPTY_RECORD_BYTES + subjectBytes + headerBytes + payloadEnd - payloadStart;
    if (length > RECORD_BYTES_MAX) {
      throw new RangeError(`message record of ${length} bytes is above the limit of ${RECORD_BYTES_MAX} bytes`);
    }
    const seq = this.#state.lastSeq + 1;
    checkSequence(seq);
    const block = this.#blockFor(length, seq - 1);
    const window = this.#window(block, length);
    const offset = window.length;
    writeMessageRecord(
      block.key,
      window.buffer,
      offset,
      length,
      seq,
      subject,
      subjectBytes,
      header,
      headerStart,
      headerEnd,
      payload,
      payloadStart,
      payloadEnd,
      timeMs,
      timeNs,
    );
    const entry = known ?? this.#state.subjects.add(subject, subjectBytes);
    window.index(offset, seq, entry.id, true);
    this.#state.subjects.appended(entry, seq);
    this.#grow(block, window, length);
    this.#countIn(block, seq, length, timeMs, timeNs);
    return seq;
  }

  /** Uses up sequences up to `seq` without a message. */
  skipTo(seq: number, timeMs: number, timeNs: number): void {
    checkSequence(seq);
    // One record at the end says it for all; nats-server 2.10 miscounts what is in front of it.
    if (seq - this.#state.lastSeq <= SKIP_RECORDS_MAX) {
      for (let next = this.#state.lastSeq + 1; next < seq; next++) this.#skip(next, timeMs, timeNs);
    }
    this.#skip(seq, timeMs, timeNs);
  }

  #skip(seq: number, timeMs: number, timeNs: number): void {
    const block = this.#blockFor(EMPTY_RECORD_BYTES, seq);
    this.#appendEmpty(block, seq, 'erased', timeMs, timeNs);
    if (block.messages === 0) block.firstSeq = seq + 1;
    else block.removed.addRange(block.lastSeq + 1, seq);
    this.#setLast(block, seq, timeMs, timeNs);
    if (this.#state.messages === 0) this.#state.firstSeq = seq + 1;
  }

  /** Marks a sequence as removed, for good. One above all others also becomes the last one used. */
  appendTombstone(seq: number, timeMs: number, timeNs: number): void {
    const isBeyond = seq > this.#state.lastSeq;
    checkSequence(seq);
    // Without a message in front of it nats-server takes a tombstone's sequence for one that was used.
    const mustStart = isBeyond && (this.#state.tail?.messages ?? 0) > 0;
    const block = mustStart ? this.#startBlock() : this.#blockFor(EMPTY_RECORD_BYTES, this.#state.lastSeq);
    this.#appendEmpty(block, seq, 'tombstone', timeMs, timeNs);
    if (!isBeyond) return;
    block.firstSeq = seq + 1;
    block.lastSeq = seq;
    this.#state.lastSeq = seq;
    if (this.#state.messages === 0) this.#state.firstSeq = seq + 1;
  }

  /** Marks what limits evicted as removed for good. False if there is nothing of that kind. */
  sealEvictions(): boolean {
    if (this.#state.evicted === 0) return false;
    this.#state.evicted = 0;
    for (const block of [...this.#state.blocks]) {
      if (block.evicted.size === 0) continue;
      const { evicted } = block;
      block.evicted = new SeqSet();
      evicted.eachRange((first, last) => {
        for (let seq = first; seq <= last; seq++)
          this.appendTombstone(seq, this.#state.lastTimeMs, this.#state.lastTimeNs);
      });
    }
    return true;
  }

  /** The last block if `bytes` more fit into it and it does not get too many gaps up to `seq`; else a new one. */
  #blockFor(bytes: number, seq: number): Block {
    const tail = this.#state.tail;
    if (tail !== undefined) {
      const full = tail.fileBytes > 0 && tail.fileBytes + bytes > this.#state.blockBytesMax;
      const gaps = tail.messages > 0 ? tail.removed.size + seq - tail.lastSeq : 0;
      if (!full && gaps <= BLOCK_GAPS_MAX) return tail;
    }
    return this.#startBlock();
  }

  #startBlock(): Block {
    const tail = this.#state.tail;
    if (tail !== undefined) this.#state.noteSubjects(tail);
    const block = this.#state.newBlock(this.#state.lastSeq);
    // Whoever fills a block fills the next one too: spare it the first few doublings.
    const filled = tail?.written?.start === 0 ? Math.floor(tail.written.length / 4) : 0;
    if (filled > WINDOW_BYTES_MIN) {
      block.written = new Segment(block, 0, Buffer.allocUnsafeSlow(filled));
      this.#state.cache.use(block.written);
    }
    this.#state.blocks.push(block);
    return block;
  }

  /** The buffer behind a block's end, with room for `bytes`. */
  #window(block: Block, bytes: number): Segment {
    let window = block.written;
    if (window === null) {
      const size = Math.max(bytes, WINDOW_BYTES_MIN);
      window = new Segment(block, block.fileBytes, Buffer.allocUnsafeSlow(size));
      block.written = window;
      this.#state.cache.use(window);
    } else if (window.length + bytes > window.buffer.length) {
      window.reserve(bytes, this.#state.blockBytesMax - window.start);
      this.#state.cache.resized(window);
    }
    return window;
  }

  #grow(block: Block, window: Segment, bytes: number): void {
    window.length += bytes;
    block.fileBytes += bytes;
    this.#onWritten(block, bytes);
  }

  #appendEmpty(block: Block, seq: number, kind: 'tombstone' | 'erased', timeMs: number, timeNs: number): void {
    const window = this.#window(block, EMPTY_RECORD_BYTES);
    writeEmptyRecord(block.key, window.buffer, window.length, seq, kind, timeMs, timeNs);
    this.#grow(block, window, EMPTY_RECORD_BYTES);
  }

  #countIn(block: Block, seq: number, length: number, timeMs: number, timeNs: number): void {
    if (block.messages === 0) {
      block.firstSeq = seq;
      block.firstTimeMs = timeMs;
      block.firstTimeNs = timeNs;
    } else if (seq > block.lastSeq + 1) {
      block.removed.addRange(block.lastSeq + 1, seq - 1);
    }
    // Counted again when the block is full: not on the way of every message.
    block.subjects = null;
    block.messages++;
    block.bytes += length;
    if (this.#state.messages === 0) this.#state.firstSeq = seq;
    this.#state.messages++;
    this.#state.bytes += length;
    this.#setLast(block, seq, timeMs, timeNs);
  }

  #setLast(block: Block, seq: number, timeMs: number, timeNs: number): void {
    block.lastSeq = seq;
    block.lastTimeMs = timeMs;
    block.lastTimeNs = timeNs;
    this.#state.lastSeq = seq;
    this.#state.lastTimeMs = timeMs;
    this.#state.lastTimeNs = timeNs;
  }
}
