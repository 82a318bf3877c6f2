import { hh64 } from '../hash/highwayhash.ts';

/** Hashes tried to find one wrong byte: all values of every byte up to 4 KiB of meta.inf, about a second at the most. */
const TRIES_MAX = 1_048_576;

/** Of the differences to a byte, those of a single bit come first: they are what memory and disks do by themselves. */
const DIFFERENCES: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128].concat(
  Array.from({ length: 256 }, (_, value) => value).filter((value) => (value & (value - 1)) !== 0),
);

/**
 * The content meta.inf had before a single byte of it went wrong: of all that differ in one byte only the original has
 * the stored 64-bit checksum. Null if that is not what happened.
 *
 * @param sum content of meta.sum: 16 hex digits.
 */
export function repairMeta(bytes: Buffer, sum: Buffer | null, key: Uint8Array): Buffer | null {
  const text = sum?.toString('latin1') ?? '';
  if (!/^[0-9a-f]{16}$/.test(text)) return null;
  const wanted = Buffer.from(text, 'hex');
  const tried = Buffer.from(bytes);
  let left = TRIES_MAX;
  for (const difference of DIFFERENCES) {
    for (let at = 0; at < tried.length; at++) {
      if (left-- === 0) return null;
      tried[at]! ^= difference;
      if (hh64(key, tried).equals(wanted)) return tried;
      tried[at]! ^= difference;
    }
  }
  return null;
}

/** Digits of a checksum that was cut short and still tells something. */
const DIGITS_MIN = 4;

/** True if the checksum itself is what was damaged: it differs from the right one in one digit, or is cut short. */
export function isNearly(sum: Buffer | null, right: string): boolean {
  const text = sum?.toString('latin1') ?? '';
  if (text.length < right.length) return text.length >= DIGITS_MIN && right.startsWith(text);
  if (text.length > right.length) return false;
  let wrong = 0;
  for (let at = 0; at < right.length; at++) if (text[at] !== right[at]) wrong++;
  return wrong <= 1;
}
