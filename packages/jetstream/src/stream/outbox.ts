/** Slots a new outbox has; it doubles when they are all in use. A power of two. */
const SLOTS_FIRST = 64;

const STORED = 0;
const SKIPPED = 1;
const DUPLICATE = 2;
const REFUSAL = 3;
const CALLBACK = 4;

/** A message that goes out again under another subject when it is committed. */
export interface Republish {
  readonly subject: string;
  readonly header: Buffer;
  readonly payload: Buffer;
}

/** Told when the mutation an answer depends on is durable. `error` is set when it never will be. */
export type CommitCallback = (error: Error | null) => void;

/** What the outbox does when an entry's turn comes. Called in the order of the pushes. */
export interface OutboxSink {
  /** A message is visible from now on. `reply` is null when nobody waits for its ack. */
  onStored(seq: number, subject: string, reply: string | null, republish: Republish | null): void;
  /** Nobody wanted the message; its sequence is used up. */
  onSkipped(seq: number, reply: string | null): void;
  onDuplicate(seq: number, reply: string): void;
  onRefusal(reply: string, body: Buffer): void;
  /** The message of `seq` could not be made durable. */
  onLost(reply: string, error: Error): void;
}

/**
 * What a stream owes to publishers and requesters, in the order in which it was computed: an entry leaves when the store has
 * committed the mutation it depends on (spec: architecture.md, "What is visible before the sync"). A ring of parallel
 * arrays, so that a published message costs no object.
 */
export class Outbox {
  readonly #sink: OutboxSink;
  #mask = SLOTS_FIRST - 1;
  #head = 0;
  #tail = 0;
  #kinds = new Uint8Array(SLOTS_FIRST);
  #targets = new Float64Array(SLOTS_FIRST);
  #seqs = new Float64Array(SLOTS_FIRST);
  #sizes = new Uint32Array(SLOTS_FIRST);
  #subjects: (string | null)[] = new Array<string | null>(SLOTS_FIRST).fill(null);
  #replies: (string | null)[] = new Array<string | null>(SLOTS_FIRST).fill(null);
  #extras: (Republish | Buffer | CommitCallback | null)[] = new Array<null>(SLOTS_FIRST).fill(null);
  /** Bytes that wait: of messages, and what callbacks hold. */
  bytes = 0;

  constructor(sink: OutboxSink) {
    this.#sink = sink;
  }

  get size(): number {
    return this.#tail - this.#head;
  }

  /** @param target what `applied` of the store has to be `committed` for the entry to leave. */
  pushStored(
    target: number,
    seq: number,
    size: number,
    subject: string,
    reply: string | null,
    republish: Republish | null,
  ): void {
    this.#push(STORED, target, seq, size, subject, reply, republish);
  }

  pushSkipped(target: number, seq: number, reply: string | null): void {
    this.#push(SKIPPED, target, seq, 0, null, reply, null);
  }

  pushDuplicate(target: number, seq: number, reply: string): void {
    this.#push(DUPLICATE, target, seq, 0, null, reply, null);
  }

  pushRefusal(target: number, reply: string, body: Buffer): void {
    this.#push(REFUSAL, target, 0, 0, null, reply, body);
  }

  /** @param size bytes the callback holds on to */
  pushCallback(target: number, size: number, callback: CommitCallback): void {
    this.#push(CALLBACK, target, 0, size, null, null, callback);
  }

