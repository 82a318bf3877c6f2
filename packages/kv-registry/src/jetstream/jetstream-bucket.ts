import type { BucketEvent, BucketWatch, KeyValueBucket } from '../bucket.ts';
import { type RegistryClock, systemClock } from '../clock.ts';
import { RegistryError } from '../registry-error.ts';
import { encodeStoreKey } from '../store-key.ts';
import {
  apiRequest,
  type BucketState,
  expectSuccess,
  KEY_PREFIX,
  openBucket,
  parseAnswer,
  STREAM,
} from './bucket-stream.ts';
import { Follower } from './follower.ts';
import type { JetStreamLink, LinkMessage } from './link.ts';
import { isDeleteMarker, OrderedConsumer } from './ordered-consumer.ts';

/** Keys that `keys` returns; with more in the bucket it fails. */
export const LISTED_KEYS_MAX = 100_000;

const TTL_MS = 30_000;
const EMPTY = new Uint8Array(0);

/** Options of a JetStreamBucket. */
export interface JetStreamBucketOptions {
  readonly link: JetStreamLink;
  /**
   * Time to live of a bucket that has to be made, milliseconds. Default 30 000. Equivalent to EXPERIMENTAL_REGISTER_TTL.
   * A bucket that is there keeps its own, as with the Go services.
   */
  readonly ttlMs?: number;
  readonly clock?: RegistryClock;
  /** Told when a watch had to begin anew; it goes on by itself. */
  readonly onError?: (error: unknown) => void;
}

/**
 * The bucket `service-registry` on a NATS server with JetStream, request by request what go-micro's nats-js-kv store
 * sends (spec/ocis.md 4). It is made when it is missing, after an outage too: it lives in the server's memory.
 */
export class JetStreamBucket implements KeyValueBucket {
  readonly #link: JetStreamLink;
  readonly #clock: RegistryClock;
  readonly #ttlMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #followers = new Set<Follower>();
  readonly #restored = new Set<() => void>();
  readonly #linkWatch: BucketWatch;
  /** Null: has to be asked for. */
  #state: BucketState | null = null;
  /** `created` of the bucket that was there last. */
  #lastCreated: string | null = null;
  #closed = false;

  constructor(options: JetStreamBucketOptions) {
    this.#link = options.link;
    this.#clock = options.clock ?? systemClock;
    this.#ttlMs = options.ttlMs ?? TTL_MS;
    this.#onError = options.onError ?? (() => {});
    this.#linkWatch = options.link.onRestored(() => this.#onLinkRestored());
  }

  get ttlMs(): number {
    return this.#state?.ttlMs ?? this.#ttlMs;
  }

  async put(key: string, value: Uint8Array): Promise<void> {
    await this.#open();
    let answer = await this.#link.request(subjectOf(key), value);
    if (answer.status === 503) {
      // The bucket is gone.
      await this.#refresh();
      answer = await this.#link.request(subjectOf(key), value);
    }
    expectStored(answer);
  }

  async get(key: string): Promise<Uint8Array | null> {
    const { allowDirect } = await this.#open();
    if (!allowDirect) return this.#getFromStream(key);
    const answer = await this.#link.request(`$JS.API.DIRECT.GET.${STREAM}.${subjectOf(key)}`, EMPTY);
    if (answer.status === 503) this.#state = null;
    if (answer.status === 404 || answer.status === 503 || isDeleteMarker(answer)) return null;
    if (answer.status !== 0) throw new RegistryError('unavailable', `JetStream answered status ${answer.status}`);
    return answer.payload;
  }

  async delete(key: string): Promise<void> {
    const answer = await this.#link.request(subjectOf(key), EMPTY, { 'KV-Operation': 'DEL' });
    // Where there is no bucket there is nothing to delete.
    if (answer.status === 503) this.#state = null;
    else expectStored(answer);
  }

  async keys(): Promise<readonly string[]> {
    await this.#open();
    try {
      return await this.#listKeys();
    } catch (error) {
      // Perhaps the bucket is gone: the next one asks.
      this.#state = null;
      throw error;
    }
  }

