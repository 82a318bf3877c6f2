/**
 * Every metric of the service beside those of Node itself. The table in docs/events-service.md is made from this; nothing is
 * imported here, so that it can be. Where the Prometheus NATS exporter has a figure, its name is used (`gnatsd_varz_…`,
 * `jetstream_…`), so that dashboards made for it show this server too; the others begin with `nats_`.
 */

/** What a metric is. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** One sentence, with the unit unless the name ends in it. */
  readonly help: string;
}

/** Streams with series of their own; those that come after them only count in the totals. */
export const STREAM_SERIES_MAX = 2_000;
/** Consumers with series of their own, over all streams. */
export const CONSUMER_SERIES_MAX = 20_000;
/** Slow consumers with series of their own, the most recent ones. */
export const SLOW_CONSUMER_SERIES_MAX = 100;
/** Registered services with series of their own. */
export const SERVICE_SERIES_MAX = 500;
/** Characters of a label's value; longer ones end in `…`. */
export const LABEL_CHARACTERS_MAX = 256;

const STREAM = ['account', 'stream_name'];
const CONSUMER = ['account', 'stream_name', 'consumer_name'];

function gauge(name: string, help: string, labels: readonly string[] = []): MetricDefinition {
  return { name, type: 'gauge', labels, help };
}

function counter(name: string, help: string, labels: readonly string[] = []): MetricDefinition {
  return { name, type: 'counter', labels, help };
}

const SERVER_METRICS: readonly MetricDefinition[] = [
  gauge('gnatsd_varz_connections', 'Client connections.'),
  counter('gnatsd_varz_total_connections', 'Client connections there ever were.'),
  gauge('gnatsd_varz_max_connections', 'Client connections there may be.'),
  gauge('gnatsd_varz_subscriptions', 'Subscriptions, those of JetStream included.'),
  counter('gnatsd_varz_in_msgs', 'Messages received.'),
  counter('gnatsd_varz_in_bytes', 'Bytes of messages received.'),
  counter('gnatsd_varz_out_msgs', 'Messages sent.'),
  counter('gnatsd_varz_out_bytes', 'Bytes of messages sent.'),
  counter('gnatsd_varz_slow_consumers', 'Clients closed because they did not take their messages.'),
  counter('gnatsd_varz_stale_connections', 'Clients closed because they did not answer pings.'),
  counter('gnatsd_varz_stalled_clients', 'Times a publisher had to wait for a consumer behind.'),
  gauge('gnatsd_varz_cpu', 'CPU use in percent of one core, since the last scrape.'),
  gauge('gnatsd_varz_mem', 'Resident memory of the process in bytes.'),
  gauge('nats_client_pending_bytes', 'Bytes that wait for clients to take them.'),
  gauge('nats_client_pending_max_bytes', 'Most bytes that wait for one client.'),
  counter(
    'nats_slow_consumers_total',
    'Slow consumers by reason: max_pending (too many bytes behind) or write_deadline (a write took too long).',
    ['reason'],
  ),
  counter('nats_slow_consumer_disconnects_total', 'Times a client was closed as a slow consumer, by client.', [
    'account',
    'client_name',
    'ip',
  ]),
  counter('nats_refused_connections_total', 'Connections refused because the limit was reached.'),
  counter('nats_auth_failures_total', 'Log-ins that were refused, or did not come in time.', ['reason']),
  counter('nats_tls_failures_total', 'TLS handshakes that failed.'),
  counter('nats_permission_violations_total', 'Publishes and subscriptions not permitted.'),
];

const JETSTREAM_METRICS: readonly MetricDefinition[] = [
  gauge('gnatsd_varz_jetstream_stats_memory', 'Bytes in memory streams.'),
  gauge('gnatsd_varz_jetstream_stats_storage', 'Bytes in file streams.'),
  gauge('gnatsd_varz_jetstream_stats_reserved_memory', 'Bytes that memory streams have set aside.'),
  gauge('gnatsd_varz_jetstream_stats_reserved_storage', 'Bytes that file streams have set aside.'),
  gauge('gnatsd_varz_jetstream_config_max_memory', 'Bytes memory streams may have; -1 = no limit.'),
  gauge('gnatsd_varz_jetstream_config_max_storage', 'Bytes file streams may have; -1 = no limit.'),
  counter('gnatsd_varz_jetstream_stats_api_total', 'JetStream API requests answered.'),
  counter('gnatsd_varz_jetstream_stats_api_errors', 'JetStream API requests answered with an error.'),
  gauge('jetstream_server_total_streams', 'Streams.'),
  gauge('jetstream_server_total_consumers', 'Consumers.'),
  gauge('jetstream_server_total_messages', 'Messages in all streams.'),
  gauge('jetstream_server_total_message_bytes', 'Bytes in all streams.'),
  gauge('nats_jetstream_offline_streams', 'Streams in the store that this server cannot run.'),
  gauge('nats_jetstream_failing_streams', 'Streams that take no messages because a write failed.'),
];

