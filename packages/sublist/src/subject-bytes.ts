/**
 * Subjects as bytes. A byte that is not part of valid UTF-8 is the lone surrogate U+DC00 + byte in a string, so that
 * every subject of the wire has a string and comes back unchanged.
 */

const ESCAPE = 0xdc00;

/** True if characters and bytes are the same. */
export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}

export function encodeSubject(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) bytes.push(code);
    else if (code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) bytes.push(code - ESCAPE);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return bytes;
}

/** Length of the sequence a byte starts; 0 = none can start with it. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** Code point of the sequence at `start`; -1 if there is no valid one. */
function codePointAt(bytes: readonly number[], start: number, length: number): number {
  if (length === 0 || start + length > bytes.length) return -1;
  let code = length === 1 ? bytes[start]! : bytes[start]! & (0x7f >> length);
  for (let index = start + 1; index < start + length; index++) {
    if ((bytes[index]! & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (bytes[index]! & 0x3f);
  }
  // Longer than needed, a surrogate, or beyond Unicode.
  if ((length === 3 && code < 0x800) || (length === 4 && code < 0x10000) || code > 0x10ffff) return -1;
  return code >= 0xd800 && code <= 0xdfff ? -1 : code;
}

export function decodeSubject(bytes: readonly number[]): string {
  let text = '';
  for (let index = 0; index < bytes.length; ) {
    const length = sequenceLength(bytes[index]!);
    const code = codePointAt(bytes, index, length);
    text += String.fromCodePoint(code === -1 ? ESCAPE + bytes[index]! : code);
    index += code === -1 ? 1 : length;
  }
  return text;
}

/** The part of `text` from byte `start` to byte `end`. */
export function sliceBytes(text: string, start: number, end: number): string {
  return isAscii(text) ? text.slice(start, end) : decodeSubject(encodeSubject(text).slice(start, end));
}

/** Number of bytes. */
export function subjectBytes(text: string): number {
  return isAscii(text) ? text.length : encodeSubject(text).length;
}
