import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXPORT_HASH_BYTES, exportHash, isNearlyExport } from '../../src/store/file/export-hash.ts';

const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });

describe('the hash of an exported o.dat', () => {
  it('tells a file with one wrong byte from others', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.array(bytes), (file, place, change, others) => {
        const hashes = [...others, file].map(exportHash);
        const damaged = Buffer.from(file);
        damaged[place % file.length]! ^= change;
        expect(isNearlyExport(damaged, hashes)).toBe(true);
      }),
    );
  });

  it('takes no file for damaged that differs in two bytes', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (file, one, other, change) => {
        fc.pre(one % file.length !== other % file.length);
        const changed = Buffer.from(file);
        changed[one % file.length]! ^= change;
        changed[other % file.length]! ^= change;
        expect(isNearlyExport(changed, [exportHash(file)])).toBe(false);
      }),
    );
  });

  it('finds the byte in a file longer than the prime its sums are taken by', () => {
    const file = Buffer.alloc(200_000, 7);
    const hash = exportHash(file);
    expect(hash).toHaveLength(EXPORT_HASH_BYTES);
    for (const place of [0, 65_519, 65_520, 65_521, 131_042, 199_999]) {
      const damaged = Buffer.from(file);
      damaged[place] = 9;
      expect(isNearlyExport(damaged, [hash])).toBe(true);
    }
  });
});
