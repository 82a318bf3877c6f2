import { describe, expect, it } from 'vitest';
import type { FileMessages } from '../../../src/store/file/messages/file-messages.ts';
import { append, committed, filterOf, type Loaded, load } from '../support.ts';
import { SimDisk } from './sim-disk.ts';
import { dependencies, LineLog, openStream } from './support.ts';

const OPTIONS = { maxBytes: 1 };

/** A stream in one or two blocks with messages, headers, removals and skipped sequences; no index. */
async function damageable(second: boolean): Promise<{ disk: SimDisk; messages: Map<number, Loaded>; lastSeq: number }> {
  const disk = new SimDisk();
  const store = await openStream('/S', dependencies(disk), OPTIONS);
  append(store, 's.a', 'first');
  append(store, 's.b', 'with a header', 'NATS/1.0\r\nA: b\r\n\r\n');
  append(store, 's.a', 'erased');
  append(store, 's.b', 'deleted');
  append(store, 's.c', '');
  store.remove(3, 'user', true);
  store.skip(2, 1_000_009, 0);
  append(store, 's.a', 'x'.repeat(300));
  store.remove(4, 'user', false);
  append(store, 's.c', 'last');
  if (second) {
    // The first block is full.
    append(store, 's.d', 'y'.repeat(32_000));
    append(store, 's.d', 'in the second block');
  }
  await committed(store);
  const messages = await contentOf(store);
  const { lastSeq } = store;
  await store.abandon();
  return { disk, messages, lastSeq };
}

async function contentOf(store: FileMessages): Promise<Map<number, Loaded>> {
  const messages = new Map<number, Loaded>();
  for (let seq = 1; seq <= store.lastSeq; seq++) {
    const message = await load(store, seq);
    if (message !== null) messages.set(seq, message);
  }
  return messages;
}

/** How many messages are not what they were; fails if one is there that must not be. */
function compare(found: Map<number, Loaded>, expected: Map<number, Loaded>, what: string): number {
  let wrong = 0;
  for (const seq of found.keys()) expect(expected.has(seq), `${what}: message ${seq} is back`).toBe(true);
  for (const [seq, message] of expected) if (JSON.stringify(found.get(seq)) !== JSON.stringify(message)) wrong++;
  return wrong;
}

describe('one bad byte', () => {
  for (const second of [false, true]) {
    it(`costs at most one message, wherever it is in ${second ? 'a block with another behind it' : 'the last block'}`, async () => {
      const { disk, messages, lastSeq } = await damageable(second);
      const original = Buffer.from(disk.content('/S/msgs/1.blk'));
      expect(original.length).toBeLessThan(1000);
      let repaired = 0;
      for (let at = 0; at < original.length; at++) {
        for (const flip of second ? [0x80] : [0x01, 0xff]) {
          const what = `byte ${at} ^ ${flip}`;
          const damaged = Buffer.from(original);
          damaged[at]! ^= flip;
          disk.setContent('/S/msgs/1.blk', damaged);
          const broken = disk.killed(() => 0);
          const store = await openStream('/S', dependencies(broken), OPTIONS);
          const wrong = compare(await contentOf(store), messages, what);
          expect(wrong, what).toBeLessThanOrEqual(1);
          if (wrong === 0) repaired++;
          expect(store.lastSeq, what).toBe(lastSeq);
          expect(store.messages, what).toBe((await contentOf(store)).size);
          expect(store.state().lost?.seqs.length ?? 0, what).toBeLessThanOrEqual(1);
          expect(append(store, 's.a', 'next'), what).toBe(lastSeq + 1);
          await store.close();
        }
      }
      // Most of them cost nothing: a record of up to 256 bytes has its wrong byte put right.
      expect(repaired).toBeGreaterThan(original.length / 2);
    });
  }

  it('is healed once: the block is rewritten, the original kept, and nothing is lost at the next start', async () => {
    const { disk } = await damageable(true);
    const content = disk.content('/S/msgs/1.blk');
    const at = content.indexOf('xxxxxxxx') + 100;
    const damaged = Buffer.from(content);
    damaged[at]! ^= 0x10;
    damaged[at + 1]! ^= 0x10;
    disk.setContent('/S/msgs/1.blk', damaged);
    const log = new LineLog();
    let store = await openStream('/S', dependencies(disk, { log }), OPTIONS);
    expect(store.recovery).toMatchObject({ lostSeqs: [8], healedBlocks: ['1.blk'], fromIndex: false });
    expect(store.state().lost).toEqual({ seqs: [8], bytes: 333 });
    expect(log.lines.join('\n')).toMatch(/lost 1 messages \(333 bytes\) to damage: 8/);
    expect(disk.content('/S/1.blk.damaged').equals(damaged)).toBe(true);
    expect(disk.content('/S/msgs/1.blk').length).toBe(content.length);
    const messages = await contentOf(store);
    await store.abandon();
    store = await openStream('/S', dependencies(disk), OPTIONS);
    expect(store.recovery).toMatchObject({ lostSeqs: [], healedBlocks: [] });
    expect(store.state().lost).toBeNull();
    expect(await contentOf(store)).toEqual(messages);
    expect(messages.has(8)).toBe(false);
  });
});

