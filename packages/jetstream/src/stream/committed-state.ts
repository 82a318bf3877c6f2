import { subjectByteLength } from '@nats-ts/protocol';
import { emptyMessage } from '../store/shared/empty.ts';
import type { StoreState } from '../store/store.ts';
import { storedBytes } from './limits.ts';
import type { Stream } from './stream.ts';

/** Messages that a store which refuses to write may still lose: nothing tells of them. */
export interface Uncommitted {
  readonly messages: number;
  readonly bytes: number;
  /** How many on each subject. */
  readonly subjects: ReadonlyMap<string, number>;
}

/**
 * What was appended to a failed store and is not committed; null when there is no such thing. At most what may wait for a commit
 * (INGEST_MESSAGES_MAX), all of it still in memory. A store that works has none: whoever asks waits for the commit.
 */
export function uncommittedOf(stream: Stream): Uncommitted | null {
  const { messages, config } = stream;
  if (messages.failure === null || messages.committedSeq >= messages.lastSeq) return null;
  const subjects = new Map<string, number>();
  const into = emptyMessage();
  let count = 0;
  let bytes = 0;
  for (let seq = Math.max(messages.committedSeq + 1, messages.firstSeq); seq <= messages.lastSeq; seq++) {
    if (messages.load(seq, into) !== 'found') continue;
    const { subject, headerStart, payloadStart, payloadEnd } = into;
    subjects.set(subject, (subjects.get(subject) ?? 0) + 1);
    count++;
    const subjectBytes = subjectByteLength(subject);
    bytes += storedBytes(config.storage, subjectBytes, payloadStart - headerStart, payloadEnd - payloadStart);
  }
  return { messages: count, bytes, subjects };
}

/** The store's state without what is not committed. Removals count as done: a failed store keeps them. */
export function committedState(stream: Stream): StoreState {
  const { messages } = stream;
  const state = messages.state();
  const uncommitted = uncommittedOf(stream);
  if (uncommitted === null) return state;
  const { committedSeq } = messages;
  const count = state.messages - uncommitted.messages;
  const into = emptyMessage();
  const hasLast = messages.load(committedSeq, into) === 'found';
  let subjects = state.subjects;
  for (const [subject, own] of uncommitted.subjects) if (messages.subject(subject)?.count === own) subjects--;
  return {
    ...state,
    messages: count,
    bytes: state.bytes - uncommitted.bytes,
    firstSeq: committedSeq === 0 ? 0 : Math.min(state.firstSeq, committedSeq + 1),
    firstTime: count === 0 ? null : state.firstTime,
    lastSeq: committedSeq,
    lastTime: committedSeq === 0 ? null : hasLast ? { ms: into.timeMs, ns: into.timeNs } : state.lastTime,
    subjects,
    deleted: state.deleted === 0 ? 0 : messages.deletedSeqs().filter((seq) => seq <= committedSeq).length,
  };
}
