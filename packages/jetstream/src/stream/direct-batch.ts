import { compileFilter } from '@nats-ts/sublist';
import type { Integer } from '../json/integer.ts';
import type { SubjectFilter } from '../store/store.ts';
import type { DirectReply } from './direct-reply.ts';
import { type CopiedMessage, copyMessage, loadWarm, type MsgGetRequest, sizeOf, startSequence } from './reading.ts';
import { seqAtTime } from './seq-at-time.ts';
import type { Stream } from './stream.ts';

/** Bytes one batch request sends when it sets no max_bytes: max_pending of nats-server. */
export const BATCH_BYTES_MAX: number = 64 * 1024 * 1024;
/** Subjects a multi_last request may match; more are answered with `413 Too Many Results`. */
export const MULTI_LAST_MAX = 1024;
/** Messages of a batch sent in one turn of the event loop. */
const BATCH_CHUNK = 256;

/** Answers a DIRECT.GET with `batch`: messages from a sequence or time on, then an EOB status. */
export function sendBatch(stream: Stream, request: MsgGetRequest, reply: DirectReply): void {
  const { messages } = stream;
  const next = request.next_by_subj ?? '';
  const filter: SubjectFilter | null = next === '' ? null : compileFilter([next]);
  const batch = request.batch ?? 1;
  const bytesMax = request.max_bytes || BATCH_BYTES_MAX;
  // Without a position and a filter nats-server looks for the last message of no subject at all.
  const isEmpty = filter === null && startSequence(stream, request) === 0;
  let seq = Math.max(1, startSequence(stream, request));
  let pending = messages.count(filter, seq);
  let lastSeq = 0;
  let sent = 0;
  let bytes = 0;

  const finish = (): void => {
    const lines = `Nats-Num-Pending: ${pending}\r\nNats-Last-Sequence: ${lastSeq}\r\n`;
    reply.status('204 EOB', lines);
  };
  const step = (): void => {
    loadWarm(
      stream,
      (into) => (isEmpty ? 'gone' : messages.loadNext(filter, seq, into)),
      (found, error) => {
        if (error !== null) {
          reply.status(`500 ${error.message}`);
          return;
        }
        if (found === null || found.seq > messages.committedSeq) {
          if (batch > 1 && sent > 0) finish();
          else reply.status('404 Message Not Found');
          return;
        }
        const message = copyMessage(found);
        seq = message.seq + 1;
        const noHeaders = request.no_hdr === true;
        // As nats-server: without headers to print it in, the count stands still.
        if (pending > 0 && !noHeaders) pending--;
        if (!reply.message(message, noHeaders, { pending, lastSeq })) return;
        lastSeq = message.seq;
        sent++;
        bytes += sizeOf(message);
        if (sent >= batch || bytes >= bytesMax) finish();
        else if (sent % BATCH_CHUNK === 0) stream.host.clock.setTimer(step, 0);
        else step();
      },
    );
  };
  if (batch < 0) finish();
  else step();
}

/** Answers a DIRECT.GET with `multi_last`: the last message of every matching subject, ascending by sequence. */
export function sendMulti(stream: Stream, request: MsgGetRequest, reply: DirectReply): void {
  const { messages } = stream;
  const upToSeq = ceiling(stream, request);
  if (upToSeq === 0) {
    reply.status('404 No Results');
    return;
  }
  const subjects: string[] = [];
  messages.eachSubject(compileFilter(request.multi_last ?? []), (subject, state) => {
    if (state.first <= upToSeq) subjects.push(subject);
    return undefined;
  });
  if (subjects.length > MULTI_LAST_MAX) {
    reply.status('413 Too Many Results');
    return;
  }
  collectLast(stream, subjects, upToSeq, (found, problem) => {
    if (problem !== null) {
      reply.status(`500 ${problem.message}`);
      return;
    }
    // What is not committed yet, or gone because of something that is not, is told when it is.
    const bytes = found.reduce((sum, message) => sum + sizeOf(message), 0);
    stream.commits.after((error) => {
      if (error === null) sendCollected(found, request, upToSeq, reply);
      else reply.status(`500 ${error.message}`);
    }, bytes);
  });
}

/** Highest sequence of interest; 0 = none. */
function ceiling(stream: Stream, request: MsgGetRequest): Integer {
  const { messages } = stream;
  if (request.up_to_time !== undefined) {
    const seq = seqAtTime(messages, request.up_to_time);
    return seq <= messages.firstSeq ? 0 : seq - 1;
  }
  const { up_to_seq: upTo = 0 } = request;
  // As nats-server: its file store looks for the block of that sequence, and there is none.
  if (messages.kind === 'file' && upTo > messages.lastSeq) return 0;
  return upTo || messages.lastSeq;
}

function collectLast(
  stream: Stream,
  subjects: readonly string[],
  upToSeq: Integer,
  callback: (found: CopiedMessage[], error: Error | null) => void,
): void {
  const found: CopiedMessage[] = [];
  const next = (index: number): void => {
    for (let at = index; at < subjects.length; at++) {
      const filter = compileFilter([subjects[at]!]);
      let isDone = false;
      let isLater = false;
      loadWarm(
        stream,
        (into) => stream.messages.loadLast(filter, Math.min(Number(upToSeq), Number.MAX_SAFE_INTEGER), into),
        (message, error) => {
          if (error !== null) {
            callback([], error);
            return;
          }
          if (message !== null) found.push(copyMessage(message));
          isDone = true;
          if (isLater) next(at + 1);
        },
      );
      if (!isDone) {
        isLater = true;
        return;
      }
    }
    found.sort((a, b) => a.seq - b.seq);
    callback(found, null);
  };
  next(0);
}

function sendCollected(
  found: readonly CopiedMessage[],
  request: MsgGetRequest,
  upToSeq: Integer,
  reply: DirectReply,
): void {
  if (found.length === 0) {
    reply.status('404 No Results');
    return;
  }
  const bytesMax = request.max_bytes || BATCH_BYTES_MAX;
  const batch = request.batch ?? 0;
  let pending = found.length;
  let lastSeq = 0;
  let sent = 0;
  let bytes = 0;
  for (const message of found) {
    pending--;
    if (message.seq < (request.seq ?? 0)) continue;
    if (!reply.message(message, false, { pending, lastSeq })) return;
    lastSeq = message.seq;
    sent++;
    bytes += sizeOf(message);
    if (bytes >= bytesMax || (batch > 0 && sent >= batch)) break;
  }
  const lines =
    `Nats-Num-Pending: ${pending}\r\nNats-Last-Sequence: ${lastSeq}\r\n` + `Nats-UpTo-Sequence: ${upToSeq}\r\n`;
  reply.status('204 EOB', lines);
}
