import type { TracingConfig } from '@nats-ts/config';
import {
  context,
  logs,
  type ProxyTracerProvider,
  propagation,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { ExportQueue } from './export-queue.ts';
import { openExporter } from './exporters.ts';
import type { SpanProcessor } from './otel-types.ts';
import { TraceChooser } from './sampler.ts';

/** Name of what makes the spans, for whoever reads them. */
const SCOPE = '@nats-ts/events-service';

/** How long a stop waits for the last spans. */
export const FLUSH_TIMEOUT_MS = 2_000;

/** The running SDK. */
export interface TraceSdk {
  readonly tracer: Tracer;
  /** Sends the last spans, for FLUSH_TIMEOUT_MS at most. */
  stop(): Promise<void>;
}

/**
 * Starts the SDK: its tracer, the exporter that the configuration names, and further processors. What spans are made of
 * (limits of attributes and events) the SDK reads from OTEL_* itself.
 *
 * A program that runs a service inside itself and traces on its own account keeps its global tracer provider.
 */
export async function startSdk(
  config: TracingConfig,
  version: string,
  log: { warn(text: string): void; info(text: string): void },
  processors: readonly SpanProcessor[],
): Promise<TraceSdk> {
  const opened = await openExporter(config).catch((cause: unknown) => {
    throw new Error(`traces cannot be sent with these settings (OTEL_EXPORTER_OTLP_…): ${(cause as Error).message}`, {
      cause,
    });
  });
  const { spansMax, batchMax, delayMs, timeoutMs } = config.queue;
  const queue =
    opened === null
      ? []
      : [new ExportQueue({ ...opened, spansMax, batchMax, delayMs, timeoutMs, log, now: () => performance.now() })];
  const attributes = { 'service.name': config.serviceName, 'service.version': version, ...config.resource };
  const sdk = new NodeSDK({
    resourceDetectors: [{ detect: () => ({ attributes }) }],
    sampler: new TraceChooser(config.sampler, config.samplerRatio),
    spanProcessors: [...processors, ...queue],
    // Traces are all that is asked for: by default the SDK would send metrics and logs too.
    metricReaders: [],
    logRecordProcessors: [],
  });
  const previous = globalProvider();
  if (previous !== null) trace.disable();
  sdk.start();
  const tracer = (globalProvider() ?? trace).getTracer(SCOPE, version);
  if (previous !== null) {
    trace.disable();
    trace.setGlobalTracerProvider(previous);
  }
  return {
    tracer,
    async stop() {
      await bounded(sdk.shutdown(), log);
      if (previous !== null) return;
      trace.disable();
      context.disable();
      logs.disable();
      propagation.disable();
    },
  };
}

/** The tracer provider that somebody has registered, or null. */
function globalProvider(): TracerProvider | null {
  const provider = trace.getTracerProvider() as ProxyTracerProvider;
  const delegate = provider.getDelegate?.() ?? provider;
  return delegate.constructor.name === 'NoopTracerProvider' ? null : delegate;
}

async function bounded(ending: Promise<void>, log: { warn(text: string): void }): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      log.warn(`the last traces were not sent within ${FLUSH_TIMEOUT_MS} ms`);
      resolve();
    }, FLUSH_TIMEOUT_MS);
  });
  const ended = ending.catch((error: unknown) => log.warn(`stopping traces: ${(error as Error).message}`));
  await Promise.race([ended, late]);
  clearTimeout(timer);
}
