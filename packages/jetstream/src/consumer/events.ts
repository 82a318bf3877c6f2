import type { ConsumerStream } from '../stream/consumer-port.ts';

/** Why the server itself terminated a message. */
export const REASON_DELETED = 'Unacknowledged message was deleted';

/** Advisories and metrics of one consumer (spec/jetstream.md 1.5); each goes out only while somebody listens. */
export class ConsumerEvents {
  readonly #stream: ConsumerStream;
  readonly #name: string;

  constructor(stream: ConsumerStream, name: string) {
    this.#stream = stream;
    this.#name = name;
  }

  created(): void {
    this.#advise('CREATED', 'consumer_action', { action: 'create' });
  }

  deleted(): void {
    this.#advise('DELETED', 'consumer_action', { action: 'delete' });
  }

  /** @param until RFC 3339; null prints the zero time */
  paused(isPaused: boolean, until: string | null): void {
    this.#advise('PAUSE', 'consumer_pause', { paused: isPaused, pause_until: until ?? '0001-01-01T00:00:00Z' });
  }

  maxDeliveries(streamSeq: number, deliveries: number): void {
    this.#advise('MAX_DELIVERIES', 'max_deliver', { stream_seq: streamSeq, deliveries });
  }

  naked(streamSeq: number, consumerSeq: number, deliveries: number): void {
    this.#advise('MSG_NAKED', 'nak', { consumer_seq: consumerSeq, stream_seq: streamSeq, deliveries });
  }

  terminated(streamSeq: number, consumerSeq: number, deliveries: number, reason: string): void {
    this.#advise('MSG_TERMINATED', 'terminated', {
      consumer_seq: consumerSeq,
      stream_seq: streamSeq,
      deliveries,
      reason: reason === '' ? undefined : reason,
    });
  }

  /** @param ackTimeNs nanoseconds from delivery to ack */
  acked(streamSeq: number, consumerSeq: number, deliveries: number, ackTimeNs: number): void {
    const subject = `METRIC.CONSUMER.ACK.${this.#stream.name}.${this.#name}`;
    if (!this.#stream.hasAdvisoryInterest(subject)) return;
    this.#stream.advisory(subject, 'io.nats.jetstream.metric.v1.consumer_ack', {
      stream: this.#stream.name,
      consumer: this.#name,
      consumer_seq: consumerSeq,
      stream_seq: streamSeq,
      ack_time: ackTimeNs,
      deliveries,
    });
  }

  #advise(event: string, type: string, fields: Readonly<Record<string, unknown>>): void {
    const subject = `CONSUMER.${event}.${this.#stream.name}.${this.#name}`;
    if (!this.#stream.hasAdvisoryInterest(subject)) return;
    this.#stream.advisory(subject, type, { stream: this.#stream.name, consumer: this.#name, ...fields });
  }
}
