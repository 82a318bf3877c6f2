import { subjectByteLength } from '@nats-ts/protocol';
import { emptyMessage } from '../store/shared/empty.ts';
import type { LostMessage } from '../store/store.ts';
import type { Stream } from './stream.ts';

/** Sizes of a message as the stores count them (spec/jetstream.md 2.3). */
export function storedBytes(
  kind: 'file' | 'memory',
  subjectBytes: number,
  headerBytes: number,
  payloadBytes: number,
): number {
  if (kind === 'memory') return 16 + subjectBytes + headerBytes + payloadBytes;
  return 30 + subjectBytes + (headerBytes > 0 ? 4 + headerBytes : 0) + payloadBytes;
}

/**
 * Why a `discard: new` stream refuses a message, in nats-server's words; null = it takes it. A message that replaces one of its
 * subject may come in at the limit; one with a rollup header passes discard_new_per_subject (spec/jetstream.md 3.4).
 */
export function discardNewProblem(stream: Stream, subject: string, bytes: number, hasRollup: boolean): string | null {
  const { bounds, config, messages } = stream;
  let replaced = 0;
  if (bounds.maxMsgsPerSubject > 0) {
    const state = messages.subject(subject);
    if (state !== undefined && state.count >= bounds.maxMsgsPerSubject) {
      if (config.discard_new_per_subject && !hasRollup) return 'maximum messages per subject exceeded';
      replaced = state.first;
    }
  }
  if (bounds.maxMsgs > 0 && messages.messages >= bounds.maxMsgs && replaced === 0) {
    return 'maximum messages exceeded';
  }
  if (bounds.maxBytes > 0 && messages.bytes + bytes > bounds.maxBytes) {
    if (replaced === 0 || bytesOf(stream, replaced) < bytes) return 'maximum bytes exceeded';
  }
  return null;
}

/** Size of a stored message as the limits count it; 0 if it cannot be read at once. */
function bytesOf(stream: Stream, seq: number): number {
  const into = emptyMessage();
  if (stream.messages.load(seq, into) !== 'found') return 0;
  const { subject, headerStart, payloadStart, payloadEnd } = into;
  const subjectBytes = subjectByteLength(subject);
  return storedBytes(stream.config.storage, subjectBytes, payloadStart - headerStart, payloadEnd - payloadStart);
}

/** Brings the stream back inside of its limits after one message on `subject` was stored. Hot path. */
export function enforceAfterStore(stream: Stream, subject: string): void {
  const { maxMsgsPerSubject } = stream.bounds;
  if (maxMsgsPerSubject > 0) enforceSubject(stream, subject, maxMsgsPerSubject);
  if (stream.config.discard === 'old') enforceTotals(stream);
  sealMixed(stream);
}

/** The same after the limits were lowered: looks at every subject. */
export function enforceAll(stream: Stream): void {
  const { config, messages } = stream;
  const max = stream.bounds.maxMsgsPerSubject;
  if (max > 0) {
    const above: string[] = [];
    messages.eachSubject(null, (subject, state) => {
      if (state.count > max) above.push(subject);
      return undefined;
    });
    for (const subject of above) enforceSubject(stream, subject, max);
  }
  if (config.discard === 'old') enforceTotals(stream);
  sealMixed(stream);
}

/**
 * The same after a start. What damage took still counts against the limits for as long as it is newer than others: it had pushed them
 * out, and without it they would fit in again.
 */
export function enforceRecovered(stream: Stream): void {
  const { messages, bounds, config } = stream;
  const lost = messages.lostMessages ?? [];
  if (lost.length > 0) {
    if (bounds.maxMsgsPerSubject > 0) {
      const subjects = new Set(lost.map(({ subject }) => subject).filter((subject) => subject !== null));
      for (const subject of subjects) enforceSubjectWithout(stream, subject, lost);
    }
    if (bounds.maxMsgs > 0 && config.discard === 'old') enforceCountWithout(stream, lost);
    // The next start does not know of what was lost any more.
    if (messages.failure === null) messages.sealEvictions();
  }
  enforceAll(stream);
}

function enforceSubjectWithout(stream: Stream, subject: string, lost: readonly LostMessage[]): void {
  for (;;) {
    const state = stream.messages.subject(subject);
    if (state === undefined) return;
    const newer = lost.filter((one) => one.subject === subject && one.seq > state.first).length;
    if (state.count + newer <= stream.bounds.maxMsgsPerSubject) return;
    if (!stream.remove(state.first, 'limit', false)) return;
  }
}

function enforceCountWithout(stream: Stream, lost: readonly LostMessage[]): void {
  const { messages, bounds } = stream;
  const seqs = lost.map(({ seq }) => seq).sort((left, right) => left - right);
  for (let below = 0; messages.messages > 0; ) {
    while (below < seqs.length && seqs[below]! < messages.firstSeq) below++;
    if (messages.messages + seqs.length - below <= bounds.maxMsgs) return;
    if (!stream.remove(messages.firstSeq, 'limit', false)) return;
  }
}

function enforceSubject(stream: Stream, subject: string, max: number): void {
  for (;;) {
    const state = stream.messages.subject(subject);
    if (state === undefined || state.count <= max || !stream.remove(state.first, 'limit', false)) return;
  }
}

function enforceTotals(stream: Stream): void {
  const { messages } = stream;
  const { maxMsgs, maxBytes } = stream.bounds;
  while (maxMsgs > 0 && messages.messages > maxMsgs) {
    if (!stream.remove(messages.firstSeq, 'limit', false)) return;
  }
  while (maxBytes > 0 && messages.bytes > maxBytes && messages.messages > 0) {
    if (!stream.remove(messages.firstSeq, 'limit', false)) return;
  }
}

/**
 * With two kinds of limits it matters which evicts first: a large message that made others go may itself go for a small one of its
 * subject, and after a crash they would fit again; nats-server counts for the bytes what the other limit is about to evict.
 */
function sealMixed(stream: Stream): void {
  const { bounds, messages } = stream;
  if (bounds.maxMsgsPerSubject <= 0 || (bounds.maxMsgs <= 0 && bounds.maxBytes <= 0)) return;
  if (messages.failure === null) messages.sealEvictions();
}
