import { type ApiError, apiError } from '../errors/api-error.ts';
import type { ConsumerConfig, DeliverPolicy } from './config.ts';

/** The policies in the words of the error texts. */
const WORDS: Readonly<Record<DeliverPolicy, string>> = {
  all: 'all',
  last: 'last',
  new: 'new',
  by_start_sequence: 'by start sequence',
  by_start_time: 'by start time',
  last_per_subject: 'last per subject',
};

/** Refuses start options that do not go with the deliver policy (10094). */
export function checkStart(config: ConsumerConfig): void {
  const policy = config.deliver_policy;
  const hasSequence = config.opt_start_seq > 0;
  const hasTime = config.opt_start_time !== '';
  if (policy === 'by_start_sequence') {
    if (!hasSequence) throw notSet(policy, 'start sequence');
    if (hasTime) throw alsoSet(policy, 'time');
    return;
  }
  if (policy === 'by_start_time') {
    if (!hasTime) throw notSet(policy, 'start time');
    // The doubled word is nats-server's.
    if (hasSequence) throw alsoSet(policy, 'start sequence');
    return;
  }
  if (hasSequence) throw alsoSet(policy, 'sequence');
  if (hasTime) throw alsoSet(policy, 'time');
  if (policy === 'last_per_subject' && config.filter_subject === '' && config.filter_subjects.length === 0) {
    throw notSet(policy, 'filter subject');
  }
}

function alsoSet(policy: DeliverPolicy, option: string): ApiError {
  return apiError('ConsumerInvalidPolicy', {
    err: `consumer delivery policy is deliver ${WORDS[policy]}, but optional start ${option} is also set`,
  });
}

function notSet(policy: DeliverPolicy, option: string): ApiError {
  return apiError('ConsumerInvalidPolicy', {
    err: `consumer delivery policy is deliver ${WORDS[policy]}, but optional ${option} is not set`,
  });
}
