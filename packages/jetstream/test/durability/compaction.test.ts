import { describe, expect, it } from 'vitest';
import { dependencies, openStream } from '../store/file/support.ts';
import { SimulatedFileSystem } from '../store/simulated-fs.ts';
import { append, committed, load } from '../store/support.ts';
import { until } from './machine.ts';

describe('the rewriting of blocks', () => {
  it('keeps the tombstones of messages that were deleted while their block was being rewritten', async () => {
    const fs = new SimulatedFileSystem();
    await fs.mkdir('/S/msgs');
    const sizeOf = (block: number): number => fs.files().get(`/S/msgs/${block}.blk`)?.length ?? 0;
    const store = await openStream('/S', dependencies(fs), { maxBytes: 1 });
    for (let at = 0; at < 40; at++) append(store, 's', 'x'.repeat(1_000));
    await committed(store);
    const before = sizeOf(1);
    expect(sizeOf(2)).toBeGreaterThan(0);

    // The new content of block 1 is put together, but not in place, when message 20 is deleted.
    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isWriting = false;
    fs.stall = ({ name, path }) => {
      if (name !== 'sync' || !path.endsWith('/1.new')) return null;
      isWriting = true;
      return held;
    };
    for (let seq = 1; seq < 20; seq++) store.remove(seq, 'user', false);
    await until('block 1 is being rewritten', () => isWriting);
    store.remove(20, 'user', false);
    await committed(store);
    goOn();
    await until('block 1 is rewritten', () => sizeOf(1) < before);

    // Block 2, where that is written down, is rewritten too.
    for (let at = 0; at < 40; at++) append(store, 's', 'x'.repeat(1_000));
    await committed(store);
    const second = sizeOf(2);
    for (let seq = 33; seq < 55; seq++) store.remove(seq, 'user', false);
    await until('block 2 is rewritten', () => sizeOf(2) < second);
    await committed(store);

    fs.kill();
    const again = await openStream('/S', dependencies(fs), { maxBytes: 1 });
    expect(await load(again, 20)).toBeNull();
    expect((await load(again, 21))?.seq).toBe(21);
    await again.close();
  });

  it('begins when all of a block is on disk, not while another one is being put in place', async () => {
    const fs = new SimulatedFileSystem();
    await fs.mkdir('/S/msgs');
    const deps = dependencies(fs);
    const store = await openStream('/S', deps, { maxBytes: 1 });
    for (let at = 0; at < 40; at++) append(store, 's', 'x'.repeat(1_000));
    await committed(store);

    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isPlacing = false;
    fs.stall = ({ name, path }) => {
      if (name !== 'rename' || !path.endsWith('/1.new')) return null;
      isPlacing = true;
      return held;
    };
    for (let seq = 1; seq < 20; seq++) store.remove(seq, 'user', false);
    await until('block 1 is being put in place', () => isPlacing);
    // The rest of block 2 waits for that, and so does what makes it worth rewriting.
    for (let at = 0; at < 60; at++) append(store, 's', 'x'.repeat(1_000));
    for (let seq = 32; seq < 52; seq++) store.remove(seq, 'user', false);
    goOn();
    const sizes = (): number =>
      (fs.files().get('/S/msgs/1.blk')?.length ?? 0) + (fs.files().get('/S/msgs/2.blk')?.length ?? 0);
    await until('blocks 1 and 2 are rewritten', () => sizes() < 32_000);
    await committed(store);

    const expected = Array.from({ length: 100 }, (_, at) => at + 1).filter((seq) => (seq > 19 && seq < 32) || seq > 51);
    const found = async (from: typeof store): Promise<number[]> => {
      const seqs: number[] = [];
      for (let seq = 1; seq <= 100; seq++) if ((await load(from, seq)) !== null) seqs.push(seq);
      return seqs;
    };
    expect(await found(store)).toEqual(expected);
    fs.kill();
    const again = await openStream('/S', dependencies(fs), { maxBytes: 1 });
    expect(await found(again)).toEqual(expected);
    expect(again.state().lost).toBeNull();
    await again.close();
  });
});
