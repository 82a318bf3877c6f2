import { apiError } from '../errors/api-error.ts';
import { HeldPublishers } from '../held-publishers.ts';
import type { HostMessage, Timer } from '../host.ts';
import { type CommitCallback, Outbox, type OutboxSink, type Republish } from './outbox.ts';
import type { Stream } from './stream.ts';

/** Time between attempts to make a failed store writable again. */
export const STORE_RETRY_MS = 1_000;
/**
 * Part of the ingest limits at which whoever publishes is not read from any more, and part at which they go on: an ordinary flood
 * never comes to the limits. What is left above is for those who are in the middle of a message, and for messages that the server
 * itself sends, which nothing can hold.
 */
export const INGEST_HOLD_SHARE = 0.5;
export const INGEST_RELEASE_SHARE = 0.25;

/**
 * Follows the store: lets answers out and messages become visible when what they depend on is committed, and deals with a store
 * that failed (spec: architecture.md, "The file store" 2 and 8).
 */
export class Commits implements OutboxSink {
  readonly outbox: Outbox;
  /** Last sequence that consumers were told of. */
  visibleSeq: number;
  readonly #stream: Stream;
  /** Messages that were removed before they became visible. */
  readonly #removedEarly = new Set<number>();
  readonly #held = new HeldPublishers();
  readonly #holdMsgs: number;
  readonly #holdBytes: number;
  #retry: Timer | null = null;
  /** What is committed goes out in the next turn. */
  #turn: Timer | null = null;

