import type { Cursor } from './cursor.ts';
import type { Token, TokenKind } from './token.ts';

const NOTHING = Buffer.alloc(0);

/** Builds tokens from what a cursor reads. A string with escapes is put together from parts. */
export class Scanner {
  readonly cursor: Cursor;
  #parts: Buffer = NOTHING;
  #token: Token | null = null;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  /** Hands out the finished token, once. */
  take(): Token | null {
    const token = this.#token;
    this.#token = null;
    return token;
  }

  /** Ends the pending token; what follows begins a new one. */
  emit(kind: TokenKind): void {
    const bytes = this.#parts.length === 0 ? this.cursor.taken() : Buffer.concat([this.#parts, this.cursor.taken()]);
    this.#parts = NOTHING;
    const column = this.cursor.columnOf(bytes.length);
    this.#token = { kind, text: bytes.toString('utf8'), line: this.cursor.line, column };
    this.cursor.drop();
  }

  /** Ends the text with an error. */
  fail(text: string): void {
    this.#token = { kind: 'error', text, line: this.cursor.line, column: 0 };
  }

  /** At an unexpected end: an error if a token was begun, else the end of the text. */
  endOfText(): void {
    if (this.cursor.pending) this.fail('Unexpected EOF.');
    else this.emit('end');
  }

  /** Whether the pending string has had an escape. */
  get hasParts(): boolean {
    return this.#parts.length > 0;
  }

  /** Keeps what was read up to an offset as a part of the pending string. */
  keep(until: number): void {
    this.#parts = Buffer.concat([this.#parts, this.cursor.taken(until)]);
    this.cursor.start = this.cursor.offset;
  }

  /** Adds bytes that do not stand in the text literally. */
  add(bytes: Uint8Array): void {
    this.#parts = Buffer.concat([this.#parts, bytes]);
    this.cursor.start = this.cursor.offset;
  }
}
