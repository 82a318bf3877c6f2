import { publishAdvisory } from '../../src/api/advisory.ts';
import { MemoryStorage } from '../../src/store/index.ts';
import type {
  AssetMeta,
  ConsumerState,
  ConsumerStore,
  LoadResult,
  MessageStore,
  StoredMessage,
  StreamStore,
  SubjectFilter,
} from '../../src/store/store.ts';
import type { StreamConfig } from '../../src/stream/config.ts';
import type { ConsumerLimits, ConsumerStream, StreamConsumer } from '../../src/stream/consumer-port.ts';
import { type FakeAccount, FakeHost, headerBlock } from '../fake-host.ts';

/** A store that tells what a consumer reported to it, and syncs only when a test says so. */
export class FakeConsumerStore implements ConsumerStore {
  readonly name: string;
  recovered: ConsumerState;
  meta: AssetMeta;
  readonly reports: string[] = [];
  isDeleted = false;
  hasState = false;
  /** Syncs are answered at once unless a test holds them back. */
  holdsSyncs = false;
  #syncs: ((error: Error | null) => void)[] = [];
  #exporter: (() => ConsumerState) | null = null;

  constructor(name: string, meta: AssetMeta, recovered: ConsumerState) {
    this.name = name;
    this.meta = meta;
    this.recovered = recovered;
  }

  exported(): ConsumerState {
    return this.#exporter!();
  }

  setExporter(exportState: () => ConsumerState): void {
    this.#exporter = exportState;
  }

  delivered(consumerSeq: number, streamSeq: number, deliveries: number, timeMs: number): void {
    this.reports.push(`delivered ${consumerSeq} ${streamSeq} ${deliveries} ${timeMs}`);
  }

  acked(consumerSeq: number, streamSeq: number, floorConsumerSeq: number, floorStreamSeq: number): void {
    this.reports.push(`acked ${consumerSeq} ${streamSeq} ${floorConsumerSeq} ${floorStreamSeq}`);
  }

  replaced(): void {
    this.reports.push('replaced');
  }

  sync(callback: (error: Error | null) => void): void {
    if (this.holdsSyncs) this.#syncs.push(callback);
    else queueMicrotask(() => callback(null));
  }

  /** Answers the syncs held back. */
  releaseSyncs(error: Error | null = null): void {
    const syncs = this.#syncs;
    this.#syncs = [];
    for (const callback of syncs) callback(error);
  }

  updateMeta(meta: AssetMeta): Promise<void> {
    this.meta = meta;
    return Promise.resolve();
  }

  delete(): Promise<void> {
    this.isDeleted = true;
    return Promise.resolve();
  }
}

export function emptyState(): ConsumerState {
  return {
    delivered: { consumerSeq: 0, streamSeq: 0 },
    ackFloor: { consumerSeq: 0, streamSeq: 0 },
    pending: new Map(),
    redelivered: new Map(),
  };
}

const UNLIMITED_CONSUMERS: ConsumerLimits = {
  maxConsumers: -1,
  maxAckPending: -1,
  maxRequestBatch: 0,
  strictJson: true,
  maxPayload: 1024 * 1024,
  domain: null,
};

const CONFIG: StreamConfig = {
  name: 'S',
  subjects: ['s.>'],
  retention: 'limits',
  max_consumers: -1,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  discard: 'old',
  storage: 'memory',
  num_replicas: 1,
  compression: 'none',
  allow_direct: false,
  mirror_direct: false,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  consumer_limits: {},
  allow_msg_ttl: false,
};

/** A stream for consumers to live on: messages in memory, commits and cold blocks as a test wishes. */
export class FakeStream implements ConsumerStream {
  readonly name: string;
  readonly host: FakeHost;
  readonly account: FakeAccount;
  config: StreamConfig;
  limits: ConsumerLimits = UNLIMITED_CONSUMERS;
  readonly storage: StreamStore;
  readonly messages: MessageStore;
  readonly consumers = new Map<string, StreamConsumer>();
  readonly stores = new Map<string, FakeConsumerStore>();
  readonly done: string[] = [];
  readonly observer = null;
  isClosed = false;
  visibleSeq = 0;
  /** Sequences whose block is not in memory. */
  readonly cold = new Set<number>();
  readonly #warming: { seq: number; callback: (error: Error | null) => void }[] = [];

  private constructor(host: FakeHost, storage: StreamStore, config: StreamConfig) {
    this.name = config.name;
    this.host = host;
    this.account = host.account();
    this.config = config;
    this.storage = this.#withStores(storage);
    this.messages = this.#withCold(storage.messages);
  }

  static async create(config: Partial<StreamConfig> = {}, host: FakeHost = new FakeHost()): Promise<FakeStream> {
    const full = { ...CONFIG, ...config };
    const options = {
      kind: 'memory',
      firstSeq: 0,
      retention: full.retention,
      maxBytes: -1,
      maxMsgsPerSubject: -1,
    } as const;
    const meta = { created: '', config: {} };
    return new FakeStream(host, await new MemoryStorage().createStream('$G', full.name, meta, options), full);
  }

