import { END, runeAt } from './rune.ts';

const LINE_FEED = 0x0a;

/**
 * A place in the text, and where the token being read began. It keeps nats-server's way of counting, which is part
 * of its error messages: lines from 1, columns in bytes, from 0 on the first line and from 1 on the others.
 */
export class Cursor {
  readonly bytes: Buffer;
  /** Offset of the next byte. */
  offset = 0;
  /** Offset where the pending token begins. */
  start = 0;
  line = 1;
  /** Offset of the line feed before the current line. */
  #lineStart = 0;
  /** The same for the line on which the pending token begins. */
  #tokenLineStart = 0;
  #width = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Takes the next code point; END at the end. */
  next(): number {
    if (this.offset >= this.bytes.length) {
      this.#width = 0;
      return END;
    }
    if (this.bytes[this.offset] === LINE_FEED) {
      this.line++;
      this.#lineStart = this.offset;
    }
    const rune = runeAt(this.bytes, this.offset);
    this.#width = rune.width;
    this.offset += rune.width;
    return rune.code;
  }

  /** Gives back what next() took last. */
  back(): void {
    this.offset -= this.#width;
    if (this.bytes[this.offset] === LINE_FEED) this.line--;
  }

  /** The next code point, not taken. */
  peek(): number {
    const code = this.next();
    this.back();
    return code;
  }

  /** Forgets the bytes read so far: the pending token begins here. */
  drop(): void {
    this.start = this.offset;
    this.#tokenLineStart = this.#lineStart;
  }

  /** Whether bytes were taken since the last drop(). */
  get pending(): boolean {
    return this.offset > this.start;
  }

  /** The bytes of the pending token. */
  taken(until: number = this.offset): Buffer {
    return this.bytes.subarray(this.start, until);
  }

  /** The column of a token of that many bytes which ends here. */
  columnOf(byteLength: number): number {
    return this.offset - this.#tokenLineStart - byteLength;
  }
}
