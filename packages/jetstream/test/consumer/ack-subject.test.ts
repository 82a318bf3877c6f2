import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AckSubjects } from '../../src/consumer/ack-subject.ts';

type Numbers = Parameters<AckSubjects['write']>;

function build(subjects: AckSubjects, ...numbers: Numbers): string {
  return subjects.buffer.toString('utf8', 0, subjects.write(...numbers));
}

describe('ack subjects', () => {
  it('have nine tokens with the time in nanoseconds', () => {
    const subjects = new AckSubjects('orders', 'worker');
    expect(build(subjects, 1, 22, 3, 1_795_227_801_181, 504_093, 7)).toBe(
      '$JS.ACK.orders.worker.1.22.3.1795227801181504093.7',
    );
    expect(subjects.pattern).toBe('$JS.ACK.orders.worker.*.*.*.*.*');
  });

  it('pad the nanoseconds and carry names that are not ASCII', () => {
    const subjects = new AckSubjects('größe', '消費者');
    expect(build(subjects, 10, 1, 1, 5, 42, 0)).toBe('$JS.ACK.größe.消費者.10.1.1.5000042.0');
  });

  it('come back as they were built', () => {
    const subjects = new AckSubjects('S', 'C');
    const count = fc.nat(Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        count,
        count,
        fc.nat(2 ** 42),
        fc.nat(999_999),
        count,
        (dc, sseq, cseq, ms, ns, pending) => {
          const subject = build(subjects, dc, sseq, cseq, ms, ns, pending);
          const time = (BigInt(ms) * 1_000_000n + BigInt(ns)).toString();
          expect(subject).toBe(`$JS.ACK.S.C.${dc}.${sseq}.${cseq}.${time}.${pending}`);
          const numbers = { deliveries: 0, streamSeq: 0, consumerSeq: 0 };
          subjects.parse(subject, numbers);
          expect(numbers).toEqual({ deliveries: dc, streamSeq: sseq, consumerSeq: cseq });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('give -1 for what is no number', () => {
    const numbers = { deliveries: 0, streamSeq: 0, consumerSeq: 0 };
    new AckSubjects('S', 'C').parse('$JS.ACK.S.C.x.1a.-2.0.0', numbers);
    expect(numbers).toEqual({ deliveries: -1, streamSeq: -1, consumerSeq: -1 });
  });
});
