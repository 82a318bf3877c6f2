import { RegistryError, type Service } from '@nats-ts/kv-registry';
import type { RegistryCalls } from '../tracing/traced-registry.ts';
import { LEASES_MAX } from './limits.ts';

/** Time, injected so that tests move it by hand. */
export interface LeaseClock {
  now(): number;
  setTimer(callback: () => void, delayMs: number): { cancel(): void };
}

export const SYSTEM_LEASE_CLOCK: LeaseClock = {
  now: () => performance.now(),
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

type Announcer = Pick<RegistryCalls, 'announceFor' | 'withdrawFor'>;

interface Lease {
  readonly service: Service;
  readonly id: string;
  readonly endsAt: number;
  timer: { cancel(): void };
}

/**
 * Nodes that were registered with a time to live of their own. The bucket has one for all its entries: what shall live longer
 * is put again until its time is over, what shall live shorter is taken out then.
 */
export class Leases {
  readonly #registry: () => Announcer | null;
  readonly #intervalMs: number;
  readonly #clock: LeaseClock;
  readonly #onError: (error: unknown) => void;
  readonly #leases = new Map<string, Lease>();

  constructor(options: {
    registry: () => Announcer | null;
    intervalMs: number;
    clock: LeaseClock;
    onError: (error: unknown) => void;
  }) {
    this.#registry = options.registry;
    this.#intervalMs = options.intervalMs;
    this.#clock = options.clock;
    this.#onError = options.onError;
  }

  /** From now on the node lives for `ttlMs` milliseconds; 0 = as long as the bucket says. */
  begin(service: Service, id: string, ttlMs: number): void {
    const key = keyOf(service, id);
    this.#drop(key);
    if (ttlMs === 0) return;
    this.#leases.set(key, { service, id, endsAt: this.#clock.now() + ttlMs, timer: { cancel: () => {} } });
    this.#arm(key);
  }

  /** Throws if a node with a time to live of its own would be one too many. */
  expectRoom(service: Pick<Service, 'name' | 'version'>, id: string): void {
    if (this.#leases.size < LEASES_MAX || this.#leases.has(keyOf(service, id))) return;
    throw new RegistryError('limit', `at most ${LEASES_MAX} nodes have a time to live of their own`);
  }

  end(service: Pick<Service, 'name' | 'version'>, id: string): void {
    this.#drop(keyOf(service, id));
  }

  stop(): void {
    for (const { timer } of this.#leases.values()) timer.cancel();
    this.#leases.clear();
  }

  #drop(key: string): void {
    this.#leases.get(key)?.timer.cancel();
    this.#leases.delete(key);
  }

  #arm(key: string): void {
    const lease = this.#leases.get(key);
    if (lease === undefined) return;
    const delayMs = Math.max(0, Math.min(this.#intervalMs, lease.endsAt - this.#clock.now()));
    lease.timer = this.#clock.setTimer(() => this.#turn(key, lease), delayMs);
  }

  #turn(key: string, lease: Lease): void {
    const registry = this.#registry();
    if (registry === null) return;
    const { service, id } = lease;
    if (lease.endsAt <= this.#clock.now()) {
      this.#leases.delete(key);
      registry.withdrawFor(service, id).catch(this.#onError);
      return;
    }
    registry.announceFor(service, id).catch(this.#onError);
    this.#arm(key);
  }
}

function keyOf({ name, version }: Pick<Service, 'name' | 'version'>, id: string): string {
  return `${name}@${id}@${version}`;
}
