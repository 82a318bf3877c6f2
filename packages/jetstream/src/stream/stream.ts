import { compileFilter, SubjectTransform } from '@nats-ts/sublist';
import { hasAdvisoryInterest, publishAdvisory } from '../api/advisory.ts';
import type { Engine } from '../engine.ts';
import { apiError } from '../errors/api-error.ts';
import type { AccountLimits, Host, HostAccount, HostSubscription } from '../host.ts';
import type { ApiObserver, MessageObserver } from '../observer.ts';
import { emptyMessage } from '../store/shared/empty.ts';
import type { MessageStore, StreamStore } from '../store/store.ts';
import { type Bounds, boundsOf } from './bounds.ts';
import { ByteBudget, type StreamOwner } from './byte-budget.ts';
import { Commits } from './commits.ts';
import type { StreamConfig } from './config.ts';
import type { ConsumerLimits, ConsumerStream, StreamConsumer } from './consumer-port.ts';
import { ConsumerRegistry } from './consumer-registry.ts';
import { DedupeWindow } from './dedupe.ts';
import { DirectGet } from './direct-get.ts';
import { Expiry } from './expiry.ts';
import { Ingest } from './ingest.ts';
import { enforceAll } from './limits.ts';
import { PubAcks } from './pub-ack.ts';
import { msgIdOf } from './publish-headers.ts';
import { Republisher } from './republisher.ts';
import { Retention } from './retention.ts';
import { Stamp } from './stamp.ts';
import { firstSeqOf } from './subject-lookup.ts';

/** Warnings of one stream are no more frequent than this. */
const WARN_INTERVAL_MS = 10_000;

/**
 * One stream: its configuration, its messages and its consumers. Owns all state of them; every change is synchronous.
 * Design: DESIGN.md of the package.
 */
export class Stream implements ConsumerStream {
  readonly name: string;
  readonly host: Host;
  readonly account: HostAccount;
  readonly storage: StreamStore;
  readonly messages: MessageStore;
  /** RFC 3339 with nanoseconds, as given out when it was created. */
  readonly created: string;
  config: StreamConfig;
  /** The limits of `config` as numbers. */
  bounds: Bounds;

  readonly registry: ConsumerRegistry = new ConsumerRegistry();
  readonly commits: Commits;
  readonly pubAcks: PubAcks;
  readonly dedupe: DedupeWindow;
  readonly expiry: Expiry;
  readonly retention: Retention;
  readonly budget: ByteBudget;
  readonly stamp: Stamp;
  transform: SubjectTransform | null = null;
  republisher: Republisher | null = null;
  /** Message id of the last stored message, '' when it had none. */
  lastMsgId = '';
  isClosed = false;

