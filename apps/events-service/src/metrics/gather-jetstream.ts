import type { ConsumerFigures, JetStream, JetStreamTotals, StreamFigures } from '@nats-ts/natsd';
import { CONSUMER_SERIES_MAX, STREAM_SERIES_MAX } from './catalogue.ts';
import type { Pace } from './pace.ts';
import { type Labels, labelText, type Sheet } from './sheet.ts';

/** Streams and consumers that got no series. */
export interface LeftOut {
  streams: number;
  consumers: number;
}

export function gatherTotals(sheet: Sheet, totals: JetStreamTotals): void {
  sheet.set('gnatsd_varz_jetstream_stats_memory', totals.memoryUsed);
  sheet.set('gnatsd_varz_jetstream_stats_storage', totals.storageUsed);
  sheet.set('gnatsd_varz_jetstream_stats_reserved_memory', totals.memoryReserved);
  sheet.set('gnatsd_varz_jetstream_stats_reserved_storage', totals.storageReserved);
  sheet.set('gnatsd_varz_jetstream_config_max_memory', totals.memoryMax);
  sheet.set('gnatsd_varz_jetstream_config_max_storage', totals.storageMax);
  sheet.set('gnatsd_varz_jetstream_stats_api_total', totals.apiTotal);
  sheet.set('gnatsd_varz_jetstream_stats_api_errors', totals.apiErrors);
  sheet.set('jetstream_server_total_streams', totals.streams);
  sheet.set('jetstream_server_total_consumers', totals.consumers);
  sheet.set('jetstream_server_total_messages', totals.messages);
  sheet.set('jetstream_server_total_message_bytes', totals.bytes);
  sheet.set('nats_jetstream_offline_streams', totals.offlineStreams);
  sheet.set('nats_jetstream_failing_streams', totals.failingStreams);
}

/** Every stream and consumer, up to the limits, with pauses. */
export async function gatherStreams(sheet: Sheet, jetstream: JetStream, pace: Pace): Promise<LeftOut> {
  const leftOut: LeftOut = { streams: 0, consumers: 0 };
  let streams = 0;
  let consumers = 0;
  for (const stream of jetstream.streams()) {
    if (pace.isDue) await pace.pause();
    if (streams === STREAM_SERIES_MAX) {
      leftOut.streams++;
      leftOut.consumers += stream.consumerCount;
      continue;
    }
    streams++;
    const labels = { ...sheet.common, account: labelText(stream.account), stream_name: labelText(stream.stream) };
    gatherStream(sheet, stream, labels);
    for (const { name, figures } of stream.consumers()) {
      if (pace.isDue) await pace.pause();
      if (consumers === CONSUMER_SERIES_MAX) {
        leftOut.consumers++;
        continue;
      }
      consumers++;
      gatherConsumer(sheet, figures, { ...labels, consumer_name: labelText(name) });
    }
  }
  return leftOut;
}

function gatherStream(sheet: Sheet, stream: StreamFigures, labels: Labels): void {
  sheet.set('jetstream_stream_total_messages', stream.messages, labels);
  sheet.set('jetstream_stream_total_bytes', stream.bytes, labels);
  sheet.set('jetstream_stream_limit_messages', stream.messagesMax, labels);
  sheet.set('jetstream_stream_limit_bytes', stream.bytesMax, labels);
  sheet.set('jetstream_stream_first_seq', stream.firstSeq, labels);
  sheet.set('jetstream_stream_last_seq', stream.lastSeq, labels);
  sheet.set('jetstream_stream_consumer_count', stream.consumerCount, labels);
  sheet.set('jetstream_stream_subject_count', stream.subjects, labels);
  sheet.set('nats_stream_deleted_messages', stream.deleted, labels);
  if (stream.firstMs !== null)
    sheet.set('nats_stream_oldest_message_age_seconds', secondsSince(stream.firstMs), labels);
  if (stream.lastMs !== null) sheet.set('nats_stream_newest_message_age_seconds', secondsSince(stream.lastMs), labels);
  sheet.set('nats_stream_lost_messages', stream.lostMessages, labels);
  sheet.set('nats_stream_failing', stream.failure === null ? 0 : 1, labels);
}

function gatherConsumer(sheet: Sheet, figures: ConsumerFigures, labels: Labels): void {
  sheet.set('jetstream_consumer_num_pending', figures.pending, labels);
  sheet.set('jetstream_consumer_num_ack_pending', figures.ackPending, labels);
  sheet.set('jetstream_consumer_num_redelivered', figures.redelivered, labels);
  sheet.set('jetstream_consumer_num_waiting', figures.waiting, labels);
  sheet.set('jetstream_consumer_delivered_consumer_seq', figures.deliveredConsumerSeq, labels);
  sheet.set('jetstream_consumer_delivered_stream_seq', figures.deliveredStreamSeq, labels);
  sheet.set('jetstream_consumer_ack_floor_consumer_seq', figures.ackFloorConsumerSeq, labels);
  sheet.set('jetstream_consumer_ack_floor_stream_seq', figures.ackFloorStreamSeq, labels);
  if (figures.lastDeliveryMs > 0)
    sheet.set('jetstream_consumer_last_delivery_seconds', secondsSince(figures.lastDeliveryMs), labels);
  if (figures.lastAckMs > 0) sheet.set('jetstream_consumer_last_ack_seconds', secondsSince(figures.lastAckMs), labels);
}

/** Clocks are set now and then: never negative. */
function secondsSince(ms: number): number {
  return Math.max(0, Date.now() - ms) / 1000;
}
