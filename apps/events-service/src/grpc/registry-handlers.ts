import {
  type handleUnaryCall,
  Metadata,
  type ServerWritableStream,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { RegistryEvent } from '@nats-ts/kv-registry';
import type { RegistryCalls } from '../tracing/traced-registry.ts';
import { CallError } from './call-error.ts';
import type { Leases } from './leases.ts';
import { NODES_MAX, WATCH_EVENTS_PENDING_MAX, WATCHERS_MAX } from './limits.ts';
import {
  type NodeMessage,
  type OptionsMessage,
  processIdOf,
  type ServiceMessage,
  serviceOf,
  toMessage,
  versionOf,
} from './messages.ts';

const PORT_MAX = 65_535;

interface NamedRequest {
  readonly service: string;
  readonly options: OptionsMessage | null;
}

type WatchCall = ServerWritableStream<NamedRequest, object>;

/** What the calls need. */
export interface RegistryHandlerParts {
  /** Null while the service does not serve. */
  readonly registry: () => RegistryCalls | null;
  readonly leases: Leases;
  /** Seconds since 1970. */
  readonly nowSeconds: () => number;
}

/** The calls of go.micro.registry.Registry. */
export class RegistryHandlers {
  readonly #parts: RegistryHandlerParts;
  /** What ends each of them. */
  readonly #watches = new Map<WatchCall, AbortController>();

  constructor(parts: RegistryHandlerParts) {
    this.#parts = parts;
  }

  /** The handlers by the names of the proto file. */
  get handlers(): UntypedServiceImplementation {
    return {
      GetService: this.#unary((request: NamedRequest) => this.#get(request)),
      Register: this.#unary((request: ServiceMessage) => this.#register(request)),
      Deregister: this.#unary((request: ServiceMessage) => this.#deregister(request)),
      ListServices: this.#unary((request: NamedRequest) => this.#list(request)),
      Watch: (call: WatchCall) => void this.#watch(call),
    };
  }

  /** Ends every watch: the server stops. */
  stop(): void {
    for (const call of [...this.#watches.keys()])
      this.#end(call, new CallError(status.UNAVAILABLE, 'the service is stopping'));
  }

  #unary<T>(run: (request: T) => Promise<object>): handleUnaryCall<T, object> {
    return (call, callback) => {
      run(call.request).then(
        (answer) => callback(null, answer),
        (error: unknown) => callback(CallError.from(error)),
      );
    };
  }

  #registry(options: OptionsMessage | null): RegistryCalls {
    if (options !== null && options.domain !== '')
      throw new CallError(status.INVALID_ARGUMENT, 'domains are not supported, expected an empty one');
    const registry = this.#parts.registry();
    if (registry === null) throw new CallError(status.UNAVAILABLE, 'the registry is not open');
    return registry;
  }

  async #get({ service, options }: NamedRequest): Promise<object> {
    const registry = this.#registry(options);
    if (service === '') throw new CallError(status.INVALID_ARGUMENT, 'service is empty, expected a name');
    const services = await registry.getService(service);
    if (services.length === 0) throw new CallError(status.NOT_FOUND, 'service not found');
    return { services: services.map(toMessage) };
  }

  async #list({ options }: Pick<NamedRequest, 'options'>): Promise<object> {
    return { services: (await this.#registry(options).listServices()).map(toMessage) };
  }

  async #register(message: ServiceMessage): Promise<object> {
    const registry = this.#registry(message.options);
    const ttlSeconds = message.options?.ttl ?? 0;
    if (ttlSeconds < 0) throw new CallError(status.INVALID_ARGUMENT, `options.ttl is ${ttlSeconds}, expected seconds`);
    const { leases } = this.#parts;
    const nodes = nodesOf(message);
    checkAddresses(nodes);
    for (const node of nodes) {
      const [service, id] = [serviceOf(message, node), processIdOf(message.name, node.id)];
      if (ttlSeconds > 0) leases.expectRoom(service, id);
      await registry.announceFor(service, id);
      leases.begin(service, id, ttlSeconds * 1000);
    }
    return {};
  }

  async #deregister(message: ServiceMessage): Promise<object> {
    const registry = this.#registry(message.options);
    const service = { name: message.name, version: versionOf(message) };
    for (const node of nodesOf(message)) {
      const id = processIdOf(message.name, node.id);
      this.#parts.leases.end(service, id);
      await registry.withdrawFor(service, id);
    }
    return {};
  }

  async #watch(call: WatchCall): Promise<void> {
    try {
      const registry = this.#registry(call.request.options);
      if (this.#watches.size >= WATCHERS_MAX)
        throw new CallError(status.RESOURCE_EXHAUSTED, `at most ${WATCHERS_MAX} watches run at once`);
      const ending = new AbortController();
      this.#watches.set(call, ending);
      call.on('cancelled', () => this.#end(call, null));
      // Before anything happens the client is told that the watch runs.
      call.sendMetadata(new Metadata());
      const { service } = call.request;
      const name = service === '' ? null : service;
      const watch = await registry.watch((event) => this.#send(call, event), name, ending.signal);
      if (ending.signal.aborted) watch.stop();
      else ending.signal.addEventListener('abort', () => watch.stop());
    } catch (error) {
      if (!call.cancelled) this.#end(call, CallError.from(error));
    }
  }

  #send(call: WatchCall, { action, service }: RegistryEvent): void {
    if (!this.#watches.has(call)) return;
    if (call.writableLength >= WATCH_EVENTS_PENDING_MAX) {
      const text = `${WATCH_EVENTS_PENDING_MAX} events wait to be taken`;
      this.#end(call, new CallError(status.RESOURCE_EXHAUSTED, text));
      return;
    }
    call.write({ action, service: toMessage(service), timestamp: this.#parts.nowSeconds() });
  }

  #end(call: WatchCall, error: CallError | null): void {
    const ending = this.#watches.get(call);
    this.#watches.delete(call);
    if (error !== null) call.emit('error', error);
    ending?.abort();
  }
}

function nodesOf({ name, nodes }: ServiceMessage): readonly NodeMessage[] {
  if (name === '') throw new CallError(status.INVALID_ARGUMENT, 'name is empty, expected that of a service');
  if (nodes.length === 0 || nodes.length > NODES_MAX)
    throw new CallError(status.INVALID_ARGUMENT, `${nodes.length} nodes, expected 1 to ${NODES_MAX}`);
  for (const { id } of nodes)
    if (id === '') throw new CallError(status.INVALID_ARGUMENT, 'a node has no id, expected a text');
  return nodes;
}

/** Whoever finds a node must be able to connect to it. */
function checkAddresses(nodes: readonly NodeMessage[]): void {
  for (const { id, address, port } of nodes) {
    const node = `node ${JSON.stringify(id)}`;
    if (address === '') throw new CallError(status.INVALID_ARGUMENT, `${node} has no address, expected host:port`);
    if (port < 0 || port > PORT_MAX)
      throw new CallError(status.INVALID_ARGUMENT, `${node} has the port ${port}, expected 0 to ${PORT_MAX}`);
  }
}
