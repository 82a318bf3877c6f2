/**
 * A record's time is an i64 of nanoseconds: more than a double holds. It goes between that and whole milliseconds plus
 * nanoseconds by its two 32-bit halves, without BigInt.
 */

/** 2^32 ns are 4294 ms and 967 296 ns. */
const MS_PER_HIGH = 4294;
const NS_PER_HIGH = 967_296;
const NS_PER_MS = 1_000_000;
const WORD = 0x1_0000_0000;

/** Writes milliseconds since the epoch plus nanoseconds as an i64, little endian. */
export function writeTime(target: Buffer, offset: number, ms: number, ns: number): void {
  // ms = a * 2^20 + b, so that each product stays below 2^53.
  const a = Math.floor(ms / 0x10_0000) * NS_PER_MS;
  const b = (ms - Math.floor(ms / 0x10_0000) * 0x10_0000) * NS_PER_MS + ns;
  const high = Math.floor(a / 0x1000);
  const rest = (a - high * 0x1000) * 0x10_0000 + b;
  const carry = Math.floor(rest / WORD);
  writeWord(target, offset, rest - carry * WORD);
  writeWord(target, offset + 4, high + carry);
}

/** Whole milliseconds of the i64 of nanoseconds at `offset`. */
export function readTimeMs(source: Buffer, offset: number): number {
  const high = source.readInt32LE(offset + 4);
  return high * MS_PER_HIGH + Math.floor((high * NS_PER_HIGH + source.readUInt32LE(offset)) / NS_PER_MS);
}

/** The nanoseconds within the millisecond, 0 … 999 999. */
export function readTimeNs(source: Buffer, offset: number): number {
  const rest = source.readInt32LE(offset + 4) * NS_PER_HIGH + source.readUInt32LE(offset);
  return rest - Math.floor(rest / NS_PER_MS) * NS_PER_MS;
}

/** True if the i64 at `offset` is 0: nats-server's "no time". */
export function isTimeZero(source: Buffer, offset: number): boolean {
  return source.readUInt32LE(offset) === 0 && source.readUInt32LE(offset + 4) === 0;
}

/** Writes a number modulo 2^32, little endian. */
export function writeWord(target: Buffer, offset: number, value: number): void {
  const word = value | 0;
  target[offset] = word;
  target[offset + 1] = word >> 8;
  target[offset + 2] = word >> 16;
  target[offset + 3] = word >> 24;
}
