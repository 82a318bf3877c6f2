import { describe, expect, test } from 'vitest';
import { ConfigError, loadEventsConfig, type TracingConfig } from '../src/index.ts';
import { eventsInputs } from './support/events-inputs.ts';

function load(env: Record<string, string>): { tracing: TracingConfig; warnings: readonly string[] } {
  const { config, warnings } = loadEventsConfig(eventsInputs({ env }));
  return { tracing: config.tracing, warnings };
}

function problemsOf(env: Record<string, string>): string[] {
  try {
    loadEventsConfig(eventsInputs({ env }));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.text);
    throw error;
  }
  return [];
}

/** `grpc http://host:4317` */
function targetOf(env: Record<string, string>): string {
  const { otlp } = load(env).tracing;
  return otlp === null ? 'none' : `${otlp.protocol} ${otlp.url}`;
}

const ON = { OCIS_TRACING_ENABLED: 'true', OCIS_TRACING_TYPE: 'otlp' };
const JAEGER = { OCIS_TRACING_ENABLED: 'true', OCIS_TRACING_TYPE: 'jaeger' };
const NAMED = { OTEL_TRACES_EXPORTER: 'otlp' };

describe('where traces go', () => {
  test.each([
    [{}, 'none'],
    [{ OCIS_TRACING_ENABLED: 'true' }, 'otlp'],
    [{ OC_TRACES_EXPORTER: 'otlp' }, 'otlp'],
    [{ NATS_TRACES_EXPORTER: 'Console' }, 'console'],
    [{ OTEL_TRACES_EXPORTER: 'console' }, 'console'],
    [{ OC_TRACES_EXPORTER: 'otlp', NATS_TRACES_EXPORTER: 'console' }, 'console'],
    [{ NATS_TRACES_EXPORTER: 'console', OTEL_TRACES_EXPORTER: 'none' }, 'none'],
    [{ OCIS_TRACING_ENABLED: 'true', OTEL_TRACES_EXPORTER: 'none' }, 'none'],
    [{ OCIS_TRACING_ENABLED: 'true', OTEL_TRACES_EXPORTER: '' }, 'otlp'],
  ])('%j: %s', (env, exporter) => {
    expect(load(env as Record<string, string>).tracing.exporter).toBe(exporter);
  });
});

