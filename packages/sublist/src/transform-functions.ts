/** The mapping functions of spec/core.md 11 on one token. Positions are byte offsets. */
import { encodeSubject, isAscii, sliceBytes, subjectBytes } from './subject-bytes.ts';
import type { CutFunction } from './transform-step.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a, 32 bits, of the bytes of `key`, modulo `buckets`; 0 buckets give 0. */
export function partitionOf(key: string, buckets: number): number {
  if (buckets === 0) return 0;
  let hash = FNV_OFFSET;
  if (isAscii(key)) {
    for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), FNV_PRIME);
  } else {
    for (const byte of encodeSubject(key)) hash = Math.imul(hash ^ byte, FNV_PRIME);
  }
  // A negative number of buckets counts as unsigned in nats-server.
  return (hash >>> 0) % (buckets >>> 0);
}

/** A number from 0 to `ceiling` - 1, from `random` in [0, 1). */
export function randomBelow(ceiling: number, random: () => number): number {
  return Math.floor(random() * Math.abs(ceiling));
}

/** Parts of `token` between delimiters, joined by dots; empty parts vanish. An empty delimiter parts all characters. */
export function splitToken(token: string, delimiter: string): string {
  const parts = delimiter === '' ? Array.from(token) : token.split(delimiter);
  let text = '';
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]!;
    text += part;
    const followed = index < parts.length - 1 && parts[index + 1] !== '';
    // As nats-server: no dot for an empty start, one dot however many delimiters follow each other.
    if (followed && !(index === 0 && part === '')) text += '.';
  }
  return text;
}

function sliceToken(token: string, first: number, size: number, length: number): string {
  let text = first === 0 ? '' : sliceBytes(token, 0, first);
  for (let start = first; start < length; start += size) {
    if (text !== '') text += '.';
    text += sliceBytes(token, start, Math.min(start + size, length));
  }
  return text;
}

/** Cuts a token; a size of 0 or less, or not below the token's length, leaves it whole. */
export function cutToken(cut: CutFunction, token: string, size: number): string {
  const length = subjectBytes(token);
  if (size <= 0 || size >= length) return token;
  switch (cut) {
    case 'splitFromLeft':
      return `${sliceBytes(token, 0, size)}.${sliceBytes(token, size, length)}`;
    case 'splitFromRight':
      return `${sliceBytes(token, 0, length - size)}.${sliceBytes(token, length - size, length)}`;
    case 'sliceFromLeft':
      return sliceToken(token, 0, size, length);
    case 'sliceFromRight':
      return sliceToken(token, length % size, size, length);
    case 'left':
      return sliceBytes(token, 0, size);
    case 'right':
      return sliceBytes(token, length - size, length);
  }
}
