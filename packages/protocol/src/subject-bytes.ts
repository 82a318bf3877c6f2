/**
 * Subjects are bytes on the wire and strings inside. Any byte but blanks and line ends may stand in a subject
 * (spec/core.md 1.3), so the mapping is lossless: valid UTF-8 is decoded, an invalid byte b becomes the lone surrogate
 * U+DC00+b, and writing turns it back.
 */

const REPLACEMENT = 0xfffd;

/** The subject in `source[start, end)` as a string. */
export function subjectFromBytes(source: Buffer, start: number, end: number): string {
  for (let i = start; i < end; i++) {
    if (source[i]! >= 0x80) return decodeLossless(source, start, end);
  }
  return source.toString('latin1', start, end);
}

/** How many bytes `subject` takes on the wire. */
export function subjectByteLength(subject: string): number {
  const length = subject.length;
  let bytes = length;
  for (let i = 0; i < length; i++) {
    const unit = subject.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xdc80 && unit <= 0xdcff) bytes += 0;
    else if (isPair(subject, i)) {
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}

/** Writes `subject` into `target` at `offset` and returns the offset behind it. The caller has made room. */
export function writeSubject(subject: string, target: Buffer, offset: number): number {
  const length = subject.length;
  for (let i = 0; i < length; i++) {
    const unit = subject.charCodeAt(i);
    if (unit >= 0x80) return writeWide(subject, i, target, offset + i);
    target[offset + i] = unit;
  }
  return offset + length;
}

/** The wire bytes of `subject`. */
export function subjectToBytes(subject: string): Buffer {
  const bytes = Buffer.allocUnsafe(subjectByteLength(subject));
  writeSubject(subject, bytes, 0);
  return bytes;
}

/**
 * How many bytes of `source[at, end)` form one valid UTF-8 sequence: 1–4, or 0 when the byte at `at` begins none
 * (stray continuation, overlong form, surrogate, above U+10FFFF, cut off), in which case it stands alone.
 */
export function utf8SequenceLength(source: Uint8Array, at: number, end: number): number {
  const lead = source[at]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = source[at + 1]!;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let k = 2; k < length; k++) {
    if ((source[at + k]! & 0xc0) !== 0x80) return 0;
  }
  return length;
}

function decodeLossless(source: Buffer, start: number, end: number): string {
  let text = '';
  let from = start;
  let i = start;
  while (i < end) {
    const length = utf8SequenceLength(source, i, end);
    if (length > 0) {
      i += length;
      continue;
    }
    if (from < i) text += source.toString('utf8', from, i);
    text += String.fromCharCode(0xdc00 + source[i]!);
    from = ++i;
  }
  return from < i ? text + source.toString('utf8', from, i) : text;
}

function isPair(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdbff || at + 1 >= text.length) return false;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

function writeWide(subject: string, from: number, target: Buffer, offset: number): number {
  for (let i = from; i < subject.length; i++) {
    let code = subject.charCodeAt(i);
    if (code < 0x80) {
      target[offset++] = code;
      continue;
    }
    if (code < 0x800) {
      target[offset++] = 0xc0 | (code >> 6);
      target[offset++] = 0x80 | (code & 0x3f);
      continue;
    }
    if (code >= 0xdc80 && code <= 0xdcff) {
      target[offset++] = code & 0xff;
      continue;
    }
    if (isPair(subject, i)) {
      code = 0x10000 + ((code - 0xd800) << 10) + (subject.charCodeAt(++i) - 0xdc00);
      target[offset++] = 0xf0 | (code >> 18);
      target[offset++] = 0x80 | ((code >> 12) & 0x3f);
    } else {
      // A surrogate that no wire byte produced has no encoding of its own.
      if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT;
      target[offset++] = 0xe0 | (code >> 12);
    }
    target[offset++] = 0x80 | ((code >> 6) & 0x3f);
    target[offset++] = 0x80 | (code & 0x3f);
  }
  return offset;
}