describe('damage of many bytes', () => {
  it('costs what it hits and nothing behind it', async () => {
    const { disk, messages } = await damageable(true);
    const content = disk.content('/S/msgs/1.blk');
    // From the middle of the first message into the second.
    const damaged = Buffer.from(content);
    damaged.fill(0xa5, 10, 60);
    disk.setContent('/S/msgs/1.blk', damaged);
    const store = await openStream('/S', dependencies(disk), OPTIONS);
    const found = await contentOf(store);
    expect([...messages.keys()].filter((seq) => !found.has(seq))).toEqual([1, 2]);
    expect(store.state().lost?.seqs).toEqual([1, 2]);
    expect(store.subject('s.b')).toBeUndefined();
  });

  it('is not taken for the end of the block: zeros in the middle are damage', async () => {
    const { disk, messages, lastSeq } = await damageable(false);
    const damaged = Buffer.from(disk.content('/S/msgs/1.blk'));
    damaged.fill(0, 0, 34);
    disk.setContent('/S/msgs/1.blk', damaged);
    const store = await openStream('/S', dependencies(disk), OPTIONS);
    expect(store.lastSeq).toBe(lastSeq);
    expect(await contentOf(store)).toEqual(new Map([...messages].filter(([seq]) => seq !== 1)));
  });

  it('does not find messages inside of messages', async () => {
    const disk = new SimDisk();
    let store = await openStream('/S', dependencies(disk), {});
    append(store, 's.a', 'x');
    await committed(store);
    // A payload that is a record of this very block, with the sequence it would have to have.
    const forged = Buffer.from(disk.content('/S/msgs/1.blk'));
    await store.abandon();
    const other = new SimDisk();
    const source = await openStream('/S', dependencies(other), {});
    for (let seq = 1; seq <= 3; seq++) append(source, 's.forged', 'forged');
    await committed(source);
    const record = other.content('/S/msgs/1.blk').subarray((forged.length + 12) * 2);
    store = await openStream('/S', dependencies(disk), {});
    const payload = Buffer.concat([Buffer.alloc(300, 0x70), record, Buffer.alloc(300, 0x70)]).toString('latin1');
    append(store, 's.a', payload);
    append(store, 's.a', 'behind it');
    await committed(store);
    await store.abandon();
    const damaged = Buffer.from(disk.content('/S/msgs/1.blk'));
    // Length and sequence of the record around it.
    damaged.fill(0xff, forged.length, forged.length + 12);
    disk.setContent('/S/msgs/1.blk', damaged);
    store = await openStream('/S', dependencies(disk), {});
    expect((await load(store, 3))?.payload).toBe('behind it');
    expect(await load(store, 2)).toBeNull();
  });

  it('never reuses the sequence of a last message that cannot be read', async () => {
    const { disk, lastSeq } = await damageable(false);
    const damaged = Buffer.from(disk.content('/S/msgs/1.blk'));
    damaged.fill(0x77, damaged.length - 20);
    disk.setContent('/S/msgs/1.blk', damaged);
    const store = await openStream('/S', dependencies(disk), OPTIONS);
    expect(store.lastSeq).toBe(lastSeq);
    expect(store.state().lost?.seqs).toEqual([lastSeq]);
    expect(append(store, 's.a')).toBe(lastSeq + 1);
  });
});

