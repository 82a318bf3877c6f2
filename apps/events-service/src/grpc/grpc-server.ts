import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition, type Options as ProtoOptions } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import type { EventsConfig } from '@nats-ts/config';
import { protoPath as healthProto } from 'grpc-health-check';
import { splitAddress } from '../address.ts';
import { CertificateWatch } from '../certificate-watch.ts';
import type { Clock } from '../clock.ts';
import type { ServiceLogger } from '../logger.ts';
import { HealthHandlers } from './health-handlers.ts';
import { Leases, SYSTEM_LEASE_CLOCK } from './leases.ts';
import { CONCURRENT_STREAMS_MAX, RECEIVED_BYTES_MAX, SENT_BYTES_MAX } from './limits.ts';
import { type RegistryHandlerParts, RegistryHandlers } from './registry-handlers.ts';
import { TlsCredentials } from './tls-credentials.ts';
import { tokenCheck } from './token-check.ts';

/** Calls that are under way have this long to end when the server stops. */
const STOP_WITHIN_MS = 500;

const PROTO = fileURLToPath(new URL('../../proto/registry.proto', import.meta.url));
const LOADING: ProtoOptions = { keepCase: true, longs: Number, enums: String, defaults: true };

/** What the gRPC server serves. */
export interface GrpcSources extends Pick<RegistryHandlerParts, 'registry'> {
  /** Whether a component works: `''` is the service as a whole; null: there is none of that name. */
  readonly isServing: (component: string) => boolean | null;
  /** When the files of the certificate are looked at. */
  readonly clock: Clock;
  readonly log: ServiceLogger;
}

/** The registry, health and reflection over gRPC. */
export class GrpcServer {
  readonly #config: EventsConfig;
  readonly #server: Server;
  readonly #registry: RegistryHandlers;
  readonly #health: HealthHandlers;
  readonly #leases: Leases;
  /** Null: no TLS. */
  readonly #certificates: CertificateWatch | null;
  #port = 0;

  constructor(config: EventsConfig, sources: GrpcSources) {
    const { token } = config.grpc;
    this.#config = config;
    this.#leases = new Leases({
      registry: sources.registry,
      intervalMs: config.registry.registerIntervalMs,
      clock: SYSTEM_LEASE_CLOCK,
      onError: (error) => sources.log.warn(`registry: ${String(error)}`),
    });
    this.#certificates = certificatesOf(config, sources);
    const nowSeconds = (): number => Math.floor(Date.now() / 1000);
    this.#registry = new RegistryHandlers({ ...sources, leases: this.#leases, nowSeconds });
    this.#health = new HealthHandlers(sources.isServing);
    this.#server = new Server({
      'grpc.max_receive_message_length': RECEIVED_BYTES_MAX,
      'grpc.max_send_message_length': SENT_BYTES_MAX,
      'grpc.max_concurrent_streams': CONCURRENT_STREAMS_MAX,
      ...(token === '' ? {} : { interceptors: [tokenCheck(token)] }),
    });
    this.#serve();
  }

  /** Port it listens on, once started. */
  get port(): number {
    return this.#port;
  }

  /** Rejects when the address is taken or a certificate cannot be used. */
  async start(): Promise<void> {
    const { addr } = this.#config.grpc;
    const address = splitAddress(addr);
    if (address === null)
      throw new Error(`NATS_GRPC_ADDR: ${JSON.stringify(addr)} is not an address, expected host:port`);
    const host = address.host === '' ? '0.0.0.0' : address.host;
    const target = `${host.includes(':') ? `[${host}]` : host}:${address.port}`;
    const tls = this.#certificates === null ? null : new TlsCredentials(await this.#certificates.read());
    const credentials = tls ?? ServerCredentials.createInsecure();
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(target, credentials, (error, port) => {
        if (error === null) resolve(port);
        else reject(new Error(`NATS_GRPC_ADDR: cannot listen on ${target}: ${error.message}`, { cause: error }));
      });
    });
    if (tls !== null) this.#certificates?.start((material) => tls.replace(material));
  }

  /** Watches end, other calls have a moment to, then connections close. */
  async stop(): Promise<void> {
    this.#certificates?.stop();
    this.#leases.stop();
    this.#registry.stop();
    this.#health.stop();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, STOP_WITHIN_MS);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #serve(): void {
    const definition: PackageDefinition = { ...loadSync(PROTO, LOADING), ...loadSync(healthProto, LOADING) };
    const add = (name: string, handlers: UntypedServiceImplementation): void =>
      this.#server.addService(definition[name] as ServiceDefinition, handlers);
    add('go.micro.registry.Registry', this.#registry.handlers);
    add('grpc.health.v1.Health', this.#health.handlers);
    new ReflectionService(definition).addToServer(this.#server);
  }
}

function certificatesOf({ grpc }: EventsConfig, { clock, log }: GrpcSources): CertificateWatch | null {
  const { tlsCert: certFile, tlsKey: keyFile, tlsClientCa: caFile } = grpc;
  if (certFile === '') return null;
  return new CertificateWatch({ files: { certFile, keyFile, caFile, settings: 'NATS_GRPC_TLS' }, clock, log });
}
