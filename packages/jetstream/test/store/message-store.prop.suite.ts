import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageStore, SubjectFilter } from '../../src/store/store.ts';
import { MessageModel } from './message-model.ts';
import type { StoreFactory } from './message-store.suite.ts';
import { append, committed, filterOf, load, loadLast, loadNext, storeOptions } from './support.ts';

const SUBJECTS = ['a', 'a.b', 'a.c', 'b.c.d', 'e'];
const FILTERS: (SubjectFilter | null)[] = [
  null,
  filterOf('a'),
  filterOf('a.*'),
  filterOf('a.>', 'e'),
  filterOf('>'),
  filterOf('b.c.d', 'a.c'),
];

type Step =
  | { do: 'append'; subject: number; headerBytes: number; payloadBytes: number; advance: number; times: number }
  | { do: 'skip'; count: number }
  | { do: 'remove'; at: number; reason: 'user' | 'limit' | 'ack'; erase: boolean }
  | { do: 'purge'; filter: number; below: number; keep: number }
  | { do: 'settle' }
  | { do: 'reopen' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      subject: fc.nat(SUBJECTS.length - 1),
      headerBytes: fc.constantFrom(0, 0, 12, 40),
      payloadBytes: fc.constantFrom(0, 1, 100, 3000),
      advance: fc.constantFrom(0, 1, 1_000_000, 2_500_000),
      times: fc.constantFrom(1, 1, 3, 40),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const), count: fc.constantFrom(1, 2, 50) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('remove' as const),
      at: fc.nat(200),
      reason: fc.constantFrom('user' as const, 'ack' as const),
      erase: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('purge' as const),
      filter: fc.nat(FILTERS.length - 1),
      below: fc.constantFrom(0, 0, 1, 5, 20, 300),
      keep: fc.constantFrom(0, 0, 1, 3),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'settle' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
);

/** Random mutations, and after each the store must look like the model. Runs one property of `numRuns` cases. */
export function describeMessageStoreProperties(kind: 'file' | 'memory', open: StoreFactory, numRuns: number): void {
  describe(`message store properties (${kind})`, () => {
    it('looks like an array of messages whatever is done to it', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), fc.nat(300), async (steps, probe) => {
          const under = await open(storeOptions({ kind }));
          try {
            let store = under.store;
            const model = new MessageModel(kind);
            const time = { ms: 1_000_000, ns: 0 };
            for (const one of steps) {
              if (one.do === 'settle') await committed(store);
              else if (one.do !== 'reopen') apply(one, store, model, time);
              else if (under.reopen !== null) store = await under.reopen();
              expect(store.state()).toEqual(model.state());
            }
            await compare(store, model, probe);
            if (under.reopen !== null) await compare(await under.reopen(), model, probe);
          } finally {
            await under.dispose();
          }
        }),
        { numRuns },
      );
    });
  });
}

function apply(
  one: Exclude<Step, { do: 'settle' | 'reopen' }>,
  store: MessageStore,
  model: MessageModel,
  time: { ms: number; ns: number },
): void {
  switch (one.do) {
    case 'append': {
      for (let at = 0; at < one.times; at++) {
        time.ns += one.advance;
        time.ms += Math.floor(time.ns / 1_000_000);
        time.ns %= 1_000_000;
        const message = {
          subject: SUBJECTS[one.subject]!,
          header: 'h'.repeat(one.headerBytes),
          payload: `${model.lastSeq % 10}`.repeat(one.payloadBytes),
          timeMs: time.ms,
          timeNs: time.ns,
        };
        expect(append(store, message.subject, message.payload, message.header, time.ms, time.ns)).toBe(
          model.append(message),
        );
      }
      return;
    }
    case 'skip':
      expect(store.skip(one.count, time.ms, time.ns)).toBe(model.skip(one.count, time.ms, time.ns));
      return;
    case 'remove': {
      // Mostly a message that is there; now and then any sequence.
      const seq = one.at < 180 ? (model.messages[one.at % Math.max(1, model.messages.length)]?.seq ?? 1) : one.at;
      expect(store.remove(seq, one.reason, one.erase)).toBe(model.remove(seq));
      return;
    }
    case 'purge': {
      const filter = FILTERS[one.filter]!;
      const takesAll = filter?.subjects.includes('>') ?? true;
      // What nats-server's API refuses: keep together with a sequence.
      const keep = one.below > 0 ? 0 : one.keep;
      const removed: { seq: number; subject: string }[] = [];
      const purged = store.purge(filter, one.below, keep, (seq, subject) => removed.push({ seq, subject }));
      const expected = model.purge(takesAll ? null : filter, one.below, keep);
      expect(purged).toBe(expected.length);
      expect(removed.sort((left, right) => left.seq - right.seq)).toEqual(expected);
    }
  }
}

async function compare(store: MessageStore, model: MessageModel, probe: number): Promise<void> {
  expect(store.state()).toEqual(model.state());
  expect(store.deletedSeqs()).toEqual(model.deletedSeqs());
  for (let seq = Math.max(0, model.firstSeq - 1); seq <= Math.min(model.lastSeq + 1, model.firstSeq + 60); seq++) {
    expect(await load(store, seq)).toEqual(model.load(seq));
  }
  for (const subject of SUBJECTS) expect(store.subject(subject)).toEqual(model.subject(subject));
  for (const filter of FILTERS) {
    expect(store.count(filter, probe)).toBe(model.count(filter, probe));
    expect(await loadNext(store, filter, probe)).toEqual(model.loadNext(filter, probe));
    if (filter !== null) expect(await loadLast(store, filter, probe)).toEqual(model.loadLast(filter, probe));
    const found = new Map();
    store.eachSubject(filter, (subject, state) => {
      found.set(subject, { count: state.count, first: state.first, last: state.last });
      return undefined;
    });
    expect(found).toEqual(model.subjects(filter));
  }
  const ms = 1_000_000 + probe;
  expect(store.seqAtTime(ms, 0)).toBe(model.seqAtTime(ms, 0));
}
