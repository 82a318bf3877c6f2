import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outbox, type OutboxSink } from '../../src/stream/outbox.ts';

type Step =
  | { readonly kind: 'stored' | 'skipped' | 'duplicate' | 'refusal' | 'callback' }
  | { readonly kind: 'commit'; readonly by: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('stored', 'skipped', 'duplicate', 'refusal', 'callback').map((kind) => ({ kind })),
  },
  { weight: 1, arbitrary: fc.nat(80).map((by) => ({ kind: 'commit' as const, by })) },
);

class Recorder implements OutboxSink {
  readonly out: string[] = [];

  onStored(seq: number, subject: string, reply: string | null): void {
    this.out.push(`stored ${seq} ${subject} ${reply}`);
  }

  onSkipped(seq: number, reply: string | null): void {
    this.out.push(`skipped ${seq} ${reply}`);
  }

  onDuplicate(seq: number, reply: string): void {
    this.out.push(`duplicate ${seq} ${reply}`);
  }

  onRefusal(reply: string, body: Buffer): void {
    this.out.push(`refusal ${reply} ${body}`);
  }

  onLost(reply: string, error: Error): void {
    this.out.push(`lost ${reply} ${error.message}`);
  }
}

/** Pushes one entry and says what is to come out of it. */
function push(outbox: Outbox, recorder: Recorder, kind: Step['kind'], target: number): string {
  const reply = `R${target}`;
  switch (kind) {
    case 'stored':
      outbox.pushStored(target, target, 10, `s.${target}`, reply, null);
      return `stored ${target} s.${target} ${reply}`;
    case 'skipped':
      outbox.pushSkipped(target, target, reply);
      return `skipped ${target} ${reply}`;
    case 'duplicate':
      outbox.pushDuplicate(target, 7, reply);
      return `duplicate 7 ${reply}`;
    case 'refusal':
      outbox.pushRefusal(target, reply, Buffer.from('no'));
      return `refusal ${reply} no`;
    default:
      outbox.pushCallback(target, 3, (error) => recorder.out.push(`callback ${target} ${error?.message}`));
      return `callback ${target} undefined`;
  }
}

describe('Outbox', () => {
  it('lets entries out in order, each when its target is committed and not before', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const recorder = new Recorder();
        const outbox = new Outbox(recorder);
        const expected: string[] = [];
        let applied = 0;
        let committed = 0;
        for (const one of steps) {
          if (one.kind === 'commit') {
            committed = Math.min(applied, committed + one.by);
            outbox.release(committed);
          } else {
            applied++;
            expected.push(push(outbox, recorder, one.kind, applied));
          }
          expect(recorder.out).toEqual(expected.slice(0, committed));
          expect(outbox.size).toBe(applied - committed);
        }
        outbox.release(applied);
        expect(recorder.out).toEqual(expected);
        expect(outbox.bytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('tells everybody of a failure once, and keeps the messages for the case that they become durable', () => {
    const recorder = new Recorder();
    const outbox = new Outbox(recorder);
    for (const [index, kind] of (
      ['stored', 'duplicate', 'callback', 'stored', 'refusal', 'skipped', 'stored'] as const
    ).entries()) {
      push(outbox, recorder, kind, index + 1);
    }
    outbox.fail(new Error('full'));
    expect(recorder.out).toEqual([
      'lost R1 full',
      'lost R2 full',
      'callback 3 full',
      'lost R4 full',
      'refusal R5 no',
      'lost R6 full',
      'lost R7 full',
    ]);
    expect([outbox.size, outbox.bytes]).toEqual([4, 30]);
    recorder.out.length = 0;
    // The store gave up sequence 7 and wrote the rest again.
    outbox.recovered(6, 20);
    outbox.release(19);
    expect(recorder.out).toEqual([]);
    outbox.release(20);
    expect(recorder.out).toEqual(['stored 1 s.1 null', 'stored 4 s.4 null', 'skipped 6 null']);
    expect([outbox.size, outbox.bytes]).toEqual([0, 0]);
  });

  it('stands an entry that is pushed while others leave', () => {
    const out: number[] = [];
    const sink: OutboxSink = {
      onStored(seq) {
        out.push(seq);
        if (seq < 200) outbox.pushStored(seq + 1, seq + 1, 1, 's', null, null);
      },
      onSkipped: () => undefined,
      onDuplicate: () => undefined,
      onRefusal: () => undefined,
      onLost: () => undefined,
    };
    const outbox = new Outbox(sink);
    outbox.pushStored(1, 1, 1, 's', null, null);
    outbox.release(200);
    expect(out).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });
});
