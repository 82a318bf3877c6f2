import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
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
  const { OTLPTraceExporter } = protocol === 'http/json' ? await jsonExporters() : await protobufExporters();
  return { exporter: new OTLPTraceExporter({ url, headers: { ...headers } }), target };
}

type HttpExporters = typeof import('@opentelemetry/exporter-trace-otlp-http');

function jsonExporters(): Promise<HttpExporters> {
  return import('@opentelemetry/exporter-trace-otlp-http');
}

/** It comes with the SDK, has the same shape as the one for JSON, and is found from where the SDK is. */
function protobufExporters(): Promise<HttpExporters> {
  const sdk = createRequire(import.meta.url).resolve('@opentelemetry/sdk-node');
  const path = createRequire(sdk).resolve('@opentelemetry/exporter-trace-otlp-proto');
  return import(pathToFileURL(path).href) as Promise<HttpExporters>;
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