  async watch(callback: (event: BucketEvent) => void, signal?: AbortSignal): Promise<BucketWatch> {
    if (this.#closed) throw closedError();
    signal?.throwIfAborted();
    const { follower, watch } = this.#follow(callback);
    signal?.addEventListener('abort', () => watch.stop(), { once: true });
    try {
      await follower.start();
    } catch (error) {
      watch.stop();
      throw error;
    }
    return watch;
  }

  onRestored(callback: () => void): BucketWatch {
    this.#restored.add(callback);
    return { stop: () => void this.#restored.delete(callback) };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#linkWatch.stop();
    this.#restored.clear();
    for (const follower of [...this.#followers]) follower.stop();
    this.#followers.clear();
    await this.#link.close();
  }

  #follow(callback: (event: BucketEvent) => void): { follower: Follower; watch: BucketWatch } {
    const refresh = (): Promise<BucketState> => this.#refresh();
    const follower = new Follower({ link: this.#link, clock: this.#clock, refresh, onError: this.#onError }, callback);
    this.#followers.add(follower);
    const watch: BucketWatch = {
      stop: () => {
        this.#followers.delete(follower);
        follower.stop();
      },
    };
    return { follower, watch };
  }

  #onLinkRestored(): void {
    this.#state = null;
    for (const follower of this.#followers) follower.restart();
    for (const callback of [...this.#restored]) callback();
  }

  async #open(): Promise<BucketState> {
    if (this.#closed) throw closedError();
    return this.#state ?? this.#refresh();
  }

  async #refresh(): Promise<BucketState> {
    const state = await openBucket(this.#link, this.#ttlMs);
    this.#state = state;
    const isAnother = this.#lastCreated !== null && this.#lastCreated !== state.created;
    this.#lastCreated = state.created;
    // What was in the former one is lost: whoever registered has to do it again.
    if (isAnother && !this.#closed) for (const callback of [...this.#restored]) callback();
    return state;
  }

  #listKeys(): Promise<readonly string[]> {
    const keys = new Set<string>();
    return new Promise((resolve, reject) => {
      const consumer = new OrderedConsumer(this.#link, this.#clock, {
        entry: ({ key, isDeleted }) => {
          if (!isDeleted) keys.add(key);
          if (keys.size <= LISTED_KEYS_MAX) return;
          consumer.stop();
          reject(new RegistryError('limit', `the registry has more than ${LISTED_KEYS_MAX} entries`));
        },
        current: () => {
          consumer.stop();
          resolve([...keys]);
        },
        broken: (reason) => reject(new RegistryError('unavailable', `keys of the registry: ${reason}`)),
      });
      consumer.start(true).catch((error: unknown) => {
        consumer.stop();
        reject(error as Error);
      });
    });
  }

  /** For buckets without direct gets. */
  async #getFromStream(key: string): Promise<Uint8Array | null> {
    const answer = await apiRequest(this.#link, `STREAM.MSG.GET.${STREAM}`, { last_by_subj: subjectOf(key) });
    if (answer.error?.code === 404) return null;
    expectSuccess(answer, 'entry of the registry');
    const { data = '', hdrs = '' } = (answer['message'] ?? {}) as { data?: string; hdrs?: string };
    const headers = Buffer.from(hdrs, 'base64').toString('latin1');
    if (/^(KV-Operation: *(DEL|PURGE)|Nats-Marker-Reason:.*)\r?$/m.test(headers)) return null;
    return Buffer.from(data, 'base64');
  }
}

function subjectOf(key: string): string {
  return `${KEY_PREFIX}${encodeStoreKey(key)}`;
}

function closedError(): RegistryError {
  return new RegistryError('closed', 'the bucket is closed');
}

function expectStored(answer: LinkMessage): void {
  if (answer.status !== 0)
    throw new RegistryError('unavailable', `nobody stored the entry of the registry (status ${answer.status})`);
  expectSuccess(parseAnswer(answer), 'entry of the registry');
}
