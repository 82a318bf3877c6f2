import type { Timer } from '../host.ts';
import { emptyMessage } from '../store/shared/empty.ts';
import type { StreamConsumer } from './consumer-port.ts';
import type { Stream } from './stream.ts';

/** Messages looked at in one turn of the event loop when a range is checked. */
export const RETENTION_CHUNK = 2_000;

/** Removals a failing disk refused that are remembered one by one; after more of them the whole stream is gone through. */
export const REFUSED_MAX = 4_096;

/** How long after a refusal removals are tried again, unless the store recovers before. */
export const REMOVAL_RETRY_MS = 1_000;

/**
 * Removes what nobody needs any more from interest and work queue streams (spec/jetstream.md 3.4). Equivalent to ackMsg and
 * checkInterestState in nats-server.
 */
export class Retention {
  readonly #stream: Stream;
  readonly #into = emptyMessage();
  /** Removals to be tried again. */
  #refused: { readonly consumer: StreamConsumer; readonly seq: number }[] = [];
  /** More were refused than `#refused` holds. */
  #mustCheck = false;
  #timer: Timer | null = null;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** One consumer is done with one message. */
  doneWith(consumer: StreamConsumer, seq: number): void {
    const stream = this.#stream;
    if (stream.config.retention === 'limits' || stream.isClosed) return;
    if (!this.#settle(consumer, seq)) this.#postpone(consumer, seq);
  }

  /** A consumer is gone: on interest streams, what only it held back goes too. */
  consumerRemoved(consumer: StreamConsumer): void {
    const stream = this.#stream;
    if (stream.config.retention !== 'interest' || stream.isClosed) return;
    if (stream.failure === null) this.check(Math.max(consumer.ackFloorSeq + 1, stream.messages.firstSeq));
    else this.#postponeCheck();
  }

  /** Tries again what the disk refused: acks were confirmed that depend on it. */
  retry(): void {
    const stream = this.#stream;
    this.#timer?.cancel();
    this.#timer = null;
    if (stream.isClosed) return;
    if (stream.failure !== null) {
      this.#arm();
      return;
    }
    const refused = this.#refused;
    const mustCheck = this.#mustCheck;
    this.#refused = [];
    this.#mustCheck = false;
    for (const { consumer, seq } of refused) this.doneWith(consumer, seq);
    if (mustCheck) this.check(stream.messages.firstSeq);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Removes the message unless somebody else needs it. False if the disk has to be asked again. */
  #settle(consumer: StreamConsumer, seq: number): boolean {
    const stream = this.#stream;
    const { messages, registry } = stream;
    if (stream.failure !== null) return false;
    if (seq < messages.firstSeq || seq > stream.visibleSeq) return true;
    const own = registry.byName.get(consumer.name) === consumer ? 1 : 0;
    if (registry.byName.size > own) {
      const found = messages.load(seq, this.#into);
      if (found === 'gone') return true;
      if (found === 'cold') {
        messages.warm(seq, (error) => {
          if (error === null) this.doneWith(consumer, seq);
          else this.#postpone(consumer, seq);
        });
        return true;
      }
      if (registry.needs(seq, this.#into.subject, consumer)) return true;
    }
    return stream.remove(seq, 'ack', false) || messages.load(seq, this.#into) === 'gone';
  }

  #postpone(consumer: StreamConsumer, seq: number): void {
    if (this.#refused.length < REFUSED_MAX) this.#refused.push({ consumer, seq });
    else this.#mustCheck = true;
    this.#arm();
  }

  #postponeCheck(): void {
    this.#mustCheck = true;
    this.#arm();
  }

  #arm(): void {
    if (this.#stream.isClosed) return;
    this.#timer ??= this.#stream.host.clock.setTimer(() => this.retry(), REMOVAL_RETRY_MS);
  }

  /**
   * Goes through the messages from `from` on and removes those nobody needs: after a restart (an ack may have outlived the removal it
   * asked for), after a switch to interest retention, after a consumer went. In chunks, over several turns.
   */
  check(from: number): void {
    const stream = this.#stream;
    if (stream.isClosed || stream.failure !== null || stream.config.retention === 'limits') return;
    if (stream.registry.isEmpty) {
      if (stream.config.retention === 'interest' && stream.messages.messages > 0) stream.purge(null, 0, 0);
      return;
    }
    let seq = from;
    for (let looked = 0; looked < RETENTION_CHUNK; looked++) {
      if (seq > stream.visibleSeq) return;
      const found = stream.messages.loadNext(null, seq, this.#into);
      if (found === 'gone') return;
      if (found === 'cold') {
        const cold = this.#into.seq;
        stream.messages.warm(cold, (error) => {
          if (error === null) this.check(cold);
          else this.#postponeCheck();
        });
        return;
      }
      if (this.#into.seq > stream.visibleSeq) return;
      seq = this.#into.seq + 1;
      if (this.#isUnwanted(this.#into.seq, this.#into.subject)) stream.remove(this.#into.seq, 'ack', false);
    }
    stream.host.clock.setTimer(() => this.check(seq), 0);
  }

  /** A work queue keeps what no consumer takes yet; an interest stream does not. */
  #isUnwanted(seq: number, subject: string): boolean {
    const { registry, config } = this.#stream;
    if (config.retention === 'workqueue' && !registry.hasInterest(subject)) return false;
    return !registry.needs(seq, subject, null);
  }
}
