/** How fast messages follow each other: rate_limit_bps and replay_policy original (spec/jetstream.md 4.1). */

/** Gaps in the recorded times that are too small to wait for, milliseconds. */
const REPLAY_GAP_MIN_MS = 1;

/** Holds back a message until a token bucket of bytes has room for it, or until its recorded time has passed. */
export class Pacing {
  #bytesPerSecond = 0;
  #burstBytes = 0;
  #tokens = 0;
  #filledAtMs: number;
  /** Replay in recorded time goes on up to this stream sequence; 0 = no replay. */
  readonly #replayUntilSeq: number;
  #lastStoredMs = Number.NaN;
  #lastSentMs = 0;

  constructor(replayUntilSeq: number, nowMs: number) {
    this.#replayUntilSeq = replayUntilSeq;
    this.#filledAtMs = nowMs;
  }

  /** @param burstBytes largest message: what may go out at once after a pause */
  setRate(bytesPerSecond: number, burstBytes: number, nowMs: number): void {
    this.#bytesPerSecond = bytesPerSecond;
    this.#burstBytes = burstBytes;
    this.#tokens = burstBytes;
    this.#filledAtMs = nowMs;
  }

  /** Milliseconds until a message may go out; 0 = now. */
  delayMs(streamSeq: number, storedMs: number, bytes: number, nowMs: number): number {
    let delayMs = 0;
    if (streamSeq <= this.#replayUntilSeq && !Number.isNaN(this.#lastStoredMs)) {
      const gapMs = storedMs - this.#lastStoredMs;
      if (gapMs > REPLAY_GAP_MIN_MS) delayMs = Math.ceil(this.#lastSentMs + gapMs - nowMs);
    }
    if (this.#bytesPerSecond > 0) {
      this.#fill(nowMs);
      const missing = Math.min(bytes, this.#burstBytes) - this.#tokens;
      if (missing > 0) delayMs = Math.max(delayMs, Math.ceil((missing * 1000) / this.#bytesPerSecond));
    }
    return Math.max(0, delayMs);
  }

  /** A message went out. */
  sent(storedMs: number, bytes: number, nowMs: number): void {
    this.#lastStoredMs = storedMs;
    this.#lastSentMs = nowMs;
    if (this.#bytesPerSecond > 0) this.#tokens -= Math.min(bytes, this.#burstBytes);
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#burstBytes, this.#tokens + (elapsedMs * this.#bytesPerSecond) / 1000);
  }
}
