import { type Engine, reservedBytes } from './engine.ts';
import type { ConsumerFigures } from './stream/consumer-port.ts';
import type { Stream } from './stream/stream.ts';

/** Figures of JetStream as a whole, at one moment; -1 = unlimited. */
export interface JetStreamTotals {
  readonly accounts: number;
  /** Streams, those that cannot run included. */
  readonly streams: number;
  readonly offlineStreams: number;
  /** Streams whose last write failed: they take no messages until the disk obeys again. */
  readonly failingStreams: number;
  readonly consumers: number;
  readonly messages: number;
  readonly bytes: number;
  /** Bytes in streams, and set aside by their max_bytes. */
  readonly memoryUsed: number;
  readonly storageUsed: number;
  readonly memoryReserved: number;
  readonly storageReserved: number;
  readonly memoryMax: number;
  readonly storageMax: number;
  /** API requests answered since the start, and those of them with an error. */
  readonly apiTotal: number;
  readonly apiErrors: number;
}

/** Figures of one stream. -1 = unlimited. */
export interface StreamFigures {
  readonly account: string;
  readonly stream: string;
  readonly messages: number;
  readonly bytes: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Milliseconds since the epoch; null = there is no message, or never was. */
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  readonly subjects: number;
  readonly deleted: number;
  /** Messages that damage on disk has cost, as far as they are listed. */
  readonly lostMessages: number;
  /** Consumers that count and are listed. */
  readonly consumerCount: number;
  /** Why the last write failed, or null. */
  readonly failure: string | null;
  /** Worked out one by one as they are asked for. Offline and hidden ones are left out. */
  consumers(): Iterable<{ readonly name: string; readonly figures: ConsumerFigures }>;
}

/** Adds up the figures of all accounts: in a time that grows with the streams. */
export function totalsOf(engine: Engine): JetStreamTotals {
  const { usage, accounts, settings } = engine;
  const sum = { streams: 0, offlineStreams: 0, failingStreams: 0, consumers: 0, messages: 0, bytes: 0 };
  let apiTotal = 0;
  let apiErrors = 0;
  for (const account of accounts.values()) {
    apiTotal += account.apiTotal;
    apiErrors += account.apiErrors;
    sum.streams += account.streams.size + account.offline.size;
    sum.offlineStreams += account.offline.size;
    for (const stream of account.streams.values()) {
      sum.consumers += stream.registry.visibleCount;
      sum.messages += stream.messages.messages;
      sum.bytes += stream.messages.bytes;
      if (stream.failure !== null) sum.failingStreams++;
    }
  }
  return {
    accounts: accounts.size,
    ...sum,
    memoryUsed: usage.memory,
    storageUsed: usage.file,
    memoryReserved: reservedBytes(engine, 'memory'),
    storageReserved: reservedBytes(engine, 'file'),
    memoryMax: settings.limits.maxMemory,
    storageMax: settings.limits.maxStorage,
    apiTotal,
    apiErrors,
  };
}

/** The streams of all accounts, each worked out when it is asked for: whoever goes through many may pause in between. */
export function* eachStream(engine: Engine): Generator<StreamFigures, void, void> {
  for (const account of engine.accounts.values()) {
    for (const stream of account.streams.values()) yield streamFigures(account.name, stream);
  }
}

function streamFigures(account: string, stream: Stream): StreamFigures {
  const { bounds, registry } = stream;
  const state = stream.messages.state();
  return {
    account,
    stream: stream.name,
    messages: state.messages,
    bytes: state.bytes,
    messagesMax: bounds.maxMsgs,
    bytesMax: bounds.maxBytes,
    firstSeq: state.firstSeq,
    lastSeq: state.lastSeq,
    firstMs: state.firstTime?.ms ?? null,
    lastMs: state.lastTime?.ms ?? null,
    subjects: state.subjects,
    deleted: state.deleted,
    lostMessages: state.lost?.seqs.length ?? 0,
    consumerCount: registry.visibleCount,
    failure: stream.failure?.message ?? null,
    consumers: () => eachConsumer(stream),
  };
}

function* eachConsumer(stream: Stream): Generator<{ name: string; figures: ConsumerFigures }, void, void> {
  for (const consumer of stream.registry.byName.values()) {
    const figures = consumer.isHidden ? null : consumer.figures();
    if (figures !== null) yield { name: consumer.name, figures };
  }
}
