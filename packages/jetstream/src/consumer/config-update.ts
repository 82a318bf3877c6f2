import { type ApiError, apiError } from '../errors/api-error.ts';
import { parseTime } from '../json/go-time.ts';
import { type ConsumerConfig, sameConfig } from './config.ts';
import { checkBackoffLength } from './config-check.ts';

/** What an update may not touch, in the words and order of nats-server (spec/jetstream.md 2.5). */
const FIXED: readonly (readonly [keyof ConsumerConfig, string])[] = [
  ['deliver_policy', 'deliver policy'],
  ['mem_storage', 'storage type'],
  ['direct', 'direct'],
  ['sourcing', 'sourcing'],
  ['opt_start_seq', 'start sequence'],
  ['opt_start_time', 'start time'],
  ['ack_policy', 'ack policy'],
  ['replay_policy', 'replay policy'],
  ['idle_heartbeat', 'heart beats'],
  ['flow_control', 'flow control'],
];

/**
 * Refuses a change of an existing consumer that is not allowed.
 * @param isBound somebody listens on the current deliver subject
 */
export function checkUpdate(current: ConsumerConfig, next: ConsumerConfig, isBound: () => boolean): void {
  if (sameConfig(current, next)) return;
  for (const [field, words] of FIXED) {
    if (!isSame(field, current, next)) throw refused(`${words} can not be updated`);
  }
  if (current.deliver_subject !== next.deliver_subject) {
    if (current.deliver_subject === '') throw refused('can not update pull consumer to push based');
    if (next.deliver_subject === '') throw refused('can not update push consumer to pull based');
    if (isBound()) throw apiError('ConsumerNameExist');
  }
  if (current.max_waiting !== next.max_waiting) throw refused('max waiting can not be updated');
  checkBackoffLength(next);
}

function isSame(field: keyof ConsumerConfig, current: ConsumerConfig, next: ConsumerConfig): boolean {
  // The same moment may be written in two time zones.
  if (field === 'opt_start_time' && current.opt_start_time !== '' && next.opt_start_time !== '') {
    const one = parseTime(current.opt_start_time);
    const other = parseTime(next.opt_start_time);
    return one.ms === other.ms && one.ns === other.ns;
  }
  return current[field] === next[field];
}

function refused(text: string): ApiError {
  return apiError('ConsumerCreate', { err: text });
}
