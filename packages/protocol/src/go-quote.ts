import { utf8SequenceLength } from './subject-bytes.ts';

const PRINTABLE = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const HEX = '0123456789abcdef';

const ESCAPES = new Map<number, string>([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x22, '\\"'],
  [0x5c, '\\\\'],
]);

/**
 * A string in double quotes as Go's `%q` prints it: log lines and error texts of nats-server use it for subjects,
 * queues and protocol snippets. Printable characters stand as they are, everything else is escaped; a byte that is not
 * valid UTF-8 (in a string: the lone surrogate of `subjectFromBytes`) becomes `\xNN`. Source: spec/core.md 1.6, 6.2.
 */
export function goQuote(text: string): string {
  let quoted = '"';
  for (const char of text) quoted += quoteCodePoint(char.codePointAt(0)!, char);
  return `${quoted}"`;
}

/** `goQuote` for the bytes `source[start, end)`. */
export function goQuoteBytes(source: Buffer, start: number, end: number): string {
  let quoted = '"';
  let i = start;
  while (i < end) {
    const length = utf8SequenceLength(source, i, end);
    if (length === 0) {
      quoted += hexByte(source[i]!);
      i += 1;
      continue;
    }
    const char = source.toString('utf8', i, i + length);
    quoted += quoteCodePoint(char.codePointAt(0)!, char);
    i += length;
  }
  return `${quoted}"`;
}

/** The first character of `text` in single quotes, as encoding/json names an unexpected one. */
export function quoteGoChar(text: string): string {
  const code = text.codePointAt(0)!;
  if (code === 0x27) return "'\\''";
  if (code === 0x22) return `'"'`;
  return `'${quoteCodePoint(code, String.fromCodePoint(code))}'`;
}

function quoteCodePoint(code: number, char: string): string {
  const short = ESCAPES.get(code);
  if (short !== undefined) return short;
  if (code < 0x20 || code === 0x7f) return hexByte(code);
  if (code >= 0xd800 && code <= 0xdfff) return code >= 0xdc80 && code <= 0xdcff ? hexByte(code & 0xff) : '\ufffd';
  if (PRINTABLE.test(char)) return char;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

function hexByte(byte: number): string {
  return `\\x${HEX[byte >> 4]}${HEX[byte & 15]}`;
}
