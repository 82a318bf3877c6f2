import type { BucketEvent } from '../bucket.ts';
import type { RegistryClock } from '../clock.ts';
import { RegistryError } from '../registry-error.ts';
import type { BucketState } from './bucket-stream.ts';
import type { JetStreamLink } from './link.ts';
import { type DeliveredEntry, OrderedConsumer } from './ordered-consumer.ts';

/** Keys a watch remembers, to tell after an outage which of them are gone; those beyond end by their time to live. */
export const FOLLOWED_KEYS_MAX = 100_000;

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;
const EMPTY = new Uint8Array(0);

/** What a follower stands on. */
export interface FollowerParts {
  readonly link: JetStreamLink;
  readonly clock: RegistryClock;
  /** Asks the server for the bucket, making it if it is gone. */
  readonly refresh: () => Promise<BucketState>;
  readonly onError: (error: unknown) => void;
}

/**
 * A watch that never ends by itself: when its consumer is lost it makes another, and what is no longer there in the same
 * bucket is reported as deleted. A bucket that was made anew says nothing about who is alive, because services only come
 * back to it with their next heartbeat: then the time to live decides, not the bucket.
 */
export class Follower {
  readonly #parts: FollowerParts;
  readonly #callback: (event: BucketEvent) => void;
  #consumer: OrderedConsumer | null = null;
  /** Raised with every consumer: whatever belongs to an earlier one is ignored. */
  #generation = 0;
  #retryMs = RETRY_MIN_MS;
  #timer: { cancel(): void } | null = null;
  #bucket: BucketState | null = null;
  #known = new Set<string>();
  #stopped = false;
  #settle: { resolve: () => void; reject: (error: Error) => void } | null = null;

  constructor(parts: FollowerParts, callback: (event: BucketEvent) => void) {
    this.#parts = parts;
    this.#callback = callback;
  }

  /** Resolves when everything there is was reported for the first time, however long the server is away. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      void this.#open();
    });
  }

  /** Begins anew, at once: the link is back. */
  restart(): void {
    if (this.#stopped) return;
    this.#retryMs = RETRY_MIN_MS;
    void this.#open();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#end();
    this.#settle?.reject(new RegistryError('closed', 'the watch was stopped'));
  }

  #end(): void {
    this.#generation++;
    this.#timer?.cancel();
    this.#timer = null;
    this.#consumer?.stop();
    this.#consumer = null;
  }

  async #open(): Promise<void> {
    this.#end();
    const generation = this.#generation;
    const isCurrent = (): boolean => this.#generation === generation;
    try {
      const bucket = await this.#parts.refresh();
      if (!isCurrent()) return;
      const consumer = this.#makeConsumer(bucket, isCurrent);
      this.#consumer = consumer;
      await consumer.start(false);
    } catch (error) {
      if (isCurrent()) this.#retry(error);
    }
  }

  #makeConsumer(bucket: BucketState, isCurrent: () => boolean): OrderedConsumer {
    const { link, clock } = this.#parts;
    const askedAt = clock.now();
    const seen = new Set<string>();
    let isComplete = false;
    return new OrderedConsumer(link, clock, {
      entry: (entry) => {
        if (!isCurrent()) return;
        const keys = isComplete ? this.#known : seen;
        if (entry.isDeleted) keys.delete(entry.key);
        else if (keys.size < FOLLOWED_KEYS_MAX) keys.add(entry.key);
        // What is already there may be old; the age of what comes later is not worth a comparison of clocks.
        const serverMs = bucket.serverMs === null ? null : bucket.serverMs + clock.now() - askedAt;
        this.#tell(entry, isComplete || serverMs === null ? 0 : Math.max(0, serverMs - entry.storedMs));
      },
      current: () => {
        if (!isCurrent()) return;
        isComplete = true;
        this.#retryMs = RETRY_MIN_MS;
        this.#reconcile(bucket, seen);
        this.#settle?.resolve();
        this.#settle = null;
      },
      broken: (reason) => {
        if (isCurrent())
          this.#retry(new RegistryError('unavailable', `the watch of the registry begins anew: ${reason}`));
      },
    });
  }

  #tell(entry: DeliveredEntry, ageMs: number): void {
    const { key, payload } = entry;
    this.#callback(
      entry.isDeleted ? { kind: 'delete', key, value: EMPTY } : { kind: 'put', key, value: payload, ageMs },
    );
  }

  #reconcile(bucket: BucketState, seen: Set<string>): void {
    const before = this.#known;
    const isSame = this.#bucket !== null && this.#bucket.created === bucket.created;
    this.#known = seen;
    this.#bucket = bucket;
    if (!isSame && bucket.ttlMs > 0) return;
    for (const key of before) if (!seen.has(key)) this.#callback({ kind: 'delete', key, value: EMPTY });
  }

  #retry(error: unknown): void {
    this.#end();
    this.#parts.onError(error);
    this.#timer = this.#parts.clock.setTimer(() => void this.#open(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }
}
