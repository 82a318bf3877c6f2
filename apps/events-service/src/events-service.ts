import type { EventsConfig, LoadedEventsConfig } from '@nats-ts/config';
import { type EmbeddedJetStream, type EmbeddedServer, type StartOptions, startServer } from '@nats-ts/natsd';
import { splitAddress } from './address.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { DebugServer } from './debug/debug-server.ts';
import { type ComponentHealth, type HealthSource, unreadyReasons } from './debug/health-routes.ts';
import { debugRoutes } from './debug/routes.ts';
import { DiskWatch, type ReadSpace, readSpace } from './disk-watch.ts';
import type { GrpcServer } from './grpc/grpc-server.ts';
import type { ServiceLogger } from './logger.ts';
import { RecoveryFigures } from './metrics/recovery-figures.ts';
import type { MetricSources } from './metrics/sources.ts';
import { SyncFigures } from './metrics/sync-figures.ts';
import { Profiler } from './profiles/profiler.ts';
import { RegistryPart, type TracedCall } from './registry/registry-part.ts';
import { diskAdvice, serverOptions } from './server-options.ts';
import { StartProgress } from './start-progress.ts';
import { createMissingCertificate, type TlsFiles } from './tls-files.ts';
import { joinObservers } from './tracing/join-observers.ts';
import { startTracing, type Tracing } from './tracing/tracing.ts';

/** What a service may be given from outside, beside its configuration. */
export interface EventsDependencies {
  /** The file operations of the store; tests break the disk with it. Default: those of the machine. */
  readonly fileSystem?: NonNullable<EmbeddedJetStream['fileSystem']>;
  /** When the disk is looked at and progress is told. Default: the machine's time. */
  readonly clock?: Clock;
  /** How much room there is on the disk of the store. Default: what the machine says. */
  readonly readSpace?: ReadSpace;
  /** What `/config` of the debug server shows. Default: there is no such path. */
  readonly shownSettings?: LoadedEventsConfig['settings'];
}

type Phase = 'starting' | 'recovering' | 'serving' | 'stopping';

/** The broker in the shape of ownCloud's `nats` service: what its configuration says, with its debug server. */
export class EventsService implements AsyncDisposable {
  readonly #config: EventsConfig;
  readonly #log: ServiceLogger;
  readonly #version: string;
  readonly #dependencies: EventsDependencies;
  readonly #clock: Clock;
  readonly #progress: StartProgress;
  readonly #disk: DiskWatch;
  readonly #registry: RegistryPart;
  #phase: Phase = 'starting';
  #embedded: EmbeddedServer | null = null;
  #certificates: CertificateWatch | null = null;
  #debug: DebugServer | null = null;
  #grpc: GrpcServer | null = null;
  #tracing: Tracing | null = null;
  #profiler: Profiler | null = null;
  #stopping: Promise<void> | null = null;
  readonly #madeAt = performance.now();
  readonly #syncs = new SyncFigures();
  readonly #recovery = new RecoveryFigures();

  constructor(config: EventsConfig, log: ServiceLogger, version: string, dependencies: EventsDependencies = {}) {
    this.#config = config;
    this.#log = log;
    this.#version = version;
    this.#dependencies = dependencies;
    const clock = dependencies.clock ?? SYSTEM_CLOCK;
    this.#clock = clock;
    this.#progress = new StartProgress(clock, (text) => log.always(text));
    this.#registry = new RegistryPart(config, version, log, this.#call);
    this.#disk = new DiskWatch({
      directory: config.nats.storeDir,
      warnPercent: config.nats.diskWarnPercent,
      criticalPercent: config.nats.diskCriticalPercent,
      clock,
      log,
      readSpace: dependencies.readSpace ?? readSpace,
      advice: () => diskAdvice(config, Number(this.#embedded?.jetstream?.jsz()['storage'] ?? 0)),
    });
  }

  /** The disk of the store: room, and how the thresholds judge it. */
  get disk(): DiskWatch {
    return this.#disk;
  }

  /** Port that clients connect to; known once started. */
  get port(): number {
    return this.#embedded?.port ?? 0;
  }

