/** CRC-32 as zlib computes it, for runs of bytes so short that the call of `node:zlib` costs more than the sum. */

const POLYNOMIAL = 0xedb88320;

/** What each byte does to the sum when zero, one, two or three more follow it in the same step. */
const [TABLE_0, TABLE_1, TABLE_2, TABLE_3] = tables();

function tables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    first[byte] = sum;
  }
  const next = (table: Int32Array): Int32Array => table.map((sum) => (sum >>> 8) ^ first[sum & 0xff]!);
  const second = next(first);
  const third = next(second);
  return [first, second, third, next(third)];
}

/** The sum of `source[start, end)`, an unsigned number; 0 for no bytes. */
export function shortCrc32(source: Uint8Array, start: number, end: number): number {
  let sum = -1;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    sum =
      TABLE_3[(sum ^ source[at]!) & 0xff]! ^
      TABLE_2[((sum >>> 8) ^ source[at + 1]!) & 0xff]! ^
      TABLE_1[((sum >>> 16) ^ source[at + 2]!) & 0xff]! ^
      TABLE_0[(sum >>> 24) ^ source[at + 3]!]!;
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ TABLE_0[(sum ^ source[at]!) & 0xff]!;
  return ~sum >>> 0;
}
