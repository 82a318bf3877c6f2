import {
  ARRAY_OPEN,
  BACKSLASH,
  BLOCK_OPEN,
  DOUBLE_QUOTE,
  MAP_CLOSE,
  MAP_OPEN,
  MINUS,
  SEMICOLON,
  SINGLE_QUOTE,
} from './char.ts';
import { END, isBlank, isDigit, isNewline } from './rune.ts';
import type { Scanner } from './scanner.ts';

/** Reads the path after the word `include`: quoted either way, or bare. */
export function scanInclude(scanner: Scanner): void {
  const { cursor } = scanner;
  let code = cursor.next();
  while (isBlank(code)) {
    cursor.drop();
    code = cursor.next();
  }
  const wrong = whatItIs(code);
  if (code === SINGLE_QUOTE || code === DOUBLE_QUOTE) {
    cursor.drop();
    scanQuotedPath(scanner, code);
  } else if (wrong !== null) {
    scanner.fail(`Expected include value but found ${wrong}`);
  } else {
    cursor.back();
    scanBarePath(scanner);
  }
}

function whatItIs(code: number): string | null {
  if (code === ARRAY_OPEN) return 'start of an array';
  if (code === MAP_OPEN) return 'start of a map';
  if (code === BLOCK_OPEN) return 'start of a block';
  if (isDigit(code) || code === MINUS) return 'start of a number';
  if (code === BACKSLASH) return 'escape sequence';
  return isNewline(code) ? 'new line' : null;
}

function scanQuotedPath(scanner: Scanner, quote: number): void {
  const { cursor } = scanner;
  let code = cursor.next();
  while (code !== quote && code !== END) code = cursor.next();
  if (code === END) scanner.fail(`Unexpected EOF in ${quote === DOUBLE_QUOTE ? 'double quoted' : 'quoted'} include`);
  else endPath(scanner);
}

function scanBarePath(scanner: Scanner): void {
  const { cursor } = scanner;
  let code = cursor.next();
  while (code !== SINGLE_QUOTE && !endsPath(code)) code = cursor.next();
  if (code === SINGLE_QUOTE) {
    endPath(scanner);
  } else {
    cursor.back();
    scanner.emit('include');
  }
}

function endsPath(code: number): boolean {
  return isNewline(code) || isBlank(code) || code === END || code === SEMICOLON || code === MAP_CLOSE;
}

/** Ends a path at a quote that was taken and is no part of it. */
function endPath(scanner: Scanner): void {
  const { cursor } = scanner;
  cursor.back();
  scanner.emit('include');
  cursor.next();
  cursor.drop();
}
