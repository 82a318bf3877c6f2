/** Names of what spans say; `messaging.…` are those of OpenTelemetry's conventions for messaging. */
export const ACCOUNT = 'nats.account';
export const STREAM = 'nats.stream';
export const CONSUMER = 'nats.consumer';
/** The number of a JetStream error. */
export const ERROR_CODE = 'nats.error_code';
export const SEQUENCE = 'nats.stream_sequence';
export const DELIVERIES = 'nats.deliveries';
/** How a delivered message was done with: ack, nak, term, expired, exhausted, gone, none (no ack is asked for), unknown. */
export const SETTLEMENT = 'nats.settlement';
/** Type of an oCIS event. */
export const EVENT_TYPE = 'nats.event_type';

export const ERROR_TYPE = 'error.type';
export const MESSAGING_SYSTEM = 'messaging.system';
export const DESTINATION = 'messaging.destination.name';
export const OPERATION_NAME = 'messaging.operation.name';
export const OPERATION_TYPE = 'messaging.operation.type';
export const MESSAGE_ID = 'messaging.message.id';
export const BODY_SIZE = 'messaging.message.body.size';
export const CONSUMER_GROUP = 'messaging.consumer.group.name';
