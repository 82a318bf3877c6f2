/**
 * The seam between streams and consumers: `ConsumerStream` is what a consumer sees of its stream, `StreamConsumer`
 * what a stream sees of a consumer, `ConsumerModule` how the engine mounts the consumer part. Everything is
 * synchronous unless it returns a promise.
 */
import type { ApiRequest } from '../api/request.ts';
import type { Host, HostAccount } from '../host.ts';
import type { Integer } from '../json/integer.ts';
import type { MessageObserver } from '../observer.ts';
import type { MessageStore, StreamStore, SubjectFilter } from '../store/store.ts';
import type { StreamConfig } from './config.ts';

/** Why messages left the stream. `limit` covers limits and age, `user` MSG.DELETE, `ack` interest and work queue. */
export type RemovalReason = 'user' | 'limit' | 'ack' | 'purge';

/** Why a consumer leaves its stream. */
export type ConsumerStopReason = 'deleted' | 'shutdown' | 'stream-deleted';

/** Limits of a stream's consumers, taken together from server, account and stream; -1 = unlimited. */
export interface ConsumerLimits {
  /** Consumers this stream may have: the smaller of the stream's and the account's, or else the server's. Hidden (`direct`) ones do not count. */
  readonly maxConsumers: number;
  /** Cap of max_ack_pending from the server's or account's limits; the stream's own is in `config.consumer_limits`. */
  readonly maxAckPending: number;
  /** Cap of a pull consumer's max_batch (server limit max_request_batch); 0 = none. */
  readonly maxRequestBatch: number;
  /** JSON bodies are refused for unknown fields. */
  readonly strictJson: boolean;
  /** Largest payload the server carries, bytes. */
  readonly maxPayload: number;
  /** JetStream domain; null = none. */
  readonly domain: string | null;
}

/** A stream as its consumers see it. */
export interface ConsumerStream {
  readonly name: string;
  readonly host: Host;
  readonly account: HostAccount;
  /** Replaced as a whole by an update; never mutated. */
  readonly config: StreamConfig;
  readonly messages: MessageStore;
  readonly storage: StreamStore;
  /** Consumers by name, including hidden ones. Change it only through addConsumer and removeConsumer. */
  readonly consumers: ReadonlyMap<string, StreamConsumer>;
  readonly limits: ConsumerLimits;
  /** True once the stream was deleted or the engine shuts down: nothing is delivered or answered any more. */
  readonly isClosed: boolean;
  /** Told of every message; null: nobody is. */
  readonly observer: MessageObserver | null;
  /** Last sequence announced by onStored: consumers deliver nothing above it. Never above messages.committedSeq. */
  readonly visibleSeq: number;

  /** Puts a consumer in service: from now on it gets the on… calls. The name must be free. */
  addConsumer(consumer: StreamConsumer): void;
  /**
   * Takes a consumer out of service (after its stop()) and, on interest streams, releases the messages only it held
   * back. The caller deletes its store.
   */
  removeConsumer(consumer: StreamConsumer): void;
  /** Resolves when every message removed so far is gone for good; rejects when the store failed. */
  settled(): Promise<void>;
  /** The consumer's filter was changed by an update. */
  consumerChanged(consumer: StreamConsumer): void;
  /**
   * The consumer needs the message no more (acked, terminated, or delivered under ack none). On interest and work
   * queue streams the message is removed as soon as nobody needs it; on limits streams nothing happens.
   */
  doneWith(consumer: StreamConsumer, seq: number): void;
  /**
   * Publishes an event in the account if somebody listens.
   * @param subject below `$JS.EVENT.ADVISORY.`, or `METRIC.…` below `$JS.EVENT.`
   * @param type full, or below `io.nats.jetstream.advisory.v1.`
   */
  advisory(subject: string, type: string, fields: Readonly<Record<string, unknown>>): void;
  /** True if somebody listens to the event subject; check before building an expensive one. */
  hasAdvisoryInterest(subject: string): boolean;
}

/** Figures of one consumer. */
export interface ConsumerFigures {
  /** Messages that wait for their first delivery. */
  readonly pending: number;
  readonly ackPending: number;
  /** Messages that were delivered more than once and are not acked. */
  readonly redelivered: number;
  /** Pull requests that wait for messages. */
  readonly waiting: number;
  readonly deliveredConsumerSeq: number;
  readonly deliveredStreamSeq: number;
  readonly ackFloorConsumerSeq: number;
  readonly ackFloorStreamSeq: number;
  /** Milliseconds since the epoch; 0 = not yet. */
  readonly lastDeliveryMs: number;
  readonly lastAckMs: number;
}

