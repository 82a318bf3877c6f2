import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { assembleHighwayHash } from '../../../scripts/assemble-highwayhash.ts';
import { HASH_WINDOW_BYTES, hh64, sealRecord, sha256key, verifyRecord } from '../../../src/store/hash/highwayhash.ts';

/** Vectors of the reference implementation (google/highwayhash, c/highwayhash_test.c): bytes 0, 1, 2 … of each length 0 to 64. */
const EXPECTED_64 =
  '907A56DE22C26E53 7EAB43AAC7CDDD78 B8D0569AB0B53D62 5C6BEFAB8A463D80 F205A46893007EDA 2B8A1668E4A94541 ' +
  'BD4CCC325BEFCA6F 4D02AE1738F59482 E1205108E55F3171 32D2644EC77A1584 F6E10ACDB103A90B C3BBF4615B415C15 ' +
  '243CC2040063FA9C A89A58CE65E641FF 24B031A348455A23 40793F86A449F33B CFAB3489F97EB832 19FE67D2C8C5C0E2 ' +
  '04DD90A69C565CC2 75D9518E2371C504 38AD9B1141D3DD16 0264432CCD8A70E0 A9DB5A6288683390 D7B05492003F028C ' +
  '205F615AEA59E51E EEE0C89621052884 1BFC1A93A7284F4F 512175B5B70DA91D F71F8976A0A2C639 AE093FEF1F84E3E7 ' +
  '22CA92B01161860F 9FC7007CCF035A68 A0C964D9ECD580FC 2C90F73CA03181FC 185CF84E5691EB9E 4FC1F5EF2752AA9B ' +
  'F5B7391A5E0A33EB B9B84B83B4E96C9C 5E42FE712A5CD9B4 A150F2F90C3F97DC 7FA522D75E2D637D 181AD0CC0DFFD32B ' +
  '3889ED981E854028 FB4297E8C586EE2D 6D064A45BB28059C 90563609B3EC860C 7AA4FCE94097C666 1326BAC06B911E08 ' +
  'B926168D2B154F34 9919848945B1948D A2A98FC534825EBE E9809095213EF0B6 582E5483707BC0E9 086E9414A88A6AF5 ' +
  'EE86B98D20F6743D F89B7FF609B1C0A7 4C7D9CC19E22C3E8 9A97005024562A6F 5DD41CF423E6EBEF DF13609C0468E227 ' +
  '6E0DA4F64188155A B755BA4B50D7D4A1 887A3484647479BD AB8EEBE9BF2139A0 75542C5D4CD2A6FF';

const KEY_1 = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const KEY_2 = Buffer.alloc(32);
for (let lane = 0; lane < 4; lane++) KEY_2[lane * 8] = lane + 1;

const hex = (hash: Buffer): string => hash.readBigUInt64LE().toString(16).toUpperCase().padStart(16, '0');

function record(
  subject: string,
  header: Buffer,
  payload: Buffer,
): { block: Buffer; start: number; length: number; key: Buffer } {
  const start = 13;
  const subjectBytes = Buffer.from(subject);
  const headerLength = header.length > 0 ? 4 + header.length : 0;
  const length = 22 + subjectBytes.length + headerLength + payload.length + 8;
  const block = Buffer.alloc(start + length + 5, 0xaa);
  block.writeUInt32LE((length | (header.length > 0 ? 0x80000000 : 0)) >>> 0, start);
  block.writeBigUInt64LE(7n, start + 4);
  block.writeBigInt64LE(1_700_000_000_123_456_789n, start + 12);
  block.writeUInt16LE(subjectBytes.length, start + 20);
  subjectBytes.copy(block, start + 22);
  let at = start + 22 + subjectBytes.length;
  if (header.length > 0) {
    block.writeUInt32LE(header.length, at);
    header.copy(block, at + 4);
    at += headerLength;
  }
  payload.copy(block, at);
  return { block, start, length, key: sha256key('S-1') };
}

describe('HighwayHash-64', () => {
  it('gives the reference results for every length up to 64 bytes', () => {
    const results = EXPECTED_64.split(' ').map((_, length) =>
      hex(
        hh64(
          KEY_1,
          KEY_1.length >= length ? KEY_1.subarray(0, length) : Buffer.from(Array.from({ length }, (_, i) => i)),
        ),
      ),
    );
    expect(results).toEqual(EXPECTED_64.split(' '));
  });

  it('gives the reference result for a second key', () => {
    const data = Buffer.from(Array.from({ length: 33 }, (_, i) => 128 + i));
    expect(hex(hh64(KEY_2, data))).toBe('53C516CCE478CAD7');
  });

  it('takes plain typed arrays and views into larger buffers', () => {
    const data = Buffer.from(Array.from({ length: 200 }, (_, i) => i));
    const plain = new Uint8Array(data);
    expect(hh64(KEY_1, plain.subarray(3, 60))).toEqual(hh64(KEY_1, data.subarray(3, 60)));
  });

  it('refuses a key that is not 32 bytes long', () => {
    expect(() => hh64(Buffer.alloc(31), Buffer.alloc(4))).toThrow(/31 bytes/);
  });

  it('is what the committed WebAssembly bytes were assembled from', async () => {
    const committed = await readFile(
      new URL('../../../src/store/hash/highwayhash.generated.ts', import.meta.url),
      'utf8',
    );
    expect(committed).toBe(await assembleHighwayHash());
  });
});

describe('the hash of a record', () => {
  for (const headerLength of [0, 1, 30, 100, HASH_WINDOW_BYTES + 9]) {
    for (const payloadLength of [0, 1, 17, 256, HASH_WINDOW_BYTES - 100, HASH_WINDOW_BYTES + 1, 1_000_000]) {
      it(`covers sequence, time, subject, ${headerLength} bytes of header and ${payloadLength} of payload, not the lengths`, () => {
        const header = Buffer.from(Array.from({ length: headerLength }, (_, i) => i * 7));
        const payload = Buffer.from(Array.from({ length: payloadLength }, (_, i) => i * 13));
        const { block, start, length, key } = record('orders.new', header, payload);
        const before = Buffer.from(block);
        const hashed = Buffer.concat([
          block.subarray(start + 4, start + 20),
          Buffer.from('orders.new'),
          header,
          payload,
        ]);
        sealRecord(key, block, start, length);
        expect(block.subarray(start + length - 8, start + length)).toEqual(hh64(key, hashed));
        before.set(block.subarray(start + length - 8, start + length), start + length - 8);
        expect(block.equals(before)).toBe(true);
        expect(verifyRecord(key, block, start, length)).toBe(true);
        block[start + length - 9]! ^= 1;
        expect(verifyRecord(key, block, start, length)).toBe(false);
      });
    }
  }
});
