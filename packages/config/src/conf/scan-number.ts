import { COLON, COMMA, DOT, MAP_CLOSE, MINUS, SEMICOLON } from './char.ts';
import { END, isBlank, isDigit, isNewline, showRune } from './rune.ts';
import { scanWord } from './scan-string.ts';
import type { Scanner } from './scanner.ts';

const SUFFIXES = new Set([...'kKmMgGtTpPeE'].map((letter) => letter.charCodeAt(0)));
const SUFFIX_TAILS = new Set([...'bBiI'].map((letter) => letter.charCodeAt(0)));
/** How many bytes stand before the first `-` of a date. */
const YEAR_LENGTH = 4;
const AFTER_YEAR = '00-00T00:00:00Z';

/** What begins with a digit: an integer, a float, a date, an address, or a word after all. Nothing was taken. */
export function scanNumberOrWord(scanner: Scanner): void {
  const { cursor } = scanner;
  const code = takeDigits(scanner);
  if (code === MINUS && cursor.offset - cursor.start === YEAR_LENGTH + 1) {
    scanDate(scanner);
  } else if (code === MINUS) {
    scanner.fail('All ISO8601 dates must be in full Zulu form.');
  } else if (code === DOT) {
    scanFraction(scanner);
  } else if (SUFFIXES.has(code)) {
    scanSuffix(scanner);
  } else if (endsNumber(code)) {
    cursor.back();
    scanner.emit('integer');
  } else {
    // As in nats-server a `]` does not end a number: `[1]` reads as a word that begins with `1]`.
    scanWord(scanner);
  }
}

/** A number whose minus sign was taken. */
export function scanNegative(scanner: Scanner): void {
  const { cursor } = scanner;
  const first = cursor.peek();
  if (!isDigit(first)) {
    cursor.next();
    scanner.fail(first === DOT ? FLOAT_START : `Expected a digit but got '${showRune(first)}'.`);
    return;
  }
  const code = takeDigits(scanner);
  if (code === DOT) {
    scanFraction(scanner);
  } else if (SUFFIXES.has(code)) {
    scanSuffix(scanner);
  } else {
    cursor.back();
    scanner.emit('integer');
  }
}

const FLOAT_START = "Floats must start with a digit, not '.'.";

/** Takes digits and the first code point that is none, which is returned. */
function takeDigits({ cursor }: Scanner): number {
  let code = cursor.next();
  while (isDigit(code)) code = cursor.next();
  return code;
}

function endsNumber(code: number): boolean {
  return isNewline(code) || isBlank(code) || code === END || code === MAP_CLOSE || code === SEMICOLON || code === COMMA;
}

function scanSuffix(scanner: Scanner): void {
  const { cursor } = scanner;
  let code = cursor.next();
  while (SUFFIX_TAILS.has(code)) code = cursor.next();
  cursor.back();
  if (endsNumber(code)) scanner.emit('integer');
  else scanWord(scanner);
}

function scanDate(scanner: Scanner): void {
  const { cursor } = scanner;
  for (const expected of AFTER_YEAR) {
    const code = cursor.next();
    const digit = expected === '0';
    if (digit ? isDigit(code) : code === expected.charCodeAt(0)) continue;
    const wanted = digit ? 'digit' : `'${expected}'`;
    scanner.fail(`Expected ${wanted} in ISO8601 datetime, but found '${showRune(code)}' instead.`);
    return;
  }
  scanner.emit('datetime');
}

/** What follows a dot: the digits of a float, or an address if a second dot comes. */
function scanFraction(scanner: Scanner): void {
  const { cursor } = scanner;
  const first = cursor.peek();
  if (!isDigit(first)) {
    cursor.next();
    scanner.fail(`Floats must have a digit after the '.', but got '${showRune(first)}' instead.`);
    return;
  }
  let code = takeDigits(scanner);
  const isAddress = code === DOT;
  if (isAddress) {
    while (isDigit(code) || code === DOT || code === COLON || code === MINUS) code = cursor.next();
  }
  cursor.back();
  scanner.emit(isAddress ? 'string' : 'float');
}
