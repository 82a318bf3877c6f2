import type { BucketEvent, BucketWatch, KeyValueBucket } from './bucket.ts';
import { type RegistryClock, systemClock } from './clock.ts';
import { RegistryError } from './registry-error.ts';

/** Entries a memory bucket holds; a put of one more is refused. */
export const MEMORY_ENTRIES_MAX = 100_000;

interface Entry {
  value: Uint8Array;
  expiresAt: number;
}

/** A bucket in this process's memory: the registry without a server (`MICRO_REGISTRY=memory`). */
export class MemoryBucket implements KeyValueBucket {
  readonly ttlMs: number;
  readonly #clock: RegistryClock;
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Set<(event: BucketEvent) => void>();

  constructor(options: { ttlMs?: number; clock?: RegistryClock } = {}) {
    this.ttlMs = options.ttlMs ?? 0;
    this.#clock = options.clock ?? systemClock;
  }

  async put(key: string, value: Uint8Array): Promise<void> {
    this.#dropExpired();
    if (!this.#entries.has(key) && this.#entries.size >= MEMORY_ENTRIES_MAX) {
      throw new RegistryError('limit', `a memory bucket holds at most ${MEMORY_ENTRIES_MAX} entries`);
    }
    const expiresAt = this.ttlMs > 0 ? this.#clock.now() + this.ttlMs : Number.POSITIVE_INFINITY;
    // Moved to the end: entries stand in the order of their last put, so the expired ones are in front.
    this.#entries.delete(key);
    this.#entries.set(key, { value: value.slice(), expiresAt });
    this.#tell({ kind: 'put', key, value });
  }

  async get(key: string): Promise<Uint8Array | null> {
    this.#dropExpired();
    return this.#entries.get(key)?.value ?? null;
  }

  async delete(key: string): Promise<void> {
    if (this.#entries.delete(key)) this.#tell({ kind: 'delete', key, value: new Uint8Array(0) });
  }

  async keys(): Promise<readonly string[]> {
    this.#dropExpired();
    return [...this.#entries.keys()];
  }

  async watch(callback: (event: BucketEvent) => void): Promise<BucketWatch> {
    this.#dropExpired();
    const now = this.#clock.now();
    for (const [key, { value, expiresAt }] of this.#entries) {
      const ageMs = this.ttlMs > 0 ? this.ttlMs - (expiresAt - now) : 0;
      callback({ kind: 'put', key, value, ageMs });
    }
    this.#watchers.add(callback);
    return { stop: () => void this.#watchers.delete(callback) };
  }

  /** As in a JetStream bucket: expired entries vanish without an event. */
  #dropExpired(): void {
    const now = this.#clock.now();
    for (const [key, { expiresAt }] of this.#entries) {
      if (expiresAt > now) return;
      this.#entries.delete(key);
    }
  }

  #tell(event: BucketEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }
}