  #withStores(storage: StreamStore): StreamStore {
    const createConsumer = (name: string, meta: AssetMeta): Promise<ConsumerStore> => {
      const store = new FakeConsumerStore(name, meta, emptyState());
      this.stores.set(name, store);
      return Promise.resolve(store);
    };
    const recoveredConsumers = () =>
      [...this.stores.values()].map((store) => ({ name: store.name, meta: store.meta, store }));
    return new Proxy(storage, {
      get: (target, key) => {
        if (key === 'createConsumer') return createConsumer;
        if (key === 'recoveredConsumers') return recoveredConsumers;
        const value = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  #withCold(messages: MessageStore): MessageStore {
    const through = (result: LoadResult, into: StoredMessage): LoadResult =>
      result === 'found' && this.cold.has(into.seq) ? 'cold' : result;
    const load = (seq: number, into: StoredMessage): LoadResult => through(messages.load(seq, into), into);
    const loadNext = (filter: SubjectFilter | null, from: number, into: StoredMessage): LoadResult =>
      through(messages.loadNext(filter, from, into), into);
    const warm = (seq: number, callback: (error: Error | null) => void): void => {
      this.#warming.push({ seq, callback });
    };
    return new Proxy(messages, {
      get: (target, key) => {
        if (key === 'load') return load;
        if (key === 'loadNext') return loadNext;
        if (key === 'warm') return warm;
        const value = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** Blocks that were asked for. */
  get warming(): number[] {
    return this.#warming.map(({ seq }) => seq);
  }

  /** The disk answers: what was asked for is in memory now, or could not be read. */
  finishWarming(error: Error | null = null): void {
    for (const { seq, callback } of this.#warming.splice(0)) {
      if (error === null) this.cold.delete(seq);
      callback(error);
    }
  }

  addConsumer(consumer: StreamConsumer): void {
    this.consumers.set(consumer.name, consumer);
  }

  removeConsumer(consumer: StreamConsumer): void {
    this.consumers.delete(consumer.name);
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  consumerChanged(): void {}

  doneWith(consumer: StreamConsumer, seq: number): void {
    this.done.push(`${consumer.name} ${seq}`);
    if (this.config.retention === 'limits') return;
    for (const other of this.consumers.values()) if (other !== consumer && other.needs(seq)) return;
    this.remove(seq, 'ack');
  }

  advisory(subject: string, type: string, fields: Readonly<Record<string, unknown>>): void {
    const full = subject.startsWith('METRIC.') ? `$JS.EVENT.${subject}` : `$JS.EVENT.ADVISORY.${subject}`;
    const fullType = type.includes('.') ? type : `io.nats.jetstream.advisory.v1.${type}`;
    publishAdvisory(this.host, this.account, full, fullType, fields);
  }

  hasAdvisoryInterest(): boolean {
    return true;
  }

  /** Stores a message; consumers see it when it is committed. */
  append(subject: string, payload = '', headers: Record<string, string> = {}): number {
    const header = Buffer.from(Object.keys(headers).length === 0 ? '' : headerBlock(headers));
    const body = Buffer.from(payload);
    return this.messages.append(subject, header, 0, header.length, body, 0, body.length, this.host.clock.now(), 42);
  }

  /** Announces everything stored. */
  commit(): void {
    const from = this.visibleSeq + 1;
    this.visibleSeq = this.messages.lastSeq;
    const into: StoredMessage = {
      seq: 0,
      subject: '',
      timeMs: 0,
      timeNs: 0,
      buffer: Buffer.alloc(0),
      headerStart: 0,
      payloadStart: 0,
      payloadEnd: 0,
    };
    for (let seq = from; seq <= this.visibleSeq; seq++) {
      if (this.messages.load(seq, into) === 'gone') continue;
      for (const consumer of this.consumers.values()) {
        if (consumer.filter === null || consumer.filter.matches(into.subject)) consumer.onStored(seq, into.subject);
      }
    }
    for (const consumer of [...this.consumers.values()]) consumer.onCommitted();
  }

  /** Stores and commits. */
  publish(subject: string, payload = '', headers: Record<string, string> = {}): number {
    const seq = this.append(subject, payload, headers);
    this.commit();
    return seq;
  }

  /** Removes one message. */
  remove(seq: number, reason: 'user' | 'limit' | 'ack' = 'user'): void {
    const into = {
      seq: 0,
      subject: '',
      timeMs: 0,
      timeNs: 0,
      buffer: Buffer.alloc(0),
      headerStart: 0,
      payloadStart: 0,
      payloadEnd: 0,
    };
    if (this.messages.load(seq, into) === 'gone') return;
    this.messages.remove(seq, reason, false);
    if (seq > this.visibleSeq) return;
    for (const consumer of [...this.consumers.values()]) {
      if (consumer.filter === null || consumer.filter.matches(into.subject))
        consumer.onRemoved(seq, into.subject, reason);
    }
  }

  /** Removes everything below a sequence (0 = everything), or what passes a filter. */
  purge(belowSeq = 0, filter: SubjectFilter | null = null): void {
    if (filter === null && belowSeq === 0) {
      this.messages.purge(null, 0, 0, null);
      for (const consumer of [...this.consumers.values()]) consumer.onPurged(this.messages.firstSeq);
      return;
    }
    const removed: [number, string][] = [];
    this.messages.purge(filter, belowSeq, 0, (seq, subject) => {
      if (seq <= this.visibleSeq) removed.push([seq, subject]);
    });
    for (const [seq, subject] of removed) {
      for (const consumer of [...this.consumers.values()]) {
        if (consumer.filter === null || consumer.filter.matches(subject)) consumer.onRemoved(seq, subject, 'purge');
      }
    }
  }
}
