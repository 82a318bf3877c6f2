import type { Endpoint, Node, Service, Value } from '@nats-ts/kv-registry';

/** Messages of proto/registry.proto as the loader gives and takes them: defaults filled in, absent messages null. */
export interface ServiceMessage {
  readonly name: string;
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly endpoints: readonly EndpointMessage[];
  readonly nodes: readonly NodeMessage[];
  readonly options: OptionsMessage | null;
}

export interface NodeMessage {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly metadata: Readonly<Record<string, string>>;
}

interface EndpointMessage {
  readonly name: string;
  readonly request: ValueMessage | null;
  readonly response: ValueMessage | null;
  readonly metadata: Readonly<Record<string, string>>;
}

interface ValueMessage {
  readonly name: string;
  readonly type: string;
  readonly values: readonly ValueMessage[];
}

export interface OptionsMessage {
  /** Seconds. */
  readonly ttl: number;
  readonly domain: string;
}

/** go-micro's name for a version that nobody gave. */
const LATEST = 'latest';

/** The service with one of its nodes, as it is kept. */
export function serviceOf(message: ServiceMessage, node: NodeMessage): Service {
  return {
    name: message.name,
    version: versionOf(message),
    metadata: orNull(message.metadata),
    endpoints: message.endpoints.map(endpointOf),
    nodes: [nodeOf(node)],
  };
}

export function versionOf({ version }: Pick<ServiceMessage, 'version'>): string {
  return version === '' ? LATEST : version;
}

/** What stands for a node's process in its key: its id without the name of the service, as Go services have it. */
export function processIdOf(service: string, node: string): string {
  return node.startsWith(`${service}-`) ? node.slice(service.length + 1) : node;
}

export function toMessage(service: Pick<Service, 'name' | 'version'> & Partial<Service>): ServiceMessage {
  return {
    name: service.name,
    version: service.version,
    metadata: service.metadata ?? {},
    endpoints: (service.endpoints ?? []).map((endpoint) => ({
      name: endpoint.name,
      request: endpoint.request === null ? null : toValue(endpoint.request),
      response: endpoint.response === null ? null : toValue(endpoint.response),
      metadata: endpoint.metadata ?? {},
    })),
    nodes: (service.nodes ?? []).map(({ id, address, metadata }) => ({
      id,
      address,
      // The address has it.
      port: 0,
      metadata: metadata ?? {},
    })),
    options: null,
  };
}

function nodeOf({ id, address, port, metadata }: NodeMessage): Node {
  const hasPort = /^(\[[^\]]*\]|[^:]*):\d+$/.test(address);
  const host = address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
  return { id, address: port === 0 || hasPort ? address : `${host}:${port}`, metadata: orNull(metadata) };
}

function endpointOf({ name, request, response, metadata }: EndpointMessage): Endpoint {
  return {
    name,
    request: request === null ? null : typeOf(request),
    response: response === null ? null : typeOf(response),
    metadata: orNull(metadata),
  };
}

function typeOf({ name, type, values }: ValueMessage): Value {
  return { name, type, values: values.map(typeOf) };
}

/** Go services may leave out anything. */
function toValue(value: Partial<Value>): ValueMessage {
  return { name: value.name ?? '', type: value.type ?? '', values: (value.values ?? []).map(toValue) };
}

function orNull(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null {
  return Object.keys(map).length === 0 ? null : map;
}
