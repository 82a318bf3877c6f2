import type { StoreState, SubjectFilter, SubjectState, Timestamp } from '../../src/store/store.ts';

/** A message as the model keeps it. */
export interface ModelMessage {
  seq: number;
  subject: string;
  header: string;
  payload: string;
  timeMs: number;
  timeNs: number;
}

/** What a store must look like, by the plainest means: an array that is searched from the start. */
export class MessageModel {
  messages: ModelMessage[] = [];
  lastSeq = 0;
  #firstWhenEmpty = 0;
  #lastTime: Timestamp | null = null;
  readonly #kind: 'file' | 'memory';

  constructor(kind: 'file' | 'memory', firstSeq = 0) {
    this.#kind = kind;
    if (firstSeq > 0) {
      this.#firstWhenEmpty = firstSeq;
      this.lastSeq = firstSeq - 1;
    }
  }

  append(message: Omit<ModelMessage, 'seq'>): number {
    this.lastSeq++;
    this.messages.push({ seq: this.lastSeq, ...message });
    this.#lastTime = { ms: message.timeMs, ns: message.timeNs };
    return this.lastSeq;
  }

  skip(count: number, ms: number, ns: number): number {
    this.lastSeq += count;
    this.#lastTime = { ms, ns };
    this.#firstWhenEmpty = this.lastSeq + 1;
    return this.lastSeq;
  }

  remove(seq: number): string | null {
    const found = this.load(seq);
    if (found !== null) this.#removeAll([found]);
    return found?.subject ?? null;
  }

  purge(filter: SubjectFilter | null, belowSeq: number, keep: number): { seq: number; subject: string }[] {
    if (belowSeq === 1) return [];
    const matching = this.messages.filter((message) => filter === null || filter.matches(message.subject));
    const kept = keep === 0 ? [] : matching.slice(-keep);
    const gone = matching.filter((message) => !kept.includes(message) && (belowSeq === 0 || message.seq < belowSeq));
    this.#removeAll(gone);
    if (filter === null && keep === 0 && (belowSeq === 0 || belowSeq > this.lastSeq)) {
      if (belowSeq > 0) this.lastSeq = belowSeq - 1;
      this.#firstWhenEmpty = this.lastSeq + 1;
    }
    return gone.map(({ seq, subject }) => ({ seq, subject }));
  }

  get firstSeq(): number {
    return this.messages[0]?.seq ?? this.#firstWhenEmpty;
  }

  get bytes(): number {
    let total = 0;
    for (const { subject, header, payload } of this.messages) {
      const bytes = Buffer.byteLength(subject) + header.length + payload.length;
      total += this.#kind === 'memory' ? bytes + 16 : bytes + 30 + (header === '' ? 0 : 4);
    }
    return total;
  }

  state(): StoreState {
    const first = this.messages[0];
    return {
      messages: this.messages.length,
      bytes: this.bytes,
      firstSeq: this.firstSeq,
      firstTime: first === undefined ? null : { ms: first.timeMs, ns: first.timeNs },
      lastSeq: this.lastSeq,
      lastTime: this.#lastTime,
      subjects: new Set(this.messages.map(({ subject }) => subject)).size,
      deleted: this.deletedSeqs().length,
      lost: null,
    };
  }

  deletedSeqs(): number[] {
    const deleted: number[] = [];
    if (this.messages.length === 0) return deleted;
    const held = new Set(this.messages.map(({ seq }) => seq));
    for (let seq = this.firstSeq; seq <= this.lastSeq; seq++) if (!held.has(seq)) deleted.push(seq);
    return deleted;
  }

  subject(subject: string): SubjectState | undefined {
    const matching = this.messages.filter((message) => message.subject === subject);
    const first = matching[0];
    if (first === undefined) return undefined;
    return { count: matching.length, first: first.seq, last: matching.at(-1)!.seq };
  }

  subjects(filter: SubjectFilter | null): Map<string, SubjectState> {
    const found = new Map<string, SubjectState>();
    for (const { subject } of this.messages) {
      if (filter === null || filter.matches(subject)) found.set(subject, this.subject(subject)!);
    }
    return found;
  }

  count(filter: SubjectFilter | null, from: number): number {
    return this.messages.filter(({ seq, subject }) => seq >= from && (filter === null || filter.matches(subject)))
      .length;
  }

  load(seq: number): ModelMessage | null {
    return this.messages.find((message) => message.seq === seq) ?? null;
  }

  loadNext(filter: SubjectFilter | null, from: number): ModelMessage | null {
    return (
      this.messages.find(({ seq, subject }) => seq >= from && (filter === null || filter.matches(subject))) ?? null
    );
  }

  loadLast(filter: SubjectFilter, upTo: number): ModelMessage | null {
    return this.messages.findLast(({ seq, subject }) => seq <= upTo && filter.matches(subject)) ?? null;
  }

  seqAtTime(ms: number, ns: number): number {
    const found = this.messages.find(({ timeMs, timeNs }) => timeMs > ms || (timeMs === ms && timeNs >= ns));
    return found?.seq ?? this.lastSeq + 1;
  }

  #removeAll(gone: ModelMessage[]): void {
    if (gone.length === 0) return;
    const seqs = new Set(gone.map(({ seq }) => seq));
    this.messages = this.messages.filter(({ seq }) => !seqs.has(seq));
    this.#firstWhenEmpty = this.lastSeq + 1;
  }
}
