import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Matches, Sublist } from '../src/index.ts';
import { anySubject, pattern, published } from './arbitraries.ts';
import { naiveMatches, naiveSubscribable } from './naive.ts';

interface Subscription {
  readonly subject: string;
  readonly queue: string | null;
  readonly value: number;
}

/** A list that looks at every subscription. */
class NaiveList {
  readonly #subscriptions = new Map<string, Subscription>();

  get count(): number {
    return this.#subscriptions.size;
  }

  insert(subscription: Subscription): boolean {
    if (naiveSubscribable(subscription.subject)) this.#subscriptions.set(JSON.stringify(subscription), subscription);
    return naiveSubscribable(subscription.subject);
  }

  remove(subscription: Subscription): boolean {
    return this.#subscriptions.delete(JSON.stringify(subscription));
  }

  match(subject: string): string[] {
    const found = [...this.#subscriptions.values()].filter((one) => naiveMatches(subject, one.subject));
    return found.map(({ queue, value }) => `${queue ?? ''}/${value}`).sort();
  }
}

function flatten(matches: Matches<number>): string[] {
  const groups = matches.queues.map(({ queue }) => queue);
  expect(new Set(groups).size).toBe(groups.length);
  const members = matches.queues.flatMap(({ queue, members }) => members.map((value) => `${queue}/${value}`));
  return [...matches.plain.map((value) => `/${value}`), ...members].sort();
}

const subscription = fc.record({
  subject: fc.oneof(pattern, pattern, published, anySubject),
  queue: fc.constantFrom(null, null, 'q', 'r'),
  value: fc.integer({ min: 1, max: 3 }),
});

const step = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), subscription }),
  fc.record({ kind: fc.constant('insert' as const), subscription }),
  fc.record({ kind: fc.constant('remove' as const), subscription }),
  fc.record({ kind: fc.constant('remove one' as const), pick: fc.nat() }),
  fc.record({ kind: fc.constant('match' as const), subject: fc.oneof(published, anySubject) }),
  fc.record({ kind: fc.constant('match' as const), subject: fc.oneof(published, anySubject) }),
);

describe('a sublist', () => {
  it.each([0, 2, 4096])('finds what a look at every subscription finds, keeping %i results', (cacheMax) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const list = new Sublist<number>({ cacheMax });
        const naive = new NaiveList();
        const inserted: Subscription[] = [];
        for (const one of steps) {
          const generation = list.generation;
          const count = naive.count;
          if (one.kind === 'match') {
            expect(flatten(list.match(one.subject))).toEqual(naive.match(one.subject));
            expect(list.hasInterest(one.subject)).toBe(naive.match(one.subject).length > 0);
          } else if (one.kind === 'insert') {
            const { subject, queue, value } = one.subscription;
            expect(list.insert(subject, queue, value)).toBe(naive.insert(one.subscription));
            inserted.push(one.subscription);
          } else {
            const target = one.kind === 'remove' ? one.subscription : inserted[one.pick % inserted.length];
            if (target === undefined) continue;
            expect(list.remove(target.subject, target.queue, target.value)).toBe(naive.remove(target));
          }
          expect(list.generation > generation).toBe(naive.count !== count);
          expect(list.count).toBe(naive.count);
        }
        for (const { subject, queue, value } of inserted) list.remove(subject, queue, value);
        expect([list.count, list.nodeCount, list.stats().totalFanout]).toEqual([0, 0, 0]);
      }),
      { numRuns: 200 },
    );
  });

  it('never changes a result it has given out', () => {
    fc.assert(
      fc.property(fc.array(subscription, { maxLength: 30 }), published, (subscriptions, subject) => {
        const list = new Sublist<number>();
        const given: { matches: Matches<number>; before: string[] }[] = [];
        const look = (): void => {
          const matches = list.match(subject);
          given.push({ matches, before: flatten(matches) });
        };
        for (const one of subscriptions) {
          list.insert(one.subject, one.queue, one.value);
          look();
        }
        for (const one of subscriptions) {
          list.remove(one.subject, one.queue, one.value);
          look();
        }
        for (const { matches, before } of given) expect(flatten(matches)).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });
});
