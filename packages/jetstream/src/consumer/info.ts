import { formatTime } from '../json/go-time.ts';
import type { ConsumerFigures } from '../stream/consumer-port.ts';
import { type ConsumerConfig, printConfig } from './config.ts';
import type { Consumer } from './consumer.ts';
import { printMetadata } from './metadata.ts';

/** ConsumerInfo of a create, info or reset reply: with this server's version and level in the metadata. */
export function replyInfo(consumer: Consumer): Record<string, unknown> {
  return consumerInfo(consumer, printMetadata(consumer.config));
}

/**
 * ConsumerInfo in Go's field order; what is undefined is not printed (spec/jetstream.md 2.6).
 * @param config as it is shown
 */
export function consumerInfo(consumer: Consumer, config: ConsumerConfig): Record<string, unknown> {
  const { progress, pause, clock } = consumer;
  const isPaused = pause.isPaused;
  return {
    stream_name: consumer.stream.name,
    name: consumer.name,
    created: consumer.created,
    config: printConfig(config),
    delivered: {
      consumer_seq: progress.deliveredConsumerSeq,
      stream_seq: progress.deliveredStreamSeq,
      last_active: printMoment(progress.lastDeliveryMs),
    },
    ack_floor: {
      consumer_seq: progress.floorConsumerSeq,
      stream_seq: progress.floorStreamSeq,
      last_active: printMoment(progress.lastAckMs),
    },
    num_ack_pending: progress.pending.size,
    num_redelivered: redeliveredCount(consumer),
    num_waiting: consumer.countWaiting(),
    num_pending: consumer.backlog.count,
    push_bound: consumer.isPushBound ? true : undefined,
    paused: isPaused ? true : undefined,
    pause_remaining: isPaused ? pause.remainingNs : undefined,
    ts: formatTime(clock.now(), 0),
  };
}

/** The same figures as numbers. */
export function consumerFigures(consumer: Consumer): ConsumerFigures {
  const { progress } = consumer;
  return {
    pending: consumer.backlog.count,
    ackPending: progress.pending.size,
    redelivered: redeliveredCount(consumer),
    waiting: consumer.countWaiting(),
    deliveredConsumerSeq: progress.deliveredConsumerSeq,
    deliveredStreamSeq: progress.deliveredStreamSeq,
    ackFloorConsumerSeq: progress.floorConsumerSeq,
    ackFloorStreamSeq: progress.floorStreamSeq,
    lastDeliveryMs: progress.lastDeliveryMs,
    lastAckMs: progress.lastAckMs,
  };
}

/** With a single delivery there is no redelivery to report. */
function redeliveredCount({ config, progress }: Consumer): number {
  return config.max_deliver === 1 ? 0 : progress.redelivered.size;
}

function printMoment(ms: number): string | undefined {
  return ms === 0 ? undefined : formatTime(ms, 0);
}
