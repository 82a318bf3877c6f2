import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeConsumerState, encodeConsumerState } from '../../src/store/file/consumer-state-codec.ts';
import type { ConsumerState } from '../../src/store/store.ts';
import { plain } from './consumer-model.ts';

const state: fc.Arbitrary<ConsumerState> = fc
  .record({
    floorStream: fc.oneof(fc.nat(1000), fc.maxSafeNat()),
    floorConsumer: fc.oneof(fc.nat(1000), fc.maxSafeNat()),
    ahead: fc.nat(5000),
    pending: fc.uniqueArray(
      fc.record({
        seq: fc.integer({ min: 1, max: 5000 }),
        consumer: fc.nat(5000),
        timeMs: fc.integer({ min: 0, max: 4e12 }),
      }),
      { selector: ({ seq }) => seq, maxLength: 40 },
    ),
    redelivered: fc.dictionary(fc.integer({ min: 1, max: 5000 }).map(String), fc.integer({ min: 1, max: 1e9 })),
  })
  .map(({ floorStream, floorConsumer, ahead, pending, redelivered }) => {
    const streamSeq = Math.min(floorStream, Number.MAX_SAFE_INTEGER - 10_000);
    const consumerSeq = Math.min(floorConsumer, Number.MAX_SAFE_INTEGER - 10_000);
    return {
      delivered: { consumerSeq: consumerSeq + ahead, streamSeq: streamSeq + ahead },
      ackFloor: { consumerSeq, streamSeq },
      pending: new Map(
        pending.map(({ seq, consumer, timeMs }) => [streamSeq + seq, { consumerSeq: consumerSeq + consumer, timeMs }]),
      ),
      redelivered: new Map(Object.entries(redelivered).map(([seq, count]) => [streamSeq + Number(seq), count])),
    };
  });

it('comes back from o.dat as it was, times by their second', () => {
  fc.assert(
    fc.property(state, fc.integer({ min: 0, max: 4e12 }), (before, nowMs) => {
      const after = decodeConsumerState(encodeConsumerState(before, nowMs));
      expect(plain(after!)).toEqual(plain(before, true));
    }),
    { numRuns: 300 },
  );
});

it('never throws and never hangs on damage', () => {
  fc.assert(
    fc.property(state, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (before, at, value, cut) => {
      const bytes = Buffer.from(encodeConsumerState(before, 1e12));
      bytes[at % bytes.length] = value;
      decodeConsumerState(bytes.subarray(0, cut % (bytes.length + 1)));
    }),
    { numRuns: 300 },
  );
});