  /** Resolves when clients are served. Rejects, with everything closed again, when that cannot be. */
  async start(): Promise<void> {
    try {
      const { tracing, debug } = this.#config;
      this.#tracing = await startTracing(tracing, debug.zpages, this.#version, this.#log);
      await this.#startDebug();
      await this.#startGrpc();
      this.#progress.start();
      const embedded = await startServer(await this.#startOptions());
      if (this.#stopping !== null) {
        await embedded.stop();
        throw new Error('stopped while it was starting');
      }
      this.#embedded = embedded;
      this.#certificates?.start((material) => embedded.server.replaceTls(material));
      this.#phase = 'serving';
      await this.#registry.start(embedded);
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      this.#progress.stop();
    }
  }

  /** Port of the debug server; 0 without one. */
  get debugPort(): number {
    return this.#debug?.port ?? 0;
  }

  /** Port of the gRPC server; 0 without one. */
  get grpcPort(): number {
    return this.#grpc?.port ?? 0;
  }

  /** What it is doing, for people: `serving`, or how far the recovery is. */
  get status(): string {
    return this.#phase === 'recovering' ? this.#progress.text : this.#phase;
  }

  /** What keeps the service from being ready, empty when nothing does. */
  unready(): string[] {
    return unreadyReasons(this.components());
  }

  /** How each part of the service is. */
  components(): ComponentHealth[] {
    const phase = this.#phase === 'serving' ? null : `the service is ${this.#phase}`;
    const progress = this.#phase === 'recovering' ? { progress: this.#progress.text } : {};
    const failing = this.#embedded?.storage?.stats.failing ?? null;
    return [
      { name: 'server', unready: phase, detail: { phase: this.#phase, ...progress } },
      {
        name: 'jetstream',
        unready: phase ?? (failing === null ? null : `the last store sync failed: ${failing}`),
        detail: () => this.#jetstreamDetail(),
      },
      this.#registry.component(),
    ];
  }

  /** Acknowledgements that are under way go out, then everything closes. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#phase = 'stopping';
    this.#disk.stop();
    this.#certificates?.stop();
    try {
      await this.#grpc?.stop();
      await this.#registry.stop();
      await this.#embedded?.stop();
    } finally {
      this.#profiler?.stop();
      await this.#debug?.stop();
      await this.#tracing?.stop();
    }
  }

  /** Within a span, where there are traces. */
  readonly #call: TracedCall = (name, attributes, run) =>
    this.#tracing === null ? run() : this.#tracing.call(name, attributes, run);

  async #startGrpc(): Promise<void> {
    if (this.#config.grpc.addr === '') return;
    // Loaded only when asked for.
    const { GrpcServer } = await import('./grpc/grpc-server.ts');
    this.#grpc = new GrpcServer(this.#config, {
      registry: () => this.#registry.registry,
      isServing: (component) => this.#isServing(component),
      clock: this.#clock,
      log: this.#log,
    });
    await this.#grpc.start();
    this.#log.info(`gRPC server on port ${this.#grpc.port}`);
  }

  /** Null: there is no such component. Empty: the service as a whole. */
  #isServing(name: string): boolean | null {
    if (name === '') return this.unready().length === 0;
    if (name === 'registry') return this.#registry.unavailable === null;
    const component = this.components().find((one) => one.name === name);
    return component === undefined ? null : component.unready === null;
  }

  async #startDebug(): Promise<void> {
    const { addr, token, pprof } = this.#config.debug;
    if (addr === '') return;
    const address = splitAddress(addr);
    if (address === null)
      throw new Error(`NATS_DEBUG_ADDR: ${JSON.stringify(addr)} is not an address, expected host:port`);
    if (pprof) this.#profiler = await Profiler.start();
    const settings = { ...address, token, version: this.#version, onError: (text: string) => this.#log.error(text) };
    this.#debug = new DebugServer(
      settings,
      debugRoutes({
        health: this.#healthSource(),
        metrics: this.#metricSources(),
        profiler: this.#profiler,
        settings: this.#dependencies.shownSettings,
        traces: this.#tracing?.routes ?? [],
      }),
    );
    await this.#debug.start();
  }

  #jetstreamDetail(): Readonly<Record<string, number>> {
    const totals = this.#embedded?.jetstream?.totals();
    if (totals === undefined) return {};
    const { streams, offlineStreams, failingStreams, consumers, messages } = totals;
    return { streams, offline_streams: offlineStreams, failing_streams: failingStreams, consumers, messages };
  }

  #healthSource(): HealthSource {
    const service = this;
    return {
      version: this.#version,
      get uptimeSeconds() {
        return (performance.now() - service.#madeAt) / 1000;
      },
      components: () => this.components(),
    };
  }

  #metricSources(): MetricSources {
    return {
      version: this.#version,
      isReady: () => this.unready().length === 0,
      embedded: () => this.#embedded,
      syncs: this.#syncs,
      recovery: this.#recovery,
      disk: () => this.#disk.space,
      logLines: this.#log.lines,
      registryNodes: () => this.#registry.nodes(),
    };
  }

  async #startOptions(): Promise<StartOptions> {
    const { fileSystem } = this.#dependencies;
    const options = serverOptions(this.#config, this.#log, this.#version);
    return {
      ...options,
      ...(this.#config.nats.enableTls ? { tls: await this.#tls() } : {}),
      jetstream: {
        ...options.jetstream,
        ...(fileSystem === undefined ? {} : { fileSystem }),
        observer: joinObservers(
          { progress: this.#progress, syncs: this.#syncs, recovery: this.#recovery },
          this.#tracing?.observer,
        ),
      },
      onRecovering: (storeDir) => {
        if (this.#phase === 'starting') this.#phase = 'recovering';
        this.#log.always(`Store directory: ${storeDir}`);
        this.#disk.start();
      },
    };
  }

  async #tls(): Promise<NonNullable<StartOptions['tls']>> {
    const { nats } = this.#config;
    const { tlsCert: certFile, tlsKey: keyFile, tlsClientCa: caFile } = nats;
    const files: TlsFiles = { certFile, keyFile, caFile, settings: 'NATS_TLS' };
    await createMissingCertificate(files, nats.host, this.#log);
    this.#certificates = new CertificateWatch({ files, clock: this.#clock, log: this.#log });
    return { ...(await this.#certificates.read()), verify: !nats.tlsSkipVerifyClientCert };
  }
}
