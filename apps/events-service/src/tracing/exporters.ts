import type { TracingConfig } from '@nats-ts/config';
import { ConsoleExporter } from './console-exporter.ts';
import type { SpanExporter } from './otel-types.ts';

/** What sends spans, and where to; null: nothing does. Loads only the exporter that is asked for. */
export async function openExporter(config: TracingConfig): Promise<{ exporter: SpanExporter; target: string } | null> {
  if (config.exporter === 'console') {
    return { exporter: new ConsoleExporter((text) => process.stdout.write(text)), target: 'standard output' };
  }
  if (config.otlp === null) return null;
  const { protocol, url, headers } = config.otlp;
  const target = `${withoutSecrets(url)} (OTLP ${protocol})`;
  if (protocol === 'grpc') return { exporter: await grpcExporter(url, headers), target };
  const { OTLPTraceExporter } = await (protocol === 'http/json'
    ? import('@opentelemetry/exporter-trace-otlp-http')
    : import('@opentelemetry/exporter-trace-otlp-proto'));
  return { exporter: new OTLPTraceExporter({ url, headers: { ...headers } }), target };
}

async function grpcExporter(url: string, headers: Readonly<Record<string, string>>): Promise<SpanExporter> {
  const [{ OTLPTraceExporter }, { Metadata }] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-grpc'),
    import('@grpc/grpc-js'),
  ]);
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new OTLPTraceExporter({ url, metadata });
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//').replace(/\?.*/, '');
}
