import type { HostMessage, StandingMessage } from '../host.ts';
import type { ConsumerCore } from './core.ts';
import type { DeliveryTarget } from './delivery.ts';
import { requiresHigherLevel } from './level.ts';
import { PullRequestReader, type PullWants } from './pull-request.ts';
import {
  heartbeatStatus,
  pendingStatus,
  STATUS_EXCEEDED_MAX_WAITING,
  STATUS_NO_MESSAGES,
  STATUS_REQUESTS_PENDING,
  STATUS_REQUIRED_API_LEVEL,
  TEXT_BATCH_COMPLETED,
  TEXT_MAX_BYTES,
  TEXT_REQUEST_TIMEOUT,
} from './status.ts';
import { PullRequest, type RequestOwner, WaitingQueue } from './waiting.ts';

/** A full queue is searched for requests whose sender is gone at most this often. */
const SWEEP_INTERVAL_MS = 1000;

/**
 * The pull requests of one consumer: they wait in a queue of at most max_waiting and get one message each in turn
 * (spec/jetstream.md 4.3).
 */
export class PullTarget implements DeliveryTarget, RequestOwner {
  readonly #core: ConsumerCore;
  readonly #waiting = new WaitingQueue();
  readonly #reader = new PullRequestReader();
  #lastSweepMs = Number.NEGATIVE_INFINITY;

  constructor(core: ConsumerCore) {
    this.#core = core;
  }

  get isReady(): boolean {
    return this.#waiting.size > 0;
  }

  /** Requests whose sender still listens. */
  countLive(): number {
    this.#sweep();
    return this.#waiting.size;
  }

  /** A message to CONSUMER.MSG.NEXT. */
  onNext(message: HostMessage): void {
    if (message.reply === null) return;
    if (requiresHigherLevel(message.buffer, message.headerStart, message.payloadStart)) {
      this.#status(message.reply, STATUS_REQUIRED_API_LEVEL);
      return;
    }
    this.request(message.reply, message.buffer, message.payloadStart, message.payloadEnd);
  }

