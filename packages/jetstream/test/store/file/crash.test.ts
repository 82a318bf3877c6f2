import { describe, expect, it } from 'vitest';
import type { FileMessages } from '../../../src/store/file/messages/file-messages.ts';
import { append, committed, filterOf, type Loaded, load } from '../support.ts';
import { SimDisk } from './sim-disk.ts';
import { dependencies, openStream } from './support.ts';

/** What a workload has done: after each change, which messages there are. */
interface History {
  /** By number of changes applied. */
  states: { lastSeq: number; messages: Map<number, Loaded> }[];
}

function pseudorandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Changes of every kind, some waited for, some not. Ends early when the disk has stopped. */
async function work(disk: SimDisk, store: FileMessages, history: History, seed: number): Promise<void> {
  const random = pseudorandom(seed);
  const messages = new Map<number, Loaded>();
  const note = (): void => {
    while (history.states.length <= store.applied) history.states.push({ lastSeq: 0, messages: new Map() });
    history.states[store.applied] = { lastSeq: store.lastSeq, messages: new Map(messages) };
  };
  note();
  for (let at = 0; at < 90 && !disk.isStopped; at++) {
    const what = random();
    if (what < 0.6) {
      const payload = String.fromCharCode(97 + (at % 26)).repeat(random() * 3000);
      const header = random() < 0.3 ? 'NATS/1.0\r\n\r\n' : '';
      const timeMs = 1_700_000_000_000 + at;
      const seq = append(store, `s.${at % 3}`, payload, header, timeMs, at);
      messages.set(seq, { seq, subject: `s.${at % 3}`, header, payload, timeMs, timeNs: at });
    } else if (what < 0.8) {
      const seq = store.firstSeq + Math.floor(random() * (store.lastSeq - store.firstSeq + 1));
      store.remove(seq, random() < 0.5 ? 'user' : 'ack', random() < 0.5);
      messages.delete(seq);
    } else if (what < 0.84) {
      store.skip(1 + Math.floor(random() * 3), 1_700_000_000_000 + at, 0);
    } else if (what < 0.88) {
      store.purge(filterOf(`s.${at % 3}`), 0, 2, (seq) => messages.delete(seq));
    } else if (what < 0.9) {
      store.purge(null, store.firstSeq + 10, 0, (seq) => messages.delete(seq));
    } else if (what < 0.92) {
      store.purge(null, 0, 0, null);
      messages.clear();
    }
    note();
    if (random() < 0.4) await Promise.race([committed(store), untilStopped(disk)]);
  }
}

async function untilStopped(disk: SimDisk): Promise<void> {
  for (let turns = 0; turns < 2000 && !disk.isStopped; turns++) await new Promise((resolve) => setImmediate(resolve));
}

/** Opens what is left and compares it with what was promised. */
async function check(disk: SimDisk, history: History, committedAt: number, what: string): Promise<void> {
  const log = dependencies(disk);
  const store = await openStream('/S', log, { maxBytes: 1 });
  const promised = history.states[committedAt]!;
  const later = history.states.slice(committedAt);
  expect(store.lastSeq, `${what}: last sequence`).toBeGreaterThanOrEqual(promised.lastSeq);
  // Where the head of a last, torn record cannot be read, it may have been a message: its sequence is not used again.
  expect(store.lastSeq, `${what}: last sequence`).toBeLessThanOrEqual(later.at(-1)!.lastSeq + 1);
  const ever = new Map(history.states.flatMap(({ messages }) => [...messages]));
  for (let seq = 1; seq <= store.lastSeq; seq++) {
    const found = await load(store, seq);
    const mustBe = later.every(({ messages }) => messages.has(seq));
    const mayBe = later.some(({ messages }) => messages.has(seq));
    if (found === null) expect(mustBe, `${what}: message ${seq} is gone`).toBe(false);
    else {
      expect(mayBe, `${what}: message ${seq} is back`).toBe(true);
      expect(found).toEqual(ever.get(seq));
    }
  }
  for (const seq of store.state().lost?.seqs ?? []) {
    expect(seq, `${what}: committed message lost`).toBeGreaterThan(promised.lastSeq);
  }
  const next = append(store, 's.next', 'goes on');
  expect(next).toBe(store.lastSeq);
  await committed(store);
  expect((await load(store, next))?.payload).toBe('goes on');
  const state = store.state();
  await store.close();
  const again = await openStream('/S', dependencies(disk), { maxBytes: 1 });
  expect({ ...again.state(), lost: null }).toEqual({ ...state, lost: null });
  await again.close();
}

describe('a crash', () => {
  it.each([1, 2, 3, 4])('between any two operations costs nothing that was committed (workload %d)', async (seed) => {
    const total = await run(seed, Number.POSITIVE_INFINITY, async () => {});
    expect(total).toBeGreaterThan(60);
    const step = Math.max(1, Math.floor(total / 25));
    for (let stop = seed % step; stop < total; stop += step) {
      await run(seed, stop, async (disk, store, history) => {
        const random = pseudorandom(seed * 1000 + stop);
        const at = store?.committed ?? 0;
        await check(disk.killed(random), history, at, `killed after ${stop}`);
        await check(disk.cut(random), history, at, `cut off after ${stop}`);
        await check(disk.cut(random), history, at, `cut off after ${stop}, again`);
      });
    }
  });
});

/** Runs the workload until the disk stops; returns how many operations there were. */
async function run(
  seed: number,
  stopAfter: number,
  afterwards: (disk: SimDisk, store: FileMessages, history: History) => Promise<void>,
): Promise<number> {
  const disk = new SimDisk();
  disk.writeMax = seed % 2 === 0 ? 700 : Number.POSITIVE_INFINITY;
  const history: History = { states: [] };
  const store = await openStream('/S', dependencies(disk), { maxBytes: 1 });
  const before = disk.operations;
  disk.stopAfter = before + stopAfter;
  await work(disk, store, history, seed);
  await Promise.race([committed(store), untilStopped(disk)]);
  await afterwards(disk, store, history);
  return disk.operations - before;
}
