import { hh64, verifyRecord } from '../../hash/highwayhash.ts';
import { REPAIR_BYTES_MAX } from './limits.ts';
import {
  EMPTY_RECORD_BYTES,
  isSaneRecord,
  RECORD_HASH_BYTES,
  RECORD_HEAD_BYTES,
  recordLength,
  subjectLength,
} from './record.ts';

/**
 * A 64-bit hash over few bytes tells more than that something is wrong: of all records that differ from the damaged
 * one in a single byte, only the original has the stored hash. So one bad byte in a small record, or in any record's
 * length or hash, costs nothing; above all, a deleted message does not come back because its tombstone was hit.
 */
export class Repairer {
  readonly #key: Uint8Array;
  readonly #block: Buffer;
  readonly #length: number;
  /** Hashes left to try. */
  #budget: number;

  /** @param length bytes of `block` in use. @param budget how many hashes may be tried over all calls. */
  constructor(key: Uint8Array, block: Buffer, length: number, budget: number) {
    this.#key = key;
    this.#block = block;
    this.#length = length;
    this.#budget = budget;
  }

  /** Puts the one wrong byte of the record at `at` right; false (and nothing changed) if that is not what it is. */
  repair(at: number): boolean {
    return this.#repairHash(at) || this.#repairLength(at) || this.#repairContent(at);
  }

  /** The content is right if all but one byte of the hash agree with it. */
  #repairHash(at: number): boolean {
    if (!isSaneRecord(this.#block, at, this.#length - at)) return false;
    const end = at + recordLength(this.#block, at);
    const hash = hashOf(this.#key, this.#block, at);
    let wrong = 0;
    for (let i = 0; i < RECORD_HASH_BYTES; i++) if (this.#block[end - RECORD_HASH_BYTES + i] !== hash[i]) wrong++;
    if (wrong !== 1) return false;
    hash.copy(this.#block, end - RECORD_HASH_BYTES);
    return true;
  }

  /** The lengths are not hashed: the right one ends where the next record starts, or the file. */
  #repairLength(at: number): boolean {
    if (this.#length - at < EMPTY_RECORD_BYTES) return false;
    return this.#tryBytes(at, at, at + 4, () => {
      const next = at + recordLength(this.#block, at);
      if (next !== this.#length) {
        if (!isSaneRecord(this.#block, next, this.#length - next)) return false;
        if (!this.#verify(next)) return false;
      }
      return this.#verify(at);
    });
  }

  #repairContent(at: number): boolean {
    if (!isSaneRecord(this.#block, at, this.#length - at)) return false;
    const length = recordLength(this.#block, at);
    if (length > REPAIR_BYTES_MAX) return false;
    return this.#tryBytes(at, at + 4, at + length - RECORD_HASH_BYTES, () => this.#verify(at));
  }

  /** Tries every other value of every byte in `[from, to)` until one makes the record at `at` right. */
  #tryBytes(at: number, from: number, to: number, isRight: () => boolean): boolean {
    const available = this.#length - at;
    for (let place = from; place < to; place++) {
      const original = this.#block[place]!;
      for (let difference = 1; difference < 256 && this.#budget > 0; difference++) {
        this.#block[place] = original ^ difference;
        if (isSaneRecord(this.#block, at, available) && isRight()) return true;
      }
      this.#block[place] = original;
    }
    return false;
  }

  #verify(at: number): boolean {
    if (this.#budget <= 0) return false;
    this.#budget--;
    return verifyRecord(this.#key, this.#block, at, recordLength(this.#block, at));
  }
}

function hashOf(key: Uint8Array, block: Buffer, at: number): Buffer {
  const subjectEnd = at + RECORD_HEAD_BYTES + subjectLength(block, at);
  const rest = block[at + 3]! >= 0x80 ? subjectEnd + 4 : subjectEnd;
  const end = at + recordLength(block, at) - RECORD_HASH_BYTES;
  const parts = [block.subarray(at + 4, at + 20), block.subarray(at + RECORD_HEAD_BYTES, subjectEnd)];
  return hh64(key, Buffer.concat([...parts, block.subarray(rest, end)]));
}
