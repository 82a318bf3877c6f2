import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ExportResult, ReadableSpan, SpanExporter } from './otel-types.ts';

const SUCCESS = { code: 0 as ExportResult['code'] };

/** Writes spans as lines of JSON. */
export class ConsoleExporter implements SpanExporter {
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#write(spans.map((span) => `${JSON.stringify(spanRecord(span))}\n`).join(''));
    done(SUCCESS);
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** A span as plain data, its times as texts and milliseconds. */
export function spanRecord(span: ReadableSpan): Record<string, unknown> {
  const { traceId, spanId } = span.spanContext();
  const [seconds, nanos] = span.startTime;
  const isEnded = span.ended;
  return {
    name: span.name,
    kind: SpanKind[span.kind],
    trace_id: traceId,
    span_id: spanId,
    parent_span_id: span.parentSpanContext?.spanId ?? '',
    start: new Date(seconds * 1000 + nanos / 1e6).toISOString(),
    duration_ms: isEnded ? durationMs(span) : null,
    status: SpanStatusCode[span.status.code],
    ...(span.status.message === undefined ? {} : { message: span.status.message }),
    attributes: span.attributes,
    ...(span.links.length === 0 ? {} : { links: span.links.map(({ context }) => context) }),
  };
}

/** How long an ended span took. */
export function durationMs(span: ReadableSpan): number {
  return span.duration[0] * 1000 + span.duration[1] / 1e6;
}
