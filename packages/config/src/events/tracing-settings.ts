import type { Setting } from './settings.ts';
import { TRACE_SAMPLERS } from './tracing-config.ts';

const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0;
const positiveInteger = { kind: 'integer', expected: 'an integer above zero', accepts: isPositive } as const;

/** Variables of one meaning: oCIS's name, OpenCloud's, the service's own. */
const aliases = (name: string): string[] => [`OCIS_${name}`, `OC_${name}`, `NATS_${name}`];

/** A variable of OpenTelemetry for every kind of data, and its form for traces, which counts over it. */
const otlp = (name: string): string[] => [`OTEL_EXPORTER_OTLP_${name}`, `OTEL_EXPORTER_OTLP_TRACES_${name}`];

const yaml = { inYaml: true } as const;
const otelText = { inYaml: false, kind: 'text', default: '', emptyIsUnset: true } as const;
const otelNumber = { inYaml: false, ...positiveInteger } as const;

/** The settings of the `tracing` section, and the variables of OpenTelemetry. */
export const TRACING_SETTINGS: readonly Setting[] = [
  {
    key: 'tracing.enabled',
    ...yaml,
    kind: 'flag',
    default: 'false',
    env: aliases('TRACING_ENABLED'),
    description: 'Send traces as tracing.type says, where tracing.exporter is not set.',
  },
  {
    key: 'tracing.type',
    ...yaml,
    kind: 'text',
    default: '',
    env: aliases('TRACING_TYPE'),
    description: 'Kind of the tracing system: jaeger, otlp; empty is jaeger. Both get OTLP.',
  },
  {
    key: 'tracing.endpoint',
    ...yaml,
    kind: 'text',
    address: true,
    default: '',
    env: aliases('TRACING_ENDPOINT'),
    description: 'Address of the collector, or of the Jaeger agent: host:port or a URL.',
  },
  {
    key: 'tracing.collector',
    ...yaml,
    kind: 'text',
    address: true,
    default: '',
    env: aliases('TRACING_COLLECTOR'),
    description: 'URL of the collector, used when there is no endpoint.',
  },
  {
    key: 'tracing.exporter',
    ...yaml,
    kind: 'text',
    default: '',
    describeDefault: 'as tracing.enabled says',
    env: ['OC_TRACES_EXPORTER', 'NATS_TRACES_EXPORTER', 'OTEL_TRACES_EXPORTER'],
    description: 'Where traces go: none, console, otlp. Counts over tracing.enabled.',
    emptyIsUnset: true,
    expected: 'one of none, console, otlp',
    accepts: (value) => ['', 'none', 'console', 'otlp'].includes(String(value).toLowerCase()),
  },
  {
    key: 'tracing.messages',
    ...yaml,
    kind: 'flag',
    default: 'false',
    env: ['NATS_TRACING_MESSAGES'],
    description: 'Spans of every sampled message: publish, store, deliver, ack.',
  },
  {
    key: 'tracing.slow_sync',
    ...yaml,
    kind: 'duration',
    default: '100ms',
    env: ['NATS_TRACING_SLOW_SYNC'],
    description: 'Store syncs that take at least this long become spans.',
    accepts: (value) => typeof value === 'number' && value >= 0,
    expected: 'a duration such as 100ms',
  },
  {
    key: 'tracing.otlp_endpoint',
    ...otelText,
    address: true,
    env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    description: 'Base URL of the collector. Counts over tracing.endpoint and tracing.collector.',
  },
  {
    key: 'tracing.otlp_traces_endpoint',
    ...otelText,
    address: true,
    env: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
    description: 'URL of the collector for traces, taken as it is. Counts over tracing.otlp_endpoint.',
  },
  {
    key: 'tracing.otlp_protocol',
    ...otelText,
    describeDefault: 'http/protobuf; grpc for what tracing.endpoint names',
    env: otlp('PROTOCOL'),
    description: 'How the collector is spoken to: grpc, http/protobuf, http/json.',
  },
  {
    key: 'tracing.otlp_headers',
    ...otelText,
    env: otlp('HEADERS'),
    description: 'Headers for the collector: name=value with commas between, percent-encoded.',
    secret: true,
  },
  {
    key: 'tracing.service_name',
    ...otelText,
    describeDefault: 'service.name of the resource attributes, else nats',
    env: ['OTEL_SERVICE_NAME'],
    description: 'Name of the service in traces.',
  },
  {
    key: 'tracing.resource_attributes',
    ...otelText,
    env: ['OTEL_RESOURCE_ATTRIBUTES'],
    description: 'What every trace says of its origin: name=value with commas between, percent-encoded.',
  },
  {
    key: 'tracing.sampler',
    ...otelText,
    default: 'parentbased_always_on',
    env: ['OTEL_TRACES_SAMPLER'],
    description: `Which traces are kept: ${TRACE_SAMPLERS.join(', ')}.`,
  },
  {
    key: 'tracing.sampler_arg',
    ...otelText,
    default: '1',
    env: ['OTEL_TRACES_SAMPLER_ARG'],
    description: 'Share of the traces that the traceidratio samplers keep, from 0 to 1.',
  },
  {
    key: 'tracing.queue_spans',
    ...otelNumber,
    default: '2048',
    env: ['OTEL_BSP_MAX_QUEUE_SIZE'],
    description: 'Spans that may wait to be sent; more are dropped.',
  },
  {
    key: 'tracing.batch_spans',
    ...otelNumber,
    default: '512',
    env: ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'],
    description: 'Spans sent at once.',
  },
  {
    key: 'tracing.batch_delay',
    ...otelNumber,
    default: '5000',
    env: ['OTEL_BSP_SCHEDULE_DELAY'],
    description: 'Milliseconds until fewer spans than that are sent.',
  },
  {
    key: 'tracing.export_timeout',
    ...otelNumber,
    default: '30000',
    env: ['OTEL_BSP_EXPORT_TIMEOUT'],
    description: 'Milliseconds until sending counts as failed.',
  },
];
