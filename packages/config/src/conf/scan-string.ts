import {
  ARRAY_CLOSE,
  BACKSLASH,
  BLOCK_CLOSE,
  COMMA,
  DOLLAR,
  DOUBLE_QUOTE,
  LINE_FEED,
  MAP_CLOSE,
  SEMICOLON,
  SINGLE_QUOTE,
} from './char.ts';
import { END, isBlank, isNewline, showRune } from './rune.ts';
import type { Scanner } from './scanner.ts';

const BOOLEANS = new Set(['true', 'false', 'on', 'off', 'yes', 'no']);

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x74, '\t'],
  [0x6e, '\n'],
  [0x72, '\r'],
  [DOUBLE_QUOTE, '"'],
  [BACKSLASH, '\\'],
]);
const HEX_ESCAPE = 0x78;

/** `'…'`: raw, no escapes. The opening quote was taken. */
export function scanSingleQuoted(scanner: Scanner): void {
  let code = scanner.cursor.next();
  while (code !== SINGLE_QUOTE && code !== END) code = scanner.cursor.next();
  if (code === END) scanner.endOfText();
  else endQuoted(scanner);
}

/** `"…"`: with escapes, new lines may stand in it. The opening quote was taken. */
export function scanDoubleQuoted(scanner: Scanner): void {
  let code = scanner.cursor.next();
  while (code !== DOUBLE_QUOTE && code !== END) {
    if (code === BACKSLASH && !scanEscape(scanner)) return;
    code = scanner.cursor.next();
  }
  if (code === END) scanner.endOfText();
  else endQuoted(scanner);
}

function endQuoted(scanner: Scanner): void {
  const { cursor } = scanner;
  cursor.back();
  scanner.emit('string');
  cursor.next();
  cursor.drop();
}

/** A word without quotes: a boolean, a variable or a string. Escapes count here too. */
export function scanWord(scanner: Scanner): void {
  const { cursor } = scanner;
  let code = cursor.next();
  while (code !== SINGLE_QUOTE && !endsWord(code)) {
    if (code === BACKSLASH && !scanEscape(scanner)) return;
    code = cursor.next();
  }
  if (code === SINGLE_QUOTE) {
    endQuoted(scanner); // a single quote ends a word, and is lost
  } else {
    cursor.back();
    scanner.emit(wordKind(scanner));
  }
}

function endsWord(code: number): boolean {
  return (
    isNewline(code) ||
    isBlank(code) ||
    code === END ||
    code === COMMA ||
    code === SEMICOLON ||
    code === ARRAY_CLOSE ||
    code === MAP_CLOSE
  );
}

function wordKind(scanner: Scanner): 'string' | 'bool' | 'variable' {
  const { cursor } = scanner;
  if (scanner.hasParts) return 'string';
  if (BOOLEANS.has(cursor.taken().toString('latin1').toLowerCase())) return 'bool';
  if (cursor.bytes[cursor.start] !== DOLLAR) return 'string';
  cursor.start++; // the dollar sign is not part of the name
  return 'variable';
}

/** Reads an escape whose backslash was taken; false when it is none, which was reported then. */
function scanEscape(scanner: Scanner): boolean {
  const { cursor } = scanner;
  scanner.keep(cursor.offset - 1);
  const code = cursor.next();
  if (code === HEX_ESCAPE) return scanHexEscape(scanner);
  const text = ESCAPES.get(code);
  if (text === undefined) {
    const allowed = 'Only the following escape characters are allowed: \\xXX, \\t, \\n, \\r, \\", \\\\.';
    scanner.fail(`Invalid escape character '${showRune(code)}'. ${allowed}`);
    return false;
  }
  scanner.add(Buffer.from(text));
  return true;
}

function scanHexEscape(scanner: Scanner): boolean {
  const { cursor } = scanner;
  const expected = "Expected two hexadecimal digits after '\\x', but";
  for (let digit = 0; digit < 2; digit++) {
    if (isNewline(cursor.next())) {
      scanner.fail(`${expected} hit end of line`);
      return false;
    }
  }
  const digits = cursor.bytes.toString('utf8', cursor.offset - 2, cursor.offset);
  if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
    scanner.fail(`${expected} got '${digits}'`);
    return false;
  }
  scanner.add(Buffer.from(digits, 'hex'));
  return true;
}

/** `( … )`: raw text that ends at a line of nothing but `)`. The opening parenthesis was taken. */
export function scanBlock(scanner: Scanner): void {
  const { cursor } = scanner;
  let code = cursor.next();
  while (code !== END && !(code === BLOCK_CLOSE && standsAlone(scanner))) code = cursor.next();
  if (code === END) {
    scanner.fail('Unexpected EOF processing block.');
  } else {
    // At the very end of the text nats-server keeps the parenthesis in the value.
    if (cursor.offset < cursor.bytes.length) cursor.back();
    scanner.emit('string');
    cursor.next();
    cursor.drop();
  }
}

/** Whether the parenthesis just taken is a line of its own. */
function standsAlone({ cursor }: Scanner): boolean {
  const { bytes, offset } = cursor;
  if (bytes[offset - 2] !== LINE_FEED) return false;
  return offset === bytes.length || bytes[offset] === LINE_FEED || bytes[offset] === END;
}
