import type { Integer } from '../json/integer.ts';
import type { Settlement } from '../observer.ts';
import type { ConsumerStore, SubjectFilter } from '../store/store.ts';
import type {
  ConsumerFigures,
  ConsumerStopReason,
  ConsumerStream,
  RemovalReason,
  StreamConsumer,
} from '../stream/consumer-port.ts';
import { Acks } from './acks.ts';
import { Backlog, type StartPosition } from './backlog.ts';
import { type ConsumerConfig, compileConfigFilter, filterSubjects, isPush, sameConfig } from './config.ts';
import { Confirmations } from './confirmations.ts';
import type { ConsumerCore } from './core.ts';
import { Delivery } from './delivery.ts';
import { ConsumerEvents, REASON_DELETED } from './events.ts';
import { Inactivity, type InactivityOwner } from './inactivity.ts';
import { consumerFigures, consumerInfo } from './info.ts';
import { Intake } from './intake.ts';
import { Pacing } from './pacing.ts';
import { Pause } from './pause.ts';
import { Progress } from './progress.ts';
import { PullTarget } from './pull.ts';
import { PushTarget } from './push.ts';
import { Redelivery } from './redelivery.ts';
import { type Settings, settingsOf } from './settings.ts';
import { pendingStatus, STATUS_CONSUMER_DELETED, TEXT_SERVER_SHUTDOWN } from './status.ts';
import { sharedWheel, type TimerWheel } from './timer-wheel.ts';

/** What a consumer is made of. */
export interface ConsumerParts {
  readonly stream: ConsumerStream;
  readonly name: string;
  /** RFC 3339, as first given out. */
  readonly created: string;
  /** Checked, defaults filled in, metadata stamped. */
  readonly config: ConsumerConfig;
  readonly store: ConsumerStore;
  /** Where a new consumer begins; null = go on from `store.recovered`. */
  readonly start: StartPosition | null;
  /** The consumer was not used for longer than its threshold: delete it. */
  readonly onInactive: (consumer: Consumer) => void;
}

/**
 * One consumer of a stream: delivers its messages to a deliver subject or to pull requests, waits for acks, delivers
 * again. Owns all of its state; every method is synchronous. In service between `start` and `stop`.
 */
export class Consumer implements StreamConsumer, ConsumerCore, InactivityOwner {
  readonly name: string;
  readonly created: string;
  readonly stream: ConsumerStream;
  readonly store: ConsumerStore;
  readonly clock: ConsumerCore['clock'];
  readonly wheel: TimerWheel;
  readonly events: ConsumerEvents;
  readonly progress: Progress;
  readonly backlog: Backlog;
  readonly pause: Pause;
  readonly #redelivery: Redelivery;
  readonly #delivery: Delivery;
  readonly #pacing: Pacing;
  readonly #intake: Intake;
  readonly #pull: PullTarget | null;
  readonly #push: PushTarget | null;
  readonly #inactivity: Inactivity;
  readonly #onInactive: (consumer: Consumer) => void;
  #config: ConsumerConfig;
  #settings: Settings;
  #filter: SubjectFilter | null;
  #isStopped = false;

