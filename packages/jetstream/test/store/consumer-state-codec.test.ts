import { describe, expect, it } from 'vitest';
import { decodeConsumerState, encodeConsumerState, isConsistent } from '../../src/store/file/consumer-state-codec.ts';
import { emptyConsumerState } from '../../src/store/shared/empty.ts';
import { plain } from './consumer-model.ts';

describe('o.dat', () => {
  it('reads what nats-server 2.15.1 wrote for a consumer with gaps, redeliveries and pending acks', () => {
    const bytes = Buffer.from(
      '160202020e0d0a928788b00d070704080804020204090a040606040a0b040b0c04010104040404050504010201',
      'hex',
    );
    // As CONSUMER.INFO said: 13 delivered, 1, 2 and 5 acked, 4 delivered twice. All of it 2 s before it was written.
    const pending = [3, 4, 6, 7, 8, 9, 10].map((seq) => [seq, seq, 1_795_228_103_000]);
    for (const seq of [11, 12, 13]) pending.push([seq, seq + 1, 1_795_228_103_000]);
    expect(plain(decodeConsumerState(bytes)!)).toEqual({
      delivered: { consumerSeq: 14, streamSeq: 13 },
      ackFloor: { consumerSeq: 2, streamSeq: 2 },
      pending,
      redelivered: [[4, 1]],
    });
  });

  it('writes an untouched consumer as nats-server does', () => {
    expect(encodeConsumerState(emptyConsumerState(), 0).toString('hex')).toBe('1602000000000000');
  });

  it('reads version 1, which counted from the next delivery and knew no consumer sequences', () => {
    const bytes = Buffer.from([22, 1, 3, 5, 4, 6, 1, 20, 2, 4, 1, 2, 1]);
    expect(plain(decodeConsumerState(bytes)!)).toEqual({
      delivered: { consumerSeq: 6, streamSeq: 10 },
      ackFloor: { consumerSeq: 3, streamSeq: 5 },
      pending: [[7, 0, 12_000]],
      redelivered: [[7, 1]],
    });
  });

  it('ignores bytes behind the state', () => {
    const bytes = Buffer.concat([encodeConsumerState(emptyConsumerState(), 0), Buffer.from('tail')]);
    expect(plain(decodeConsumerState(bytes)!)).toEqual(plain(emptyConsumerState()));
  });

  it.each([
    ['nothing', ''],
    ['another magic', '1702000000000000'],
    ['a version nobody wrote', '1603000000000000'],
    ['a missing end', '16020000000000'],
    ['fewer pending entries than it says', '160200000505058004'],
    ['a number of more than 64 bits', `1602${'ff'.repeat(9)}7f0000000000`],
    ['a sequence above 2^53', '1602000000ffffffffffffff7f0000'],
  ])('takes %s for damage', (_what, hex) => {
    expect(decodeConsumerState(Buffer.from(hex, 'hex'))).toBeNull();
  });

  it('reads a redelivered entry below the floor, which Go writes as a distance that wraps around', () => {
    // 3 - 5 as an unsigned 64-bit number, once.
    const bytes = Buffer.from(`160205050505` + '00' + '01' + 'feffffffffffffffff01' + '02', 'hex');
    expect(decodeConsumerState(bytes)?.redelivered).toEqual(new Map([[3, 2]]));
  });

  it('leaves out what is at or below the floor', () => {
    const state = emptyConsumerState();
    state.delivered = { consumerSeq: 9, streamSeq: 9 };
    state.ackFloor = { consumerSeq: 5, streamSeq: 5 };
    state.pending.set(4, { consumerSeq: 4, timeMs: 1000 }).set(6, { consumerSeq: 6, timeMs: 2000 });
    state.redelivered.set(5, 1).set(6, 2);
    expect(plain(decodeConsumerState(encodeConsumerState(state, 5000))!)).toMatchObject({
      pending: [[6, 6, 2000]],
      redelivered: [[6, 2]],
    });
  });

  it('tells states whose parts contradict each other', () => {
    const state = emptyConsumerState();
    expect(isConsistent(state)).toBe(true);
    state.delivered.streamSeq = 3;
    state.pending.set(3, { consumerSeq: 1, timeMs: 0 });
    expect(isConsistent(state)).toBe(true);
    state.pending.set(4, { consumerSeq: 1, timeMs: 0 });
    expect(isConsistent(state)).toBe(false);
    state.pending.clear();
    state.ackFloor.streamSeq = 4;
    expect(isConsistent(state)).toBe(false);
  });
});