  constructor(stream: Stream) {
    this.#stream = stream;
    const { maxBufferedMsgs, maxBufferedBytes } = stream.ingestLimits;
    this.#holdMsgs = maxBufferedMsgs * INGEST_HOLD_SHARE;
    this.#holdBytes = maxBufferedBytes * INGEST_HOLD_SHARE;
    this.outbox = new Outbox(this);
    this.visibleSeq = stream.messages.committedSeq;
    stream.messages.setEvents({ onCommit: () => this.#committed(), onFailure: (error) => this.#failed(error) });
  }

  /**
   * Streams in memory commit before the turn is over. Two that republish into each other would keep it from ever being: what they
   * republish goes out in the next one.
   */
  #committed(): void {
    const { messages, republisher, host } = this.#stream;
    if (republisher === null || messages.kind === 'file') {
      this.release();
      return;
    }
    this.#turn ??= host.clock.setTimer(() => {
      this.#turn = null;
      this.release();
    }, 0);
  }

  /** Lets out what is committed and tells the consumers. */
  release(): void {
    const { messages, registry } = this.#stream;
    const stored = this.outbox.release(messages.committed);
    if (this.outbox.size === 0) {
      this.#removedEarly.clear();
      // A skip or a purge may have moved the end without a message.
      if (messages.committedSeq > this.visibleSeq) this.visibleSeq = messages.committedSeq;
    }
    if (!this.#held.isEmpty && this.#hasCaughtUp) this.#held.release();
    if (stored && !this.#stream.isClosed) registry.committed();
  }

  /** An answer was pushed: if nothing is outstanding it need not wait for the next commit. */
  releaseIfIdle(): void {
    const { messages } = this.#stream;
    if (this.outbox.size === 1 && messages.committed >= messages.applied) this.release();
  }

  /**
   * Calls back when everything applied so far is durable; at once if it is. The error tells that it will not be, or that too much
   * waits already: answers share the limits of published messages.
   * @param size bytes the callback holds on to
   */
  after(callback: CommitCallback, size = 0): void {
    const { messages } = this.#stream;
    if (messages.failure !== null) callback(messages.failure);
    else if (this.outbox.size === 0 && messages.committed >= messages.applied) callback(null);
    else if (this.isFull) callback(new Error('too many requests wait for the store'));
    else this.outbox.pushCallback(messages.applied, size, callback);
  }

  /** So much waits that publishers should. */
  get isBehind(): boolean {
    const { outbox } = this;
    return outbox.size >= this.#holdMsgs || outbox.bytes >= this.#holdBytes;
  }

  /** The client that published `message` is not read from until enough of what waits is committed. */
  hold(message: HostMessage): void {
    // A store that failed refuses at once, and there is no telling when it commits again.
    if (this.#stream.messages.failure === null) this.#held.add(message);
  }

  get #hasCaughtUp(): boolean {
    const { maxBufferedMsgs, maxBufferedBytes } = this.#stream.ingestLimits;
    const { size, bytes } = this.outbox;
    return size <= maxBufferedMsgs * INGEST_RELEASE_SHARE && bytes <= maxBufferedBytes * INGEST_RELEASE_SHARE;
  }

  /** No more may wait: publishers and requesters are refused. */
  get isFull(): boolean {
    const { maxBufferedMsgs, maxBufferedBytes } = this.#stream.ingestLimits;
    return this.outbox.size >= maxBufferedMsgs || this.outbox.bytes >= maxBufferedBytes;
  }

  /** A message is gone. True if consumers know of it. */
  removed(seq: number): boolean {
    if (seq <= this.visibleSeq) return true;
    this.#removedEarly.add(seq);
    return false;
  }

  /** The stream ends: whoever still waits is told. */
  close(error: Error): void {
    this.#retry?.cancel();
    this.#turn?.cancel();
    if (this.#stream.messages.failure === null) this.outbox.release(this.#stream.messages.committed);
    this.outbox.fail(error);
    this.#held.release();
    this.#stream.observer?.notStored(this.#stream.account.name, this.#stream.name, error);
  }

  onStored(seq: number, subject: string, reply: string | null, republish: Republish | null): void {
    const stream = this.#stream;
    this.visibleSeq = seq;
    if (republish !== null) {
      const { subject: to, header, payload } = republish;
      stream.account.deliver(to, to, null, header, payload);
    }
    if (reply !== null) stream.pubAcks.ack(reply, seq);
    if (stream.observer !== null) stream.observer.stored(stream.account.name, stream.name, seq);
    if (this.#removedEarly.size > 0 && this.#removedEarly.delete(seq)) return;
    if (seq < stream.messages.firstSeq || stream.isClosed) return;
    stream.registry.stored(seq, subject);
  }

  onSkipped(seq: number, reply: string | null): void {
    this.visibleSeq = seq;
    if (reply !== null) this.#stream.pubAcks.ack(reply, seq);
  }

  onDuplicate(seq: number, reply: string): void {
    this.#stream.pubAcks.duplicate(reply, seq);
  }

  onRefusal(reply: string, body: Buffer): void {
    this.#stream.pubAcks.send(reply, null, body);
  }

  onLost(reply: string, error: Error): void {
    const { pubAcks } = this.#stream;
    pubAcks.send(reply, null, pubAcks.refusal(apiError('StreamStoreFailed', { err: error.message })));
  }

  #failed(error: Error): void {
    const { host, name, isClosed, observer, account } = this.#stream;
    host.log.error(`JetStream failed to store a msg on stream '${name}': ${error.message}`);
    this.outbox.fail(error);
    this.#held.release();
    observer?.notStored(account.name, name, error);
    if (!isClosed) this.#retryLater();
  }

  #retryLater(): void {
    this.#retry?.cancel();
    this.#retry = this.#stream.host.clock.setTimer(() => {
      this.#retry = null;
      void this.#recover();
    }, STORE_RETRY_MS);
  }

  async #recover(): Promise<void> {
    const { messages, host, name } = this.#stream;
    let isWritable = false;
    try {
      isWritable = await messages.recover();
    } catch (error) {
      host.log.error(`Stream '${name}' is still not writable: ${String(error)}`);
    }
    if (this.#stream.isClosed) return;
    if (!isWritable) {
      this.#retryLater();
      return;
    }
    host.log.info(`Stream '${name}' is writable again`);
    this.outbox.recovered(messages.lastSeq, messages.applied);
    this.#stream.storeRecovered();
    this.release();
  }
}