/** A consumer as its stream sees it. Implemented by `Consumer` in src/consumer/consumer.ts. */
export interface StreamConsumer {
  readonly name: string;
  /** Hidden from lists and limits (`direct` in its configuration). */
  readonly isHidden: boolean;
  /** What it takes; null = everything. Replaced by an update (followed by consumerChanged). */
  readonly filter: SubjectFilter | null;
  /** The settings that the consumer_limits of its stream bound; nanoseconds and -1 = unlimited. 0 = not set. */
  readonly limitsInUse: { readonly inactiveThreshold: Integer; readonly maxAckPending: Integer };
  /**
   * True if this message, which passes the filter, may still be delivered or redelivered or awaits an ack (interest retention).
   * Called for sequences up to visibleSeq and above.
   */
  needs(seq: number): boolean;
  /** Everything at and below this sequence is done with (the ack floor's stream sequence, or delivered for ack none). */
  readonly ackFloorSeq: number;

  /**
   * A message that passes the filter is committed and visible now. Called in ascending order, for each such message that still
   * exists, before onCommitted. Hot path: count, do not deliver.
   */
  onStored(seq: number, subject: string): void;
  /** A commit was announced (visibleSeq has advanced): deliver. Once per commit, not per message. */
  onCommitted(): void;
  /** A visible message that passes the filter is gone. Hot path. */
  onRemoved(seq: number, subject: string, reason: RemovalReason): void;
  /** A purge or rollup: no message below `firstSeq` is left that passes the filter; onRemoved may or may not have been called for them. */
  onPurged(firstSeq: number): void;
  /** The stream's configuration changed (consumer_limits, retention, subjects …). */
  onStreamUpdated(): void;
  /** ConsumerInfo as the API prints it; for monitoring. */
  info(): Readonly<Record<string, unknown>>;
  /** For metrics; null = it cannot run. */
  figures(): ConsumerFigures | null;
  /** Ends deliveries and answers waiting pulls according to the reason. Does not touch the store. */
  stop(reason: ConsumerStopReason): void;
}

/** An account as consumer requests see it. */
export interface ConsumerAccount {
  readonly account: HostAccount;
  /** Throws ApiError 10059 when there is no such stream, 10194 when it is offline. */
  stream(name: string): ConsumerStream;
}

/** One API subject of the consumer part. */
export interface ConsumerRoute {
  /** Response type without `io.nats.jetstream.api.v1.`, e.g. `consumer_create_response`. */
  readonly type: string;
  /** `info` requests wait behind `main` ones, as in nats-server. */
  readonly queue: 'main' | 'info';
  /** Fields that an error reply of this type keeps, e.g. `{total: 0, offset: 0, limit: 0, consumers: []}`. */
  readonly errorFields?: Readonly<Record<string, unknown>>;
  /**
   * When Nats-Required-Api-Level is looked at: absent = before anything else, `later` = the handler does it (requireLevel), `never` =
   * what the answer is does not depend on it.
   */
  readonly levelCheck?: 'later' | 'never';
  /** `<stream>/<consumer>` of a request that may run beside those to other consumers. Absent = it runs beside no other. */
  lane?(tokens: readonly string[]): string;
  /**
   * Answers with request.respond(). An ApiError it throws (or rejects with) becomes the error reply. The next request of the same queue
   * starts when it has settled.
   */
  handle(request: ApiRequest, account: ConsumerAccount): void | Promise<void>;
}

/** The consumer part as the engine mounts it; src/consumer/module.ts exports `consumerModule`. */
export interface ConsumerModule {
  /** API routes by subject pattern below `$JS.API.`, e.g. `CONSUMER.CREATE.*.*.>`. MSG.NEXT is not among them: consumers subscribe to it. */
  readonly routes: Readonly<Record<string, ConsumerRoute>>;
  /** Brings back the consumers the last run left (stream.storage.recoveredConsumers()), adding each to the stream, and starts them. */
  recover(stream: ConsumerStream): void;
}
