/** Status messages: a header line and no payload (spec/jetstream.md 4.3). The texts are what clients compare. */

export const STATUS_NO_MESSAGES: Buffer = status('404 No Messages');
export const STATUS_REQUESTS_PENDING: Buffer = status('408 Requests Pending');
export const STATUS_PUSH_BASED: Buffer = status('409 Consumer is push based');
export const STATUS_EXCEEDED_MAX_WAITING: Buffer = status('409 Exceeded MaxWaiting');
export const STATUS_CONSUMER_DELETED: Buffer = status('409 Consumer Deleted');
export const STATUS_REQUIRED_API_LEVEL: Buffer = status('412 Required Api Level');
export const STATUS_FLOW_CONTROL: Buffer = status('100 FlowControl Request');

export const TEXT_REQUEST_TIMEOUT = '408 Request Timeout';
export const TEXT_MAX_BYTES = '409 Message Size Exceeds MaxBytes';
export const TEXT_BATCH_COMPLETED = '409 Batch Completed';
export const TEXT_SERVER_SHUTDOWN = '409 Server Shutdown';

/** A status line alone; `text` starts with the code. */
export function status(text: string): Buffer {
  return Buffer.from(`NATS/1.0 ${text}\r\n\r\n`);
}

/** A status that ends a pull request and tells what it did not get. */
export function pendingStatus(text: string, messages: number, bytes: number): Buffer {
  return Buffer.from(`NATS/1.0 ${text}\r\nNats-Pending-Messages: ${messages}\r\nNats-Pending-Bytes: ${bytes}\r\n\r\n`);
}

/**
 * The sign of life of a consumer that has nothing to send.
 * @param stalledOn subject on which it waits for the answer to a flow control request, or null
 */
export function heartbeatStatus(consumerSeq: number, streamSeq: number, stalledOn: string | null): Buffer {
  const stalled = stalledOn === null ? '' : `Nats-Consumer-Stalled: ${stalledOn}\r\n`;
  return Buffer.from(
    `NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: ${consumerSeq}\r\nNats-Last-Stream: ${streamSeq}\r\n${stalled}\r\n`,
  );
}
