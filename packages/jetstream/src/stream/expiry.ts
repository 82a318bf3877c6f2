import type { Timer } from '../host.ts';
import { emptyMessage } from '../store/shared/empty.ts';
import type { Stream } from './stream.ts';

/** Expiry runs no more often than this. */
export const EXPIRY_INTERVAL_MIN_MS = 250;
/** Messages removed in one turn of the event loop; the rest follows in the next. */
export const EXPIRY_CHUNK = 5_000;
/** Longest wait for a timer: Node fires longer ones at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Removes messages older than max_age, and message ids past the duplicate window, with one timer each. */
export class Expiry {
  readonly #stream: Stream;
  readonly #into = emptyMessage();
  #timer: Timer | null = null;
  #dedupeTimer: Timer | null = null;
  #isStopped = false;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** A message was stored: the timer must run. */
  messageStored(): void {
    if (this.#timer === null && this.#stream.bounds.maxAgeMs > 0) this.#schedule();
  }

  /** An id was added: the timer must run. */
  idStored(): void {
    if (this.#dedupeTimer === null) this.#scheduleDedupe();
  }

  /** The configuration changed, or the stream has just been opened: look now. */
  restart(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#dedupeTimer?.cancel();
    this.#dedupeTimer = null;
    if (this.#isStopped) return;
    if (this.#stream.bounds.maxAgeMs > 0) this.#set(0);
    this.#scheduleDedupe();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#dedupeTimer?.cancel();
  }

  #set(delayMs: number): void {
    this.#timer = this.#stream.host.clock.setTimer(() => this.#run(), Math.min(delayMs, TIMER_MAX_MS));
  }

  #schedule(): void {
    const { firstTime } = this.#stream.messages.state();
    if (firstTime === null) return;
    const dueMs = firstTime.ms + this.#stream.bounds.maxAgeMs - this.#stream.host.clock.now();
    this.#set(Math.max(EXPIRY_INTERVAL_MIN_MS, Math.ceil(dueMs)));
  }

  #run(): void {
    this.#timer = null;
    const stream = this.#stream;
    const { maxAgeMs } = stream.bounds;
    if (this.#isStopped || maxAgeMs <= 0 || stream.failure !== null) return;
    const oldestMs = stream.host.clock.now() - maxAgeMs;
    for (let removed = 0; stream.messages.messages > 0; removed++) {
      if (removed === EXPIRY_CHUNK) {
        this.#set(0);
        return;
      }
      const found = stream.messages.load(stream.messages.firstSeq, this.#into);
      if (found === 'cold') {
        this.#warm(stream.messages.firstSeq);
        return;
      }
      if (found === 'gone' || (oldestMs - this.#into.timeMs) * 1_000_000 < this.#into.timeNs) break;
      if (!stream.remove(this.#into.seq, 'limit', false)) break;
    }
    this.#schedule();
  }

  #warm(seq: number): void {
    this.#stream.messages.warm(seq, (error) => {
      if (this.#isStopped || this.#timer !== null) return;
      this.#set(error === null ? 0 : EXPIRY_INTERVAL_MIN_MS);
    });
  }

  #scheduleDedupe(): void {
    const { dedupe, host } = this.#stream;
    const dueMs = dedupe.nextExpiryMs(host.clock.now());
    if (dueMs < 0 || this.#isStopped) return;
    const delayMs = Math.min(Math.max(EXPIRY_INTERVAL_MIN_MS, dueMs), TIMER_MAX_MS);
    this.#dedupeTimer = host.clock.setTimer(() => {
      this.#dedupeTimer = null;
      dedupe.expire(host.clock.now());
      this.#scheduleDedupe();
    }, delayMs);
  }
}
