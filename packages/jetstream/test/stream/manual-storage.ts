import { MemoryConsumerStore } from '../../src/store/memory/memory-consumer-store.ts';
import { MemoryMessages } from '../../src/store/memory/memory-messages.ts';
import { emptyStats } from '../../src/store/shared/stats.ts';
import type {
  AssetMeta,
  ConsumerStore,
  OfflineStream,
  Storage,
  StorageStats,
  StoredMessage,
  StoreEvents,
  StreamStore,
  StreamStoreOptions,
} from '../../src/store/store.ts';

/** Messages in memory that are committed when the test says so, fail when it says so, and may be cold. */
export class ManualMessages extends MemoryMessages {
  override readonly kind = 'file' as unknown as 'memory';
  #committed = 0;
  #committedSeq = 0;
  #failure: Error | null = null;
  #told: StoreEvents | null = null;
  /** Commits by itself, as a store without delay would. */
  isInstant = false;
  /** Sequences whose block is not in memory. */
  readonly cold = new Set<number>();
  /** What recover() answers. */
  isDiskGood = true;

  override setEvents(events: StoreEvents): void {
    this.#told = events;
    super.setEvents({
      onCommit: () => {
        if (this.isInstant) events.onCommit();
      },
      onFailure: events.onFailure,
    });
  }

  override get committed(): number {
    return this.isInstant ? this.applied : this.#committed;
  }

  override get committedSeq(): number {
    return this.isInstant ? this.lastSeq : this.#committedSeq;
  }

  override get failure(): Error | null {
    return this.#failure;
  }

  /** Everything applied is durable now. */
  commit(): void {
    this.#committed = this.applied;
    this.#committedSeq = this.lastSeq;
    this.#told?.onCommit();
  }

  fail(text: string): void {
    this.#failure = new Error(text);
    this.#told?.onFailure(this.#failure);
  }

  override load(seq: number, into: StoredMessage): 'found' | 'gone' | 'cold' {
    if (this.cold.has(seq)) {
      into.seq = seq;
      return 'cold';
    }
    return super.load(seq, into);
  }

  override warm(seq: number, callback: (error: Error | null) => void): void {
    setImmediate(() => {
      this.cold.delete(seq);
      callback(null);
    });
  }

  override recover(): Promise<boolean> {
    if (this.isDiskGood) {
      this.#failure = null;
      this.#committed = this.applied;
      this.#committedSeq = this.lastSeq;
    }
    return Promise.resolve(this.isDiskGood);
  }
}

export class ManualStreamStore implements StreamStore {
  readonly name: string;
  readonly messages: ManualMessages;
  meta: AssetMeta;
  isClosed = false;
  isDeleted = false;

  constructor(name: string, meta: AssetMeta, firstSeq = 0) {
    this.name = name;
    this.meta = meta;
    this.messages = new ManualMessages(firstSeq);
  }

  recoveredConsumers(): readonly [] {
    return [];
  }

  createConsumer(name: string): Promise<ConsumerStore> {
    return Promise.resolve(new MemoryConsumerStore(name));
  }

  updateMeta(meta: AssetMeta): Promise<void> {
    this.meta = meta;
    return Promise.resolve();
  }

  delete(): Promise<void> {
    this.isDeleted = true;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.messages.commit();
    return Promise.resolve();
  }
}

/** A storage whose streams commit by hand; what `found` holds is recovered. */
export class ManualStorage implements Storage {
  readonly stats: StorageStats = emptyStats();
  readonly streams = new Map<string, ManualStreamStore>();
  readonly offline: OfflineStream[] = [];
  /** Streams start to commit at once. */
  isInstant = false;

  stream(name: string): ManualMessages {
    return this.streams.get(name)!.messages;
  }

  recoverAccount(
    _account: string,
    options: (meta: AssetMeta) => StreamStoreOptions | { offline: string },
  ): Promise<{ streams: StreamStore[]; offline: OfflineStream[] }> {
    const streams: StreamStore[] = [];
    const offline = [...this.offline];
    for (const [name, store] of this.streams) {
      const answer = options(store.meta);
      if ('offline' in answer) offline.push({ name, reason: answer.offline, meta: store.meta });
      else streams.push(store);
    }
    return Promise.resolve({ streams, offline });
  }

  deleteOffline(_account: string, name: string): Promise<void> {
    this.streams.delete(name);
    this.offline.splice(
      this.offline.findIndex((one) => one.name === name),
      this.offline.some((one) => one.name === name) ? 1 : 0,
    );
    return Promise.resolve();
  }

  accounts(): Promise<string[]> {
    return Promise.resolve(['$G']);
  }

  createStream(
    _account: string,
    name: string,
    meta: AssetMeta,
    { firstSeq }: StreamStoreOptions,
  ): Promise<StreamStore> {
    const store = new ManualStreamStore(name, meta, firstSeq);
    store.messages.isInstant = this.isInstant;
    this.streams.set(name, store);
    return Promise.resolve(store);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
