import { HASH, SLASH } from './char.ts';
import type { Cursor } from './cursor.ts';
import { END, isNewline } from './rune.ts';

/** Whether a comment begins with the code point just taken; then the second slash is taken too. */
export function beginsComment(cursor: Cursor, code: number): boolean {
  if (code !== SLASH) return code === HASH;
  if (cursor.next() === SLASH) return true;
  cursor.back();
  return false;
}

/** Skips the rest of a comment, up to the new line. */
export function skipComment(cursor: Cursor): void {
  let code = cursor.peek();
  while (!isNewline(code) && code !== END) {
    cursor.next();
    code = cursor.peek();
  }
  cursor.drop();
}
