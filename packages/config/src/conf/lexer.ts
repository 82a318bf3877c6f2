import {
  ARRAY_CLOSE,
  ARRAY_OPEN,
  COMMA,
  DOT,
  DOUBLE_QUOTE,
  MAP_CLOSE,
  MAP_OPEN,
  MINUS,
  SEMICOLON,
  SINGLE_QUOTE,
  SLASH,
} from './char.ts';
import { Cursor } from './cursor.ts';
import { END, isBlank, isDigit, isNewline, isSpace, showRune } from './rune.ts';
import { beginsComment, skipComment } from './scan-comment.ts';
import { scanInclude } from './scan-include.ts';
import { type AfterKey, scanBareKey, scanKey } from './scan-key.ts';
import { scanNegative, scanNumberOrWord } from './scan-number.ts';
import { scanBlock, scanDoubleQuoted, scanSingleQuoted, scanWord } from './scan-string.ts';
import { Scanner } from './scanner.ts';
import { endsEntry, isQuote, isSeparator, type Scope, unexpectedEnd } from './scope.ts';
import type { Token } from './token.ts';

/** How deep maps and arrays may stand in each other. Deeper is an error: the tree is walked by recursion later. */
export const MAX_CONFIG_DEPTH = 512;

/** What is expected next. */
type Expected = 'key' | 'separator' | 'value' | 'map-value' | 'element' | 'entry-end' | 'braces-end' | 'include';

/**
 * Cuts a configuration text into tokens exactly as nats-server does, its traps included (spec/core.md 5.1).
 * After a token of kind `error` or `end` there is nothing more to take.
 */
export class Lexer {
  readonly #cursor: Cursor;
  readonly #scanner: Scanner;
  readonly #scopes: Scope[] = ['document'];
  #expected: Expected = 'key';

  constructor(text: Buffer) {
    this.#cursor = new Cursor(text);
    this.#scanner = new Scanner(this.#cursor);
  }

  next(): Token {
    for (;;) {
      this.#step();
      const token = this.#scanner.take();
      if (token !== null) return token;
    }
  }