describe('an unfinished write at the end', () => {
  it.each([
    ['a stump of a record', (content: Buffer, next: Buffer) => Buffer.concat([content, next.subarray(0, 25)])],
    [
      'a record that goes on past the end',
      (content: Buffer, next: Buffer) => Buffer.concat([content, next.subarray(0, 36)]),
    ],
    ['zeros', (content: Buffer) => Buffer.concat([content, Buffer.alloc(700)])],
  ])('is cut without a word about loss: %s', async (_what, tear) => {
    const { disk, messages, lastSeq } = await damageable(false);
    const whole = Buffer.from(disk.content('/S/msgs/1.blk'));
    disk.setContent('/S/msgs/1.blk', tear(whole, Buffer.from(whole.subarray(0, 41))));
    const store = await openStream('/S', dependencies(disk), OPTIONS);
    expect(store.recovery).toMatchObject({ lostSeqs: [], healedBlocks: [] });
    expect(store.recovery.tornBytes).toBeGreaterThan(0);
    expect(disk.content('/S/msgs/1.blk').equals(whole)).toBe(true);
    expect(await contentOf(store)).toEqual(messages);
    expect(append(store, 's.a')).toBe(lastSeq + 1);
  });

  it('is loss all the same when an index says that more was committed', async () => {
    const { disk, lastSeq } = await damageable(false);
    const ours = await openStream('/S', dependencies(disk), OPTIONS);
    await ours.close();
    const content = disk.content('/S/msgs/1.blk');
    disk.setContent('/S/msgs/1.blk', content.subarray(0, content.length - 5));
    const log = new LineLog();
    const store = await openStream('/S', dependencies(disk, { log }), OPTIONS);
    expect(store.lastSeq).toBe(lastSeq);
    expect(store.state().lost?.seqs).toEqual([lastSeq]);
    expect(log.lines.join('\n')).toContain(`messages from ${lastSeq} to ${lastSeq} are missing`);
    expect(append(store, 's.a')).toBe(lastSeq + 1);
    await store.close();
    const again = await openStream('/S', dependencies(disk), OPTIONS);
    expect(again.lastSeq).toBe(lastSeq + 1);
  });
});

describe('damage behind an index', () => {
  /** A stream with an index, in two blocks, and a way to spoil bytes of the first without the index being noticed. */
  async function indexed(spoil: (content: Buffer) => void): Promise<{ disk: SimDisk; messages: Map<number, Loaded> }> {
    const { disk, messages } = await damageable(true);
    const store = await openStream('/S', dependencies(disk), OPTIONS);
    await store.close();
    const content = Buffer.from(disk.content('/S/msgs/1.blk'));
    spoil(content);
    disk.setContent('/S/msgs/1.blk', content);
    return { disk, messages };
  }

  it('costs the message it hits when that is read, and the block is rewritten', async () => {
    const { disk, messages } = await indexed((content) => {
      content[content.indexOf('xxxx') + 50]! ^= 1;
    });
    const log = new LineLog();
    const deps = dependencies(disk, { log });
    const store = await openStream('/S', deps, OPTIONS);
    expect(store.recovery.fromIndex).toBe(true);
    const found = await contentOf(store);
    expect([...messages.keys()].filter((seq) => !found.has(seq))).toEqual([8]);
    expect(store.state()).toMatchObject({ messages: messages.size - 1, lost: { seqs: [8], bytes: 333 } });
    expect(store.subject('s.a')).toEqual({ count: 1, first: 1, last: 1 });
    expect(deps.stats.lostMessages).toBe(1);
    await committed(store);
    await store.close();
    expect(disk.list('/S')).toContain('/S/1.blk.damaged');
    const again = await openStream('/S', dependencies(disk), OPTIONS);
    expect(await contentOf(again)).toEqual(found);
  });

  it('costs one message when it hits lengths, and is noticed as soon as the block is read', async () => {
    const { disk, messages } = await indexed((content) => {
      content.writeUInt32LE(0x00ff_ffff, content.indexOf('xxxx') - 25);
    });
    const store = await openStream('/S', dependencies(disk), OPTIONS);
    const found = await contentOf(store);
    // The right length ends where the next record starts.
    expect([...messages.keys()].filter((seq) => !found.has(seq)).length).toBeLessThanOrEqual(1);
    expect(store.messages).toBe(found.size);
    expect(store.count(filterOf('s.>'), 0)).toBe(found.size);
  });

  it('leaves counts right that went over several subjects', async () => {
    const { disk } = await indexed((content) => content.fill(0xee, 0, 80));
    const store = await openStream('/S', dependencies(disk), OPTIONS);
    const found = await contentOf(store);
    for (const subject of ['s.a', 's.b', 's.c', 's.d']) {
      const own = [...found.values()].filter((message) => message.subject === subject);
      const state = own.length === 0 ? undefined : { count: own.length, first: own[0]!.seq, last: own.at(-1)!.seq };
      expect(store.subject(subject)).toEqual(state);
    }
  });
});
