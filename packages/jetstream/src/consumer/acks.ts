import type { HostMessage } from '../host.ts';
import {
  ACK,
  ackKind,
  NAK,
  NEXT,
  nakArgument,
  nakDelayMs,
  nextRequestStart,
  PROGRESS,
  TERM,
  termReason,
} from './ack-body.ts';
import { type AckNumbers, AckSubjects } from './ack-subject.ts';
import type { Confirmations } from './confirmations.ts';
import type { ConsumerCore } from './core.ts';
import type { PendingEntry } from './pending.ts';
import type { Redelivery } from './redelivery.ts';

/** Carries out what clients answer to delivered messages (spec/jetstream.md 4.4). */
export class Acks {
  readonly #core: ConsumerCore;
  readonly #redelivery: Redelivery;
  readonly #confirmations: Confirmations;
  readonly #subjects: AckSubjects;
  /** Takes the pull request of a `+NXT`: reply, then the body in `buffer[start, end)`. */
  readonly #pull: (reply: string, buffer: Buffer, start: number, end: number) => void;
  readonly #numbers: AckNumbers = { deliveries: 0, streamSeq: 0, consumerSeq: 0 };
  readonly #onDone = (streamSeq: number): void => {
    this.#core.settled(streamSeq, 'ack');
    this.#core.stream.doneWith(this.#core.self, streamSeq);
  };

  constructor(
    core: ConsumerCore,
    redelivery: Redelivery,
    confirmations: Confirmations,
    pull: (reply: string, buffer: Buffer, start: number, end: number) => void,
  ) {
    this.#core = core;
    this.#redelivery = redelivery;
    this.#confirmations = confirmations;
    this.#subjects = new AckSubjects(core.stream.name, core.name);
    this.#pull = pull;
  }

  /** What to subscribe to. */
  get pattern(): string {
    return this.#subjects.pattern;
  }

  /** One message to an ack subject of the consumer. */
  onAck(message: HostMessage): void {
    const { subject, reply, buffer, payloadStart, payloadEnd } = message;
    this.#core.touch();
    const numbers = this.#numbers;
    this.#subjects.parse(subject, numbers);
    const { streamSeq, consumerSeq, deliveries } = numbers;
    let isAnswered = streamSeq !== 0;
    switch (ackKind(buffer, payloadStart, payloadEnd)) {
      case ACK:
        isAnswered = this.#ack(streamSeq, consumerSeq, deliveries, 'ack');
        break;
      case NEXT:
        this.#ack(streamSeq, consumerSeq, deliveries, 'ack');
        if (reply !== null) this.#pull(reply, buffer, nextRequestStart(payloadStart), payloadEnd);
        isAnswered = false;
        break;
      case NAK:
        this.#nak(numbers, buffer, payloadStart, payloadEnd);
        break;
      case PROGRESS: {
        const entry = this.#core.progress.pending.get(streamSeq);
        if (entry !== undefined) this.#redelivery.prolong(entry);
        break;
      }
      case TERM:
        isAnswered = this.#ack(streamSeq, consumerSeq, deliveries, 'term');
        this.#core.events.terminated(streamSeq, consumerSeq, deliveries, termReason(buffer, payloadStart, payloadEnd));
        break;
      default:
        break;
    }
    if (reply !== null && isAnswered) this.#confirmations.add(reply);
  }

  /** Returns false if the ack is not even answered: its sequence was never delivered. */
  #ack(streamSeq: number, consumerSeq: number, deliveries: number, how: 'ack' | 'term'): boolean {
    const { progress, backlog, config, settings, clock, stream, self } = this.#core;
    // As nats-server: with flow control the client may be ahead of what is known here.
    if (streamSeq < 0 || streamSeq >= backlog.nextSeq) return config.flow_control;
    const { maxAckPending } = settings;
    const wasFull = maxAckPending > 0 && progress.pending.size >= maxAckPending;
    const nowMs = clock.now();
    if (settings.ackPolicy === 'all') {
      // The stream sequence decides: the consumer sequence of a redelivery is above those of messages after it.
      if (streamSeq <= progress.floorStreamSeq) return streamSeq !== 0;
      progress.doneUpTo(streamSeq, nowMs, this.#onDone);
    } else {
      const entry = progress.pending.get(streamSeq);
      if (entry === undefined) {
        if (!progress.redelivered.has(streamSeq)) {
          progress.lastAckMs = nowMs;
          // As nats-server: sequence 0, of no message at all, is confirmed where nothing hangs on it.
          return streamSeq !== 0 || stream.config.retention === 'limits';
        }
        progress.forget(streamSeq, nowMs);
      } else {
        if (how === 'ack' && settings.samplePercent > 0) this.#sample(entry, consumerSeq, deliveries, nowMs);
        progress.done(entry, nowMs);
      }
      this.#core.settled(streamSeq, how);
      stream.doneWith(self, streamSeq);
    }
    if (wasFull) this.#core.wake();
    return true;
  }

  #nak(numbers: AckNumbers, buffer: Buffer, start: number, end: number): void {
    const { progress, events, stream, name } = this.#core;
    const { streamSeq, consumerSeq, deliveries } = numbers;
    // One above the last is let through, as in nats-server.
    if (consumerSeq <= progress.floorConsumerSeq || consumerSeq > progress.deliveredConsumerSeq + 1) return;
    const entry = progress.pending.get(streamSeq);
    if (entry === undefined) return;
    this.#core.settled(streamSeq, 'nak');
    events.naked(streamSeq, consumerSeq, deliveries);
    const delayMs = nakDelayMs(buffer, start, end);
    if (delayMs === null) {
      const text = nakArgument(buffer, start, end);
      stream.host.log.warn(
        `JetStream consumer '${stream.account.name} > ${stream.name} > ${name}' bad NAK delay value: ${JSON.stringify(text)}`,
      );
    }
    this.#redelivery.postpone(entry, delayMs ?? 0);
  }

  #sample(entry: PendingEntry, consumerSeq: number, deliveries: number, nowMs: number): void {
    const { settings, stream, events } = this.#core;
    if (settings.samplePercent < 100 && Math.floor(stream.host.ids.random() * 100) > settings.samplePercent) return;
    events.acked(entry.streamSeq, consumerSeq, deliveries, Math.max(0, nowMs - entry.timeMs) * 1_000_000);
  }
}
