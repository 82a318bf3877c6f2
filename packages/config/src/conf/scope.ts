import { BLOCK_OPEN, COLON, COMMA, DOUBLE_QUOTE, EQUALS, MAP_CLOSE, SEMICOLON, SINGLE_QUOTE, SLASH } from './char.ts';
import { END, isNewline, showRune } from './rune.ts';

/** What encloses the place: the text itself, the braces of a text written as one `{…}`, a map or an array. */
export type Scope = 'document' | 'braces' | 'map' | 'array';

/** A sign that may stand between a key and its value. */
export function isSeparator(code: number): boolean {
  return code === EQUALS || code === COLON;
}

/** What opens a quoted value. */
export function isQuote(code: number): boolean {
  return code === SINGLE_QUOTE || code === DOUBLE_QUOTE || code === BLOCK_OPEN;
}

/** Whether an entry ends with the code point; odd ones included that nats-server takes. */
export function endsEntry(scope: Scope, code: number): boolean {
  if (code === COMMA || isNewline(code)) return true;
  if (scope === 'array') return code === SLASH;
  if (code === SEMICOLON) return true;
  if (scope === 'map') return code === SLASH;
  return scope === 'document' && (code === END || code === MAP_CLOSE);
}

/** The sentence for what may not follow a value. */
export function unexpectedEnd(scope: Scope, code: number): string {
  const got = showRune(code);
  switch (scope) {
    case 'document':
      return `Expected a top-level value to end with a new line, comment or EOF, but got '${got}' instead.`;
    case 'braces':
      return `Expected a block-level value to end with a new line, comment or EOF, but got '${got}' instead.`;
    case 'map':
      return `Expected a map value terminator "," or a map terminator "}", but got '${got}' instead.`;
    case 'array':
      return `Expected an array value terminator "," or an array terminator "]", but got '${got}' instead.`;
  }
}
