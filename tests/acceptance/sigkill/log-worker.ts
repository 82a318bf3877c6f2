import { expect } from 'vitest';
import { type Caller, numbers, Unanswered, type Worker } from './caller.ts';

interface Entry {
  readonly seq: number;
  readonly subject: string;
  readonly payload: string;
  readonly id: string;
}

type Publish = Omit<Entry, 'seq'>;

interface Limits {
  readonly max_msgs?: number;
  readonly max_msgs_per_subject?: number;
  readonly max_bytes?: number;
}

const SUBJECTS = 5;
const BATCH_MAX = 16;

/** What a stream holds after the changes that were acknowledged. */
class Model {
  entries: Entry[] = [];
  lastSeq = 0;
  readonly #limits: Limits;

  constructor(limits: Limits, from: Model | null = null) {
    this.#limits = limits;
    if (from === null) return;
    this.entries = [...from.entries];
    this.lastSeq = from.lastSeq;
  }

  copy(): Model {
    return new Model(this.#limits, this);
  }

  publish(message: Publish): void {
    this.lastSeq++;
    this.entries.push({ ...message, seq: this.lastSeq });
    const { max_msgs: most = Infinity, max_msgs_per_subject: perSubject = Infinity } = this.#limits;
    const same = this.entries.filter(({ subject }) => subject === message.subject);
    if (same.length > perSubject) this.remove((entry) => entry === same[0]);
    while (this.entries.length > most) this.entries.shift();
    while (this.#bytes() > (this.#limits.max_bytes ?? Infinity)) this.entries.shift();
  }

  remove(isGone: (entry: Entry) => boolean): void {
    this.entries = this.entries.filter((entry) => !isGone(entry));
  }

  content(): Map<number, string> {
    return new Map(this.entries.map(({ seq, subject, payload }) => [seq, `${subject} ${payload}`]));
  }

  /** As nats-server counts: the records in the file. */
  #bytes(): number {
    return this.entries.reduce((sum, { subject, payload, id }) => {
      const header = `NATS/1.0\r\nNats-Msg-Id: ${id}\r\n\r\n`.length;
      return sum + 30 + subject.length + 4 + header + payload.length;
    }, 0);
  }
}

/** Publishes with ids, deletes and purges on one stream. */
export class LogWorker implements Worker {
  readonly stream: string;
  readonly #limits: Limits;
  readonly #random: (below: number) => number;
  #model: Model;
  #count = 0;
  /** What was asked for and not answered. */
  #publishing: Publish[] = [];
  #removing: ((entry: Entry) => boolean) | null = null;

  constructor(stream: string, limits: Limits, seed: number) {
    this.stream = stream;
    this.#limits = limits;
    this.#random = numbers(seed);
    this.#model = new Model(limits);
  }