const STREAM_METRICS: readonly MetricDefinition[] = [
  gauge('jetstream_stream_total_messages', 'Messages in the stream.', STREAM),
  gauge('jetstream_stream_total_bytes', 'Bytes in the stream.', STREAM),
  gauge('jetstream_stream_limit_messages', 'Messages the stream may have; -1 = no limit.', STREAM),
  gauge('jetstream_stream_limit_bytes', 'Bytes the stream may have; -1 = no limit.', STREAM),
  gauge('jetstream_stream_first_seq', 'First sequence of the stream.', STREAM),
  gauge('jetstream_stream_last_seq', 'Last sequence of the stream.', STREAM),
  gauge('jetstream_stream_consumer_count', 'Consumers of the stream.', STREAM),
  gauge('jetstream_stream_subject_count', 'Subjects in the stream.', STREAM),
  gauge('nats_stream_deleted_messages', 'Sequences between first and last without a message.', STREAM),
  gauge('nats_stream_oldest_message_age_seconds', 'Age of the oldest message.', STREAM),
  gauge('nats_stream_newest_message_age_seconds', 'Time since the last message was stored.', STREAM),
  gauge('nats_stream_lost_messages', 'Messages of the stream that damage on disk has cost.', STREAM),
  gauge('nats_stream_failing', '1 while the stream takes no messages because a write failed.', STREAM),
];

const CONSUMER_METRICS: readonly MetricDefinition[] = [
  gauge('jetstream_consumer_num_pending', 'Messages that wait for their first delivery.', CONSUMER),
  gauge('jetstream_consumer_num_ack_pending', 'Messages delivered and not acknowledged.', CONSUMER),
  gauge('jetstream_consumer_num_redelivered', 'Messages delivered more than once, not yet acknowledged.', CONSUMER),
  gauge('jetstream_consumer_num_waiting', 'Pull requests that wait for messages.', CONSUMER),
  gauge('jetstream_consumer_delivered_consumer_seq', 'Deliveries so far.', CONSUMER),
  gauge('jetstream_consumer_delivered_stream_seq', 'Last stream sequence delivered.', CONSUMER),
  gauge('jetstream_consumer_ack_floor_consumer_seq', 'Deliveries up to here are acknowledged.', CONSUMER),
  gauge('jetstream_consumer_ack_floor_stream_seq', 'Stream sequences up to here are acknowledged.', CONSUMER),
  gauge('jetstream_consumer_last_delivery_seconds', 'Time since the last delivery.', CONSUMER),
  gauge('jetstream_consumer_last_ack_seconds', 'Time since the last acknowledgement.', CONSUMER),
];

const STORE_METRICS: readonly MetricDefinition[] = [
  {
    name: 'nats_store_sync_duration_seconds',
    type: 'histogram',
    labels: [],
    help: 'How long a synced write of the store took. An acknowledgement waits for one.',
  },
  counter('nats_store_synced_messages_total', 'Messages made durable.'),
  counter('nats_store_synced_bytes_total', 'Bytes of messages made durable.'),
  counter('nats_store_sync_failures_total', 'Writes and syncs of the store that failed.'),
  gauge('nats_store_failing', '1 when the last write or sync of the store failed.'),
  gauge('nats_store_last_sync_timestamp_seconds', 'When the last sync succeeded, Unix time.'),
  gauge('nats_store_disk_total_bytes', 'Size of the disk that the store is on.'),
  gauge('nats_store_disk_free_bytes', 'Room on the disk that the store is on.'),
  counter('nats_store_lost_messages_total', 'Messages found lost to damage on disk, at start or later.'),
];

const RECOVERY_METRICS: readonly MetricDefinition[] = [
  gauge('nats_recovery_running_streams', 'Streams that are being read from disk.'),
  gauge('nats_recovery_streams', 'Streams read from disk at the start.'),
  gauge('nats_recovery_duration_seconds', 'How long reading the streams from disk took, so far.'),
  gauge('nats_recovery_messages', 'Messages found at the start.'),
  gauge('nats_recovery_scanned_streams', 'Streams without a usable index, read block by block.'),
  gauge('nats_recovery_offline_streams', 'Streams found that this server cannot run.'),
  gauge('nats_recovery_lost_messages', 'Messages that damage has cost.'),
  gauge('nats_recovery_lost_bytes', 'Bytes that could not be read.'),
  gauge('nats_recovery_damaged_blocks', 'Damaged block files that were written anew.'),
  gauge('nats_recovery_repaired_records', 'Records of which a wrong byte was put right.'),
  gauge('nats_recovery_torn_bytes', 'Bytes of unfinished writes that were cut off.'),
];

const SERVICE_METRICS: readonly MetricDefinition[] = [
  gauge('nats_build_info', 'Always 1; the versions are in the labels.', ['version', 'node', 'server_version']),
  gauge('nats_ready', '1 when the service is ready, as /readyz says.'),
  counter('nats_log_lines_total', 'Lines written to the log.', ['level']),
  gauge('nats_registry_services', 'Services in the registry.'),
  gauge('nats_registry_nodes', 'Nodes of a service in the registry.', ['service']),
  gauge('nats_metrics_left_out', 'Streams, consumers and so on that have no series of their own: too many.', ['kind']),
];

/** All of them, in the order in which they are shown. */
export const METRICS: readonly MetricDefinition[] = [
  ...SERVER_METRICS,
  ...JETSTREAM_METRICS,
  ...STREAM_METRICS,
  ...CONSUMER_METRICS,
  ...STORE_METRICS,
  ...RECOVERY_METRICS,
  ...SERVICE_METRICS,
];
