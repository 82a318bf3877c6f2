import { subjectByteLength } from '@nats-ts/protocol';
import { compileFilter } from '@nats-ts/sublist';
import type { Integer } from '../json/integer.ts';
import { type ObjectSchema, objectSchema } from '../json/schema.ts';
import { emptyMessage } from '../store/shared/empty.ts';
import type { LoadResult, StoredMessage } from '../store/store.ts';
import { seqAtTime } from './seq-at-time.ts';
import type { Stream } from './stream.ts';

/** Body of STREAM.MSG.GET and DIRECT.GET. */
export const MSG_GET_REQUEST: ObjectSchema = objectSchema('JSApiMsgGetRequest', {
  seq: 'sequence',
  last_by_subj: 'string',
  next_by_subj: 'string',
  batch: 'int',
  max_bytes: 'int',
  start_time: 'time',
  multi_last: 'strings',
  up_to_seq: 'uint64',
  up_to_time: 'time',
  no_hdr: 'bool',
});

/** A decoded MSG_GET_REQUEST. */
export interface MsgGetRequest {
  seq?: number;
  last_by_subj?: string;
  next_by_subj?: string;
  batch?: Integer;
  max_bytes?: Integer;
  start_time?: string;
  multi_last?: string[];
  up_to_seq?: Integer;
  up_to_time?: string;
  no_hdr?: boolean;
}

/** True if the fields contradict each other: seq, last_by_subj and start_time exclude one another, and so on. */
export function isContradictory(request: MsgGetRequest): boolean {
  const { seq = 0, last_by_subj: last = '', next_by_subj: next = '', start_time: start } = request;
  return (
    (seq > 0 && last !== '') ||
    (seq > 0 && start !== undefined) ||
    (start !== undefined && last !== '') ||
    (last !== '' && next !== '')
  );
}

/** A message with bytes of its own. */
export interface CopiedMessage {
  readonly seq: number;
  readonly subject: string;
  readonly timeMs: number;
  readonly timeNs: number;
  readonly header: Buffer;
  readonly payload: Buffer;
}

export function copyMessage(message: StoredMessage): CopiedMessage {
  const { seq, subject, timeMs, timeNs, buffer, headerStart, payloadStart, payloadEnd } = message;
  return {
    seq,
    subject,
    timeMs,
    timeNs,
    header: Buffer.from(buffer.subarray(headerStart, payloadStart)),
    payload: Buffer.from(buffer.subarray(payloadStart, payloadEnd)),
  };
}

/** Bytes of subject, header and payload. */
export function sizeOf(message: CopiedMessage): number {
  return subjectByteLength(message.subject) + message.header.length + message.payload.length;
}

/** The sequence a request for one message or a batch starts at. */
export function startSequence(stream: Stream, request: MsgGetRequest): number {
  if (request.start_time === undefined) return request.seq ?? 0;
  return seqAtTime(stream.messages, request.start_time);
}

/** Told what was read: null = there is no such message. With an error, whether there is one is not known. */
export type ReadCallback = (message: CopiedMessage | null, error: Error | null) => void;

/**
 * Reads the one message a request names and calls back with a copy. The callback comes when what it tells is durable: a message
 * that is not committed yet, or the absence of one, waits for the commit (DESIGN.md, "Reads").
 */
export function readOne(stream: Stream, request: MsgGetRequest, callback: ReadCallback): void {
  const { messages } = stream;
  const { last_by_subj: last = '', next_by_subj: next = '' } = request;
  const seq = startSequence(stream, request);
  const nextFilter = next === '' ? null : compileFilter([next]);
  const lastFilter = last === '' ? null : compileFilter([last]);
  loadWarm(
    stream,
    (into) => {
      if (nextFilter !== null) return messages.loadNext(nextFilter, Math.max(seq, 1), into);
      if (lastFilter !== null) return messages.loadLast(lastFilter, messages.lastSeq, into);
      return seq > 0 ? messages.load(seq, into) : 'gone';
    },
    (message, error) => {
      if (error !== null) {
        callback(null, error);
        return;
      }
      const copy = message === null ? null : copyMessage(message);
      if (copy !== null && copy.seq <= messages.committedSeq) callback(copy, null);
      else stream.commits.after((failure) => callback(copy, failure), copy === null ? 0 : sizeOf(copy));
    },
  );
}

/**
 * Loads a message, bringing its block into memory first if need be. The message is valid in the callback's turn only; with an error
 * the disk could not be read, and whether there is one is not known.
 */
export function loadWarm(
  stream: Stream,
  load: (into: StoredMessage) => LoadResult,
  callback: (message: StoredMessage | null, error: Error | null) => void,
): void {
  const into = emptyMessage();
  const attempt = (): void => {
    const found = load(into);
    if (found === 'cold') {
      stream.messages.warm(into.seq, (error) => {
        if (error === null) attempt();
        else callback(null, error);
      });
      return;
    }
    callback(found === 'found' ? into : null, null);
  };
  attempt();
}
