import { describe, expect, it } from 'vitest';
import { REPAIR_BYTES_MAX, REPAIR_HASHES_MAX } from '../../../src/store/file/messages/limits.ts';
import { recordLength, writeEmptyRecord, writeMessageRecord } from '../../../src/store/file/messages/record.ts';
import { Repairer } from '../../../src/store/file/messages/repair.ts';
import { scanBlock } from '../../../src/store/file/messages/scan.ts';
import { sha256key } from '../../../src/store/hash/highwayhash.ts';

const key = sha256key('S-1');

/** Records of messages with these payloads, one after the other. */
function blockOf(...payloads: string[]): Buffer {
  const records = payloads.map((payload, at) => {
    const bytes = Buffer.from(payload);
    const record = Buffer.alloc(31 + bytes.length);
    writeMessageRecord(key, record, 0, record.length, at + 1, 'a', 1, bytes, 0, 0, bytes, 0, bytes.length, 5, 0);
    return record;
  });
  return Buffer.concat(records);
}

describe('repair', () => {
  it('puts the wrong byte of a tombstone right, whichever it is', () => {
    const right = Buffer.alloc(30);
    writeEmptyRecord(key, right, 0, 12, 'tombstone', 1_700_000_000_000, 5);
    for (let at = 0; at < 30; at++) {
      // Subject length is not hashed, but there is no room for a subject.
      const wrong = Buffer.from(right);
      wrong[at]! ^= 0x20;
      expect(new Repairer(key, wrong, 30, 1_000_000).repair(0), `byte ${at}`).toBe(at < 20 || at > 21);
      if (at < 20 || at > 21) expect(wrong.equals(right)).toBe(true);
    }
  });

  it('leaves alone what has two wrong bytes', () => {
    const wrong = blockOf('hello', 'world');
    wrong[31]! ^= 1;
    wrong[32]! ^= 1;
    const before = Buffer.from(wrong);
    expect(new Repairer(key, wrong, wrong.length, 1_000_000).repair(0)).toBe(false);
    expect(wrong.equals(before)).toBe(true);
  });

  it('does not look for a wrong byte in the content of a long record', () => {
    for (const [length, repaired] of [
      [REPAIR_BYTES_MAX, true],
      [REPAIR_BYTES_MAX + 1, false],
    ] as const) {
      const wrong = blockOf('x'.repeat(length - 31));
      wrong[40]! ^= 1;
      expect(new Repairer(key, wrong, wrong.length, 1_000_000).repair(0)).toBe(repaired);
    }
  });

  it('puts length and hash of a long record right', () => {
    for (const at of [0, 1, 2, 3, 1024, 1030]) {
      const right = blockOf('x'.repeat(1000), 'next');
      const wrong = Buffer.from(right);
      wrong[at]! ^= 0x04;
      expect(new Repairer(key, wrong, wrong.length, 1_000_000).repair(0), `byte ${at}`).toBe(true);
      expect(wrong.equals(right)).toBe(true);
    }
  });

  it('stops when so many hashes were tried', () => {
    const wrong = blockOf('hello', 'world');
    wrong[27]! ^= 0x80;
    const repairer = new Repairer(key, wrong, wrong.length, 100);
    expect(repairer.repair(0)).toBe(false);
    expect(new Repairer(key, wrong, wrong.length, 100_000).repair(0)).toBe(true);
  });
});

describe('scan', () => {
  it('finds every record of a sound block', () => {
    const block = blockOf('one', '', 'x'.repeat(5000), 'four');
    const { offsets, gaps, end, lastSeq, repaired } = scanBlock(key, block, block.length);
    expect(offsets).toEqual([0, 34, 65, 65 + recordLength(block, 65)]);
    expect({ gaps, end, lastSeq, repaired }).toEqual({ gaps: [], end: block.length, lastSeq: 4, repaired: [] });
  });

  it('takes an empty block for empty', () => {
    expect(scanBlock(key, Buffer.alloc(0), 0)).toMatchObject({ offsets: [], gaps: [], end: 0 });
  });

  it('looks for wrong bytes only until the hashes of a block are used up', () => {
    // The content of each damaged record in front costs 255 hashes a byte, in vain.
    const each = 255 * (REPAIR_BYTES_MAX - 12);
    const hopeless = Math.ceil(REPAIR_HASHES_MAX / each);
    for (const [count, repaired] of [
      [1, true],
      [hopeless, false],
    ] as const) {
      const payload = 'x'.repeat(REPAIR_BYTES_MAX - 31);
      // A sound record behind each: damage that follows upon damage is not looked at.
      const block = blockOf(...Array.from({ length: 2 * (count + 1) }, () => payload));
      for (let at = 0; at <= count; at++) {
        block[2 * at * REPAIR_BYTES_MAX + 100]! ^= 1;
        if (at < count) block[2 * at * REPAIR_BYTES_MAX + 101]! ^= 1;
      }
      expect(scanBlock(key, block, block.length).repaired).toEqual(repaired ? [2 * count * REPAIR_BYTES_MAX] : []);
    }
  });

  it('finds the end of megabytes of rubbish', () => {
    const rubbish = Buffer.alloc(2_000_000);
    for (let at = 0, state = 1; at < rubbish.length; at++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      rubbish[at] = state >>> 24;
    }
    const block = Buffer.concat([blockOf('before'), rubbish, blockOf('x', 'x', 'behind').subarray(64)]);
    const { gaps, lastSeq } = scanBlock(key, block, block.length);
    expect(gaps).toEqual([
      { start: 37, end: 37 + rubbish.length, before: 1, after: 3, hint: 0, single: false, tombstone: false },
    ]);
    expect(lastSeq).toBe(3);
  });
});
