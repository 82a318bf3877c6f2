const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** Digits of a size that nats-server reads; ten make it invalid. */
const SIZE_DIGITS_MAX = 9;
/** Most tokens any operation has: HMSG with a reply. */
const TOKENS_MAX = 5;

/** Where the tokens of the last tokenized line stand. Reading a line is synchronous, so one pair serves every parser. */
export const tokenStarts: Int32Array = new Int32Array(TOKENS_MAX);
export const tokenEnds: Int32Array = new Int32Array(TOKENS_MAX);

/**
 * Splits `source[start, end)` at runs of blanks and tabs (and of CR and LF, if `lineEndsSeparate`), fills `tokenStarts`
 * and `tokenEnds` and returns the number of tokens; TOKENS_MAX + 1 when there are more than fit.
 */
export function tokenize(source: Buffer, start: number, end: number, lineEndsSeparate: boolean): number {
  let count = 0;
  let i = start;
  for (;;) {
    while (i < end && isSeparator(source[i]!, lineEndsSeparate)) i++;
    if (i >= end) return count;
    if (count === TOKENS_MAX) return count + 1;
    tokenStarts[count] = i;
    while (i < end && !isSeparator(source[i]!, lineEndsSeparate)) i++;
    tokenEnds[count++] = i;
  }
}

function isSeparator(byte: number, lineEndsSeparate: boolean): boolean {
  return byte <= SPACE && (byte === SPACE || byte === TAB || (lineEndsSeparate && (byte === CR || byte === LF)));
}

/** The value of a size token: 1–9 ASCII digits, leading zeros allowed; -1 for anything else. Source: spec/core.md 1.1. */
export function parseSize(source: Uint8Array, start: number, end: number): number {
  const digits = end - start;
  if (digits < 1 || digits > SIZE_DIGITS_MAX) return -1;
  let size = 0;
  for (let i = start; i < end; i++) {
    const digit = source[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    size = size * 10 + digit;
  }
  return size;
}
