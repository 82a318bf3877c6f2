/** How spans go to a collector. */
export type OtlpProtocol = 'grpc' | 'http/protobuf' | 'http/json';

/** Which traces are kept, by the names of OTEL_TRACES_SAMPLER. */
export const TRACE_SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** Which traces are kept. */
export type TraceSampler = (typeof TRACE_SAMPLERS)[number];

/** A collector that takes OTLP. */
export interface OtlpTarget {
  readonly protocol: OtlpProtocol;
  /** With gRPC `http://host:port` (plain), `https://host:port` (TLS) or as it was given; else the full URL. */
  readonly url: string;
  /** Sent with every request. Secret. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the tracing settings come to. */
export interface TracingConfig {
  /** Where spans go: nowhere, to standard output, to a collector. */
  readonly exporter: 'none' | 'console' | 'otlp';
  /** Null unless the exporter is `otlp`. */
  readonly otlp: OtlpTarget | null;
  readonly serviceName: string;
  /** Said of everything that is sent, beside the service's name. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: TraceSampler;
  /** Share of the traces that the `traceidratio` samplers keep, from 0 to 1. */
  readonly samplerRatio: number;
  /** Spans of messages too, not only of requests and syncs. */
  readonly messages: boolean;
  /** Store syncs that take at least this long become spans. */
  readonly slowSyncMs: number;
  readonly queue: {
    /** Spans that may wait for the exporter; what comes beyond is dropped. */
    readonly spansMax: number;
    /** Spans in one export. */
    readonly batchMax: number;
    /** Milliseconds between exports that are not full. */
    readonly delayMs: number;
    /** Milliseconds until an export counts as failed. */
    readonly timeoutMs: number;
  };
}
