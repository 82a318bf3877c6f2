import { randomUUID } from 'node:crypto';
import type { EventsConfig } from '@nats-ts/config';
import { Registry, RegistryError, type Service } from '@nats-ts/kv-registry';
import type { EmbeddedServer } from '@nats-ts/natsd';
import type { ComponentHealth } from '../debug/health-routes.ts';
import { type RegistryCalls, tracedRegistry } from '../tracing/traced-registry.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { NodeTable } from './node-table.ts';
import { type OpenBucket, openBucket, type RegistryPlace } from './open-bucket.ts';
import { advertisedAddress } from './own-address.ts';

/** Where the service registers itself, in oCIS and in OpenCloud. */
const SERVICE_NAMES = { ocis: 'com.owncloud.api.nats', opencloud: 'eu.opencloud.api.nats' } as const;
/** Warnings that are known not to be news; beyond that the oldest may be told again. */
const TOLD_MAX = 100;
/** A registry that does not answer must not hold up the end. */
const STOP_WITHIN_MS = 1_000;

/** What the registry logs. */
export interface RegistryLog {
  info(text: string): void;
  warn(text: string): void;
}

/** Runs a call of the registry, within a span where there are traces. */
export type TracedCall = Tracing['call'];

/** The service registry of this service: it registers itself there, counts who is there, and serves it to others. */
export class RegistryPart {
  readonly #config: EventsConfig;
  readonly #version: string;
  readonly #log: RegistryLog;
  readonly #call: TracedCall;
  readonly #nodes = new NodeTable();
  #opened: OpenBucket | null = null;
  #registry: Registry | null = null;
  /** The same with a span for each call. */
  #calls: RegistryCalls | null = null;
  /** Why this service is not in the registry; null = it is. */
  #reason: string | null = 'not registered yet';
  /** What was logged since this service was last registered: an outage is told once, not with every attempt. */
  readonly #told = new Set<string>();
  #isStopped = false;

  constructor(config: EventsConfig, version: string, log: RegistryLog, call: TracedCall) {
    this.#config = config;
    this.#version = version;
    this.#log = log;
    this.#call = call;
  }

  /**
   * Opens the registry and registers this service there, without waiting for it.
   * Rejects only when the settings cannot be used, such as a certificate that is not there.
   */
  async start(embedded: EmbeddedServer): Promise<void> {
    const { registry } = this.#config;
    const opened = await openBucket(this.#config, embedded, {
      onLost: (error) => this.#onFailure(error),
      onWarning: (error) => this.#warn(error),
    });
    if (this.#isStopped) {
      await opened.close();
      return;
    }
    const processId = randomUUID();
    this.#opened = opened;
    this.#registry = new Registry({
      bucket: opened.bucket,
      processId,
      intervalMs: registry.registerIntervalMs,
      onError: (error) => this.#onFailure(error),
      onRegistered: () => this.#onRegistered(),
    });
    this.#calls = tracedRegistry(this.#registry, { call: this.#call });
    void this.#follow(this.#calls);
    void this.#register(this.#calls, this.#describe(embedded, opened.place, processId));
  }

  /** The registry, once the service serves. */
  get registry(): RegistryCalls | null {
    return this.#calls;
  }

  /** Why the registry cannot be used; null when it can. */
  get unavailable(): string | null {
    return this.#reason;
  }

  /** The broker does not need the registry: that it is away is told, and makes nothing unready. */
  component(): ComponentHealth {
    const place = this.#opened === null ? {} : { place: this.#opened.place };
    const reason = this.#reason === null ? {} : { problem: this.#reason };
    const detail = { ...place, registered: this.#reason === null, nodes: this.#nodes.size, ...reason };
    return { name: 'registry', unready: null, detail };
  }

  /** Nodes by service; null before the registry is open. */
  nodes(): ReadonlyMap<string, number> | null {
    return this.#registry === null ? null : this.#nodes.counts();
  }

  /** Withdraws this service and lets go of the registry. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const [registry, opened] = [this.#registry, this.#opened];
    this.#registry = null;
    this.#calls = null;
    this.#reason = 'the service is stopping';
    if (registry === null || opened === null) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_WITHIN_MS);
    });
    await Promise.race([this.#call('registry close', {}, () => registry.close()), late]);
    clearTimeout(timer);
    await opened.close();
  }

  #describe(embedded: EmbeddedServer, place: RegistryPlace, processId: string): Service {
    const name = SERVICE_NAMES[this.#config.flavour];
    const metadata = {
      broker: 'nats',
      protocol: 'nats',
      registry: place === 'memory' ? 'memory' : 'nats-js-kv',
      server: 'nats',
      transport: 'nats',
      use_tls: String(this.#config.nats.enableTls),
    };
    const address = advertisedAddress({ host: this.#config.nats.host, port: embedded.port });
    const node = { id: `${name}-${processId}`, address, metadata };
    return { name, version: this.#version, metadata: null, endpoints: null, nodes: [node] };
  }

  async #register(registry: RegistryCalls, service: Service): Promise<void> {
    try {
      await registry.register(service);
    } catch (error) {
      // It is tried again until it succeeds.
      this.#onFailure(error);
    }
  }

  async #follow(registry: RegistryCalls): Promise<void> {
    try {
      await registry.watch((event) => this.#nodes.handle(event));
    } catch (error) {
      if (this.#registry !== null) this.#warn(error);
    }
  }

  #onRegistered(): void {
    if (this.#reason === null) return;
    this.#reason = null;
    this.#told.clear();
    this.#log.info('registered in the service registry');
  }

  #onFailure(error: unknown): void {
    const isOurs = !(error instanceof RegistryError) || error.code !== 'malformed';
    if (isOurs) this.#reason = textOf(error);
    this.#warn(error);
  }

  #warn(error: unknown): void {
    if (this.#isStopped) return;
    const text = textOf(error);
    if (this.#told.has(text)) return;
    if (this.#told.size >= TOLD_MAX) this.#told.delete(this.#told.values().next().value!);
    this.#told.add(text);
    this.#log.warn(`registry: ${text}`);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
