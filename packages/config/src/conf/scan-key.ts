import { DOUBLE_QUOTE, SINGLE_QUOTE } from './char.ts';
import { END, isSpace } from './rune.ts';
import type { Scanner } from './scanner.ts';
import { isSeparator } from './scope.ts';

/** What follows a key: its separator, or the path if the key was the word `include`. */
export type AfterKey = 'separator' | 'include';

/**
 * Reads a key: in quotes, or up to a blank or a separator.
 * @param first its first code point, which was taken
 * @returns null when the text ends here
 */
export function scanKey(scanner: Scanner, first: number, inMap: boolean): AfterKey | null {
  if (first === SINGLE_QUOTE || first === DOUBLE_QUOTE) {
    scanner.cursor.drop();
    return scanQuotedKey(scanner, first, inMap);
  }
  scanner.cursor.back();
  return scanBareKey(scanner, inMap);
}

/** Reads a key without quotes, of which nothing was taken. */
export function scanBareKey(scanner: Scanner, inMap: boolean): AfterKey | null {
  const { cursor } = scanner;
  cursor.drop();
  cursor.next();
  let code = cursor.peek();
  while (!isSpace(code) && !isSeparator(code) && code !== END) {
    cursor.next();
    code = cursor.peek();
  }
  if (code === END && inMap) {
    scanner.fail('Unexpected EOF processing map key.');
    return null;
  }
  if (isSpace(code) && cursor.taken().toString('latin1').toLowerCase() === 'include') {
    cursor.drop();
    return 'include';
  }
  scanner.emit('key');
  return 'separator';
}

function scanQuotedKey(scanner: Scanner, quote: number, inMap: boolean): AfterKey | null {
  const { cursor } = scanner;
  let code = cursor.peek();
  while (code !== quote && code !== END) {
    cursor.next();
    code = cursor.peek();
  }
  if (code === quote) {
    scanner.emit('key');
    cursor.next();
    cursor.drop();
    return 'separator';
  }
  if (inMap) scanner.fail(`Unexpected EOF processing ${quote === DOUBLE_QUOTE ? 'double quoted' : 'quoted'} map key.`);
  else scanner.endOfText();
  return null;
}
