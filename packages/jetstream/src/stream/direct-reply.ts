import type { ObservedFailure } from '../observer.ts';
import type { CopiedMessage } from './reading.ts';
import { extendBlock } from './stored-headers.ts';
import type { Stream } from './stream.ts';

/** Sends the answers of DIRECT.GET (spec/jetstream.md 5.1): messages and statuses, never JSON. */
export class DirectReply {
  readonly #stream: Stream;
  readonly #reply: string;
  /** What the observer of requests gave it; null: nobody watches it, or it has ended. */
  #watched: number | null;

  constructor(stream: Stream, reply: string, watched: number | null) {
    this.#stream = stream;
    this.#reply = reply;
    this.#watched = watched;
  }

  /** `NATS/1.0 404 Message Not Found` and the like. */
  status(text: string, lines = ''): void {
    const { account } = this.#stream;
    account.deliver(this.#reply, this.#reply, null, Buffer.from(`NATS/1.0 ${text}\r\n${lines}\r\n`), null);
    // A message that is not there is an answer, no failure.
    const isFailure = !text.startsWith('204') && !text.startsWith('404');
    this.#ended(isFailure ? { code: Number.parseInt(text, 10), errCode: 0, description: text.slice(4) } : null);
  }

  /**
   * One stored message, its headers first.
   * @param batch what batches add: messages that follow, and the sequence sent before; null = not a batch.
   * @returns false when nobody is there any more.
   */
  message(message: CopiedMessage, noHeaders: boolean, batch: { pending: number; lastSeq: number } | null): boolean {
    const { account } = this.#stream;
    const header = noHeaders ? null : this.#header(message, batch);
    const isThere = account.deliver(this.#reply, this.#reply, null, header, message.payload) > 0;
    if (batch === null || !isThere) this.#ended(null);
    return isThere;
  }

  #ended(failure: ObservedFailure | null): void {
    if (this.#watched !== null) this.#stream.getObserver?.apiEnded(this.#watched, failure);
    this.#watched = null;
  }

  #header(message: CopiedMessage, batch: { pending: number; lastSeq: number } | null): Buffer {
    const { header: stored, subject, seq, timeMs, timeNs } = message;
    const more = batch === null ? '' : `Nats-Num-Pending: ${batch.pending}\r\nNats-Last-Sequence: ${batch.lastSeq}\r\n`;
    return extendBlock(stored, this.#stream.name, subject, seq, timeMs, timeNs, more);
  }
}
