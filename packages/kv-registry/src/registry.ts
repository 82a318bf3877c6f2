import type { BucketWatch, KeyValueBucket } from './bucket.ts';
import { type RegistryClock, systemClock } from './clock.ts';
import { decodeRecord, encodeRecord, formatKey, parseKey, type RecordKey } from './record.ts';
import { RegistryError } from './registry-error.ts';
import type { Service } from './service.ts';
import { InstanceTracker, type RegistryEvent } from './watcher.ts';

/** Options of a Registry. */
export interface RegistryOptions {
  readonly bucket: KeyValueBucket;
  /** Id of this process in the keys; Go services use a UUID. */
  readonly processId: string;
  /** How often registered services are put again, milliseconds. Default 25 000. Equivalent to EXPERIMENTAL_REGISTER_INTERVAL. */
  readonly intervalMs?: number;
  readonly clock?: RegistryClock;
  /** Told when a heartbeat failed; the next one follows all the same, for ever. */
  readonly onError?: (error: unknown) => void;
  /** Told whenever a registered service was put, heartbeats included. */
  readonly onRegistered?: () => void;
}

const INTERVAL_MS = 25_000;
/** After a heartbeat that failed the next one comes sooner. */
const RETRY_MS = 1_000;
/** Services one process registers; one more is refused. */
export const REGISTERED_MAX = 1_000;

/** A go-micro compatible service registry on a key-value bucket. */
export class Registry {
  readonly #bucket: KeyValueBucket;
  readonly #processId: string;
  readonly #intervalMs: number;
  readonly #clock: RegistryClock;
  readonly #onError: (error: unknown) => void;
  readonly #onRegistered: () => void;
  readonly #registered = new Map<string, Uint8Array>();
  readonly #watches = new Set<BucketWatch>();
  /** Puts that are under way, by key. */
  readonly #putting = new Map<string, Promise<void>>();
  readonly #restored: BucketWatch | null;
  #heartbeat: { cancel(): void } | null = null;
  #heartbeatAt = 0;
  #closed = false;

  constructor(options: RegistryOptions) {
    this.#bucket = options.bucket;
    this.#processId = options.processId;
    this.#intervalMs = options.intervalMs ?? INTERVAL_MS;
    this.#clock = options.clock ?? systemClock;
    this.#onError = options.onError ?? (() => {});
    this.#onRegistered = options.onRegistered ?? (() => {});
    this.#restored = options.bucket.onRestored?.(() => this.#announce()) ?? null;
  }

