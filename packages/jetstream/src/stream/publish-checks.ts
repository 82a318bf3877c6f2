import { goQuote } from '@nats-ts/protocol';
import { isValidPublishSubject } from '@nats-ts/sublist';
import { parseGoDuration } from '../consumer/go-duration.ts';
import { type ApiError, apiError } from '../errors/api-error.ts';
import { type PublishHeaders, parseSequence } from './publish-headers.ts';
import type { Stream } from './stream.ts';
import { lastSeqOf } from './subject-lookup.ts';

const SECOND_NS = 1_000_000_000n;

/**
 * The checks a message with headers passes before the duplicate window is asked, in nats-server's order (spec/jetstream.md 3.2,
 * 6–12). Null = passed.
 */
export function checkBeforeDedupe(stream: Stream, headers: PublishHeaders, subject: string): ApiError | null {
  // Counters, schedules and TTLs need a stream that allows them; no stream does yet.
  if (headers.incr !== '') {
    return apiError(/^[+-]?\d+$/.test(headers.incr) ? 'MessageIncrDisabled' : 'MessageIncrInvalid');
  }
  if (headers.expectedStream !== '' && headers.expectedStream !== stream.name) return apiError('StreamNotMatch');
  if (headers.ttl !== '' && isTtl(headers.ttl)) return apiError('MessageTTLDisabled');
  if (headers.expectedLastSubjectSeq !== '') {
    const last = lastSeqOf(stream.messages, headers.expectedLastSubjectSeqSubject || subject);
    if (last !== parseSequence(headers.expectedLastSubjectSeq)) {
      return apiError('StreamWrongLastSequence', { seq: last });
    }
  } else if (headers.expectedLastSubjectSeqSubject !== '') {
    return apiError('StreamExpectedLastSeqPerSubjectInvalid');
  }
  if (headers.expectedLastSeq !== '') {
    const last = stream.messages.lastSeq;
    if (last !== parseSequence(headers.expectedLastSeq)) return apiError('StreamWrongLastSequence', { seq: last });
  }
  return (
    checkSchedule(headers, subject) ?? (headers.streamSource === '' ? null : apiError('MessageSourceHdrNotAllowed'))
  );
}

/** The checks behind the duplicate window (spec/jetstream.md 3.2, 14–15). Null = passed. */
export function checkAfterDedupe(stream: Stream, headers: PublishHeaders): ApiError | null {
  if (headers.expectedLastMsgId !== '' && headers.expectedLastMsgId !== stream.lastMsgId) {
    return apiError('StreamWrongLastMsgID', { id: stream.lastMsgId });
  }
  if (headers.rollup === '') return null;
  if (!stream.config.allow_rollup_hdrs || stream.config.deny_purge) {
    return apiError('StreamRollupFailed', { err: 'rollup not permitted' });
  }
  if (headers.rollup !== 'sub' && headers.rollup !== 'all') {
    return apiError('StreamRollupFailed', { err: `rollup value invalid: ${goQuote(headers.rollup)}` });
  }
  return null;
}

/** True for a Nats-TTL that is one: seconds, a Go duration of a second or more, or `never`. */
export function isTtl(text: string): boolean {
  if (text.toLowerCase() === 'never') return true;
  const duration = parseGoDuration(text);
  if (duration !== null) return duration >= SECOND_NS;
  return /^\d+$/.test(text) && !/^0+$/.test(text);
}

function checkSchedule(headers: PublishHeaders, subject: string): ApiError | null {
  if (headers.schedule !== '') return apiError('MessageSchedulesDisabled');
  if (headers.scheduleNext === '') {
    return headers.scheduler === '' ? null : apiError('MessageSchedulesSchedulerInvalid');
  }
  const { scheduler } = headers;
  if (headers.scheduleNext !== 'purge' || scheduler === '' || scheduler === subject) {
    return apiError('MessageSchedulesSchedulerInvalid');
  }
  return apiError(isValidPublishSubject(scheduler) ? 'MessageSchedulesDisabled' : 'MessageSchedulesSchedulerInvalid');
}
