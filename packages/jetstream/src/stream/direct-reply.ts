import type { CopiedMessage } from './reading.ts';
import { extendBlock } from './stored-headers.ts';
import type { Stream } from './stream.ts';

/** Sends the answers of DIRECT.GET (spec/jetstream.md 5.1): messages and statuses, never JSON. */
export class DirectReply {
  readonly #stream: Stream;
  readonly #reply: string;

  constructor(stream: Stream, reply: string) {
    this.#stream = stream;
    this.#reply = reply;
  }

  /** `NATS/1.0 404 Message Not Found` and the like. */
  status(text: string, lines = ''): void {
    const { account } = this.#stream;
    account.deliver(this.#reply, this.#reply, null, Buffer.from(`NATS/1.0 ${text}\r\n${lines}\r\n`), null);
  }

  /**
   * One stored message, its headers first.
   * @param batch what batches add: messages that follow, and the sequence sent before; null = not a batch.
   * @returns false when nobody is there any more.
   */
  message(message: CopiedMessage, noHeaders: boolean, batch: { pending: number; lastSeq: number } | null): boolean {
    const { account } = this.#stream;
    const header = noHeaders ? null : this.#header(message, batch);
    return account.deliver(this.#reply, this.#reply, null, header, message.payload) > 0;
  }

  #header(message: CopiedMessage, batch: { pending: number; lastSeq: number } | null): Buffer {
    const { header: stored, subject, seq, timeMs, timeNs } = message;
    const more = batch === null ? '' : `Nats-Num-Pending: ${batch.pending}\r\nNats-Last-Sequence: ${batch.lastSeq}\r\n`;
    return extendBlock(stored, this.#stream.name, subject, seq, timeMs, timeNs, more);
  }
}
