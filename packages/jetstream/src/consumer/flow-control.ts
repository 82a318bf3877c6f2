/** Bytes that may be under way to a push consumer with flow control at first. */
export const FLOW_WINDOW_START_BYTES: number = 2 * 1024 * 1024;

/** What that window grows to, doubling with each answer. */
export const FLOW_WINDOW_MAX_BYTES: number = 32 * 1024 * 1024;

/**
 * The window of a push consumer with flow control: when half of it is used a request goes out, and when it is exceeded
 * nothing follows until the answer (spec/jetstream.md 4.2).
 */
export class FlowWindow {
  #windowBytes = FLOW_WINDOW_START_BYTES;
  #pendingBytes = 0;
  /** Bytes the answer to the outstanding request frees. */
  #requestedBytes = 0;
  #outstanding: string | null = null;

  /** Subject that the outstanding request is to be answered on; null = none. */
  get outstanding(): string | null {
    return this.#outstanding;
  }

  get isStalled(): boolean {
    return this.#pendingBytes > this.#windowBytes;
  }

  /** Counts a message that went out. Returns true if a request has to follow. */
  sent(bytes: number): boolean {
    this.#pendingBytes += bytes;
    if (this.#outstanding === null) return this.#pendingBytes > this.#windowBytes / 2;
    if (this.#pendingBytes - this.#requestedBytes >= this.#windowBytes) this.#requestedBytes += bytes;
    return false;
  }

  /** A request went out, to be answered on `subject`. */
  requested(subject: string): void {
    this.#outstanding = subject;
    this.#requestedBytes = this.#pendingBytes;
  }

  /** Something was published on a flow control subject. Returns true if it was the answer. */
  answered(subject: string): boolean {
    if (subject !== this.#outstanding) return false;
    this.#windowBytes = Math.min(this.#windowBytes * 2, FLOW_WINDOW_MAX_BYTES);
    this.#pendingBytes = Math.max(0, this.#pendingBytes - this.#requestedBytes);
    this.#requestedBytes = 0;
    this.#outstanding = null;
    return true;
  }
}
