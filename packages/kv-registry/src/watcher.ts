import type { BucketEvent } from './bucket.ts';
import type { RegistryClock } from './clock.ts';
import { decodeRecord, parseKey } from './record.ts';
import type { Service } from './service.ts';

/** What watchers of a registry are told. */
export interface RegistryEvent {
  readonly action: 'create' | 'update' | 'delete';
  /** The service with the nodes of the one instance that appeared, changed or went. */
  readonly service: Service;
}

interface Instance {
  text: string;
  service: Service;
  expiresAt: number;
}

/** Instances a watch follows; those beyond are not reported. */
export const INSTANCES_MAX = 100_000;

/**
 * Turns bucket events into service events. An expired entry leaves the bucket silently, which is why Go caches keep dead
 * nodes (ocis#10412): here every instance has a deadline of its own and its end is an event.
 */
export class InstanceTracker {
  readonly #clock: RegistryClock;
  readonly #ttlMs: () => number;
  readonly #tell: (event: RegistryEvent) => void;
  readonly #instances = new Map<string, Instance>();
  #timer: { cancel(): void } | null = null;

  /** @param ttlMs asked at every put: a bucket knows its time to live when it has been reached */
  constructor(clock: RegistryClock, ttlMs: () => number, tell: (event: RegistryEvent) => void) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#tell = tell;
  }

  handle(event: BucketEvent): void {
    if (parseKey(event.key) === null) return;
    if (event.kind === 'delete') this.#remove(event.key);
    else this.#put(event.key, event.value, event.ageMs ?? 0);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#instances.clear();
  }

  #put(key: string, value: Uint8Array, ageMs: number): void {
    let service: Service;
    try {
      service = decodeRecord(value);
    } catch {
      // Somebody else's entry: not for this registry to report.
      return;
    }
    const known = this.#instances.get(key);
    if (!known && this.#instances.size >= INSTANCES_MAX) return;
    const text = JSON.stringify(service);
    const ttlMs = this.#ttlMs();
    const expiresAt = ttlMs > 0 ? this.#clock.now() + ttlMs - Math.min(ageMs, ttlMs) : Number.POSITIVE_INFINITY;
    // Re-inserted at the end: the first instance is always the next to expire.
    this.#instances.delete(key);
    this.#instances.set(key, { text, service, expiresAt });
    this.#arm();
    if (!known) this.#tell({ action: 'create', service });
    else if (known.text !== text) this.#tell({ action: 'update', service });
  }

  #remove(key: string): void {
    const known = this.#instances.get(key);
    if (!known) return;
    this.#instances.delete(key);
    this.#tell({ action: 'delete', service: known.service });
  }

  #arm(): void {
    if (this.#timer !== null) return;
    const next = this.#instances.values().next();
    if (next.done || next.value.expiresAt === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(() => this.#expire(), Math.max(1, next.value.expiresAt - this.#clock.now()));
  }

  #expire(): void {
    this.#timer = null;
    const now = this.#clock.now();
    for (const [key, { expiresAt }] of this.#instances) {
      if (expiresAt > now) break;
      this.#remove(key);
    }
    this.#arm();
  }
}
