import { SubjectSet } from '@nats-ts/sublist';
import { apiError } from '../errors/api-error.ts';
import type { ConsumerStream } from '../stream/consumer-port.ts';
import { type ConsumerConfig, filterSubjects } from './config.ts';

/** Refuses a new consumer that a work queue stream can not have beside the others (10098 … 10101). */
export function checkWorkQueue(stream: ConsumerStream, config: ConsumerConfig): void {
  if (stream.config.retention !== 'workqueue') return;
  if (config.ack_policy !== 'explicit') throw apiError('ConsumerWQRequiresExplicitAck');
  if (config.deliver_policy !== 'all') throw apiError('ConsumerWQConsumerNotDeliverAll');
  if (countLimited(stream) === 0) return;
  if (filterSubjects(config).length === 0) throw apiError('ConsumerWQMultipleUnfiltered');
  checkPartition(stream, config);
}

/** Refuses filters of a work queue consumer that another consumer's overlap (10100). */
export function checkPartition(stream: ConsumerStream, config: ConsumerConfig): void {
  if (stream.config.retention !== 'workqueue') return;
  const filters = new SubjectSet(filterSubjects(config));
  for (const other of stream.consumers.values()) {
    if (other.name === config.name || other.isHidden) continue;
    const taken = other.filter?.subjects ?? ['>'];
    if (taken.some((subject) => filters.countOverlaps(subject, 1) > 0)) {
      throw apiError('ConsumerWQConsumerNotUnique');
    }
  }
}

/** Consumers that count against max_consumers. */
export function countLimited(stream: ConsumerStream): number {
  let count = 0;
  for (const consumer of stream.consumers.values()) if (!consumer.isHidden) count++;
  return count;
}
