/** A code point and the number of bytes it takes. */
export interface Rune {
  readonly code: number;
  readonly width: number;
}

/** What nats-server takes for the end of the text: also what a NUL byte in the text reads as. */
export const END = 0;

const INVALID: Rune = { code: 0xfffd, width: 1 };
const ASCII: readonly Rune[] = Array.from({ length: 128 }, (_, code) => ({ code, width: 1 }));

/** Reads the code point at an offset; a byte that begins no valid UTF-8 sequence reads as U+FFFD of one byte. */
export function runeAt(bytes: Uint8Array, offset: number): Rune {
  const first = bytes[offset]!;
  if (first < 0x80) return ASCII[first]!;
  const width =
    first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (width === 0 || offset + width > bytes.length) return INVALID;
  let code = first & (0xff >> (width + 1));
  for (let i = 1; i < width; i++) {
    const next = bytes[offset + i]!;
    if ((next & 0xc0) !== 0x80) return INVALID;
    code = (code << 6) | (next & 0x3f);
  }
  const smallest = width === 3 ? 0x800 : width === 4 ? 0x10000 : 0;
  if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return INVALID;
  return { code, width };
}

/** A blank in Go's unicode.IsSpace: any Unicode white space, new lines included. */
export function isSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  if (code === 0x85 || code === 0xa0) return true;
  return code >= 0x1680 && code !== 0xfeff && /\s/.test(String.fromCodePoint(code));
}

/** A tab or a space: what may stand between a key and its value, or after a value. */
export function isBlank(code: number): boolean {
  return code === 0x09 || code === 0x20;
}

/** A line feed or a carriage return. */
export function isNewline(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

/** A decimal digit of any script, as Go's unicode.IsDigit. */
export function isDigit(code: number): boolean {
  if (code < 0x80) return code >= 0x30 && code <= 0x39;
  return /\p{Nd}/u.test(String.fromCodePoint(code));
}

/** How a code point stands in an error text. */
export function showRune(code: number): string {
  return code === 0x0a ? '\\n' : String.fromCodePoint(code);
}
