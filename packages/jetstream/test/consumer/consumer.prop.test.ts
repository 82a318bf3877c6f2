import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Consumer } from '../../src/consumer/consumer.ts';
import { Progress, reconcile } from '../../src/consumer/progress.ts';
import { TimerWheel } from '../../src/consumer/timer-wheel.ts';
import { emptyMessage } from '../../src/store/shared/empty.ts';
import type { Received } from '../fake-host.ts';
import { ManualClock } from '../manual-clock.ts';
import { emptyState, FakeConsumerStore } from './fake-stream.ts';
import { isStatus, Workbench } from './workbench.ts';

const SUBJECTS = ['s.a', 's.b', 's.c.d'] as const;
const FILTERS = [[], ['s.a'], ['s.*'], ['s.b', 's.c.>']] as const;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), subject: fc.constantFrom(...SUBJECTS) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('commit' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pull' as const), batch: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ack' as const), at: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('nak' as const), at: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), seq: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('purge' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('purgeSubject' as const), subject: fc.constantFrom(...SUBJECTS) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('filter' as const), at: fc.nat(FILTERS.length - 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(700) }) },
);

function matches(filter: readonly string[], subject: string): boolean {
  if (filter.length === 0) return true;
  return filter.some(
    (pattern) =>
      pattern === subject ||
      (pattern === 's.*' && subject.split('.').length === 2) ||
      (pattern === 's.c.>' && subject.startsWith('s.c.')),
  );
}

/** Messages waiting for their first delivery, counted one by one. */
function countWaiting(bench: Workbench, consumer: Consumer, filter: readonly string[]): number {
  const into = emptyMessage();
  let count = 0;
  for (let seq = consumer.backlog.nextSeq; seq <= bench.stream.visibleSeq; seq++) {
    if (bench.stream.messages.load(seq, into) === 'found' && matches(filter, into.subject)) count++;
  }
  return count;
}

it('counts, positions and pending acks stay exact whatever happens to the stream and the consumer', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.constantFrom('explicit' as const, 'all' as const, 'none' as const),
      async (steps, ack_policy) => {
        const bench = await Workbench.create();
        const config = {
          durable_name: 'c',
          ack_policy,
          ...(ack_policy !== 'none' && { ack_wait: 500e6, max_ack_pending: 5 }),
        };
        const consumer = await bench.consumer(config);
        const inbox: Received[] = bench.inbox('in');
        let filter: readonly string[] = [];
        for (const one of steps) {
          const delivered = inbox.filter((message) => !isStatus(message));
          if (one.kind === 'append') bench.stream.append(one.subject, 'x');
          else if (one.kind === 'commit') bench.stream.commit();
          else if (one.kind === 'pull') bench.pull('in', { batch: one.batch, expires: 1e9 });
          else if (one.kind === 'remove') bench.stream.remove(one.seq);
          else if (one.kind === 'purge') bench.stream.purge();
          else if (one.kind === 'advance') bench.advance(one.ms);
          else if (one.kind === 'purgeSubject') {
            const { subject } = one;
            bench.stream.purge(0, { subjects: [subject], matches: (other) => other === subject });
          } else if (one.kind === 'filter') {
            filter = FILTERS[one.at]!;
            await bench.consumer({ ...config, filter_subjects: filter });
          } else if (delivered.length > 0) {
            bench.ack(delivered[one.at % delivered.length], one.kind === 'ack' ? '+ACK' : '-NAK');
          }
          const { progress, backlog } = consumer;
          expect(backlog.count).toBe(countWaiting(bench, consumer, filter));
          expect(progress.pending.size).toBeLessThanOrEqual(5);
          const seqs: number[] = [];
          for (let entry = progress.pending.first; entry !== null; entry = entry.after) {
            seqs.push(entry.streamSeq);
            expect(entry.isQueued !== entry.isArmed).toBe(true);
            expect(entry.streamSeq).toBeGreaterThan(progress.floorStreamSeq);
          }
          expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
          expect(seqs).toHaveLength(progress.pending.size);
          expect(progress.floorStreamSeq).toBeLessThanOrEqual(progress.deliveredStreamSeq);
          expect(progress.floorConsumerSeq).toBeLessThanOrEqual(progress.deliveredConsumerSeq);
          expect(backlog.nextSeq).toBeGreaterThan(progress.deliveredStreamSeq);
        }
      },
    ),
    { numRuns: 150 },
  );
});

it('an exported state comes back as it was', () => {
  const position = fc.record({ consumerSeq: fc.nat(50), streamSeq: fc.nat(50) });
  const state = fc.record({
    delivered: position,
    ackFloor: position,
    pending: fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 8 }),
    redelivered: fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 8 }),
    lastSeq: fc.nat(60),
  });
  fc.assert(
    fc.property(state, ({ pending, redelivered, lastSeq, ...positions }) => {
      const raw = {
        ...positions,
        pending: new Map(pending.map((seq) => [seq, { consumerSeq: seq, timeMs: 7 }])),
        redelivered: new Map(redelivered.map((seq) => [seq, 2])),
      };
      const reconciled = reconcile(raw, 'explicit', 1, lastSeq);
      const clock = new ManualClock();
      const store = new FakeConsumerStore('c', { created: '', config: {} }, emptyState());
      const owner = { onAckOverdue() {} };
      const progress = new Progress(store, 'explicit', new TimerWheel(clock), owner);
      progress.restore(raw, 1, lastSeq);
      expect(progress.exportState()).toEqual(reconciled);
      // What was made to agree once agrees.
      expect(reconcile(reconciled, 'explicit', 1, lastSeq)).toBe(reconciled);
    }),
    { numRuns: 300 },
  );
});
