import { describe, expect, it } from 'vitest';
import { MemoryMessages } from '../../src/store/memory/memory-messages.ts';
import { describeMessageStoreProperties } from './message-store.prop.suite.ts';
import { describeMessageStore, type StoreFactory } from './message-store.suite.ts';
import { append, filterOf, load } from './support.ts';

const open: StoreFactory = async (options) => {
  const store = new MemoryMessages(options.firstSeq);
  return {
    store,
    reopen: null,
    dispose: async () => {
      store.close();
    },
  };
};

describeMessageStore('memory', open);
describeMessageStoreProperties('memory', open, 150);

describe('memory messages', () => {
  it('is committed as soon as it is applied', () => {
    const store = new MemoryMessages();
    const seq = append(store, 'a');
    expect(store.committed).toBe(store.applied);
    expect(store.committedSeq).toBe(seq);
  });

  it('tells of the commits of a turn once', async () => {
    const store = new MemoryMessages();
    let commits = 0;
    store.setEvents({ onCommit: () => commits++, onFailure: () => {} });
    for (let at = 0; at < 50; at++) append(store, 'a');
    await Promise.resolve();
    expect(commits).toBe(1);
    append(store, 'a');
    await Promise.resolve();
    expect(commits).toBe(2);
  });

  it('tells nothing after it was closed', async () => {
    const store = new MemoryMessages();
    let commits = 0;
    store.setEvents({ onCommit: () => commits++, onFailure: () => {} });
    append(store, 'a');
    store.close();
    await Promise.resolve();
    expect(commits).toBe(0);
  });

  it('calls back from warm, though nothing is ever cold', async () => {
    const store = new MemoryMessages();
    append(store, 'a');
    expect(await new Promise((resolve) => store.warm(1, resolve))).toBeNull();
  });

  it('leaves a view as it was when the block it is in grows, is packed or goes', () => {
    const store = new MemoryMessages();
    append(store, 'a', 'first');
    const view = { buffer: Buffer.alloc(0), payloadStart: 0, payloadEnd: 0 };
    store.load(1, Object.assign(view, { seq: 0, subject: '', timeMs: 0, timeNs: 0, headerStart: 0 }));
    for (let at = 0; at < 2000; at++) append(store, 'b', 'x'.repeat(300));
    store.purge(filterOf('b'), 0, 0, null);
    store.purge(null, 0, 0, null);
    for (let at = 0; at < 100; at++) append(store, 'c', 'y'.repeat(300));
    expect(view.buffer.toString('latin1', view.payloadStart, view.payloadEnd)).toBe('first');
  });

  it('gives memory back when messages are removed from the middle', async () => {
    const store = new MemoryMessages();
    const payload = 'p'.repeat(1000);
    for (let at = 0; at < 20_000; at++) append(store, `k.${at % 100}`, payload);
    expect(store.heldBytes).toBeGreaterThan(20_000_000);
    expect(store.heldBytes).toBeLessThan(23_000_000);
    for (let seq = 1; seq <= 20_000; seq++) if (seq % 400 !== 0) store.remove(seq, 'limit', false);
    expect(store.messages).toBe(50);
    expect(store.heldBytes).toBeLessThan(500_000);
    expect(await load(store, 400)).toMatchObject({ payload });
  });

  it('gives memory back when messages are removed from the front', () => {
    const store = new MemoryMessages();
    const payload = 'p'.repeat(1000);
    let most = 0;
    for (let at = 1; at <= 20_000; at++) {
      append(store, 'a', payload);
      if (at > 100) store.remove(store.firstSeq, 'limit', false);
      most = Math.max(most, store.heldBytes);
    }
    expect(store.messages).toBe(100);
    expect(most).toBeLessThan(1_000_000);
  });

  it('holds little for a stream with few messages', () => {
    const store = new MemoryMessages();
    append(store, 'a', 'x');
    expect(store.heldBytes).toBeLessThan(3_000);
    store.remove(1, 'limit', false);
    expect(store.heldBytes).toBe(0);
  });
});
