import { splitHostPort } from '../go/address.ts';
import { goQuote } from '../go/quote.ts';
import type { ValueSource } from './events-config.ts';
import { maskAddress } from './mask.ts';
import type { SettingValues } from './schema.ts';
import {
  type OtlpProtocol,
  type OtlpTarget,
  TRACE_SAMPLERS,
  type TraceSampler,
  type TracingConfig,
} from './tracing-config.ts';

const TYPES = ['', 'jaeger', 'otlp'];
const PROTOCOLS: readonly string[] = ['grpc', 'http/protobuf', 'http/json'];

/** Path of OTLP over HTTP. */
const TRACES_PATH = '/v1/traces';
const GRPC_PORT = 4317;
const HTTP_PORT = 4318;

/** Ports of the Jaeger agent, which took thrift over UDP. */
const AGENT_PORTS = [5775, 6831, 6832];
/** Port and path of the Jaeger collector for thrift over HTTP. */
const COLLECTOR_PORT = 14268;
const COLLECTOR_PATH = '/api/traces';

const ADDRESS_EXPECTED = 'host:port or a URL such as http://host:4317';
const URL_EXPECTED = 'a URL such as http://host:4318';

/** Told what is wrong: the key of the setting, and a text behind it. */
type Report = (key: string, text: string) => void;

/**
 * What the settings of the `tracing` section and the variables of OpenTelemetry come to. What only matters to traces is
 * only looked at when there are traces.
 *
 * `tracing.exporter` counts over `tracing.enabled` and `tracing.type`; an endpoint of OpenTelemetry's over
 * `tracing.endpoint`, that over `tracing.collector`, that over the port of this machine.
 */
export function resolveTracing(
  values: SettingValues,
  sources: ReadonlyMap<string, ValueSource>,
  problem: Report,
  warnings: string[],
): TracingConfig {
  const text = (key: string): string => String(values.get(`tracing.${key}`));
  const number = (key: string): number => Number(values.get(`tracing.${key}`));
  const exporter = exporterOf(values, problem);
  // The pages that show spans have them without an exporter too.
  const isOn = exporter !== 'none' || values.get('debug.zpages') === true;
  const resource = isOn ? keyValues(text('resource_attributes'), 'tracing.resource_attributes', problem) : {};
  const { 'service.name': namedByResource, ...attributes } = resource;
  const warn = (key: string, warning: string): void => {
    warnings.push(`${sources.get(key)?.place ?? 'default'}: ${key} ${warning}`);
  };
  const spansMax = number('queue_spans');
  return {
    exporter,
    otlp: exporter === 'otlp' ? new Target(text, problem, warn).resolve() : null,
    serviceName: text('service_name') || namedByResource || 'nats',
    resource: attributes,
    sampler: isOn ? samplerOf(text('sampler'), problem) : 'parentbased_always_on',
    samplerRatio: isOn ? ratioOf(text('sampler_arg'), problem) : 1,
    messages: values.get('tracing.messages') === true,
    slowSyncMs: number('slow_sync'),
    queue: {
      spansMax,
      batchMax: Math.min(number('batch_spans'), spansMax),
      delayMs: number('batch_delay'),
      timeoutMs: number('export_timeout'),
    },
  };
}

function exporterOf(values: SettingValues, problem: Report): TracingConfig['exporter'] {
  const named = String(values.get('tracing.exporter')).toLowerCase();
  if (named === 'none' || named === 'console' || named === 'otlp') return named;
  if (values.get('tracing.enabled') !== true) return 'none';
  const type = String(values.get('tracing.type'));
  if (!TYPES.includes(type.toLowerCase())) {
    problem('tracing.type', `is ${goQuote(type)}, expected jaeger or otlp`);
    return 'none';
  }
  return 'otlp';
}

/** Works out where the collector is, and how it is spoken to. */
class Target {
  readonly #text: (key: string) => string;
  readonly #problem: Report;
  readonly #warn: Report;
  readonly #isNamed: boolean;
  readonly #isJaeger: boolean;
  readonly #protocol: string;

  constructor(text: (key: string) => string, problem: Report, warn: Report) {
    this.#text = text;
    this.#problem = problem;
    this.#warn = warn;
    // Who says `otlp` by name means OpenTelemetry's ways, defaults included.
    this.#isNamed = text('exporter') !== '';
    this.#isJaeger = !this.#isNamed && text('type').toLowerCase() !== 'otlp';
    this.#protocol = text('otlp_protocol').toLowerCase();
  }