describe('the collector', () => {
  test.each([
    ['nobody names it', ON, 'grpc http://localhost:4317'],
    ['nobody names it, by the name of OpenTelemetry', NAMED, 'http/protobuf http://localhost:4318/v1/traces'],
    ['an address', { ...ON, OCIS_TRACING_ENDPOINT: 'otel:1234' }, 'grpc http://otel:1234'],
    ['the newer exporter, the older address', { ...NAMED, OC_TRACING_ENDPOINT: 'otel:1' }, 'grpc http://otel:1'],
    ['a URL with TLS', { ...ON, NATS_TRACING_ENDPOINT: 'https://otel:1234' }, 'grpc https://otel:1234'],
    ['an IPv6 address', { ...ON, NATS_TRACING_ENDPOINT: '[::1]:6831' }, 'grpc http://[::1]:6831'],
    [
      'an address, with HTTP',
      { ...ON, NATS_TRACING_ENDPOINT: 'otel:4318', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      'http/json http://otel:4318/v1/traces',
    ],
    [
      'only a collector',
      { ...ON, NATS_TRACING_COLLECTOR: 'http://otel:4318' },
      'http/protobuf http://otel:4318/v1/traces',
    ],
    [
      'the endpoint of OpenTelemetry, over the older one',
      { ...ON, NATS_TRACING_ENDPOINT: 'a:1', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://b:2/base/' },
      'http/protobuf http://b:2/base/v1/traces',
    ],
    [
      'that for traces, over that for everything',
      { ...NAMED, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b:2/x' },
      'http/protobuf http://b:2/x',
    ],
    [
      'gRPC, the protocol for traces over that for everything',
      {
        ...NAMED,
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4317',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
      },
      'grpc http://a:4317',
    ],
    [
      'gRPC, an address without a scheme',
      { ...NAMED, OTEL_EXPORTER_OTLP_ENDPOINT: 'a:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      'grpc a:4317',
    ],
    [
      'gRPC, a socket',
      { ...NAMED, OTEL_EXPORTER_OTLP_ENDPOINT: 'unix:///run/otel', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      'grpc unix:///run/otel',
    ],
  ])('%s', (_, env, target) => {
    expect(targetOf(env as Record<string, string>)).toBe(target);
    expect(load(env as Record<string, string>).warnings).toEqual([]);
  });

  test.each([
    ['the agent of Jaeger', { NATS_TRACING_ENDPOINT: 'jaeger:6831' }, 'grpc http://jaeger:4317'],
    ['the agent as a URL', { NATS_TRACING_ENDPOINT: 'http://jaeger:6832' }, 'grpc http://jaeger:4317'],
    ['another port of it', { NATS_TRACING_ENDPOINT: 'jaeger:4000' }, 'grpc http://jaeger:4000'],
    [
      'its collector',
      { NATS_TRACING_COLLECTOR: 'http://jaeger:14268/api/traces' },
      'http/protobuf http://jaeger:4318/v1/traces',
    ],
    [
      'another port of its collector',
      { NATS_TRACING_COLLECTOR: 'https://jaeger:443/api/traces' },
      'http/protobuf https://jaeger/v1/traces',
    ],
    ['both', { NATS_TRACING_ENDPOINT: 'a:6831', NATS_TRACING_COLLECTOR: 'http://b:14268' }, 'grpc http://a:4317'],
    ['no kind at all', { NATS_TRACING_ENDPOINT: 'a:6831', OCIS_TRACING_TYPE: '' }, 'grpc http://a:4317'],
  ])('%s gets OTLP, and one warning', (_, env, target) => {
    const all = { ...JAEGER, ...(env as Record<string, string>) };
    expect(targetOf(all)).toBe(target);
    const { warnings } = load(all);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^env NATS_TRACING_\w+: tracing\.\w+ is "[^"]+": Jaeger's own protocols are gone/);
    expect(warnings[0]).toContain(target.split('://')[1]);
  });
});

test('headers, resource and sampler are read', () => {
  const { tracing } = load({
    ...NAMED,
    OTEL_EXPORTER_OTLP_HEADERS: 'a=never',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=Bearer%20x, b=c=d',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=from-resource,service.namespace=ocis,x=%2C',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
  });
  expect(tracing.otlp?.headers).toEqual({ authorization: 'Bearer x', b: 'c=d' });
  expect(tracing).toMatchObject({
    serviceName: 'from-resource',
    resource: { 'service.namespace': 'ocis', x: ',' },
    sampler: 'parentbased_traceidratio',
    samplerRatio: 0.25,
    queue: { spansMax: 100, batchMax: 100, delayMs: 5000, timeoutMs: 30_000 },
  });
  expect(
    load({ ...NAMED, OTEL_SERVICE_NAME: 'own', OTEL_RESOURCE_ATTRIBUTES: 'service.name=x' }).tracing,
  ).toMatchObject({
    serviceName: 'own',
    resource: {},
  });
});

test('the sampler is that of the pages that show spans, too', () => {
  const env = { NATS_DEBUG_ZPAGES: 'true', OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' };
  expect(load(env).tracing).toMatchObject({ exporter: 'none', otlp: null, sampler: 'traceidratio', samplerRatio: 0.5 });
});

describe('wrong values', () => {
  test.each([
    [
      { ...ON, NATS_TRACING_TYPE: 'zipkin' },
      'env NATS_TRACING_TYPE: tracing.type is "zipkin", expected jaeger or otlp',
    ],
    [
      { OTEL_TRACES_EXPORTER: 'zipkin' },
      'env OTEL_TRACES_EXPORTER: tracing.exporter is "zipkin", expected one of none, console, otlp',
    ],
    [
      { ...ON, NATS_TRACING_ENDPOINT: 'jaeger' },
      'env NATS_TRACING_ENDPOINT: tracing.endpoint is "jaeger", expected host:port or a URL such as http://host:4317',
    ],
    [
      { ...ON, NATS_TRACING_ENDPOINT: 'udp://jaeger:1' },
      'env NATS_TRACING_ENDPOINT: tracing.endpoint is "udp://jaeger:1", expected host:port or a URL such as http://host:4317',
    ],
    [
      { ...JAEGER, OCIS_TRACING_COLLECTOR: 'jaeger:14268' },
      'env OCIS_TRACING_COLLECTOR: tracing.collector is "jaeger:14268", expected a URL such as http://host:4318',
    ],
    [
      { ...NAMED, OTEL_EXPORTER_OTLP_ENDPOINT: 'otel:4318' },
      'env OTEL_EXPORTER_OTLP_ENDPOINT: tracing.otlp_endpoint is "otel:4318", expected a URL such as http://host:4318',
    ],
    [
      { ...NAMED, OTEL_EXPORTER_OTLP_PROTOCOL: 'thrift' },
      'env OTEL_EXPORTER_OTLP_PROTOCOL: tracing.otlp_protocol is "thrift", expected one of grpc, http/protobuf, http/json',
    ],
    [
      { ...NAMED, OTEL_EXPORTER_OTLP_HEADERS: 'geheim' },
      'env OTEL_EXPORTER_OTLP_HEADERS: tracing.otlp_headers cannot be read, expected name=value with commas between, percent-encoded',
    ],
    [
      { ...NAMED, OTEL_TRACES_SAMPLER: 'jaeger_remote' },
      'env OTEL_TRACES_SAMPLER: tracing.sampler is "jaeger_remote", expected one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio',
    ],
    [
      { ...NAMED, OTEL_TRACES_SAMPLER_ARG: '2' },
      'env OTEL_TRACES_SAMPLER_ARG: tracing.sampler_arg is "2", expected a number from 0 to 1',
    ],
    [
      { OTEL_BSP_MAX_QUEUE_SIZE: '0' },
      'env OTEL_BSP_MAX_QUEUE_SIZE: tracing.queue_spans is "0", expected an integer above zero',
    ],
    [
      { NATS_TRACING_SLOW_SYNC: '100' },
      'env NATS_TRACING_SLOW_SYNC: tracing.slow_sync is "100", expected a duration such as 100ms',
    ],
  ])('%j is an error that says who, what and what else', (env, problem) => {
    expect(problemsOf(env as Record<string, string>)).toEqual([problem]);
  });

  test('nothing that only matters to traces is looked at without them', () => {
    expect(
      problemsOf({
        NATS_TRACING_TYPE: 'zipkin',
        NATS_TRACING_ENDPOINT: 'x',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'x',
        OTEL_EXPORTER_OTLP_HEADERS: 'x',
        OTEL_TRACES_SAMPLER: 'x',
        OTEL_TRACES_SAMPLER_ARG: 'x',
        OTEL_RESOURCE_ATTRIBUTES: 'x',
      }),
    ).toEqual([]);
  });
});
