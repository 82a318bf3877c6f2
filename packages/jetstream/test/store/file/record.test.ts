import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as record from '../../../src/store/file/messages/record.ts';
import { isTimeZero, readTimeMs, readTimeNs, writeTime, writeWord } from '../../../src/store/file/messages/time64.ts';
import { hh64, sha256key, verifyRecord } from '../../../src/store/hash/highwayhash.ts';

const key = sha256key('S-1');

describe('time of a record', () => {
  const cases: [number, number][] = [
    [0, 0],
    [0, 1],
    [1_700_000_000_123, 456_789],
    [4294, 967_295],
    [4294, 967_296],
    [-1, 999_999],
    [-1_000_000_000_000, 1],
    [9_223_372_036_854, 775_807],
  ];
  it.each(cases)('is an i64 of nanoseconds: %d ms and %d ns', (ms, ns) => {
    const buffer = Buffer.alloc(10);
    writeTime(buffer, 1, ms, ns);
    expect(buffer.readBigInt64LE(1)).toBe(BigInt(ms) * 1_000_000n + BigInt(ns));
    expect([readTimeMs(buffer, 1), readTimeNs(buffer, 1)]).toEqual([ms, ns]);
    expect(isTimeZero(buffer, 1)).toBe(ms === 0 && ns === 0);
  });

  it('goes both ways for every time', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (ns) => {
        const buffer = Buffer.alloc(8);
        buffer.writeBigInt64LE(ns);
        const ms = readTimeMs(buffer, 0);
        const rest = readTimeNs(buffer, 0);
        expect(BigInt(ms) * 1_000_000n + BigInt(rest)).toBe(ns);
        const again = Buffer.alloc(8);
        writeTime(again, 0, ms, rest);
        expect(again).toEqual(buffer);
      }),
      { numRuns: 2000 },
    );
  });

  it('writes words modulo 2^32', () => {
    const buffer = Buffer.alloc(4);
    for (const value of [0, 1, 0xffff_ffff, 0x8000_0000, 2 ** 32, 2 ** 40 + 7, -1, -5]) {
      writeWord(buffer, 0, value);
      expect(buffer.readUInt32LE(0)).toBe(Number(BigInt.asUintN(32, BigInt(value))));
    }
  });
});

/** A message record as the specification lays it out, by the plainest means. */
function expected(seq: bigint, ns: bigint, subject: Buffer, header: Buffer, payload: Buffer): Buffer {
  const head = Buffer.alloc(22);
  const length = 22 + subject.length + (header.length > 0 ? 4 + header.length : 0) + payload.length + 8;
  head.writeUInt32LE((length | (header.length > 0 ? 0x8000_0000 : 0)) >>> 0);
  head.writeBigUInt64LE(seq, 4);
  head.writeBigInt64LE(ns, 12);
  head.writeUInt16LE(subject.length, 20);
  const headerLength = Buffer.alloc(header.length > 0 ? 4 : 0);
  if (header.length > 0) headerLength.writeUInt32LE(header.length);
  const hash = hh64(key, Buffer.concat([head.subarray(4, 20), subject, header, payload]));
  return Buffer.concat([head, subject, headerLength, header, payload, hash]);
}

