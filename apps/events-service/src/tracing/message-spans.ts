import type { MessageObserver, ObservedFailure, ObservedMessage, Settlement } from '@nats-ts/natsd';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import {
  ACCOUNT,
  BODY_SIZE,
  CONSUMER,
  CONSUMER_GROUP,
  DELIVERIES,
  DESTINATION,
  ERROR_CODE,
  ERROR_TYPE,
  EVENT_TYPE,
  MESSAGE_ID,
  MESSAGING_SYSTEM,
  OPERATION_NAME,
  OPERATION_TYPE,
  SEQUENCE,
  SETTLEMENT,
  STREAM,
} from './attributes.ts';
import { failed } from './jetstream-spans.ts';
import { type MessageContext, messageContext } from './trace-context.ts';

/**
 * Messages that are followed at each of three stations: on their way to the disk, stored and known by their publish span,
 * delivered and not done with. Beyond it the oldest is let go: its spans end early, its later deliveries join the trace
 * of its sender directly.
 */
export const MESSAGES_IN_FLIGHT_MAX = 10_000;

/** The spans of a message that is not stored yet. */
interface Taken {
  readonly publish: Span;
  readonly store: Span;
}

/** Outcomes that clients ask for; each is a span of its own. */
const BY_CLIENT: ReadonlySet<Settlement> = new Set(['ack', 'nak', 'term']);

/**
 * Spans of messages: `publish` from the arrival to the publisher's ack, in it `store` until it is on disk, for each delivery
 * `deliver` until it is done with, in it `ack` (`nak`, `term`). They join the trace that the message names; a message that
 * names none begins one.
 */
export class MessageSpans implements MessageObserver {
  readonly #tracer: Tracer;
  readonly #followsSender: boolean;
  readonly #taken = new Map<string, Taken>();
  readonly #stored = new Map<string, SpanContext>();
  readonly #delivered = new Map<string, Span>();

  /** @param followsSender messages whose sender is not sampled are left alone; the sampler would not have them either */
  constructor(tracer: Tracer, followsSender: boolean) {
    this.#tracer = tracer;
    this.#followsSender = followsSender;
  }

