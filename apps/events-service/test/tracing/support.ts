import { connect, type NatsConnection } from '@nats-io/transport-node';
import { loadEventsConfig, type TracingConfig } from '@nats-ts/config';
import type { Tracer } from '@opentelemetry/api';
import type { ReadableSpan } from '../../src/tracing/otel-types.ts';
import { startSdk } from '../../src/tracing/sdk.ts';

/** What the given variables come to. */
export function tracingConfig(env: Record<string, string>): TracingConfig {
  const readFile = (): never => {
    throw Object.assign(new Error('not there'), { code: 'ENOENT' });
  };
  return loadEventsConfig({ env, readFile, home: '/home/nobody', canMake: () => true }).config.tracing;
}

/** A log that keeps its lines. */
export class KeptLog {
  readonly lines: string[] = [];

  info(text: string): void {
    this.lines.push(`info ${text}`);
  }

  warn(text: string): void {
    this.lines.push(`warn ${text}`);
  }
}

/** Connects an official client. */
export async function client(port: number): Promise<NatsConnection & AsyncDisposable> {
  const connection = await connect({ port, reconnect: false });
  return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close() });
}

/** An event as oCIS services publish it. */
export function event(traceparent: string): string {
  return JSON.stringify({
    Timestamp: '2026-11-21T05:00:00.123456789Z',
    Metadata: { eventid: 'e-1', eventtype: 'events.UploadReady', initiatorid: '', traceparent },
    ID: 'e-1',
    Topic: 'main-queue',
    Payload: 'e30=',
  });
}

/** A processor that keeps the spans that ended. */
export class KeptSpans {
  readonly ended: ReadableSpan[] = [];
  readonly started: ReadableSpan[] = [];

  onStart(span: ReadableSpan): void {
    this.started.push(span);
  }

  onEnd(span: ReadableSpan): void {
    this.ended.push(span);
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  /** The names of the spans that ended, in order; since the last call. */
  take(): string[] {
    return this.ended.splice(0).map((span) => span.name);
  }
}

/** A tracer whose spans are kept. */
export async function keptTracer(
  env: Record<string, string> = {},
): Promise<{ tracer: Tracer; spans: KeptSpans } & AsyncDisposable> {
  const spans = new KeptSpans();
  const config = { ...tracingConfig({ OTEL_TRACES_EXPORTER: 'console', ...env }), exporter: 'none' as const };
  const { tracer, stop } = await startSdk(config, '1.2.3', new KeptLog(), [spans]);
  return { tracer, spans, [Symbol.asyncDispose]: stop };
}
