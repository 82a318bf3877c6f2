import type { TracingConfig } from '@nats-ts/config';
import type { JetStreamObserver } from '@nats-ts/natsd';
import type { DebugRoute } from '../debug/route.ts';

/** What the service logs about its traces. */
export interface TracingLog {
  info(text: string): void;
  warn(text: string): void;
}

/** What a span says, by name. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Traces of the service while it runs. */
export interface Tracing {
  /** Tells JetStream's work to the tracer. */
  readonly observer: JetStreamObserver;
  /** What the debug server shows of the spans; empty unless it is asked to. */
  readonly routes: readonly DebugRoute[];
  /** Runs something within a span; what it rejects with fails the span too. */
  call<T>(name: string, attributes: SpanAttributes, run: () => Promise<T>): Promise<T>;
  /** Ends what is under way and sends the last spans, for a bounded time. */
  stop(): Promise<void>;
}

/**
 * Starts traces if the configuration asks for them, or for pages that show them; else null, and nothing of OpenTelemetry is
 * loaded.
 */
export async function startTracing(
  config: TracingConfig,
  zpages: boolean,
  version: string,
  log: TracingLog,
): Promise<Tracing | null> {
  if (config.exporter === 'none' && !zpages) return null;
  const { openTracing } = await import('./open-tracing.ts');
  return openTracing(config, zpages, version, log);
}