  /** Announces a service and keeps announcing it every interval until `deregister` or `close`. */
  async register(service: Service): Promise<void> {
    if (this.#closed) throw new RegistryError('closed', 'the registry is closed');
    const key = this.#keyOf(service);
    const text = formatKey(key);
    if (!this.#registered.has(text) && this.#registered.size >= REGISTERED_MAX) {
      throw new RegistryError('limit', `one process registers at most ${REGISTERED_MAX} services`);
    }
    const record = encodeRecord(key, service);
    // Kept before the first put, so that an outage at start is healed by the heartbeat.
    this.#registered.set(text, record);
    this.#arm(this.#intervalMs);
    await this.#put(text, record);
  }

  /** Withdraws a service that this process registered; watchers are told at once. */
  async deregister(service: Pick<Service, 'name' | 'version'>): Promise<void> {
    const key = formatKey(this.#keyOf(service));
    this.#registered.delete(key);
    await this.#withdraw(key);
  }

  /**
   * Puts an instance of another process once: it lives for the bucket's time to live, and whoever it belongs to has it put again.
   *
   * @param id of that process, in the place of this one's own in the key
   */
  async announceFor(service: Service, id: string): Promise<void> {
    const key = { name: service.name, id, version: service.version };
    await this.#putOnce(formatKey(key), encodeRecord(key, service));
  }

  /** Withdraws an instance that was announced so. */
  async withdrawFor(service: Pick<Service, 'name' | 'version'>, id: string): Promise<void> {
    await this.#withdraw(formatKey({ name: service.name, id, version: service.version }));
  }

  /** How long an entry lives after its last put, milliseconds; 0 = for ever. */
  get ttlMs(): number {
    return this.#bucket.ttlMs;
  }

  /** The service's versions, each with the nodes of all its instances; empty if nobody serves it. */
  async getService(name: string): Promise<Service[]> {
    const versions = new Map<string, Service>();
    for (const text of await this.#bucket.keys()) {
      if (parseKey(text)?.name !== name) continue;
      const bytes = await this.#bucket.get(text);
      if (bytes !== null) this.#merge(versions, bytes);
    }
    return [...versions.values()];
  }

  /** Names and versions of everything that is registered, without nodes. */
  async listServices(): Promise<Pick<Service, 'name' | 'version'>[]> {
    const found = new Map<string, Pick<Service, 'name' | 'version'>>();
    for (const text of await this.#bucket.keys()) {
      const key = parseKey(text);
      if (key) found.set(`${key.name}@${key.version}`, { name: key.name, version: key.version });
    }
    return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /**
   * Reports what is there as `create`, then every change, expiry included. Resolves when what is there was reported, however
   * long the server is away.
   *
   * @param name limits it to one service
   * @param signal ends it while it has not resolved; it rejects then
   */
  async watch(
    callback: (event: RegistryEvent) => void,
    name: string | null = null,
    signal?: AbortSignal,
  ): Promise<BucketWatch> {
    const tracker = new InstanceTracker(
      this.#clock,
      () => this.#bucket.ttlMs,
      (event) => {
        if (name === null || event.service.name === name) callback(event);
      },
    );
    let watch: BucketWatch;
    try {
      watch = await this.#bucket.watch((event) => tracker.handle(event), signal);
    } catch (error) {
      tracker.stop();
      throw error;
    }
    const both: BucketWatch = {
      stop: () => {
        this.#watches.delete(both);
        watch.stop();
        tracker.stop();
      },
    };
    this.#watches.add(both);
    return both;
  }

  /** Ends heartbeats and watches and withdraws what this process registered. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#restored?.stop();
    this.#heartbeat?.cancel();
    this.#heartbeat = null;
    for (const watch of [...this.#watches]) watch.stop();
    const keys = [...this.#registered.keys()];
    this.#registered.clear();
    const done = await Promise.allSettled(keys.map((key) => this.#withdraw(key)));
    // What cannot be withdrawn ends with its time to live.
    for (const one of done) if (one.status === 'rejected') this.#onError(one.reason);
  }

  #keyOf(service: Pick<Service, 'name' | 'version'>): RecordKey {
    return { name: service.name, id: this.#processId, version: service.version };
  }

  #merge(versions: Map<string, Service>, bytes: Uint8Array): void {
    let service: Service;
    try {
      service = decodeRecord(bytes);
    } catch (error) {
      this.#onError(error);
      return;
    }
    const known = versions.get(service.version);
    versions.set(service.version, known ? { ...known, nodes: [...known.nodes, ...service.nodes] } : service);
  }

  /** Puts everything again, now. */
  #announce(): void {
    this.#heartbeat?.cancel();
    this.#heartbeat = null;
    for (const [key, record] of this.#registered) this.#put(key, record).catch(this.#onError);
    if (this.#registered.size > 0) this.#arm(this.#intervalMs);
  }

  async #put(key: string, record: Uint8Array): Promise<void> {
    try {
      await this.#putOnce(key, record);
    } catch (error) {
      this.#arm(RETRY_MS);
      throw error;
    }
    this.#onRegistered();
  }

  async #putOnce(key: string, record: Uint8Array): Promise<void> {
    const putting = this.#bucket.put(key, record);
    const settled = putting.catch(() => {});
    this.#putting.set(key, settled);
    try {
      await putting;
    } finally {
      if (this.#putting.get(key) === settled) this.#putting.delete(key);
    }
  }

  /** A put that is under way must not come after the deletion. */
  async #withdraw(key: string): Promise<void> {
    await this.#putting.get(key);
    await this.#bucket.delete(key);
  }

  /** The next heartbeat comes in `delayMs`, or earlier if it was about to. */
  #arm(delayMs: number): void {
    if (this.#closed) return;
    const at = this.#clock.now() + delayMs;
    if (this.#heartbeat !== null && this.#heartbeatAt <= at) return;
    this.#heartbeat?.cancel();
    this.#heartbeatAt = at;
    this.#heartbeat = this.#clock.setTimer(() => this.#announce(), delayMs);
  }
}