  resolve(): OtlpTarget {
    if (this.#protocol !== '' && !PROTOCOLS.includes(this.#protocol)) {
      const given = goQuote(this.#text('otlp_protocol'));
      this.#problem('tracing.otlp_protocol', `is ${given}, expected one of ${PROTOCOLS.join(', ')}`);
    }
    const headers = keyValues(this.#text('otlp_headers'), 'tracing.otlp_headers', this.#problem);
    return { ...this.#place(), headers };
  }

  #place(): { protocol: OtlpProtocol; url: string } {
    if (this.#text('otlp_traces_endpoint') !== '') return this.#ofOtel('otlp_traces_endpoint', '');
    if (this.#text('otlp_endpoint') !== '') return this.#ofOtel('otlp_endpoint', TRACES_PATH);
    if (this.#text('endpoint') !== '') return this.#ofEndpoint();
    if (this.#text('collector') !== '') return this.#ofCollector();
    const protocol = this.#orDefault(this.#isNamed ? 'http/protobuf' : 'grpc');
    return protocol === 'grpc'
      ? { protocol, url: `http://localhost:${GRPC_PORT}` }
      : { protocol, url: `http://localhost:${HTTP_PORT}${TRACES_PATH}` };
  }

  /** @param path what is put behind the path of the URL with HTTP */
  #ofOtel(name: string, path: string): { protocol: OtlpProtocol; url: string } {
    const given = this.#text(name);
    const protocol = this.#orDefault('http/protobuf');
    if (protocol === 'grpc' && given.startsWith('unix:')) return { protocol, url: given };
    // gRPC takes an address without a scheme too; OTEL_EXPORTER_OTLP_INSECURE says what it means.
    if (protocol === 'grpc' && !given.includes('://')) {
      if (splitHostPort(given) === null) this.#wrong(`tracing.${name}`, given, ADDRESS_EXPECTED);
      return { protocol, url: given };
    }
    const url = parseUrl(given);
    if (url === null) {
      this.#wrong(`tracing.${name}`, given, URL_EXPECTED);
      return { protocol, url: given };
    }
    if (protocol !== 'grpc' && path !== '') url.pathname = url.pathname.replace(/\/$/, '') + path;
    return { protocol, url: protocol === 'grpc' ? url.origin : url.href };
  }

  /** `tracing.endpoint`: gRPC, and never encrypted unless it is a URL that says so, as in the original. */
  #ofEndpoint(): { protocol: OtlpProtocol; url: string } {
    const given = this.#text('endpoint');
    const protocol = this.#orDefault('grpc');
    const url = parseUrl(given.includes('://') ? given : `http://${given}`);
    if (url === null || (!given.includes('://') && !/:\d+$/.test(given))) {
      this.#wrong('tracing.endpoint', given, ADDRESS_EXPECTED);
      return { protocol, url: given };
    }
    if (this.#isJaeger) {
      if (AGENT_PORTS.includes(Number(url.port))) url.port = String(protocol === 'grpc' ? GRPC_PORT : HTTP_PORT);
      this.#warnJaeger('tracing.endpoint', given, protocol, url);
    }
    if (protocol === 'grpc') return { protocol, url: url.origin };
    if (url.pathname === '/') url.pathname = TRACES_PATH;
    return { protocol, url: url.href };
  }

  #ofCollector(): { protocol: OtlpProtocol; url: string } {
    const given = this.#text('collector');
    const protocol = this.#orDefault('http/protobuf');
    const url = parseUrl(given);
    if (url === null) {
      this.#wrong('tracing.collector', given, URL_EXPECTED);
      return { protocol, url: given };
    }
    if (Number(url.port) === COLLECTOR_PORT) url.port = String(protocol === 'grpc' ? GRPC_PORT : HTTP_PORT);
    if (url.pathname === '/' || url.pathname === COLLECTOR_PATH) url.pathname = TRACES_PATH;
    if (this.#isJaeger) this.#warnJaeger('tracing.collector', given, protocol, url);
    return { protocol, url: protocol === 'grpc' ? url.origin : url.href };
  }

  #orDefault(protocol: OtlpProtocol): OtlpProtocol {
    return PROTOCOLS.includes(this.#protocol) ? (this.#protocol as OtlpProtocol) : protocol;
  }

  #wrong(key: string, given: string, expected: string): void {
    this.#problem(key, `is ${goQuote(maskAddress(given))}, expected ${expected}`);
  }

  #warnJaeger(key: string, given: string, protocol: OtlpProtocol, url: URL): void {
    const way = protocol === 'grpc' ? `OTLP over gRPC to ${url.host}` : `OTLP over HTTP to ${maskAddress(url.href)}`;
    this.#warn(
      key,
      `is ${goQuote(maskAddress(given))}: Jaeger's own protocols are gone, traces are sent as ${way}; set tracing.type to otlp and name that address`,
    );
  }
}

/** An http or https URL; null if it is none. */
function parseUrl(text: string): URL | null {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '' ? url : null;
}

function samplerOf(text: string, problem: Report): TraceSampler {
  const found = TRACE_SAMPLERS.find((name) => name === text.toLowerCase());
  if (found === undefined) {
    problem('tracing.sampler', `is ${goQuote(text)}, expected one of ${TRACE_SAMPLERS.join(', ')}`);
  }
  return found ?? 'parentbased_always_on';
}

function ratioOf(text: string, problem: Report): number {
  const ratio = text.trim() === '' ? Number.NaN : Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  problem('tracing.sampler_arg', `is ${goQuote(text)}, expected a number from 0 to 1`);
  return 1;
}

/** Reads `name=value,name=value`, percent-encoded. What is wrong is told without its values: they may be secret. */
function keyValues(text: string, key: string, problem: Report): Record<string, string> {
  const read: Record<string, string> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const name = part.slice(0, equals).trim();
    try {
      if (equals < 0 || name === '') throw new Error('no name');
      read[decodeURIComponent(name)] = decodeURIComponent(part.slice(equals + 1).trim());
    } catch {
      problem(key, 'cannot be read, expected name=value with commas between, percent-encoded');
      return {};
    }
  }
  return read;
}
