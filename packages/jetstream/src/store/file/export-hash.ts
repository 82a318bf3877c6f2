import { createHash } from 'node:crypto';

/** Bytes of the hash of an exported o.dat. */
export const EXPORT_HASH_BYTES = 8;

const PRIME = 65_521;
/** Bytes of SHA-256 behind the two sums. */
const SHA_BYTES = EXPORT_HASH_BYTES - 4;

/**
 * What the log keeps of an exported o.dat to know it again: the sum of its bytes and the sum of each times its place (from 1), modulo
 * a prime, 16 bits each, then the beginning of its SHA-256. Where a single byte is wrong, the sums tell which and by how much.
 */
export function exportHash(bytes: Uint8Array): string {
  const { plain, weighted } = sumsOf(bytes);
  const hash = Buffer.alloc(EXPORT_HASH_BYTES);
  hash.writeUInt16LE(plain, 0);
  hash.writeUInt16LE(weighted, 2);
  createHash('sha256').update(bytes).digest().copy(hash, 4, 0, SHA_BYTES);
  return hash.toString('latin1');
}

/** True if these bytes are what was exported with one of the hashes, but for a single one that is wrong. */
export function isNearlyExport(bytes: Uint8Array, hashes: readonly string[]): boolean {
  const { plain, weighted } = sumsOf(bytes);
  return hashes.some((text) => {
    const hash = Buffer.from(text, 'latin1');
    const difference = signed(hash.readUInt16LE(0) - plain);
    if (difference === 0 || Math.abs(difference) > 0xff) return false;
    const first = (modulo(hash.readUInt16LE(2) - weighted) * inverse(modulo(difference))) % PRIME;
    for (let place = first === 0 ? PRIME : first; place <= bytes.length; place += PRIME) {
      const right = bytes[place - 1]! + difference;
      if (right < 0 || right > 0xff) continue;
      const whole = Buffer.from(bytes);
      whole[place - 1] = right;
      if (exportHash(whole) === text) return true;
    }
    return false;
  });
}

function sumsOf(bytes: Uint8Array): { plain: number; weighted: number } {
  let plain = 0;
  let weighted = 0;
  for (let at = 0; at < bytes.length; at++) {
    plain = (plain + bytes[at]!) % PRIME;
    weighted = (weighted + bytes[at]! * ((at + 1) % PRIME)) % PRIME;
  }
  return { plain, weighted };
}

function modulo(value: number): number {
  return ((value % PRIME) + PRIME) % PRIME;
}

/** The difference of two sums as the one nearest to zero. */
function signed(difference: number): number {
  const value = modulo(difference);
  return value > PRIME / 2 ? value - PRIME : value;
}

/** By Fermat: what times `value` is 1. */
function inverse(value: number): number {
  let result = 1;
  let base = value;
  for (let exponent = PRIME - 2; exponent > 0; exponent = Math.floor(exponent / 2)) {
    if (exponent % 2 === 1) result = (result * base) % PRIME;
    base = (base * base) % PRIME;
  }
  return result;
}
