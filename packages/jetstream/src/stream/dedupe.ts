/** Entries a list of ids grows by before it is trimmed. */
const TRIM_MIN = 1024;

/**
 * The duplicate window of a stream: message ids of the last `windowMs` and the sequences they got. Equivalent to ddmap in nats-server.
 *
 * Holds at most `limit` ids; beyond it the oldest are forgotten before their time.
 */
export class DedupeWindow {
  readonly #limit: number;
  readonly #seqs = new Map<string, number>();
  /** Ids in the order they came, from `#first` on, with their times. */
  #ids: string[] = [];
  #times: number[] = [];
  #first = 0;
  windowMs: number;

  constructor(windowMs: number, limit: number) {
    this.windowMs = windowMs;
    this.#limit = limit;
  }

  /** Number of ids held. */
  get size(): number {
    return this.#seqs.size;
  }

  /** The sequence an id got inside of the window; 0 = it is new. */
  find(id: string, nowMs: number): number {
    const seq = this.#seqs.get(id);
    if (seq === undefined) return 0;
    this.expire(nowMs);
    return this.#seqs.has(id) ? seq : 0;
  }

  add(id: string, seq: number, timeMs: number): void {
    if (this.windowMs <= 0) return;
    this.#seqs.set(id, seq);
    this.#ids.push(id);
    this.#times.push(timeMs);
    if (this.#ids.length - this.#first > this.#limit) this.#forgetFirst();
  }

  /** Forgets what is past the window. */
  expire(nowMs: number): void {
    const oldestMs = nowMs - this.windowMs;
    while (this.#first < this.#ids.length && this.#times[this.#first]! <= oldestMs) this.#forgetFirst();
  }

  /** Milliseconds until the oldest id expires; -1 when there is none. */
  nextExpiryMs(nowMs: number): number {
    if (this.#first >= this.#ids.length) return -1;
    return Math.max(0, this.#times[this.#first]! + this.windowMs - nowMs);
  }

  /** Forgets ids whose message was given up: sequences above `lastSeq`. */
  truncate(lastSeq: number): void {
    const kept: number[] = [];
    for (let at = this.#first; at < this.#ids.length; at++) {
      const id = this.#ids[at]!;
      if (this.#seqs.get(id)! > lastSeq) this.#seqs.delete(id);
      else kept.push(at);
    }
    this.#ids = kept.map((at) => this.#ids[at]!);
    this.#times = kept.map((at) => this.#times[at]!);
    this.#first = 0;
  }

  #forgetFirst(): void {
    this.#seqs.delete(this.#ids[this.#first]!);
    this.#first++;
    if (this.#first < TRIM_MIN || this.#first * 2 < this.#ids.length) return;
    this.#ids = this.#ids.slice(this.#first);
    this.#times = this.#times.slice(this.#first);
    this.#first = 0;
  }
}