  /** Takes a request whose body stands in `buffer[start, end)`. */
  request(reply: string, buffer: Buffer, start: number, end: number): void {
    const { config, clock } = this.#core;
    const wants = this.#reader.read(buffer, start, end, config);
    if (Buffer.isBuffer(wants)) {
      this.#status(reply, wants);
      return;
    }
    const nowMs = clock.now();
    const isFull = this.#waiting.size >= config.max_waiting;
    if (isFull && nowMs - this.#lastSweepMs > SWEEP_INTERVAL_MS) this.#sweep();
    if (wants.noWait && this.#refuseOneShot(reply, wants)) return;
    if (this.#waiting.size >= config.max_waiting) {
      // With heartbeats the client notices by itself; an answer would only make it ask again at once.
      if (wants.heartbeatMs === 0) this.#status(reply, STATUS_EXCEEDED_MAX_WAITING);
      return;
    }
    this.#core.touch();
    const request = new PullRequest(this, reply, wants, nowMs);
    this.#waiting.add(request);
    this.#arm(request);
    this.#core.wake();
  }

  /** What no_wait asks: is there anything for this request at all? Answers it if not. */
  #refuseOneShot(reply: string, wants: PullWants): boolean {
    const { backlog, progress } = this.#core;
    const available = backlog.count + progress.pending.queued;
    if (available === 0) {
      if (wants.expiresMs !== Number.POSITIVE_INFINITY) return false;
      this.#core.touch();
      this.#status(reply, STATUS_NO_MESSAGES);
      return true;
    }
    const isFull = this.#waiting.size >= this.#core.config.max_waiting;
    if (!isFull && available >= this.#waiting.messagesWanted()) return false;
    this.#sweep();
    if (available >= this.#waiting.messagesWanted()) return false;
    this.#core.touch();
    this.#status(reply, STATUS_REQUESTS_PENDING);
    return true;
  }

  send(message: StandingMessage, bytes: number, nowMs: number): boolean {
    const { account } = this.#core.stream;
    for (let request = this.#waiting.first; request !== null; request = this.#waiting.first) {
      if (request.expiresAtMs <= nowMs) {
        this.#end(request, TEXT_REQUEST_TIMEOUT);
        continue;
      }
      if (request.bytesLeft > 0 && bytes > request.bytesLeft) {
        this.#end(request, TEXT_MAX_BYTES);
        continue;
      }
      if (account.deliverStored(request.reply, message) === 0) {
        this.#remove(request);
        continue;
      }
      this.#served(request, bytes, nowMs);
      return true;
    }
    return false;
  }

  #served(request: PullRequest, bytes: number, nowMs: number): void {
    this.#core.touch();
    // Whoever got the message may have stopped the consumer meanwhile.
    if (this.#waiting.first !== request) return;
    request.delivered++;
    request.messagesLeft--;
    if (request.bytesLeft > 0) {
      request.bytesLeft -= bytes;
      if (request.bytesLeft === 0) request.messagesLeft = 0;
    }
    if (request.messagesLeft > 0) {
      request.heartbeatAtMs = request.heartbeatMs > 0 ? nowMs + request.heartbeatMs : request.heartbeatAtMs;
      this.#waiting.rotate();
      return;
    }
    if (request.bytesLeft > 0) this.#end(request, TEXT_BATCH_COMPLETED);
    else this.#remove(request);
  }

  /** Nothing is left to deliver: requests that do not want to wait are answered. */
  onEnd(): void {
    if (this.#waiting.oneShots === 0) return;
    let request = this.#waiting.first;
    while (request !== null) {
      const after: PullRequest | null = request.after;
      const waitsForFirst = request.expiresAtMs !== Number.POSITIVE_INFINITY && request.delivered === 0;
      if (request.noWait && !waitsForFirst) {
        this.#remove(request);
        this.#status(request.reply, STATUS_NO_MESSAGES);
      }
      request = after;
    }
  }

  onRequestDue(request: PullRequest, nowMs: number): void {
    if (nowMs >= request.expiresAtMs) {
      this.#end(request, TEXT_REQUEST_TIMEOUT);
      return;
    }
    if (nowMs >= request.heartbeatAtMs) {
      const { progress, backlog } = this.#core;
      const heartbeat = heartbeatStatus(progress.deliveredConsumerSeq, backlog.nextSeq - 1, null);
      if (this.#status(request.reply, heartbeat) === 0) {
        this.#remove(request);
        return;
      }
      request.heartbeatAtMs = nowMs + request.heartbeatMs;
    }
    this.#arm(request);
  }

  /** Answers and drops every request. `text` null = only drop them. */
  endAll(answer: (request: PullRequest) => Buffer | null): void {
    for (let request = this.#waiting.first; request !== null; request = this.#waiting.first) {
      this.#remove(request);
      const status = answer(request);
      if (status !== null) this.#status(request.reply, status);
    }
  }

  #arm(request: PullRequest): void {
    const dueMs = Math.min(request.expiresAtMs, request.heartbeatAtMs);
    if (dueMs !== Number.POSITIVE_INFINITY) this.#core.wheel.arm(request, dueMs);
  }

  #end(request: PullRequest, text: string): void {
    this.#remove(request);
    this.#status(request.reply, pendingStatus(text, request.messagesLeft, request.bytesLeft));
  }

  #remove(request: PullRequest): void {
    this.#core.wheel.disarm(request);
    this.#waiting.remove(request);
  }

  #status(reply: string, block: Buffer): number {
    return this.#core.stream.account.deliver(reply, reply, null, block, null);
  }

  /** Drops the requests nobody listens for any more; they are not told. */
  #sweep(): void {
    if (this.#waiting.size === 0) return;
    this.#lastSweepMs = this.#core.clock.now();
    let request = this.#waiting.first;
    while (request !== null) {
      const after: PullRequest | null = request.after;
      if (!this.#core.stream.account.hasListeners(request.reply)) this.#remove(request);
      request = after;
    }
  }
}
