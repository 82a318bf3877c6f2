import { SubjectSet } from '@nats-ts/sublist';
import { type Engine, reservedBytes, Usage } from './engine.ts';
import { apiError } from './errors/api-error.ts';
import type { HostAccount } from './host.ts';
import { formatTime } from './json/go-time.ts';
import type { AssetMeta, StreamStore, StreamStoreOptions } from './store/store.ts';
import type { StreamConfig } from './stream/config.ts';
import type { ConfigRules } from './stream/config-check.ts';
import { type CheckedConfig, checkWithDefaults } from './stream/config-defaults.ts';
import type { RawStreamConfig } from './stream/config-schema.ts';
import { checkReplicasSupported, checkStreamUpdate, isSameConfig } from './stream/config-update.ts';
import type { ConsumerAccount } from './stream/consumer-port.ts';
import { Stream } from './stream/stream.ts';

/** A stored stream this server cannot run. It keeps its name and subjects and is listed with the reason. */
export interface OfflineAsset {
  readonly name: string;
  readonly reason: string;
  readonly subjects: readonly string[];
}

/** JetStream of one account: its streams, its limits and what it uses. */
export class JetStreamAccount implements ConsumerAccount {
  readonly account: HostAccount;
  readonly usage: Usage = new Usage();
  readonly streams: Map<string, Stream> = new Map();
  readonly offline: Map<string, OfflineAsset> = new Map();
  /** API calls answered, and those of them with an error. */
  apiTotal = 0;
  apiErrors = 0;
  /** Streams whose files are being made: they have their subjects, and their bytes are set aside. */
  readonly #creating = new Map<string, StreamConfig>();
  /** Streams that were deleted, but for their files. */
  readonly #undeleted = new Map<string, StreamStore>();
  readonly #engine: Engine;

  constructor(engine: Engine, account: HostAccount) {
    this.#engine = engine;
    this.account = account;
  }

  get name(): string {
    return this.account.name;
  }

  /** Limits and settings a stream configuration of this account is held against. */
  get rules(): ConfigRules {
    const limits = this.account.jetstreamLimits;
    return {
      duplicateWindowMaxNs: this.#engine.settings.limits.duplicateWindowNs,
      maxBytesRequired: limits?.maxBytesRequired ?? false,
      maxStreamBytes: { file: limits?.storageMaxStreamBytes ?? -1, memory: limits?.memoryMaxStreamBytes ?? -1 },
    };
  }

