import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';

// The SDK's own types, by way of what its entry point shows of them.

export type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number];
export type SpanExporter = NodeSDKConfiguration['traceExporter'];
export type Sampler = NodeSDKConfiguration['sampler'];
export type SamplingResult = ReturnType<Sampler['shouldSample']>;

/** A span as its processors and exporters see it. */
export type ReadableSpan = Parameters<SpanProcessor['onEnd']>[0];

/** How an export ended. */
export type ExportResult = Parameters<Parameters<SpanExporter['export']>[1]>[0];
