import type { SubjectFilter } from '../store/store.ts';
import type { ConsumerStream } from '../stream/consumer-port.ts';
import { seqAtTime } from '../stream/seq-at-time.ts';
import type { StartPosition } from './backlog.ts';
import type { ConsumerConfig } from './config.ts';

/** Where a new consumer begins in the stream as it is now (spec/jetstream.md 4.1). */
export function startPosition(
  stream: ConsumerStream,
  config: ConsumerConfig,
  filter: SubjectFilter | null,
): StartPosition {
  const { firstSeq, lastSeq } = stream.messages;
  if (config.deliver_policy === 'by_start_sequence') return plain(Math.max(startSequence(config), firstSeq, 1));
  // Nothing was ever stored: whatever the policy, the first message is the start.
  if (firstSeq === 0) return plain(1);
  const clamped = (seq: number): number => Math.max(Math.min(seq, lastSeq + 1), firstSeq);
  switch (config.deliver_policy) {
    case 'all':
      return plain(firstSeq);
    case 'last':
      return plain(clamped(filter === null ? lastSeq : lastOf(stream, filter)));
    case 'new':
      return plain(lastSeq + 1);
    case 'by_start_time':
      return plain(clamped(byTime(stream, config.opt_start_time, filter)));
    case 'last_per_subject':
      return lastPerSubject(stream, filter, clamped);
  }
}

/** No stream gets beyond what a number holds. */
function startSequence(config: ConsumerConfig): number {
  return Math.min(Number(config.opt_start_seq), Number.MAX_SAFE_INTEGER);
}

function plain(nextSeq: number): StartPosition {
  return { nextSeq, only: null, resumeAfter: 0 };
}

/** Last message that passes the filter; 0 if there is none. */
function lastOf(stream: ConsumerStream, filter: SubjectFilter): number {
  let last = 0;
  stream.messages.eachSubject(filter, (_subject, state) => {
    last = Math.max(last, state.last);
    return true;
  });
  return last;
}

function byTime(stream: ConsumerStream, time: string, filter: SubjectFilter | null): number {
  const seq = seqAtTime(stream.messages, time);
  if (filter === null) return seq;
  // If every subject that passes begins later, there is nothing in between to look at.
  let first = Number.POSITIVE_INFINITY;
  stream.messages.eachSubject(filter, (_subject, state) => {
    first = Math.min(first, state.first);
    return first >= seq;
  });
  return first > seq && first < stream.messages.lastSeq ? first : seq;
}

function lastPerSubject(
  stream: ConsumerStream,
  filter: SubjectFilter | null,
  clamped: (seq: number) => number,
): StartPosition {
  const { messages, config, visibleSeq } = stream;
  // With one message per subject each message is its subject's last.
  if (config.max_msgs_per_subject === 1) return plain(messages.firstSeq);
  const lasts: number[] = [];
  messages.eachSubject(filter, (_subject, state) => {
    // What is not visible yet comes by itself when it is.
    if (state.last <= visibleSeq) lasts.push(state.last);
    return true;
  });
  const only = Float64Array.from(lasts).sort();
  return { nextSeq: clamped(only[0] ?? messages.lastSeq), only, resumeAfter: visibleSeq };
}