  constructor(parts: ConsumerParts) {
    const { stream, config } = parts;
    this.name = parts.name;
    this.created = parts.created;
    this.stream = stream;
    this.store = parts.store;
    this.clock = stream.host.clock;
    this.wheel = sharedWheel(this.clock);
    this.#config = config;
    this.#settings = settingsOf(config);
    this.#filter = compileConfigFilter(config);
    this.#onInactive = parts.onInactive;
    this.events = new ConsumerEvents(stream, parts.name);
    this.#redelivery = new Redelivery(this);
    this.progress = new Progress(parts.store, config.ack_policy, this.wheel, this.#redelivery);
    this.backlog = new Backlog(stream, this.#filter, this.#begin(parts));
    this.#pacing = new Pacing(config.replay_policy === 'original' ? stream.messages.lastSeq : 0, this.clock.now());
    this.#setRate();
    this.#pull = isPush(config) ? null : new PullTarget(this);
    this.#push = isPush(config) ? new PushTarget(this, (isActive) => this.#onInterest(isActive)) : null;
    this.#delivery = new Delivery(this, (this.#pull ?? this.#push)!, this.#redelivery, this.#pacing);
    const confirmations = new Confirmations(this, parts.store);
    const acks = new Acks(this, this.#redelivery, confirmations, (reply, buffer, start, end) =>
      this.#intake.onNextAck(reply, buffer, start, end),
    );
    this.#intake = new Intake(this, acks, this.#delivery, this.#pull);
    this.pause = new Pause(this, () => this.#delivery.reconsider());
    this.#inactivity = new Inactivity(this, this.wheel, this.clock);
    this.#inactivity.configure(config, stream.host.ids);
  }

  #begin(parts: ConsumerParts): StartPosition {
    if (parts.start !== null) {
      this.progress.startAt(parts.start.nextSeq);
      return parts.start;
    }
    const { firstSeq, lastSeq } = parts.stream.messages;
    this.progress.restore(parts.store.recovered, firstSeq, lastSeq);
    return { nextSeq: this.progress.deliveredStreamSeq + 1, only: null, resumeAfter: 0 };
  }

  get self(): StreamConsumer {
    return this;
  }

  get config(): ConsumerConfig {
    return this.#config;
  }

  get settings(): Settings {
    return this.#settings;
  }

  get filter(): SubjectFilter | null {
    return this.#filter;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get isHidden(): boolean {
    return this.#config.direct;
  }

  get limitsInUse(): { readonly inactiveThreshold: Integer; readonly maxAckPending: Integer } {
    return { inactiveThreshold: this.#config.inactive_threshold, maxAckPending: this.#config.max_ack_pending };
  }

  get ackFloorSeq(): number {
    return this.progress.floorStreamSeq;
  }

  get isPushBound(): boolean {
    return this.#push?.isActive ?? false;
  }

  /** Pull requests whose senders are still there. */
  countWaiting(): number {
    return this.#pull?.countLive() ?? 0;
  }

  /** ConsumerInfo as lists and monitoring show it; replies about one consumer use `replyInfo`. */
  info(): Record<string, unknown> {
    return consumerInfo(this, this.#config);
  }

  figures(): ConsumerFigures {
    return consumerFigures(this);
  }

  /** Goes into service: subscribes, sets the clocks of what was pending, delivers. */
  start(): void {
    this.#intake.open();
    this.#redelivery.retrackAll();
    this.pause.follow();
    if (this.#pull !== null) this.#inactivity.start();
    this.#push?.start();
    this.wake();
  }

  stop(reason: ConsumerStopReason): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#intake.close();
    this.#delivery.stop();
    this.#push?.stop();
    this.#inactivity.stop();
    this.wheel.disarm(this.pause);
    this.#redelivery.stop();
    this.#pull?.endAll((request) =>
      reason === 'shutdown'
        ? pendingStatus(TEXT_SERVER_SHUTDOWN, request.messagesLeft, request.bytesLeft)
        : STATUS_CONSUMER_DELETED,
    );
    if (reason === 'shutdown') return;
    this.#letGo(Number.POSITIVE_INFINITY);
    this.events.deleted();
  }

  wake(): void {
    if (!this.#isStopped) this.#delivery.run();
  }

  /** Wakes in a turn of its own: the stream is in the middle of a change. */
  #wakeLater(): void {
    this.clock.setTimer(() => this.wake(), 0);
  }

  settled(streamSeq: number, how: Settlement): void {
    const { observer, account, name } = this.stream;
    if (observer !== null) observer.settled(account.name, name, this.name, streamSeq, how);
  }

  /** Tells whoever watches that no ack is waited for below a sequence any more. */
  #letGo(belowSeq: number): void {
    if (this.stream.observer === null) return;
    const { pending } = this.progress;
    for (let entry = pending.first; entry !== null && entry.streamSeq < belowSeq; entry = entry.after) {
      this.settled(entry.streamSeq, 'gone');
    }
  }

  touch(): void {
    this.#inactivity.touch();
  }

  needs(seq: number): boolean {
    const { floorStreamSeq, pending, redelivered } = this.progress;
    if (seq > floorStreamSeq) {
      if (this.#settings.ackPolicy !== 'explicit' || seq >= this.backlog.nextSeq) return true;
      if (pending.get(seq) !== undefined) return true;
    }
    return redelivered.has(seq);
  }

  onStored(seq: number, _subject: string): void {
    this.backlog.onStored(seq);
  }

  onCommitted(): void {
    this.wake();
  }

  onRemoved(seq: number, _subject: string, reason: RemovalReason): void {
    this.backlog.onRemoved(seq);
    const entry = this.progress.pending.get(seq);
    if (entry === undefined) {
      if (this.progress.redelivered.has(seq)) this.progress.forget(seq, this.clock.now());
      return;
    }
    const { consumerSeq, deliveries } = entry;
    const wasFull = this.#isFull();
    this.progress.done(entry, this.clock.now());
    this.settled(seq, 'gone');
    if (reason !== 'purge') this.events.terminated(seq, consumerSeq, deliveries, REASON_DELETED);
    if (wasFull) this.#wakeLater();
  }

  onPurged(firstSeq: number): void {
    const wasFull = this.#isFull();
    this.#letGo(firstSeq);
    this.progress.purged(firstSeq, this.clock.now());
    this.backlog.onPurged(firstSeq);
    if (wasFull) this.#wakeLater();
  }

  onStreamUpdated(): void {
    this.#setRate();
  }

  /** Begins again at `nextSeq` (CONSUMER.RESET); consumer sequences start at 1. Delivers in a later turn: who asks now sees it as it begins. */
  reset(nextSeq: number): void {
    this.#letGo(Number.POSITIVE_INFINITY);
    this.progress.reset(nextSeq);
    this.backlog.moveTo(nextSeq);
    this.clock.setTimer(() => {
      if (!this.#isStopped) this.#delivery.reconsider();
    }, 0);
  }

  /** Puts a checked configuration into force. */
  update(next: ConsumerConfig): void {
    const previous = this.#config;
    const hasNewSubject = previous.deliver_subject !== next.deliver_subject;
    this.#config = next;
    this.#settings = settingsOf(next);
    if (hasNewSubject || previous.deliver_group !== next.deliver_group) this.#push?.follow();
    if (hasNewSubject) this.#redelivery.repeatAll();
    if (String(previous.backoff) !== String(next.backoff) || previous.ack_wait !== next.ack_wait) {
      this.#redelivery.retrackAll();
    }
    if (previous.rate_limit_bps !== next.rate_limit_bps) this.#setRate();
    if (previous.inactive_threshold !== next.inactive_threshold) this.#restartInactivity();
    if (previous.pause_until !== next.pause_until) {
      this.pause.follow();
      this.pause.announce();
    }
    if (String(filterSubjects(previous)) !== String(filterSubjects(next))) {
      this.#filter = compileConfigFilter(next);
      this.backlog.setFilter(this.#filter);
      this.stream.consumerChanged(this);
    }
    if (!sameConfig(previous, next)) this.#delivery.reconsider();
  }

  isInUse(): boolean {
    return this.#push === null ? this.countWaiting() > 0 : this.#push.isActive;
  }

  lastAckDueMs(): number {
    return this.#push === null ? this.#redelivery.lastDueMs() : 0;
  }

  onInactive(): void {
    this.#onInactive(this);
  }

  #isFull(): boolean {
    const { maxAckPending } = this.#settings;
    return maxAckPending > 0 && this.progress.pending.size >= maxAckPending;
  }

  #setRate(): void {
    const { config, limits } = this.stream;
    const burstBytes = config.max_msg_size > 0 ? config.max_msg_size : limits.maxPayload;
    this.#pacing.setRate(this.#settings.bytesPerSecond, burstBytes, this.clock.now());
  }

  #restartInactivity(): void {
    this.#inactivity.stop();
    this.#inactivity.configure(this.#config, this.stream.host.ids);
    if (!this.isPushBound) this.#inactivity.start();
  }

  #onInterest(isActive: boolean): void {
    if (isActive) this.#inactivity.stop();
    else if (!this.#inactivity.isArmed) this.#inactivity.start();
  }
}
