import { FIRST_PING_MS, RTT_MAX_AGE_MS } from '../limits.ts';
import { WheelTimer } from '../timer-wheel.ts';
import type { Connection } from './connection.ts';
import { endStale } from './endings.ts';

/** A client that did not send its first PING gets no RTT measurement before it is this old. */
const RTT_PING_AFTER_MS = 2000;

/** PINGs from the server, what becomes of them, and the round trip time (spec/core.md 1.5). */
export class Pinger {
  /** Round trip in milliseconds; 0 = unknown. */
  rttMs = 0;
  /** The answer to the client's first PING has been sent. */
  hasAnsweredFirst = false;
  #unanswered = 0;
  /** Long ago: the first PING is never put off. */
  #pingedMs: number = Number.NEGATIVE_INFINITY;
  readonly #connection: Connection;
  readonly #timer: WheelTimer;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#timer = new WheelTimer(() => this.#tick());
  }

  /** PINGs the client has not answered. */
  get unanswered(): number {
    return this.#unanswered;
  }

  start(): void {
    const { wheel, settings } = this.#connection.context;
    wheel.set(this.#timer, settings.pingIntervalMs);
  }

  /** CONNECT arrived: the next PING comes soon, so that a client which cannot answer is found out. */
  connected(): void {
    const { wheel, settings, ids, clock } = this.#connection.context;
    this.rttMs = atLeastOneNanosecond(clock.monotonicMs() - this.#connection.startedMs);
    const delayMs = Math.min(settings.pingIntervalMs, FIRST_PING_MS);
    wheel.set(this.#timer, delayMs + (ids.random() * delayMs) / 5);
  }

  /** PONG; one that nobody asked for changes nothing. */
  answered(): void {
    if (this.#unanswered === 0) return;
    this.#unanswered = 0;
    this.rttMs = atLeastOneNanosecond(this.#connection.context.clock.monotonicMs() - this.#pingedMs);
  }

  /** It could not be heard for a while: what it did not answer does not count. */
  excuse(): void {
    this.#unanswered = 0;
    this.#connection.heard();
  }

  stop(): void {
    this.#connection.context.wheel.clear(this.#timer);
  }

  /** Measures the round trip if it is unknown and the client is ready for a PING. */
  measure(): void {
    if (this.rttMs > 0 || this.#unanswered > 0) return;
    const ageMs = this.#connection.context.clock.monotonicMs() - this.#connection.startedMs;
    if (this.hasAnsweredFirst || ageMs > RTT_PING_AFTER_MS) this.#ping();
  }

  #tick(): void {
    const connection = this.#connection;
    const { settings, clock, wheel } = connection.context;
    if (connection.intake.isShut) {
      wheel.set(this.#timer, settings.pingIntervalMs);
      return;
    }
    connection.log.debug('Client Ping Timer');
    const nowMs = clock.monotonicMs();
    const quietMs = nowMs - connection.lastInputMs;
    const knowsRtt = this.rttMs > 0 && nowMs - this.#pingedMs <= RTT_MAX_AGE_MS;
    if (quietMs < settings.pingIntervalMs && knowsRtt) {
      connection.log.debug(`Delaying PING due to remote client data or ping ${Math.round(quietMs / 1000)}s ago`);
    } else if (this.#unanswered + 1 > settings.pingMax) {
      endStale(connection);
      return;
    } else {
      this.#ping();
    }
    wheel.set(this.#timer, settings.pingIntervalMs);
  }

  #ping(): void {
    this.#unanswered++;
    this.#pingedMs = this.#connection.context.clock.monotonicMs();
    this.#connection.sendPing();
  }
}

/** 0 means unknown, so a round trip too short for the clock counts as the shortest there is. */
function atLeastOneNanosecond(ms: number): number {
  return Math.max(ms, 1e-6);
}
