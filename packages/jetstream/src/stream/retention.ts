import { emptyMessage } from '../store/shared/empty.ts';
import type { StreamConsumer } from './consumer-port.ts';
import type { Stream } from './stream.ts';

/** Messages looked at in one turn of the event loop when a range is checked. */
export const RETENTION_CHUNK = 2_000;

/**
 * Removes what nobody needs any more from interest and work queue streams (spec/jetstream.md 3.4). Equivalent to ackMsg and
 * checkInterestState in nats-server.
 */
export class Retention {
  readonly #stream: Stream;
  readonly #into = emptyMessage();

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** One consumer is done with one message. */
  doneWith(consumer: StreamConsumer, seq: number): void {
    const stream = this.#stream;
    if (stream.config.retention === 'limits' || stream.isClosed || stream.failure !== null) return;
    const { messages, registry } = stream;
    if (seq < messages.firstSeq || seq > stream.visibleSeq) return;
    if (registry.byName.size > 1) {
      const found = messages.load(seq, this.#into);
      if (found === 'gone') return;
      if (found === 'cold') {
        messages.warm(seq, (error) => {
          if (error === null) this.doneWith(consumer, seq);
        });
        return;
      }
      if (registry.needs(seq, this.#into.subject, consumer)) return;
    }
    stream.remove(seq, 'ack', false);
  }

  /** A consumer is gone: on interest streams, what only it held back goes too. */
  consumerRemoved(consumer: StreamConsumer): void {
    const stream = this.#stream;
    if (stream.config.retention !== 'interest' || stream.isClosed || stream.failure !== null) return;
    this.check(Math.max(consumer.ackFloorSeq + 1, stream.messages.firstSeq));
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
