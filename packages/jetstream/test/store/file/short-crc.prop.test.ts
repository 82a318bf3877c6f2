import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shortCrc32 } from '../../../src/store/file/short-crc.ts';

it('sums up any part of a buffer as zlib does', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, fc.nat(300), fc.nat(300), (source, one, other) => {
      const start = Math.min(one, other, source.length);
      const end = Math.min(Math.max(one, other), source.length);
      expect(shortCrc32(source, start, end)).toBe(crc32(source.subarray(start, end)));
    }),
  );
});
