import { goQuote } from '@nats-ts/protocol';
import { JsonError, type JsonValue } from './value.ts';

/** Nesting that Go's encoding/json accepts. */
const DEPTH_MAX = 10_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LITERALS: ReadonlyMap<number, string> = new Map([
  [0x74, 'true'],
  [0x66, 'false'],
  [0x6e, 'null'],
]);

interface Open {
  readonly kind: 'array' | 'object';
  readonly start: number;
  readonly items: JsonValue[];
  readonly members: { key: string; value: JsonValue }[];
  key: string;
}

/**
 * Reads one JSON value from a position and stops behind it, as a Go json.Decoder does. Works without recursion, so that nesting
 * cannot exhaust the stack. Throws JsonError with Go's words; `offset` is -1 when the text ends inside of the value.
 */
export class JsonReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Skips white space; true if nothing is left. */
  get isAtEnd(): boolean {
    this.#skipBlanks();
    return this.#at >= this.#bytes.length;
  }

  /** Throws unless only white space is left. */
  expectEnd(): void {
    if (!this.isAtEnd) throw this.#unexpected('after top-level value');
  }

  read(): JsonValue {
    const open: Open[] = [];
    for (;;) {
      let value = this.#readValueOrOpen(open);
      // Close every array and object that ends right behind the value.
      while (value !== null) {
        const parent = open[open.length - 1];
        if (parent === undefined) return value;
        value = this.#addTo(parent, value, open);
      }
    }
  }

  /** A scalar or an empty array or object; null when one was opened and its first value comes next. */
  #readValueOrOpen(open: Open[]): JsonValue | null {
    const char = this.#nextChar();
    const start = this.#at;
    if (char === 0x7b || char === 0x5b) {
      if (open.length === DEPTH_MAX) throw new JsonError('exceeded max depth', this.#at + 1);
      this.#at++;
      const opened: Open = { kind: char === 0x7b ? 'object' : 'array', start, items: [], members: [], key: '' };
      if (this.#nextChar() === char + 2) return this.#close(opened);
      if (opened.kind === 'object') this.#readKey(opened);
      open.push(opened);
      return null;
    }
    if (char === QUOTE) {
      const text = this.#readString();
      return { kind: 'string', raw: this.#rawFrom(start), text };
    }
    const literal = LITERALS.get(char);
    if (literal !== undefined) return this.#readLiteral(literal);
    if (char === 0x2d || isDigit(char)) {
      this.#readNumber();
      return { kind: 'number', raw: this.#rawFrom(start) };
    }
    throw this.#unexpected('looking for beginning of value');
  }

  /** Puts a value into its array or object. Returns that when it ends here, null when another value follows. */
  #addTo(parent: Open, value: JsonValue, open: Open[]): JsonValue | null {
    if (parent.kind === 'array') parent.items.push(value);
    else parent.members.push({ key: parent.key, value });
    const char = this.#nextChar();
    if (char === 0x2c) {
      this.#at++;
      if (parent.kind === 'object') this.#readKey(parent);
      return null;
    }
    if (char !== (parent.kind === 'object' ? 0x7d : 0x5d)) {
      throw this.#unexpected(parent.kind === 'object' ? 'after object key:value pair' : 'after array element');
    }
    open.pop();
    return this.#close(parent);
  }

  #close(opened: Open): JsonValue {
    this.#at++;
    const raw = this.#rawFrom(opened.start);
    if (opened.kind === 'array') return { kind: 'array', raw, items: opened.items };
    return { kind: 'object', raw, members: opened.members };
  }

  #readKey(opened: Open): void {
    if (this.#nextChar() !== QUOTE) throw this.#unexpected('looking for beginning of object key string');
    opened.key = this.#readString();
    if (this.#nextChar() !== 0x3a) throw this.#unexpected('after object key');
    this.#at++;
  }

  #readLiteral(literal: string): JsonValue {
    for (let i = 1; i < literal.length; i++) {
      this.#at++;
      if (this.#char() !== literal.charCodeAt(i)) {
        throw this.#unexpected(`in literal ${literal} (expecting '${literal[i]}')`);
      }
    }
    this.#at++;
    return { kind: literal === 'null' ? 'null' : 'bool', raw: literal };
  }

  #readNumber(): void {
    if (this.#char() === 0x2d) this.#at++;
    if (this.#char() === 0x30) this.#at++;
    else this.#readDigits();
    if (this.#peek() === 0x2e) {
      this.#at++;
      this.#readDigits();
    }
    if ((this.#peek() | 0x20) === 0x65) {
      this.#at++;
      const sign = this.#char();
      if (sign === 0x2b || sign === 0x2d) this.#at++;
      this.#readDigits();
    }
  }

  /** One digit at least. */
  #readDigits(): void {
    if (!isDigit(this.#char())) throw this.#unexpected('in numeric literal');
    while (isDigit(this.#peek())) this.#at++;
  }

  #readString(): string {
    const start = this.#at;
    let escaped = false;
    for (;;) {
      this.#at++;
      const char = this.#char();
      if (char === QUOTE) break;
      if (char < 0x20) throw this.#unexpected('in string');
      if (char !== BACKSLASH) continue;
      escaped = true;
      this.#readEscape();
    }
    this.#at++;
    if (!escaped) return this.#bytes.toString('utf8', start + 1, this.#at - 1);
    // Lone surrogates become U+FFFD as in Go; invalid UTF-8 does so in toString.
    return (JSON.parse(this.#rawFrom(start)) as string).toWellFormed();
  }

  #readEscape(): void {
    const start = this.#at;
    this.#at++;
    const code = this.#char();
    if (code === 0x75) {
      for (let digit = 1; digit <= 4; digit++) {
        this.#at++;
        if (!isHexDigit(this.#char())) throw this.#badEscape(start, 6);
      }
      return;
    }
    if (!'"\\/bfnrt'.includes(String.fromCharCode(code))) throw this.#badEscape(start, 2);
  }

  #badEscape(start: number, length: number): JsonError {
    const text = this.#bytes.toString('utf8', start, start + length);
    return new JsonError(`invalid escape sequence \`${text}\` in string`, start + length);
  }

  #unexpected(where: string): JsonError {
    const { text, bytes } = this.#character();
    return new JsonError(`invalid character ${quoteCharacter(text)} ${where}`, this.#at + bytes);
  }

  /** The character at the position; a byte that is not UTF-8 counts as U+FFFD. */
  #character(): { text: string; bytes: number } {
    const first = this.#char();
    if (first < 0x80) return { text: String.fromCharCode(first), bytes: 1 };
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    const text = this.#bytes.toString('utf8', this.#at, this.#at + length);
    const code = text.codePointAt(0)!;
    return code === 0xfffd ? { text: '\ufffd', bytes: 1 } : { text: String.fromCodePoint(code), bytes: length };
  }

  /** The byte at the position; the text must not end here. */
  #char(): number {
    if (this.#at >= this.#bytes.length) throw new JsonError('unexpected end of JSON input', -1);
    return this.#bytes[this.#at]!;
  }

  #peek(): number {
    return this.#bytes[this.#at] ?? 0;
  }

  #nextChar(): number {
    this.#skipBlanks();
    return this.#char();
  }

  #skipBlanks(): void {
    while (isBlank(this.#bytes[this.#at])) this.#at++;
  }

  #rawFrom(start: number): string {
    return this.#bytes.toString('utf8', start, this.#at);
  }
}

/** True for the white space of JSON. */
export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(char: number): boolean {
  return char >= 0x30 && char <= 0x39;
}

function isHexDigit(char: number): boolean {
  return isDigit(char) || ((char | 0x20) >= 0x61 && (char | 0x20) <= 0x66);
}

/** A character as encoding/json quotes it in its errors. */
function quoteCharacter(text: string): string {
  if (text === "'") return "'\\''";
  if (text === '"') return `'"'`;
  return `'${goQuote(text).slice(1, -1)}'`;
}
