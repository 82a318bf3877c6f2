import type { ConsumerState, StoredMessage } from '../store.ts';

/** A message object for `load` and its relatives to fill. */
export function emptyMessage(): StoredMessage {
  return {
    seq: 0,
    subject: '',
    timeMs: 0,
    timeNs: 0,
    buffer: Buffer.alloc(0),
    headerStart: 0,
    payloadStart: 0,
    payloadEnd: 0,
  };
}

/** The state of a consumer that has seen nothing. */
export function emptyConsumerState(): ConsumerState {
  return {
    delivered: { consumerSeq: 0, streamSeq: 0 },
    ackFloor: { consumerSeq: 0, streamSeq: 0 },
    pending: new Map(),
    redelivered: new Map(),
  };
}
