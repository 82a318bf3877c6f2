import { subjectByteLength } from '@nats-ts/protocol';
import type { StandingMessage, Timer } from '../host.ts';
import type { MessageObserver } from '../observer.ts';
import { emptyMessage } from '../store/shared/empty.ts';
import type { StoredMessage } from '../store/store.ts';
import { AckSubjects } from './ack-subject.ts';
import type { ConsumerCore } from './core.ts';
import { REASON_DELETED } from './events.ts';
import { addSizeHeader } from './headers-only.ts';
import type { Pacing } from './pacing.ts';
import type { PendingEntry } from './pending.ts';
import type { Redelivery } from './redelivery.ts';
import { WheelNode } from './timer-wheel.ts';

/** Messages one consumer delivers before it lets the event loop turn. */
export const BURST_MESSAGES_MAX = 1024;

/** Bytes one consumer delivers before it lets the event loop turn. */
export const BURST_BYTES_MAX: number = 1024 * 1024;

/** A disk that could not be read is asked again after this long, and each time it still cannot after twice as long, up to the second. */
export const READ_RETRY_MS = 1_000;
export const READ_RETRY_MAX_MS = 30_000;

/** Who gets the messages: a deliver subject (push) or the pull requests that wait. */
export interface DeliveryTarget {
  /** Somebody is there for a message now. */
  readonly isReady: boolean;
  /**
   * Sends one message. False = nobody took it: it counts as not delivered.
   * @param message valid during the call
   * @param bytes what the message counts against max_bytes: subject, ack subject, header and payload
   * @param nowMs the time, read once per burst
   */
  send(message: StandingMessage, bytes: number, nowMs: number): boolean;
  /** Everything available was sent. */
  onEnd(): void;
}

const EMPTY: Buffer = Buffer.alloc(0);

/** How an attempt to deliver one message ended; a message that went out gives its size instead. */
const END = -1;
const BLOCKED = -2;

/** The message that is being sent: one object for all of them. */
class Outgoing implements StandingMessage {
  subject = '';
  readonly reply: Buffer;
  replyEnd = 0;
  buffer: Buffer = EMPTY;
  headerStart = 0;
  payloadStart = 0;
  payloadEnd = 0;

  constructor(reply: Buffer) {
    this.reply = reply;
  }
}

class Gate extends WheelNode {
  readonly #open: () => void;

  constructor(open: () => void) {
    super();
    this.#open = open;
  }

  onDue(): void {
    this.#open();
  }
}

/**
 * The delivery loop of one consumer: redeliveries first, then new messages, as long as somebody takes them. Runs in the
 * turn of whatever woke it; after a burst it goes on in a later turn, so that no consumer holds up the process.
 */