  get #scope(): Scope {
    return this.#scopes.at(-1)!;
  }

  #step(): void {
    switch (this.#expected) {
      case 'key':
        if (this.#scope === 'map') this.#mapKey();
        else this.#key();
        break;
      case 'separator':
        this.#separator();
        break;
      case 'value':
        this.#value();
        break;
      case 'map-value':
        this.#mapValue();
        break;
      case 'element':
        this.#element();
        break;
      case 'entry-end':
        this.#entryEnd();
        break;
      case 'braces-end':
        this.#bracesEnd();
        break;
      case 'include':
        this.#expected = 'entry-end';
        scanInclude(this.#scanner);
        break;
    }
  }

  /** A key in the document or in its braces; or the end of either. */
  #key(): void {
    const code = this.#cursor.next();
    if (isSpace(code)) this.#cursor.drop();
    else if (code === MAP_OPEN) this.#enter('braces', 'key');
    else if (code === MAP_CLOSE && this.#scope === 'braces') this.#leaveBraces();
    else if (beginsComment(this.#cursor, code)) skipComment(this.#cursor);
    else if (code === END || code === SLASH) this.#scanner.endOfText();
    else if (isSeparator(code)) this.#scanner.fail(`Unexpected key separator '${showRune(code)}'`);
    else this.#keyText(code);
  }

  /** A key in a map, or the end of the map. */
  #mapKey(): void {
    const code = this.#cursor.next();
    if (isSpace(code)) this.#cursor.drop();
    else if (code === MAP_CLOSE) this.#leave('map-end');
    else if (beginsComment(this.#cursor, code)) skipComment(this.#cursor);
    else if (isSeparator(code)) this.#scanner.fail(`Unexpected key separator '${showRune(code)}'.`);
    else if (code === ARRAY_CLOSE) this.#scanner.fail(`Unexpected array end ']' processing map.`);
    else if (code === END) this.#scanner.fail('Unexpected EOF processing map.');
    else if (code === SLASH)
      this.#keyEnded(scanBareKey(this.#scanner, true)); // a single slash is lost; the key is what follows it
    else this.#keyText(code);
  }

  /** The text of a key, whose first code point was taken. */
  #keyText(first: number): void {
    this.#keyEnded(scanKey(this.#scanner, first, this.#scope === 'map'));
  }

  /** Null: the text ends here. */
  #keyEnded(after: AfterKey | null): void {
    if (after !== null) this.#expected = after;
  }

  /** What stands between a key and its value: blanks and new lines, then perhaps a separator. */
  #separator(): void {
    const cursor = this.#cursor;
    const code = cursor.next();
    const inMap = this.#scope === 'map';
    if (isSpace(code)) {
      cursor.drop();
    } else if (code === END && !inMap) {
      this.#scanner.emit('end');
    } else {
      if (isSeparator(code)) cursor.drop();
      else cursor.back();
      this.#expected = inMap ? 'map-value' : 'value';
    }
  }

  #mapValue(): void {
    const code = this.#cursor.next();
    if (isSpace(code)) {
      this.#cursor.drop();
    } else if (code === COMMA) {
      this.#scanner.fail('Unexpected map value terminator ",".');
    } else if (code === MAP_CLOSE) {
      this.#leave('map-end');
    } else {
      this.#cursor.back();
      this.#expected = 'value';
    }
  }

  #value(): void {
    const cursor = this.#cursor;
    const code = cursor.next();
    if (isBlank(code)) {
      cursor.drop();
      return;
    }
    this.#expected = 'entry-end';
    if (code === ARRAY_OPEN) this.#enter('array', 'element');
    else if (code === MAP_OPEN) this.#enter('map', 'key');
    else if (isQuote(code)) this.#quotedValue(code);
    else if (code === MINUS) scanNegative(this.#scanner);
    else if (code === DOT) this.#scanner.fail('Floats must start with a digit');
    else if (isNewline(code)) this.#scanner.fail('Expected value but found new line');
    else this.#bareValue(code);
  }

  #quotedValue(quote: number): void {
    this.#cursor.drop();
    if (quote === SINGLE_QUOTE) scanSingleQuoted(this.#scanner);
    else if (quote === DOUBLE_QUOTE) scanDoubleQuoted(this.#scanner);
    else scanBlock(this.#scanner);
  }

  #bareValue(first: number): void {
    this.#cursor.back();
    if (isDigit(first)) scanNumberOrWord(this.#scanner);
    else scanWord(this.#scanner);
  }

  /** An element of an array, or its end. */
  #element(): void {
    const cursor = this.#cursor;
    const code = cursor.next();
    if (isSpace(code)) {
      cursor.drop();
    } else if (beginsComment(this.#cursor, code)) {
      skipComment(this.#cursor);
    } else if (code === COMMA || code === SLASH) {
      this.#scanner.fail(`Unexpected array value terminator ','.`);
    } else if (code === ARRAY_CLOSE) {
      this.#leave('array-end');
    } else {
      cursor.back();
      this.#expected = 'value';
    }
  }

  /** What may follow a value. */
  #entryEnd(): void {
    const scope = this.#scope;
    const code = this.#cursor.next();
    if (isBlank(code)) this.#cursor.drop();
    else if (beginsComment(this.#cursor, code)) this.#commentAfterValue(scope);
    else if (code === ARRAY_CLOSE && scope === 'array') this.#leave('array-end');
    else if (code === MAP_CLOSE && scope === 'map') this.#leave('map-end');
    else if (code === MAP_CLOSE && scope === 'braces') this.#leaveBraces();
    else if (endsEntry(scope, code)) this.#nextEntry(scope);
    else if (code !== SLASH) this.#scanner.fail(unexpectedEnd(scope, code)); // a single slash is taken for a blank
  }

  #commentAfterValue(scope: Scope): void {
    skipComment(this.#cursor);
    if (scope === 'document') this.#expected = 'key';
  }

  #nextEntry(scope: Scope): void {
    this.#cursor.drop();
    this.#expected = scope === 'array' ? 'element' : 'key';
  }

  /** What follows braces that stand in braces. */
  #bracesEnd(): void {
    const code = this.#cursor.next();
    if (beginsComment(this.#cursor, code)) {
      skipComment(this.#cursor);
      this.#expected = 'key';
    } else if (code === MAP_CLOSE) {
      this.#leaveBraces();
    } else if (code === COMMA || code === SEMICOLON) {
      this.#nextEntry('braces');
    } else if (code !== SLASH && !isBlank(code) && !isNewline(code)) {
      this.#scanner.fail(`Expected a block-level to end with a '}', but got '${showRune(code)}' instead.`);
    }
  }

  /** Enters what the bracket just taken opens. */
  #enter(scope: 'braces' | 'map' | 'array', expected: Expected): void {
    this.#cursor.drop();
    if (this.#scopes.length > MAX_CONFIG_DEPTH) {
      this.#scanner.fail(`Nested deeper than ${MAX_CONFIG_DEPTH} levels`);
      return;
    }
    if (scope !== 'braces') this.#scanner.emit(`${scope}-start`);
    this.#scopes.push(scope);
    this.#expected = expected;
  }

  /** Leaves the map or array that the bracket just taken closes. */
  #leave(kind: 'map-end' | 'array-end'): void {
    this.#cursor.drop();
    this.#scanner.emit(kind);
    this.#scopes.pop();
    this.#expected = 'entry-end';
  }

  #leaveBraces(): void {
    this.#cursor.drop();
    this.#scopes.pop();
    this.#expected = this.#scope === 'braces' ? 'braces-end' : 'key';
  }
}
