import { compileFilter } from '@nats-ts/sublist';
import type { MessageStore, SubjectFilter } from '../store/store.ts';

/** Last sequence on a subject, wildcards allowed; 0 = none. Sees what is appended but not yet committed. */
export function lastSeqOf(messages: MessageStore, subject: string): number {
  const exact = messages.subject(subject);
  if (exact !== undefined) return exact.last;
  if (!subject.includes('*') && !subject.includes('>')) return 0;
  let last = 0;
  messages.eachSubject(compileFilter([subject]), (_subject, state) => {
    if (state.last > last) last = state.last;
    return undefined;
  });
  return last;
}

/** First sequence that passes a filter (null = all), lastSeq + 1 if none does. */
export function firstSeqOf(messages: MessageStore, filter: SubjectFilter | null): number {
  let first = messages.lastSeq + 1;
  messages.eachSubject(filter, (_subject, state) => {
    if (state.first < first) first = state.first;
    return undefined;
  });
  return first;
}