  taken(
    account: string,
    stream: string,
    seq: number,
    subject: string,
    header: Buffer,
    headerStart: number,
    headerEnd: number,
    payload: Buffer,
    payloadStart: number,
    payloadEnd: number,
  ): void {
    const message = messageContext(header, headerStart, headerEnd, payload, payloadStart, payloadEnd);
    if (this.#isLeftAlone(message.parent)) return;
    const publish = this.#publish(account, stream, subject, message, payloadEnd - payloadStart);
    if (!publish.isRecording()) return;
    publish.setAttribute(SEQUENCE, seq);
    const attributes = { [ACCOUNT]: account, [STREAM]: stream, [SEQUENCE]: seq, [OPERATION_NAME]: 'store' };
    const store = this.#tracer.startSpan(`store ${stream}`, { attributes }, inSpan(publish));
    this.#taken.set(messageKey(account, stream, seq), { publish, store });
    const oldest = overflow(this.#taken);
    if (oldest !== null) end(oldest);
  }

  refused(
    account: string,
    stream: string,
    failure: ObservedFailure,
    subject: string,
    header: Buffer,
    headerStart: number,
    headerEnd: number,
    payload: Buffer,
    payloadStart: number,
    payloadEnd: number,
  ): void {
    const message = messageContext(header, headerStart, headerEnd, payload, payloadStart, payloadEnd);
    const publish = this.#publish(account, stream, subject, message, payloadEnd - payloadStart);
    publish.setAttributes({ [ERROR_CODE]: failure.errCode, [ERROR_TYPE]: String(failure.errCode) });
    publish.setStatus({ code: SpanStatusCode.ERROR, message: failure.description });
    publish.end();
  }

  stored(account: string, stream: string, seq: number): void {
    const key = messageKey(account, stream, seq);
    const taken = this.#taken.get(key);
    if (taken === undefined) return;
    this.#taken.delete(key);
    end(taken);
    this.#stored.set(key, taken.publish.spanContext());
    overflow(this.#stored);
  }

  notStored(account: string, stream: string, error: Error): void {
    const prefix = messageKey(account, stream, '');
    for (const [key, taken] of this.#taken) {
      if (!key.startsWith(prefix)) continue;
      this.#taken.delete(key);
      failed(taken.store, error);
      failed(taken.publish, error);
      end(taken);
    }
    // The stream may be gone, and another one of its name begins with the same sequences.
    for (const key of this.#stored.keys()) if (key.startsWith(prefix)) this.#stored.delete(key);
  }

  delivered(
    account: string,
    stream: string,
    consumer: string,
    deliveries: number,
    awaitsAck: boolean,
    message: ObservedMessage,
  ): void {
    const { seq, subject, buffer, headerStart, payloadStart, payloadEnd } = message;
    const key = deliveryKey(account, stream, consumer, seq);
    // Nobody settled the last delivery, so its ack is overdue.
    if (deliveries > 1) this.#settle(key, 'expired');
    const parent =
      this.#stored.get(messageKey(account, stream, seq)) ??
      messageContext(buffer, headerStart, payloadStart, buffer, payloadStart, payloadEnd).parent;
    // Without one it was not sampled, or is forgotten: a trace of one delivery would tell nobody anything.
    if (parent === null || this.#isLeftAlone(parent)) return;
    const attributes = {
      ...this.#attributes(account, stream, 'deliver', 'send', subject, payloadEnd - payloadStart),
      [SEQUENCE]: seq,
      [CONSUMER]: consumer,
      [CONSUMER_GROUP]: consumer,
      [DELIVERIES]: deliveries,
    };
    const span = this.#tracer.startSpan(`deliver ${stream}`, { kind: SpanKind.PRODUCER, attributes }, inTrace(parent));
    if (!span.isRecording()) return;
    if (!awaitsAck) {
      span.setAttribute(SETTLEMENT, 'none').end();
      return;
    }
    this.#delivered.set(key, span);
    overflow(this.#delivered)?.setAttribute(SETTLEMENT, 'unknown').end();
  }

  settled(account: string, stream: string, consumer: string, seq: number, how: Settlement): void {
    const key = deliveryKey(account, stream, consumer, seq);
    const span = this.#delivered.get(key);
    if (span === undefined) return;
    if (BY_CLIENT.has(how)) this.#answered(span, account, stream, consumer, seq, how);
    this.#settle(key, how);
  }

  #answered(span: Span, account: string, stream: string, consumer: string, seq: number, how: Settlement): void {
    const attributes = {
      [MESSAGING_SYSTEM]: 'nats',
      [OPERATION_NAME]: how,
      [OPERATION_TYPE]: 'settle',
      [ACCOUNT]: account,
      [STREAM]: stream,
      [CONSUMER]: consumer,
      [SEQUENCE]: seq,
    };
    this.#tracer.startSpan(`${how} ${stream}`, { attributes }, inSpan(span)).end();
  }

  /** Ends what is under way. */
  stop(): void {
    for (const taken of this.#taken.values()) end(taken);
    for (const span of this.#delivered.values()) span.setAttribute(SETTLEMENT, 'unknown').end();
    this.#taken.clear();
    this.#stored.clear();
    this.#delivered.clear();
  }

  #isLeftAlone(parent: SpanContext | null): boolean {
    return this.#followsSender && parent !== null && (parent.traceFlags & TraceFlags.SAMPLED) === 0;
  }

  #publish(account: string, stream: string, subject: string, message: MessageContext, bytes: number): Span {
    const attributes = this.#attributes(account, stream, 'publish', 'receive', subject, bytes);
    if (message.eventId !== '') attributes[MESSAGE_ID] = message.eventId;
    if (message.eventType !== '') attributes[EVENT_TYPE] = message.eventType;
    const context = message.parent === null ? ROOT_CONTEXT : inTrace(message.parent);
    return this.#tracer.startSpan(`publish ${stream}`, { kind: SpanKind.CONSUMER, attributes }, context);
  }

  #attributes(
    account: string,
    stream: string,
    operation: string,
    type: string,
    subject: string,
    bytes: number,
  ): Attributes {
    return {
      [MESSAGING_SYSTEM]: 'nats',
      [OPERATION_NAME]: operation,
      [OPERATION_TYPE]: type,
      [DESTINATION]: subject,
      [BODY_SIZE]: bytes,
      [ACCOUNT]: account,
      [STREAM]: stream,
    };
  }

  /** Ends a delivery, if it has a span. */
  #settle(key: string, how: Settlement | 'expired'): void {
    const span = this.#delivered.get(key);
    if (span === undefined) return;
    this.#delivered.delete(key);
    span.setAttribute(SETTLEMENT, how);
    if (how === 'exhausted') span.setStatus({ code: SpanStatusCode.ERROR, message: 'max_deliver is reached' });
    span.end();
  }
}

// Names have no spaces.
const messageKey = (account: string, stream: string, seq: number | ''): string => `${account} ${stream} ${seq}`;
const deliveryKey = (account: string, stream: string, consumer: string, seq: number): string =>
  `${account} ${stream} ${consumer} ${seq}`;

const inSpan = (span: Span): Context => trace.setSpan(ROOT_CONTEXT, span);
const inTrace = (parent: SpanContext): Context => trace.setSpanContext(ROOT_CONTEXT, parent);

function end({ publish, store }: Taken): void {
  store.end();
  publish.end();
}

/** Lets the oldest entry go when there are too many; null otherwise. */
function overflow<T>(map: Map<string, T>): T | null {
  if (map.size <= MESSAGES_IN_FLIGHT_MAX) return null;
  const [key, oldest] = map.entries().next().value!;
  map.delete(key);
  return oldest;
}
