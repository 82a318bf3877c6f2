import { checkAssetName } from '../shared/names.ts';
import { emptyStats } from '../shared/stats.ts';
import type {
  AssetMeta,
  ConsumerStore,
  OfflineStream,
  Storage,
  StorageStats,
  StreamStore,
  StreamStoreOptions,
} from '../store.ts';
import { MemoryConsumerStore } from './memory-consumer-store.ts';
import { MemoryMessages } from './memory-messages.ts';

/** A stream that ends with the process. */
export class MemoryStreamStore implements StreamStore {
  readonly name: string;
  readonly messages: MemoryMessages;
  #meta: AssetMeta;
  readonly #onGone: () => void;

  /** @param onGone called once, when the stream is deleted or closed. */
  constructor(name: string, meta: AssetMeta, options: StreamStoreOptions, onGone: () => void) {
    this.name = name;
    this.#meta = meta;
    this.messages = new MemoryMessages(options.firstSeq);
    this.#onGone = onGone;
  }

  get meta(): AssetMeta {
    return this.#meta;
  }

  recoveredConsumers(): readonly [] {
    return [];
  }

  async createConsumer(name: string, _meta: AssetMeta, _memory: boolean): Promise<ConsumerStore> {
    checkAssetName('consumer', name);
    return new MemoryConsumerStore(name);
  }

  updateMeta(meta: AssetMeta): Promise<void> {
    this.#meta = meta;
    return Promise.resolve();
  }

  delete(): Promise<void> {
    return this.close();
  }

  close(): Promise<void> {
    this.messages.close();
    this.#onGone();
    return Promise.resolve();
  }
}

/** Keeps every stream in memory, whatever its kind, and nothing on disk: for tests and for servers without a directory. */
export class MemoryStorage implements Storage {
  readonly stats: StorageStats = emptyStats();
  readonly #open = new Map<string, MemoryStreamStore>();

  deleteOffline(): Promise<void> {
    return Promise.resolve();
  }

  recoverAccount(_account: string): Promise<{ streams: StreamStore[]; offline: OfflineStream[] }> {
    return Promise.resolve({ streams: [], offline: [] });
  }

  accounts(): Promise<string[]> {
    return Promise.resolve([]);
  }

  async createStream(
    account: string,
    name: string,
    meta: AssetMeta,
    options: StreamStoreOptions,
  ): Promise<StreamStore> {
    checkAssetName('account', account);
    checkAssetName('stream', name);
    const key = `${account}/${name}`;
    if (this.#open.has(key))
      return Promise.reject(new Error(`stream "${name}" of account "${account}" exists already`));
    const stream = new MemoryStreamStore(name, meta, options, () => this.#open.delete(key));
    this.#open.set(key, stream);
    return stream;
  }

  async close(): Promise<void> {
    for (const stream of [...this.#open.values()]) await stream.close();
  }
}