  /** Told of every message; null: nobody is. */
  readonly observer: MessageObserver | null;
  /** Told of direct gets; null: nobody is. */
  readonly getObserver: ApiObserver | null;
  /** Messages and bytes that may wait for their commit. */
  readonly ingestLimits: Engine['settings']['limits'];
  readonly #engine: Engine;
  readonly #ingest: Ingest;
  readonly #directGet: DirectGet;
  readonly #subscriptions = new Map<string, HostSubscription>();
  readonly #into = emptyMessage();
  readonly #onPurged = (seq: number, subject: string): void => {
    if (this.commits.removed(seq)) this.registry.removed(seq, subject, 'purge');
  };
  #warnedMs = Number.NEGATIVE_INFINITY;

  constructor(engine: Engine, owner: StreamOwner, storage: StreamStore, config: StreamConfig) {
    this.#engine = engine;
    this.ingestLimits = engine.settings.limits;
    const { messages, api } = engine.settings.observer;
    this.observer = messages ?? null;
    this.getObserver = messages === undefined ? null : (api ?? null);
    this.host = engine.host;
    this.account = owner.account;
    this.name = config.name;
    this.storage = storage;
    this.messages = storage.messages;
    this.created = storage.meta.created;
    this.config = config;
    this.bounds = boundsOf(config);
    this.pubAcks = new PubAcks(owner.account, config.name);
    this.commits = new Commits(this);
    this.dedupe = new DedupeWindow(this.bounds.duplicateWindowMs, engine.settings.limits.dedupeIds);
    this.stamp = new Stamp(this.host.clock);
    this.expiry = new Expiry(this);
    this.retention = new Retention(this);
    this.#ingest = new Ingest(this);
    this.#directGet = new DirectGet(this);
    this.budget = new ByteBudget(engine, owner, config.storage, this.messages);
    this.#compile();
  }

  get consumers(): ReadonlyMap<string, StreamConsumer> {
    return this.registry.byName;
  }

  get visibleSeq(): number {
    return this.commits.visibleSeq;
  }

  get failure(): Error | null {
    return this.messages.failure;
  }

  get limits(): ConsumerLimits {
    const { settings } = this.#engine;
    const accountLimits = this.account.jetstreamLimits;
    return {
      maxConsumers: maxConsumers(this.config, accountLimits, settings.limits.defaultMaxConsumers),
      maxAckPending: smaller(settings.limits.maxAckPending, accountLimits?.maxAckPending ?? -1),
      maxRequestBatch: settings.limits.maxRequestBatch,
      strictJson: settings.strict,
      maxPayload: this.host.maxPayload,
      domain: null,
    };
  }

  // Life

  /** Starts to take messages and requests. */
  start(): void {
    this.#subscribe();
    this.expiry.restart();
  }

  /** Takes a new configuration, which was checked and stored, into service. */
  update(config: StreamConfig): void {
    const old = this.config;
    this.config = config;
    this.bounds = boundsOf(config);
    this.dedupe.windowMs = this.bounds.duplicateWindowMs;
    this.#compile();
    this.#subscribe();
    this.expiry.restart();
    enforceAll(this);
    this.budget.update();
    for (const consumer of [...this.registry.byName.values()]) consumer.onStreamUpdated();
    if (old.retention === 'limits' && config.retention === 'interest') this.retention.check(this.messages.firstSeq);
  }

  /** Ends everything but the store, which the caller closes or deletes. A second call does nothing. */
  stop(reason: 'shutdown' | 'stream-deleted'): void {
    if (this.isClosed) return;
    this.unsubscribe();
    for (const consumer of [...this.registry.byName.values()]) consumer.stop(reason);
    this.isClosed = true;
    this.expiry.stop();
    this.retention.stop();
    this.budget.release();
  }

  /** No more messages and requests come in. */
  unsubscribe(): void {
    for (const subscription of this.#subscriptions.values()) subscription.close();
    this.#subscriptions.clear();
    this.#directGet.stop();
  }

  /** The store goes on after a failure; messages above its last sequence are lost. */
  storeRecovered(): void {
    this.dedupe.truncate(this.messages.lastSeq);
    this.reloadLastMsgId();
    this.budget.update();
    this.expiry.restart();
    this.retention.retry();
  }

  /** Reads the message id of the last message. False when its block is not in memory: warm it and call again. */
  reloadLastMsgId(): boolean {
    const found = this.messages.load(this.messages.lastSeq, this.#into);
    if (found === 'cold') return false;
    this.lastMsgId = found === 'found' ? msgIdOf(this.#into) : '';
    return true;
  }

  // Messages

  /** Removes one message and tells the consumers. False if there is none, or the disk would not have it. */
  remove(seq: number, reason: 'user' | 'limit' | 'ack', erase: boolean): boolean {
    if (this.messages.failure !== null) return false;
    try {
      return this.removeOrThrow(seq, reason, erase);
    } catch (error) {
      // Called by timers and by publishers, who can do nothing about a disk.
      this.warnOnce(`JetStream failed to remove a msg from stream '${this.name}': ${String(error)}`);
      return false;
    }
  }

  /** The same for those who are told why the disk would not have it. False if there is no such message. */
  removeOrThrow(seq: number, reason: 'user' | 'limit' | 'ack', erase: boolean): boolean {
    const subject = this.messages.remove(seq, reason, erase);
    if (subject === null) return false;
    this.budget.update();
    if (this.commits.removed(seq)) this.registry.removed(seq, subject, reason);
    return true;
  }

  /**
   * Removes messages by subject (null = all), below a sequence (0 = no bound) and but for the newest `keep`; of a choice of them no more
   * than the oldest `most`. Returns how many.
   * Throws ApiError 10077 when the store failed.
   */
  purge(
    subjects: readonly string[] | null,
    belowSeq: number,
    keep: number,
    most: number = Number.POSITIVE_INFINITY,
  ): number {
    if (this.messages.failure !== null) {
      throw apiError('StreamStoreFailed', { err: this.messages.failure.message });
    }
    const { messages, registry } = this;
    if (subjects === null && keep === 0) {
      const purged = messages.purge(null, belowSeq, 0, null, most);
      if (purged > 0) registry.purged(messages.firstSeq);
      this.budget.update();
      return purged;
    }
    const { firstSeq } = messages;
    const filter = subjects === null ? null : compileFilter(subjects);
    const purged = messages.purge(filter, belowSeq, keep, this.#onPurged, most);
    // Also after onRemoved for each message: a consumer in front of what went moves up to what is left.
    const moved = messages.firstSeq === firstSeq ? null : messages.firstSeq;
    if (subjects !== null) registry.subjectsPurged(subjects, moved, () => firstSeqOf(messages, filter));
    else if (moved !== null) registry.purged(moved);
    this.budget.update();
    return purged;
  }

  /** Makes evictions last whatever the limits become; settles when that is durable. Throws ApiError 10077 when the store failed. */
  async sealEvictions(): Promise<void> {
    const { messages } = this;
    if (messages.failure !== null) throw apiError('StreamStoreFailed', { err: messages.failure.message });
    messages.sealEvictions();
    await this.settled();
  }

  /** Settles when every change so far is durable. Throws ApiError 10077 when it never will be. */
  settled(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.commits.after((error) => {
        if (error === null) resolve();
        else reject(apiError('StreamStoreFailed', { err: error.message }));
      }),
    );
  }

  // Consumers

  addConsumer(consumer: StreamConsumer): void {
    this.registry.add(consumer);
  }

  removeConsumer(consumer: StreamConsumer): void {
    if (this.registry.remove(consumer)) this.retention.consumerRemoved(consumer);
  }

  consumerChanged(_consumer: StreamConsumer): void {
    this.registry.rebuild();
  }

  doneWith(consumer: StreamConsumer, seq: number): void {
    this.retention.doneWith(consumer, seq);
  }

  // Events

  advisory(subject: string, type: string, fields: Readonly<Record<string, unknown>>): void {
    const fullType = type.includes('.') ? type : `io.nats.jetstream.advisory.v1.${type}`;
    publishAdvisory(this.host, this.account, eventSubject(subject), fullType, fields);
  }

  hasAdvisoryInterest(subject: string): boolean {
    return hasAdvisoryInterest(this.account, eventSubject(subject));
  }

  /** Tells of the stream's creation, deletion or update. */
  announce(event: 'CREATED' | 'DELETED' | 'UPDATED'): void {
    const action = event === 'CREATED' ? 'create' : event === 'DELETED' ? 'delete' : 'modify';
    this.advisory(`STREAM.${event}.${this.name}`, 'stream_action', { stream: this.name, action });
  }

  /** Logs a warning that may come with every message, but not that often. */
  warnOnce(text: string): void {
    const nowMs = this.host.clock.now();
    if (nowMs - this.#warnedMs < WARN_INTERVAL_MS) return;
    this.#warnedMs = nowMs;
    this.host.log.warn(text);
  }

  #compile(): void {
    const { subject_transform: transform, republish } = this.config;
    const random = (): number => this.host.ids.random();
    const hasTransform = transform !== undefined && transform.dest !== '';
    this.transform = hasTransform ? SubjectTransform.create(transform.src, transform.dest, { random }) : null;
    this.republisher = Republisher.create(this.name, republish, random);
  }

  /** Subscribes to the subjects of the configuration, and to no others. */
  #subscribe(): void {
    const wanted = new Set(this.config.subjects);
    for (const [subject, subscription] of this.#subscriptions) {
      if (wanted.has(subject)) continue;
      subscription.close();
      this.#subscriptions.delete(subject);
    }
    for (const subject of wanted) {
      if (this.#subscriptions.has(subject)) continue;
      this.#subscriptions.set(subject, this.account.subscribe(subject, null, this.#ingest.receive));
    }
    if (this.config.allow_direct) this.#directGet.start();
    else this.#directGet.stop();
  }
}

/** A subject below `$JS.EVENT.ADVISORY.`, or METRIC and one below `$JS.EVENT.METRIC.`. */
function eventSubject(subject: string): string {
  return subject.startsWith('METRIC.') ? `$JS.EVENT.${subject}` : `$JS.EVENT.ADVISORY.${subject}`;
}

/** The smaller of the stream's and the account's limit; the server's where neither has one. */
function maxConsumers(config: StreamConfig, account: AccountLimits | null, serverDefault: number): number {
  const limit = smaller(Number(config.max_consumers), account?.maxConsumers ?? -1);
  return limit > 0 ? limit : serverDefault;
}

/** The smaller of two limits of which -1 and 0 mean none. */
function smaller(a: number, b: number): number {
  if (a <= 0) return b <= 0 ? -1 : b;
  return b <= 0 ? a : Math.min(a, b);
}
