import { WheelNode } from './timer-wheel.ts';

/** Told when a pull request has something to do: it expires, or its heartbeat is due. */
export interface RequestOwner {
  onRequestDue(request: PullRequest, nowMs: number): void;
}

/** A pull request that waits for messages. */
export class PullRequest extends WheelNode {
  readonly owner: RequestOwner;
  readonly reply: string;
  /** Messages it still wants; it ends with the message that brings this to 0 or below. */
  messagesLeft: number;
  /** Bytes it still takes; ≤ 0 = no limit. */
  bytesLeft: number;
  /** Messages it got. */
  delivered = 0;
  readonly noWait: boolean;
  /** Moment of its end, milliseconds; infinite when it waits for ever. */
  readonly expiresAtMs: number;
  /** 0 = no heartbeats. */
  readonly heartbeatMs: number;
  /** Moment of the next heartbeat unless a message comes first. */
  heartbeatAtMs: number;
  before: PullRequest | null = null;
  after: PullRequest | null = null;

  constructor(
    owner: RequestOwner,
    reply: string,
    wants: { batch: number; maxBytes: number; noWait: boolean; expiresMs: number; heartbeatMs: number },
    nowMs: number,
  ) {
    super();
    this.owner = owner;
    this.reply = reply;
    this.messagesLeft = wants.batch;
    this.bytesLeft = wants.maxBytes;
    this.noWait = wants.noWait;
    this.expiresAtMs = nowMs + wants.expiresMs;
    this.heartbeatMs = wants.heartbeatMs;
    this.heartbeatAtMs = wants.heartbeatMs > 0 ? nowMs + wants.heartbeatMs : Number.POSITIVE_INFINITY;
  }

  onDue(nowMs: number): void {
    this.owner.onRequestDue(this, nowMs);
  }
}

/** Pull requests in the order they are served. */
export class WaitingQueue {
  #first: PullRequest | null = null;
  #last: PullRequest | null = null;
  #size = 0;
  #oneShots = 0;

  get size(): number {
    return this.#size;
  }

  /** The request served next. */
  get first(): PullRequest | null {
    return this.#first;
  }

  /** Requests with no_wait among them. */
  get oneShots(): number {
    return this.#oneShots;
  }

  add(request: PullRequest): void {
    const last = this.#last;
    request.before = last;
    request.after = null;
    if (last === null) this.#first = request;
    else last.after = request;
    this.#last = request;
    this.#size++;
    if (request.noWait) this.#oneShots++;
  }

  remove(request: PullRequest): void {
    const { before, after } = request;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    request.before = null;
    request.after = null;
    this.#size--;
    if (request.noWait) this.#oneShots--;
  }

  /** Sends the first request to the end of the queue: one message each in turn. */
  rotate(): void {
    const request = this.#first;
    if (request === null || request === this.#last) return;
    this.remove(request);
    this.add(request);
  }

  /** Messages that all of them together still want. */
  messagesWanted(): number {
    let wanted = 0;
    for (let request = this.#first; request !== null; request = request.after) wanted += request.messagesLeft;
    return wanted;
  }
}
