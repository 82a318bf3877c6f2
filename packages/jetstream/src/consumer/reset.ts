import { type ApiError, apiError } from '../errors/api-error.ts';
import { seqAtTime } from '../stream/seq-at-time.ts';
import type { Consumer } from './consumer.ts';

/**
 * Where CONSUMER.RESET may move a consumer (spec/jetstream.md 4.9). Throws 10204.
 * @param seq wanted stream sequence; 0 = just above the ack floor
 */
export function resetPosition(consumer: Consumer, seq: number): number {
  if (seq === 0) return consumer.progress.floorStreamSeq + 1;
  const { config, stream } = consumer;
  switch (config.deliver_policy) {
    case 'all':
      return seq;
    case 'by_start_sequence':
      if (seq < config.opt_start_seq) throw invalid('below start seq');
      return seq;
    case 'by_start_time':
      if (seq < seqAtTime(stream.messages, config.opt_start_time)) throw invalid('below start time');
      return seq;
    default:
      throw invalid('not allowed');
  }
}

function invalid(reason: string): ApiError {
  return apiError('ConsumerInvalidReset', { err: reason });
}