  /** Fills in and checks a configuration that a client sent, with the server's defaults for its name. Throws ApiError. */
  checkConfig(raw: RawStreamConfig): CheckedConfig {
    return checkWithDefaults(raw, this.rules, this.#engine.settings.streamDefaults.get(raw.name ?? ''));
  }

  get consumerCount(): number {
    let count = 0;
    for (const stream of this.streams.values()) count += stream.registry.visibleCount;
    return count;
  }

  countApi(failed: boolean): void {
    this.apiTotal++;
    if (failed) this.apiErrors++;
  }

  stream(name: string): Stream {
    const stream = this.streams.get(name);
    if (stream !== undefined) return stream;
    const offline = this.offline.get(name);
    if (offline !== undefined) throw apiError('StreamOfflineReason', { err: offline.reason });
    throw apiError('StreamNotFound');
  }

  /** Bytes that streams of a kind have set aside with max_bytes, `except` one. */
  reserved(kind: 'file' | 'memory', except: string | null = null): number {
    let bytes = 0;
    for (const config of this.#configs()) {
      if (config.storage === kind && config.max_bytes > 0 && config.name !== except) bytes += Number(config.max_bytes);
    }
    return bytes;
  }

  /**
   * Adds a stream of a checked configuration, or finds the one that has it already. Throws ApiError. The caller makes sure that
   * meanwhile no stream of that name is created, and none is changed or deleted; others may be created.
   */
  async create({ effective: config, own }: CheckedConfig): Promise<{ stream: Stream; isNew: boolean }> {
    checkReplicasSupported(config);
    const existing = this.streams.get(config.name);
    if (existing !== undefined) {
      if (isSameConfig(existing.config, config)) return { stream: existing, isNew: false };
      throw apiError('StreamNameExist');
    }
    if (this.offline.has(config.name)) throw apiError('StreamNameExist');
    const left = this.#undeleted.get(config.name);
    if (left !== undefined) await this.#deleteStore(left);
    this.#checkBytes(config, 0);
    this.#checkOverlap(config);
    const { host, storage } = this.#engine;
    const meta: AssetMeta = { created: formatTime(host.clock.now(), 0), config: storedConfig(own) };
    this.#creating.set(config.name, config);
    let store: StreamStore;
    try {
      store = await storage.createStream(this.name, config.name, meta, storeOptions(config));
    } catch (cause) {
      host.log.warn(`Stream create failed for '${this.name} > ${config.name}': ${String(cause)}`);
      throw apiError('StreamStoreFailed', { err: 'error creating store for stream' });
    } finally {
      this.#creating.delete(config.name);
    }
    const stream = new Stream(this.#engine, this, store, config);
    this.streams.set(config.name, stream);
    stream.start();
    return { stream, isNew: true };
  }

  /** Gives a stream another checked configuration. Throws ApiError. No other stream is created, changed or deleted meanwhile. */
  async update(stream: Stream, requested: CheckedConfig): Promise<void> {
    const config = checkStreamUpdate(stream.config, requested.effective);
    const own = checkStreamUpdate(stream.config, requested.own);
    this.#checkBytes(config, Math.max(0, stream.bounds.maxBytes));
    checkConsumerLimits(stream, config);
    this.#checkOverlap(config);
    // With wider limits a crash would bring back what the narrower ones have evicted.
    await stream.sealEvictions();
    if (stream.isClosed) throw apiError('StreamNotFound');
    await stream.storage.updateMeta({ created: stream.created, config: storedConfig(own) }).catch((cause) => {
      throw apiError('StreamStoreFailed', { err: String(cause) });
    });
    if (stream.isClosed) throw apiError('StreamNotFound');
    stream.update(config);
    stream.announce('UPDATED');
  }

  /** Removes a stream and all it holds; settles when that is durable. */
  async delete(name: string): Promise<void> {
    const left = this.#undeleted.get(name);
    if (left !== undefined) return this.#deleteStore(left);
    if (this.offline.has(name)) return this.#deleteOffline(name);
    const stream = this.stream(name);
    this.streams.delete(name);
    stream.stop('stream-deleted');
    stream.commits.close(new Error('stream is deleted'));
    stream.announce('DELETED');
    await this.#deleteStore(stream.storage);
  }

  /** A stream that cannot run can still be given up. */
  async #deleteOffline(name: string): Promise<void> {
    await this.#engine.storage.deleteOffline(this.name, name).catch((cause) => {
      throw apiError('StreamDelete', { err: String(cause) });
    });
    this.offline.delete(name);
  }

  /** What a disk refuses is tried again when somebody asks for it, or for another stream by that name. */
  async #deleteStore(store: StreamStore): Promise<void> {
    this.#undeleted.set(store.name, store);
    await store.delete().catch((cause) => {
      throw apiError('StreamDelete', { err: String(cause) });
    });
    this.#undeleted.delete(store.name);
  }

  /** Throws ApiError 10027 when one more stream is one too many. Asked before the configuration is looked at, as in nats-server. */
  checkCount(name: string): void {
    const max = this.account.jetstreamLimits?.maxStreams ?? -1;
    const count = this.streams.size + this.#creating.size + this.offline.size;
    if (max > 0 && !this.streams.has(name) && count >= max) {
      throw apiError('MaximumStreamsLimit');
    }
  }

  /** @param own bytes the stream has set aside already. */
  #checkBytes(config: StreamConfig, own: number): void {
    const limits = this.account.jetstreamLimits;
    const maxConsumers = limits?.maxConsumers ?? -1;
    if (config.max_consumers > 0 && maxConsumers > 0 && config.max_consumers > maxConsumers) {
      throw apiError('MaximumConsumersLimit');
    }
    const kind = config.storage;
    const name = kind === 'file' ? 'StorageResourcesExceeded' : 'MemoryResourcesExceeded';
    // A stream without max_bytes needs room for something, as in nats-server.
    const wanted = config.max_bytes < 0 ? 1 : Number(config.max_bytes);
    const accountMax = (kind === 'file' ? limits?.maxStorage : limits?.maxMemory) ?? -1;
    if (accountMax >= 0 && this.reserved(kind, config.name) + wanted > accountMax) throw apiError(name);
    const { maxStorage, maxMemory } = this.#engine.settings.limits;
    const serverMax = kind === 'file' ? maxStorage : maxMemory;
    if (serverMax >= 0 && reservedBytes(this.#engine, kind) + Math.max(0, wanted - own) > serverMax)
      throw apiError(name);
  }

  /** Of the streams there are and those that are being created. */
  *#configs(): Iterable<StreamConfig> {
    for (const { config } of this.streams.values()) yield config;
    yield* this.#creating.values();
  }

  #checkOverlap(config: StreamConfig): void {
    const others = [
      ...[...this.#configs()].map(({ name, subjects }) => ({ name, subjects: subjects ?? [] })),
      ...this.offline.values(),
    ];
    const own = new SubjectSet(config.subjects);
    for (const { name, subjects } of others) {
      if (name === config.name) continue;
      if (subjects.some((subject) => own.countOverlaps(subject, 1) > 0)) throw apiError('StreamSubjectOverlap');
    }
  }
}

/** The configuration as it is stored: fields that are not set are left out. */
export function storedConfig(config: StreamConfig): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

export function storeOptions(config: StreamConfig): StreamStoreOptions {
  return {
    kind: config.storage,
    firstSeq: config.first_seq ?? 0,
    retention: config.retention,
    maxBytes: Number(config.max_bytes),
    maxMsgsPerSubject: Number(config.max_msgs_per_subject),
  };
}

/** New consumer_limits must not be below what the stream's consumers have. */
function checkConsumerLimits(stream: Stream, config: StreamConfig): void {
  const { inactive_threshold: threshold = 0, max_ack_pending: pending = 0 } = config.consumer_limits;
  const old = stream.config.consumer_limits;
  const isChanged =
    (threshold > 0 && threshold !== (old.inactive_threshold ?? 0)) ||
    (pending > 0 && pending !== (old.max_ack_pending ?? 0));
  if (!isChanged) return;
  const violating = [...stream.registry.byName.values()].filter(({ limitsInUse }) => {
    const { inactiveThreshold, maxAckPending } = limitsInUse;
    return (threshold > 0 && inactiveThreshold > threshold) || (pending > 0 && maxAckPending > pending);
  });
  if (violating.length === 0) return;
  const names = violating.map(({ name }) => name).join(', ');
  throw apiError('StreamUpdate', { err: `change to limits violates consumers: ${names}` });
}
