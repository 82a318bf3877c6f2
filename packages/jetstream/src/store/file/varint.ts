/** Go's varints over safe integers: seven bits a byte, lowest first; signed ones as zigzag. */

/** Longest varint of 64 bits. */
export const VARINT_BYTES_MAX = 10;

const UINT64 = 1n << 64n;

/** Writes a non-negative safe integer; returns the offset after it. */
export function writeUvarint(target: Buffer, offset: number, value: number): number {
  // Above 2^31 in doubles, below with integer arithmetic.
  while (value > 0x7fffffff) {
    target[offset++] = (value % 0x80) | 0x80;
    value = Math.floor(value / 0x80);
  }
  let rest = value | 0;
  while (rest >= 0x80) {
    target[offset++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[offset++] = rest;
  return offset;
}

/** Writes a safe integer below 2^52 either way; returns the offset after it. */
export function writeVarint(target: Buffer, offset: number, value: number): number {
  return writeUvarint(target, offset, value < 0 ? -2 * value - 1 : 2 * value);
}

/** Reads varints one after the other. Once something did not fit, `failed` is set and every read gives 0. */
export class VarintReader {
  readonly buffer: Buffer;
  offset: number;
  readonly end: number;
  failed = false;

  constructor(buffer: Buffer, offset = 0, end: number = buffer.length) {
    this.buffer = buffer;
    this.offset = offset;
    this.end = end;
  }

  /** An unsigned integer up to 2^53 - 1. */
  uvarint(): number {
    return this.#number(this.uvarint64());
  }

  /** A signed integer within ±2^52. */
  varint(): number {
    const raw = this.uvarint();
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  /** `base` plus an unsigned integer, modulo 2^64 as Go adds: a distance below `base` is a huge one. */
  uvarintFrom(base: number): number {
    const distance = this.uvarint64();
    if (typeof distance === 'number' && distance + base <= Number.MAX_SAFE_INTEGER) return distance + base;
    return this.#number((BigInt(distance) + BigInt(base)) % UINT64);
  }

  /** `length` bytes. */
  bytes(length: number): Buffer {
    if (this.offset + length > this.end) this.failed = true;
    if (this.failed) return Buffer.alloc(0);
    const bytes = this.buffer.subarray(this.offset, this.offset + length);
    this.offset += length;
    return bytes;
  }

  /** An unsigned integer of up to 64 bits: a number while it is safe, a BigInt above. */
  uvarint64(): number | bigint {
    let value = 0;
    let scale = 1;
    const start = this.offset;
    while (!this.failed && this.offset < this.end && this.offset - start < VARINT_BYTES_MAX) {
      const byte = this.buffer[this.offset++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : this.#big(start);
      scale *= 0x80;
    }
    this.failed = true;
    return 0;
  }

  #big(start: number): bigint {
    let value = 0n;
    for (let at = this.offset - 1; at >= start; at--) value = (value << 7n) | BigInt(this.buffer[at]! & 0x7f);
    if (value >= UINT64) this.failed = true;
    return value;
  }

  #number(value: number | bigint): number {
    if (this.failed) return 0;
    if (value <= Number.MAX_SAFE_INTEGER) return Number(value);
    this.failed = true;
    return 0;
  }
}