describe('message record', () => {
  it('is laid out as nats-server does', () => {
    fc.assert(
      fc.property(
        fc.record({
          seq: fc.maxSafeNat().map((seq) => Math.max(1, seq)),
          subject: fc.constantFrom('a', 'orders.new', 'grüße.日本', 'x'.repeat(300)),
          header: fc.uint8Array({ maxLength: 60 }),
          payload: fc.uint8Array({ maxLength: 200 }),
          ms: fc.nat(2_000_000_000_000),
          ns: fc.nat(999_999),
        }),
        ({ seq, subject, header, payload, ms, ns }) => {
          const subjectBytes = record.checkedSubjectBytes(subject);
          const length = 30 + subjectBytes + (header.length > 0 ? 4 + header.length : 0) + payload.length;
          const block = Buffer.alloc(length + 9, 0xee);
          const end = header.length;
          record.writeMessageRecord(
            key,
            block,
            4,
            length,
            seq,
            subject,
            subjectBytes,
            header,
            0,
            end,
            payload,
            0,
            payload.length,
            ms,
            ns,
          );
          const nanos = BigInt(ms) * 1_000_000n + BigInt(ns);
          expect(block.subarray(4, 4 + length)).toEqual(
            expected(BigInt(seq), nanos, Buffer.from(subject), Buffer.from(header), Buffer.from(payload)),
          );
          expect(block.subarray(0, 4).equals(Buffer.alloc(4, 0xee))).toBe(true);
          expect(block.subarray(4 + length).equals(Buffer.alloc(5, 0xee))).toBe(true);
          expect(record.isSaneRecord(block, 4, length)).toBe(true);
          expect(record.isSaneRecord(block, 4, length - 1)).toBe(false);
          expect(record.recordSeq(block, 4)).toBe(seq);
          expect(record.recordLength(block, 4)).toBe(length);
          expect(record.isMessage(block, 4)).toBe(true);
          expect(record.headerLength(block, 4)).toBe(header.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('refuses a subject too long for its length field', () => {
    expect(record.checkedSubjectBytes('s'.repeat(65_535))).toBe(65_535);
    expect(() => record.checkedSubjectBytes('s'.repeat(65_536))).toThrow(RangeError);
  });
});

describe('records without a message', () => {
  it('marks a tombstone by bit 62 and a skipped sequence by bit 63', () => {
    const block = Buffer.alloc(60);
    record.writeEmptyRecord(key, block, 0, 2 ** 40 + 5, 'tombstone', 7, 8);
    record.writeEmptyRecord(key, block, 30, 6, 'erased', 0, 0);
    expect(block.readBigUInt64LE(4)).toBe((1n << 62n) | (2n ** 40n + 5n));
    expect(block.readBigUInt64LE(34)).toBe((1n << 63n) | 6n);
    expect([record.isTombstone(block, 0), record.isErased(block, 0), record.isMessage(block, 0)]).toEqual([
      true,
      false,
      false,
    ]);
    expect([record.isTombstone(block, 30), record.isErased(block, 30), record.isMessage(block, 30)]).toEqual([
      false,
      true,
      false,
    ]);
    expect(record.recordSeq(block, 0)).toBe(2 ** 40 + 5);
    expect(verifyRecord(key, block, 0, 30) && verifyRecord(key, block, 30, 30)).toBe(true);
  });

  it('erases a message by filling all but its sequence', () => {
    const block = Buffer.alloc(100, 0x41);
    record.writeErasedRecord(key, block, 10, 80, 3, Buffer.alloc(50, 0x42), 0, 0);
    expect(verifyRecord(key, block, 10, 80)).toBe(true);
    expect(record.isErased(block, 10)).toBe(true);
    expect(record.subjectLength(block, 10)).toBe(0);
    expect(isTimeZero(block, 22)).toBe(true);
    expect(block.subarray(32, 82).equals(Buffer.alloc(50, 0x42))).toBe(true);
    expect([block[9], block[90]]).toEqual([0x41, 0x41]);
  });

  it('knows sequence 0 for erased and unsafe sequences for what they are', () => {
    const block = Buffer.alloc(30);
    record.writeEmptyRecord(key, block, 0, 0, 'erased', 0, 0);
    block[11] = 0;
    expect(record.isErased(block, 0)).toBe(true);
    block.writeBigUInt64LE(2n ** 53n - 1n, 4);
    expect(record.isSafeSeq(block, 0)).toBe(true);
    block.writeBigUInt64LE(2n ** 53n, 4);
    expect(record.isSafeSeq(block, 0)).toBe(false);
  });
});

describe('a sane record', () => {
  it.each([
    ['a length below the smallest record', (block: Buffer) => block.writeUInt32LE(29, 0)],
    ['a length above 32 MiB', (block: Buffer) => block.writeUInt32LE(33 * 1024 * 1024, 0)],
    ['a subject that does not fit', (block: Buffer) => block.writeUInt16LE(11, 20)],
    [
      'a header length that does not fit',
      (block: Buffer) => {
        block.writeUInt32LE((40 | 0x8000_0000) >>> 0, 0);
        block.writeUInt16LE(2, 20);
        block.writeUInt32LE(5, 24);
      },
    ],
  ])('has not %s', (_what, spoil) => {
    const block = Buffer.alloc(40 * 1024 * 1024);
    block.writeUInt32LE(40, 0);
    block.writeUInt16LE(10, 20);
    expect(record.isSaneRecord(block, 0, block.length)).toBe(true);
    spoil(block);
    expect(record.isSaneRecord(block, 0, block.length)).toBe(false);
  });
});
