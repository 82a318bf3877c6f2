import { CLOSE_REASONS } from '@nats-ts/protocol';
import { goDurationOfMs } from '../go-format.ts';
import { fieldsOf, type SlowConsumerReason } from '../slow-consumers.ts';
import { WheelTimer } from '../timer-wheel.ts';
import type { Connection } from './connection.ts';

/**
 * What happens when a client does not take its output as fast as it comes (spec/core.md 3): producers wait a little, and
 * beyond max_pending or write_deadline it is closed as a slow consumer.
 */
export class Backpressure {
  /** Times a producer had to wait for it. */
  stalls = 0;
  readonly #connection: Connection;
  readonly #writeTimer: WheelTimer;
  #waiting: Connection[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#writeTimer = new WheelTimer(() => this.#writeTimedOut());
  }

  /** `producer` published to this connection while it was behind. */
  stall(producer: Connection): void {
    const { outbound, context } = this.#connection;
    this.stalls++;
    context.counters.stalls++;
    producer.intake.stall(outbound.pending >= context.settings.maxPending);
    if (!this.#waiting.includes(producer)) this.#waiting.push(producer);
  }

  writeBlocked(): void {
    const { wheel, settings } = this.#connection.context;
    wheel.set(this.#writeTimer, settings.writeDeadlineMs);
  }

  writeProgress(): void {
    const { outbound, stallBytes, context } = this.#connection;
    if (!outbound.isBlocked) context.wheel.clear(this.#writeTimer);
    if (outbound.pending <= stallBytes) this.#release();
  }

  pendingExceeded(): void {
    const { settings } = this.#connection.context;
    this.#tell('max_pending', `Slow Consumer Detected: MaxPending of ${settings.maxPending} Exceeded`);
    this.#connection.close(CLOSE_REASONS.slowConsumerPending);
  }

  stop(): void {
    this.#connection.context.wheel.clear(this.#writeTimer);
    this.#release();
  }

  #release(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const producer of waiting) producer.intake.unstall();
  }

  #writeTimedOut(): void {
    const { limits, outbound, context } = this.#connection;
    // A client that never logged in is no consumer: closed, but not counted.
    if (!limits.connectRequired) {
      this.#tell(
        'write_deadline',
        `Slow Consumer Detected: WriteDeadline of ${goDurationOfMs(context.settings.writeDeadlineMs)} exceeded with ` +
          `${outbound.chunkCount} chunks of ${outbound.pending} total bytes.`,
      );
    }
    this.#connection.close(CLOSE_REASONS.slowConsumerDeadline);
  }

  /** Counts it and says who it is. */
  #tell(reason: SlowConsumerReason, text: string): void {
    const { context, account, log } = this.#connection;
    context.counters.slowConsumers++;
    account.slowConsumers++;
    const slow = context.slowConsumers.add(this.#connection, reason, context.clock.now());
    log.always(text, fieldsOf(slow));
  }
}