export class Delivery {
  readonly #core: ConsumerCore;
  readonly #target: DeliveryTarget;
  readonly #redelivery: Redelivery;
  readonly #pacing: Pacing;
  readonly #acks: AckSubjects;
  readonly #message: StoredMessage = emptyMessage();
  readonly #outgoing: Outgoing;
  readonly #gate = new Gate(() => this.run());
  #turn: Timer | null = null;
  #isRunning = false;
  #isWoken = false;
  #isWarming = false;
  #readRetryMs: number = READ_RETRY_MS;
  /** Bytes are being handed over: acks that arrive now come from inside the process, before the delivery is booked. */
  #isSending = false;
  readonly #continue = (): void => {
    this.#turn = null;
    this.run();
  };

  constructor(core: ConsumerCore, target: DeliveryTarget, redelivery: Redelivery, pacing: Pacing) {
    this.#core = core;
    this.#target = target;
    this.#redelivery = redelivery;
    this.#pacing = pacing;
    this.#acks = new AckSubjects(core.stream.name, core.name);
    this.#outgoing = new Outgoing(this.#acks.buffer);
  }

  get isSending(): boolean {
    return this.#isSending;
  }

  /** Delivers what can be delivered. */
  run(): void {
    if (this.#isRunning) {
      this.#isWoken = true;
      return;
    }
    if (this.#turn !== null || this.#isWarming || this.#gate.isArmed) return;
    this.#isRunning = true;
    try {
      do {
        this.#isWoken = false;
        this.#burst();
      } while (this.#isWoken && this.#turn === null && !this.#isWarming && !this.#gate.isArmed);
    } finally {
      this.#isRunning = false;
    }
  }

  stop(): void {
    this.#turn?.cancel();
    this.#turn = null;
    this.#core.wheel.disarm(this.#gate);
  }

  /** Something the loop waits for is different now (rate, pause, position): it looks again. */
  reconsider(): void {
    this.#core.wheel.disarm(this.#gate);
    this.run();
  }

  #burst(): void {
    const nowMs = this.#core.clock.now();
    let messages = 0;
    let bytes = 0;
    for (;;) {
      if (this.#core.isStopped || !this.#target.isReady) return;
      if (this.#core.settings.pauseUntilMs > nowMs) {
        // While paused there is nothing to have: requests that do not want to wait are told so.
        this.#target.onEnd();
        return;
      }
      if (messages >= BURST_MESSAGES_MAX || bytes >= BURST_BYTES_MAX) {
        this.#turn = this.#core.clock.setTimer(this.#continue, 0);
        return;
      }
      const outcome = this.#deliverOne(nowMs);
      if (outcome < 0) {
        if (outcome === END) this.#target.onEnd();
        return;
      }
      messages++;
      bytes += outcome;
    }
  }

  #deliverOne(nowMs: number): number {
    const { progress, settings, stream } = this.#core;
    for (let entry = progress.pending.queueFirst; entry !== null; entry = progress.pending.queueFirst) {
      const found = stream.messages.load(entry.streamSeq, this.#message);
      if (found === 'found') return this.#deliverAgain(entry, nowMs);
      if (found === 'cold') return this.#warm(entry.streamSeq);
      this.#terminate(entry, nowMs);
    }
    if (settings.maxAckPending > 0 && progress.pending.size >= settings.maxAckPending) return BLOCKED;
    return this.#deliverNew(nowMs);
  }

  #deliverNew(nowMs: number): number {
    const { backlog, progress, settings, stream } = this.#core;
    const message = this.#message;
    const found = backlog.find(message);
    if (found === 'gone') return END;
    if (found === 'cold') return this.#warm(message.seq);
    const seq = message.seq;
    const storedMs = message.timeMs;
    const bytes = this.#send(message, 1, backlog.count - 1, nowMs);
    if (bytes < 0) return BLOCKED;
    backlog.taken(seq);
    const entry = progress.delivered(seq, nowMs);
    this.#pacing.sent(storedMs, bytes, nowMs);
    if (entry !== null) this.#redelivery.track(entry);
    else if (settings.ackPolicy === 'none') stream.doneWith(this.#core.self, seq);
    if (stream.observer !== null) this.#tell(stream.observer, 1);
    return bytes;
  }

  #deliverAgain(entry: PendingEntry, nowMs: number): number {
    const bytes = this.#send(this.#message, entry.deliveries + 1, this.#core.backlog.count, nowMs);
    if (bytes < 0) return BLOCKED;
    this.#core.progress.deliveredAgain(entry, nowMs);
    this.#redelivery.track(entry);
    const { observer } = this.#core.stream;
    if (observer !== null) this.#tell(observer, entry.deliveries);
    return bytes;
  }

  #tell(observer: MessageObserver, deliveries: number): void {
    const { stream, name, settings } = this.#core;
    const awaitsAck = settings.ackPolicy !== 'none';
    observer.delivered(stream.account.name, stream.name, name, deliveries, awaitsAck, this.#message);
  }

  /** Hands a message over. Returns its size, or -1 if it did not go out. */
  #send(message: StoredMessage, deliveries: number, pending: number, nowMs: number): number {
    const { seq, timeMs, timeNs } = message;
    const outgoing = this.#outgoing;
    const consumerSeq = this.#core.progress.deliveredConsumerSeq + 1;
    outgoing.subject = message.subject;
    outgoing.replyEnd = this.#acks.write(deliveries, seq, consumerSeq, timeMs, timeNs, pending);
    outgoing.buffer = message.buffer;
    outgoing.headerStart = message.headerStart;
    outgoing.payloadStart = message.payloadStart;
    outgoing.payloadEnd = message.payloadEnd;
    if (this.#core.settings.headersOnly) stripPayload(outgoing);
    const size = outgoing.payloadEnd - outgoing.headerStart;
    const bytes = subjectByteLength(message.subject) + outgoing.replyEnd + size;
    const delayMs = this.#pacing.delayMs(message.seq, message.timeMs, bytes, nowMs);
    if (delayMs > 0) {
      this.#core.wheel.arm(this.#gate, nowMs + delayMs);
      return -1;
    }
    this.#isSending = true;
    try {
      const isTaken = this.#target.send(outgoing, bytes, nowMs);
      return isTaken && !this.#core.isStopped ? bytes : -1;
    } finally {
      this.#isSending = false;
    }
  }

  /** The message to redeliver left the stream. */
  #terminate(entry: PendingEntry, nowMs: number): void {
    const { streamSeq, consumerSeq, deliveries } = entry;
    this.#core.progress.done(entry, nowMs);
    this.#core.settled(streamSeq, 'gone');
    this.#core.events.terminated(streamSeq, consumerSeq, deliveries, REASON_DELETED);
  }

  #warm(seq: number): number {
    this.#isWarming = true;
    this.#core.stream.messages.warm(seq, (error) => {
      this.#isWarming = false;
      if (this.#core.isStopped) return;
      if (error === null) {
        this.#readRetryMs = READ_RETRY_MS;
        this.run();
        return;
      }
      // The message may be there: it is waited for, not skipped. The store has told in the log what cannot be read.
      this.#core.wheel.arm(this.#gate, this.#core.clock.now() + this.#readRetryMs);
      this.#readRetryMs = Math.min(this.#readRetryMs * 2, READ_RETRY_MAX_MS);
    });
    return BLOCKED;
  }
}

/** The payload stays behind; a header says how long it is. */
function stripPayload(message: Outgoing): void {
  const { buffer, headerStart, payloadStart, payloadEnd } = message;
  const header = payloadStart > headerStart ? buffer.subarray(headerStart, payloadStart) : null;
  const block = addSizeHeader(header, payloadEnd - payloadStart);
  message.buffer = block;
  message.headerStart = 0;
  message.payloadStart = block.length;
  message.payloadEnd = block.length;
}
