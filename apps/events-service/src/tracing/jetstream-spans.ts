import type {
  ApiObserver,
  ObservedFailure,
  ObservedRequest,
  RecoveryObserver,
  StreamRecovery,
  SyncObserver,
} from '@nats-ts/natsd';
import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { ACCOUNT, CONSUMER, ERROR_CODE, ERROR_TYPE, MESSAGING_SYSTEM, STREAM } from './attributes.ts';
import { headerContext } from './trace-context.ts';

/** Requests whose answer is awaited; further ones get no span. */
export const REQUESTS_MAX = 10_000;

/** What stands for a request without a span. */
const UNWATCHED = 0;

/** A request that is not answered yet. */
interface OpenRequest {
  readonly span: Span;
  readonly startMs: number;
  /** The same moment by the clock that is fine enough for durations. */
  readonly fromMs: number;
}

/** Spans of requests to the JetStream API, named as they are: `STREAM.CREATE`. */
export class ApiSpans implements ApiObserver {
  readonly #tracer: Tracer;
  readonly #open = new Map<number, OpenRequest>();
  #last = UNWATCHED;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  apiBegan(request: ObservedRequest, receivedMs: number): number {
    if (this.#open.size >= REQUESTS_MAX) return UNWATCHED;
    const { account, name, stream, consumer, header } = request;
    const attributes: Attributes = { [MESSAGING_SYSTEM]: 'nats', [ACCOUNT]: account };
    if (stream !== '') attributes[STREAM] = stream;
    if (consumer !== '') attributes[CONSUMER] = consumer;
    const parent = header === null ? null : headerContext(header, 0, header.length);
    const context = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: receivedMs, attributes }, context);
    if (!span.isRecording()) return UNWATCHED;
    const waitedMs = Math.max(0, Date.now() - receivedMs);
    this.#open.set(++this.#last, { span, startMs: receivedMs, fromMs: performance.now() - waitedMs });
    return this.#last;
  }

  apiEnded(began: number, failure: ObservedFailure | null): void {
    const open = this.#open.get(began);
    if (open === undefined) return;
    const { span, startMs, fromMs } = open;
    this.#open.delete(began);
    if (failure !== null) {
      // Direct gets answer with a status alone.
      const code = failure.errCode || failure.code;
      span.setAttributes({ [ERROR_CODE]: code, [ERROR_TYPE]: String(code) });
      span.setStatus({ code: SpanStatusCode.ERROR, message: failure.description });
    }
    span.end(startMs + performance.now() - fromMs);
  }
}

/** Spans of store syncs that take long or fail. */
export class SyncSpans implements SyncObserver {
  readonly #tracer: Tracer;
  readonly #slowMs: number;

  constructor(tracer: Tracer, slowMs: number) {
    this.#tracer = tracer;
    this.#slowMs = slowMs;
  }

  syncBegan(): number {
    return performance.now();
  }

  syncEnded(
    began: number,
    account: string,
    stream: string,
    bytes: number,
    messages: number,
    error: Error | null,
  ): void {
    const tookMs = performance.now() - began;
    if (error === null && tookMs < this.#slowMs) return;
    const startTime = Date.now() - tookMs;
    const attributes = {
      [ACCOUNT]: account,
      [STREAM]: stream,
      'nats.sync.bytes': bytes,
      'nats.sync.messages': messages,
    };
    const span = this.#tracer.startSpan('store sync', { startTime, attributes }, ROOT_CONTEXT);
    if (error !== null) failed(span, error);
    span.end(startTime + tookMs);
  }
}

/** Spans of the recovery of each stream, with what it found. */
export class RecoverySpans implements RecoveryObserver {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  recoveryBegan(): number {
    return performance.now();
  }

  recoveryEnded(began: number, account: string, stream: string, findings: StreamRecovery): void {
    const { offline, messages, fromIndex, lostMessages, lostBytes, damagedBlocks, repairedRecords, tornBytes } =
      findings;
    const attributes = {
      [ACCOUNT]: account,
      [STREAM]: stream,
      'nats.recovery.messages': messages,
      'nats.recovery.from_index': fromIndex,
      'nats.recovery.lost_messages': lostMessages,
      'nats.recovery.lost_bytes': lostBytes,
      'nats.recovery.damaged_blocks': damagedBlocks,
      'nats.recovery.repaired_records': repairedRecords,
      'nats.recovery.torn_bytes': tornBytes,
    };
    const tookMs = performance.now() - began;
    const startTime = Date.now() - tookMs;
    const span = this.#tracer.startSpan('recover stream', { startTime, attributes }, ROOT_CONTEXT);
    if (offline !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: `offline: ${offline}` });
    else if (lostMessages > 0) span.setStatus({ code: SpanStatusCode.ERROR, message: `${lostMessages} messages lost` });
    span.end(startTime + tookMs);
  }
}

/** Ends nothing; says why the span's work failed. */
export function failed(span: Span, error: unknown): void {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  span.setAttribute(ERROR_TYPE, name);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}
