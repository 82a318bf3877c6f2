import type { TracingConfig } from '@nats-ts/config';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { ApiSpans, failed, RecoverySpans, SyncSpans } from './jetstream-spans.ts';
import { MessageSpans } from './message-spans.ts';
import { startSdk } from './sdk.ts';
import { Tracez } from './tracez.ts';
import { tracezRoutes } from './tracez-routes.ts';
import type { Tracing, TracingLog } from './tracing.ts';

/** Starts the SDK and makes the spans of the service. */
export async function openTracing(
  config: TracingConfig,
  zpages: boolean,
  version: string,
  log: TracingLog,
): Promise<Tracing> {
  const tracez = zpages ? new Tracez() : null;
  const { tracer, stop } = await startSdk(config, version, log, tracez === null ? [] : [tracez]);
  const messages = config.messages ? new MessageSpans(tracer, config.sampler.startsWith('parentbased_')) : null;
  return {
    observer: {
      api: new ApiSpans(tracer),
      syncs: new SyncSpans(tracer, config.slowSyncMs),
      recovery: new RecoverySpans(tracer),
      ...(messages === null ? {} : { messages }),
    },
    routes: tracez === null ? [] : tracezRoutes(tracez),
    async call(name, attributes, run) {
      const span = tracer.startSpan(name, { attributes }, ROOT_CONTEXT);
      try {
        return await run();
      } catch (error) {
        failed(span, error);
        throw error;
      } finally {
        span.end();
      }
    },
    async stop() {
      messages?.stop();
      await stop();
    },
  };
}
