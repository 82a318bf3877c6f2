import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectByteLength, subjectFromBytes, subjectToBytes, writeSubject } from '../src/index.ts';

function decode(bytes: Buffer): string {
  return subjectFromBytes(bytes, 0, bytes.length);
}

describe('subjects between bytes and strings', () => {
  it('decodes ASCII and UTF-8 as they are', () => {
    for (const subject of ['', 'foo.bar', 'é', '日本.語', '😀.a', 'a\0b\x7f']) {
      expect(decode(Buffer.from(subject))).toBe(subject);
      expect(subjectToBytes(subject)).toEqual(Buffer.from(subject));
    }
  });

  it('turns each byte that is not valid UTF-8 into a lone surrogate of its own', () => {
    const cases: [number[], string][] = [
      [[0xff], '\udcff'],
      [[0x61, 0x80, 0x62], 'a\udc80b'],
      [[0xe2, 0x82, 0x78], '\udce2\udc82x'],
      [[0xc0, 0x80], '\udcc0\udc80'],
      [[0xe0, 0x80, 0x80], '\udce0\udc80\udc80'],
      [[0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
      [[0xf4, 0x90, 0x80, 0x80], '\udcf4\udc90\udc80\udc80'],
      [[0xf5, 0x80], '\udcf5\udc80'],
      [[0xf0, 0x9f, 0x98], '\udcf0\udc9f\udc98'],
    ];
    for (const [bytes, expected] of cases) expect(decode(Buffer.from(bytes))).toBe(expected);
  });

  it('gives back the same bytes for any bytes', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: 'binary', maxLength: 8 }).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.nat(5), (pieces, pad) => {
        const bytes = Buffer.concat(pieces);
        const subject = subjectFromBytes(
          Buffer.concat([Buffer.alloc(pad, 0xc3), bytes, Buffer.from([0x80])]),
          pad,
          pad + bytes.length,
        );
        expect(subjectByteLength(subject)).toBe(bytes.length);
        expect(subjectToBytes(subject)).toEqual(bytes);
        const target = Buffer.alloc(bytes.length + 4, 0xee);
        expect(writeSubject(subject, target, 2)).toBe(bytes.length + 2);
        expect(target).toEqual(Buffer.concat([Buffer.from([0xee, 0xee]), bytes, Buffer.from([0xee, 0xee])]));
      }),
    );
  });

  it('writes a surrogate that no byte produced as U+FFFD, as Go does', () => {
    expect(subjectToBytes('a\ud800b')).toEqual(Buffer.from('a\ufffdb'));
    expect(subjectToBytes('\udc00')).toEqual(Buffer.from('\ufffd'));
    expect(subjectByteLength('a\ud800b')).toBe(5);
  });
});