  async setUp(caller: Caller): Promise<void> {
    const config = { name: this.stream, subjects: [`${this.stream}.>`], ...this.#limits };
    await caller.api(`STREAM.CREATE.${this.stream}`, config);
  }

  async step(caller: Caller): Promise<void> {
    const what = this.#random(20);
    const { entries } = this.#model;
    const any = entries[this.#random(Math.max(1, entries.length))];
    if (any === undefined || what < 9) await this.#publish(caller);
    else if (what < 14) await this.#delete(caller, any);
    else if (what < 16) await this.#purge(caller);
    else if (what < 18) await this.#publishAgain(caller, any);
    else await this.#read(caller, any);
  }

  async verify(caller: Caller): Promise<void> {
    const { messages, lastSeq } = await caller.content(this.stream);
    expect(lastSeq, `${this.stream}: last sequence`).toBeGreaterThanOrEqual(this.#model.lastSeq);
    this.#settle(messages, lastSeq);
    expect(listOf(messages), `${this.stream}: messages`).toEqual(listOf(this.#model.content()));
    expect(lastSeq, `${this.stream}: last sequence`).toBe(this.#model.lastSeq);
    for (const entry of this.#model.entries.slice(-3)) await this.#publishAgain(caller, entry);
  }

  /** Takes what was not answered for done as far as the server did it. */
  #settle(messages: Map<number, string>, lastSeq: number): void {
    const before = this.#model;
    const removing = this.#removing;
    const publishing = this.#publishing.slice(0, lastSeq - before.lastSeq);
    this.#removing = null;
    this.#publishing = [];
    // A removal of several may have come half the way.
    if (removing !== null) before.remove((entry) => removing(entry) && !messages.has(entry.seq));
    const after = before.copy();
    for (const message of publishing) after.publish(message);
    // So may what the new messages evict.
    const evicted = before.entries.filter((entry) => !after.entries.includes(entry) && messages.has(entry.seq));
    after.entries = [...evicted, ...after.entries].sort((left, right) => left.seq - right.seq);
    this.#model = after;
  }

  async #publish(caller: Caller): Promise<void> {
    const batch: Publish[] = [];
    for (let left = 1 + this.#random(BATCH_MAX); left > 0; left--) {
      const id = `${this.stream}-${++this.#count}`;
      const payload = `${this.#count} ${'x'.repeat(this.#random(this.#random(10) === 0 ? 900 : 60))}`;
      batch.push({ subject: `${this.stream}.${this.#random(SUBJECTS)}`, payload, id });
    }
    this.#publishing = batch;
    const acks = batch.map(({ subject, payload, id }) => caller.publish(subject, payload, id));
    await Promise.allSettled(acks);
    for (const [at, ack] of acks.entries()) {
      const { seq, duplicate } = await ack;
      this.#model.publish(batch[at]!);
      this.#publishing = batch.slice(at + 1);
      expect({ seq, duplicate }, `${this.stream}: ack`).toEqual({ seq: this.#model.lastSeq, duplicate: false });
    }
  }

  async #publishAgain(caller: Caller, { subject, payload, id, seq }: Entry): Promise<void> {
    expect(await caller.publish(subject, payload, id), `${this.stream}: ack of ${id}`).toEqual({
      seq,
      duplicate: true,
    });
  }

  async #delete(caller: Caller, { seq }: Entry): Promise<void> {
    await this.#remove(
      (entry) => entry.seq === seq,
      () => caller.api(`STREAM.MSG.DELETE.${this.stream}`, { seq, no_erase: this.#random(2) === 0 }),
    );
  }

  async #purge(caller: Caller): Promise<void> {
    const subject = `${this.stream}.${this.#random(SUBJECTS)}`;
    const kind = this.#random(8);
    const { entries, lastSeq } = this.#model;
    const keep = 1 + this.#random(3);
    const below = Math.max(2, lastSeq - this.#random(40));
    const kept = new Set(entries.filter((entry) => entry.subject === subject).slice(-keep));
    const [body, isGone]: [unknown, (entry: Entry) => boolean] =
      kind === 0
        ? ['', () => true]
        : kind < 3
          ? [{ seq: below }, (entry) => entry.seq < below]
          : kind < 5
            ? [{ filter: subject, keep }, (entry) => entry.subject === subject && !kept.has(entry)]
            : [{ filter: subject }, (entry) => entry.subject === subject];
    await this.#remove(isGone, () => caller.api(`STREAM.PURGE.${this.stream}`, body));
  }

  async #remove(isGone: (entry: Entry) => boolean, ask: () => Promise<unknown>): Promise<void> {
    this.#removing = isGone;
    await ask();
    this.#model.remove(isGone);
    this.#removing = null;
  }

  async #read(caller: Caller, { subject }: Entry): Promise<void> {
    const last = this.#model.entries.findLast((entry) => entry.subject === subject);
    const { message } = await caller.api(`STREAM.MSG.GET.${this.stream}`, { last_by_subj: subject });
    expect((message as { seq: number }).seq, `${this.stream}: last of ${subject}`).toBe(last?.seq);
  }
}

function listOf(content: Map<number, string>): string[] {
  return [...content].map(([seq, text]) => `${seq} ${text}`);
}

/** Runs steps until the server does not answer any more. */
export async function workUntilDeath(worker: Worker, caller: Caller): Promise<void> {
  for (;;) {
    try {
      await worker.step(caller);
    } catch (error) {
      if (error instanceof Unanswered) return;
      throw error;
    }
  }
}
