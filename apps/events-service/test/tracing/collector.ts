import { once } from 'node:events';
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { until } from '../../../../tests/src/index.ts';

/** A span that arrived, decoded. */
export interface CollectedSpan {
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly durationMs: number;
  /** 2 = error. */
  readonly status: number;
  readonly message: string;
  readonly attributes: Record<string, unknown>;
  readonly resource: Record<string, unknown>;
  readonly scope: { name: string; version: string };
}

interface RawAttribute {
  key: string;
  value?: {
    value?: string;
    stringValue?: string;
    boolValue?: boolean;
    intValue?: string | number;
    doubleValue?: number;
  };
}

interface RawSpan {
  traceId: string | Buffer;
  spanId: string | Buffer;
  parentSpanId?: string | Buffer;
  traceState?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string | number;
  endTimeUnixNano: string | number;
  attributes?: RawAttribute[];
  status?: { message?: string; code?: number } | null;
}

interface RawExport {
  resourceSpans?: {
    resource?: { attributes?: RawAttribute[] } | null;
    scopeSpans?: { scope?: { name: string; version: string } | null; spans?: RawSpan[] }[];
  }[];
}

const definition = loadSync(join(import.meta.dirname, 'trace-service.proto'), { longs: String });
const service = definition['opentelemetry.proto.collector.trace.v1.TraceService'] as ServiceDefinition;
const method = service['Export'] as MethodDefinition<RawExport, object>;

/** What a collector of traces has taken. */
export class Collector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  /** Headers (metadata) of each export. */
  readonly headers: Record<string, string>[] = [];
  /** Path of each export. */
  readonly paths: string[] = [];
  /** While set, exports are answered with this HTTP status. */
  refuseWith = 0;
  readonly port: number;
  readonly #close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  /** Listens for OTLP over HTTP, as JSON and as protobuf. */
  static async http(port = 0): Promise<Collector> {
    const server = createServer((request, response) => {
      void collector.#takeHttp(request).then((status) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end('{}');
      });
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const collector = new Collector((server.address() as AddressInfo).port, () => closed(server));
    return collector;
  }

  /** Takes connections and never answers. */
  static async silent(): Promise<Collector> {
    const server = createServer(() => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Collector((server.address() as AddressInfo).port, () => closed(server));
  }

  /** Listens for OTLP over gRPC. */
  static async grpc(): Promise<Collector> {
    const server = new Server();
    server.addService(service, {
      Export(call: ServerUnaryCall<RawExport, object>, answer: sendUnaryData<object>) {
        const metadata = call.metadata.getMap();
        collector.#take(call.request, call.getPath(), metadata as Record<string, string>);
        answer(null, {});
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      const done = (error: Error | null, bound: number): void => (error === null ? resolve(bound) : reject(error));
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), done);
    });
    const collector = new Collector(port, async () => server.forceShutdown());
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The first span of a name, when it has come. */
  async span(name: string, matches: (span: CollectedSpan) => boolean = () => true): Promise<CollectedSpan> {
    return until(`a span ${name}, not only ${[...new Set(this.spans.map((span) => span.name))]}`, async () =>
      this.spans.find((span) => span.name === name && matches(span)),
    );
  }

  async #takeHttp(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (this.refuseWith !== 0) return this.refuseWith;
    const body = Buffer.concat(chunks);
    const isJson = request.headers['content-type'] === 'application/json';
    const raw = isJson ? (JSON.parse(body.toString()) as RawExport) : method.requestDeserialize(body);
    this.#take(raw, request.url ?? '', request.headers as Record<string, string>);
    return 200;
  }

  #take(raw: RawExport, path: string, headers: Record<string, string>): void {
    this.paths.push(path);
    this.headers.push(headers);
    for (const { resource, scopeSpans } of raw.resourceSpans ?? []) {
      for (const { scope, spans } of scopeSpans ?? []) {
        for (const span of spans ?? []) {
          this.spans.push(decoded(span, valuesOf(resource?.attributes), scope ?? { name: '', version: '' }));
        }
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

async function closed(server: HttpServer): Promise<void> {
  const done = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await done;
}

function decoded(
  span: RawSpan,
  resource: Record<string, unknown>,
  { name, version }: { name: string; version: string },
): CollectedSpan {
  return {
    name: span.name,
    kind: span.kind,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId ?? ''),
    traceState: span.traceState ?? '',
    durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
    status: span.status?.code ?? 0,
    message: span.status?.message ?? '',
    attributes: valuesOf(span.attributes),
    resource,
    scope: { name, version },
  };
}

const hex = (id: string | Buffer): string => (typeof id === 'string' ? id : id.toString('hex'));

function valuesOf(attributes: RawAttribute[] | undefined): Record<string, unknown> {
  return Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: RawAttribute['value']): unknown {
  if (value?.intValue !== undefined) return Number(value.intValue);
  return value?.stringValue ?? value?.boolValue ?? value?.doubleValue;
}