  /** Lets out what `committed` allows. Returns true if messages became visible. */
  release(committed: number): boolean {
    let stored = false;
    while (this.#head < this.#tail) {
      const slot = this.#head & this.#mask;
      if (this.#targets[slot]! > committed) break;
      // Out of the ring first: the sink may push.
      const kind = this.#kinds[slot]!;
      const seq = this.#seqs[slot]!;
      const subject = this.#subjects[slot]!;
      const reply = this.#replies[slot]!;
      const extra = this.#extras[slot]!;
      this.#drop(slot);
      if (kind === STORED) {
        stored = true;
        this.#sink.onStored(seq, subject as string, reply, extra as Republish | null);
      } else if (kind === SKIPPED) {
        this.#sink.onSkipped(seq, reply);
      } else if (kind === DUPLICATE) {
        this.#sink.onDuplicate(seq, reply as string);
      } else if (kind === REFUSAL) {
        this.#sink.onRefusal(reply as string, extra as Buffer);
      } else {
        (extra as CommitCallback)(null);
      }
    }
    return stored;
  }

  /**
   * The store failed: everybody is told. Messages stay as entries without a reply, because the store may yet make them durable
   * (`recovered`).
   */
  fail(error: Error): void {
    const head = this.#head;
    const tail = this.#tail;
    const told: (() => void)[] = [];
    let kept = head;
    for (let at = head; at < tail; at++) {
      const slot = at & this.#mask;
      this.#collect(slot, error, told);
      if (this.#kinds[slot] === STORED || this.#kinds[slot] === SKIPPED) {
        this.#replies[slot] = null;
        if (kept !== at) this.#move(slot, kept & this.#mask);
        kept++;
      }
    }
    for (let at = kept; at < tail; at++) this.#clear(at & this.#mask);
    this.#tail = kept;
    this.bytes = this.#sumSizes();
    for (const tell of told) tell();
  }

  /** The store goes on: messages above `lastSeq` were given up, the others leave when `target` is committed. */
  recovered(lastSeq: number, target: number): void {
    while (this.#head < this.#tail && this.#seqs[(this.#tail - 1) & this.#mask]! > lastSeq) {
      this.#tail--;
      const slot = this.#tail & this.#mask;
      this.bytes -= this.#sizes[slot]!;
      this.#clear(slot);
    }
    for (let at = this.#head; at < this.#tail; at++) this.#targets[at & this.#mask] = target;
  }

  #collect(slot: number, error: Error, told: (() => void)[]): void {
    const reply = this.#replies[slot];
    const extra = this.#extras[slot];
    const kind = this.#kinds[slot];
    if (kind === CALLBACK) told.push(() => (extra as CommitCallback)(error));
    else if (typeof reply !== 'string') return;
    else if (kind === REFUSAL) told.push(() => this.#sink.onRefusal(reply, extra as Buffer));
    else told.push(() => this.#sink.onLost(reply, error));
  }

  #push(
    kind: number,
    target: number,
    seq: number,
    size: number,
    subject: string | null,
    reply: string | null,
    extra: Republish | Buffer | CommitCallback | null,
  ): void {
    if (this.#tail - this.#head > this.#mask) this.#grow();
    const slot = this.#tail & this.#mask;
    this.#kinds[slot] = kind;
    this.#targets[slot] = target;
    this.#seqs[slot] = seq;
    this.#sizes[slot] = size;
    this.#subjects[slot] = subject;
    this.#replies[slot] = reply;
    this.#extras[slot] = extra;
    this.bytes += size;
    this.#tail++;
  }

  #drop(slot: number): void {
    this.bytes -= this.#sizes[slot]!;
    this.#clear(slot);
    this.#head++;
  }

  #sumSizes(): number {
    let bytes = 0;
    for (let at = this.#head; at < this.#tail; at++) bytes += this.#sizes[at & this.#mask]!;
    return bytes;
  }

  #clear(slot: number): void {
    this.#subjects[slot] = null;
    this.#replies[slot] = null;
    this.#extras[slot] = null;
  }

  #move(from: number, to: number): void {
    this.#kinds[to] = this.#kinds[from]!;
    this.#targets[to] = this.#targets[from]!;
    this.#seqs[to] = this.#seqs[from]!;
    this.#sizes[to] = this.#sizes[from]!;
    this.#subjects[to] = this.#subjects[from]!;
    this.#replies[to] = this.#replies[from]!;
    this.#extras[to] = this.#extras[from]!;
  }

  #grow(): void {
    const slots = this.#mask + 1;
    const start = this.#head & this.#mask;
    this.#kinds = unrolled(this.#kinds, new Uint8Array(slots * 2), start);
    this.#targets = unrolled(this.#targets, new Float64Array(slots * 2), start);
    this.#seqs = unrolled(this.#seqs, new Float64Array(slots * 2), start);
    this.#sizes = unrolled(this.#sizes, new Uint32Array(slots * 2), start);
    this.#subjects = unrolledArray(this.#subjects, start);
    this.#replies = unrolledArray(this.#replies, start);
    this.#extras = unrolledArray(this.#extras, start);
    this.#tail -= this.#head;
    this.#head = 0;
    this.#mask = slots * 2 - 1;
  }
}

/** The ring `from`, which is full, copied into `to` with its first entry in front. */
function unrolled<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T, start: number): T {
  to.set(from.subarray(start));
  to.set(from.subarray(0, start), from.length - start);
  return to;
}

function unrolledArray<T>(from: (T | null)[], start: number): (T | null)[] {
  return [...from.slice(start), ...from.slice(0, start), ...new Array<null>(from.length).fill(null)];
}
