import { describe, expect, it } from 'vitest';
import {
  ConsumerLogBatch,
  consumerKey,
  KIND_ACKED,
  KIND_DELIVERED,
  LOG_RECORD_BYTES_MAX,
  readLog,
} from '../../src/store/file/consumer-log-codec.ts';
import { ConsumerReplay, closeGaps, EXPORTS_KEPT_MAX, GAP_MESSAGES_MAX } from '../../src/store/file/consumer-replay.ts';
import { emptyConsumerState } from '../../src/store/shared/empty.ts';
import { plain } from './consumer-model.ts';

const KEY = consumerKey('C', '2026-01-02T03:04:05Z');

function replay(log: Buffer): ConsumerReplay {
  const replayed = new ConsumerReplay(null);
  readLog(log, (kind, _key, serial, reader) => replayed.apply(kind, serial, reader));
  return replayed;
}

/** A log with a state, the deliveries of 1 … `from` - 1, nothing of `from` … `to` - 1, and then `to`. */
function logWithGap(from: number, to: number, ackLater: readonly number[] = []): Buffer {
  const batch = new ConsumerLogBatch();
  batch.state(KEY, 1, 'C', emptyConsumerState(), []);
  for (let seq = 1; seq < from; seq++) batch.delivered(KEY, seq + 1, seq, seq, 1, 1000, false, seq - 1, seq - 1);
  batch.delivered(KEY, to + 1, to, to, 1, 1000, false, to - 1, to - 1);
  let serial = to + 2;
  for (const seq of ackLater) batch.acked(KEY, serial++, seq, seq, 0, 0, to, to);
  return batch.take();
}

describe('consumer log', () => {
  it('tells consumers of one name apart by their creation time', () => {
    expect(consumerKey('C', 'a').equals(consumerKey('C', 'b'))).toBe(false);
    expect(consumerKey('C', 'a').equals(consumerKey('C', 'a'))).toBe(true);
  });

  it('is read record by record', () => {
    const seen: [number, number][] = [];
    const batch = new ConsumerLogBatch();
    batch.delivered(KEY, 1, 1, 1, 1, 1000, false, 0, 0);
    batch.acked(KEY, 2, 1, 1, 1, 1, 1, 1);
    const log = batch.take();
    expect(batch.bytes).toBe(0);
    expect(readLog(log, (kind, _key, serial) => seen.push([kind, serial]))).toEqual([]);
    expect(seen).toEqual([
      [KIND_DELIVERED, 1],
      [KIND_ACKED, 2],
    ]);
  });

  it('goes on behind damage at the next record that verifies, whatever the damage looks like', () => {
    const batch = new ConsumerLogBatch();
    batch.acked(KEY, 1, 1, 1, 1, 1, 1, 1);
    const record = batch.take();
    // Record starts inside, lengths that lead astray, one above the limit.
    const astray = Buffer.from(record);
    astray.writeUInt32LE(LOG_RECORD_BYTES_MAX + 1, 2);
    const noise = Buffer.concat([Buffer.alloc(7, 0xa5), record.subarray(0, 9), astray, Buffer.alloc(40)]);
    const serials: number[] = [];
    const damaged = readLog(Buffer.concat([record, noise, record, noise]), (_kind, _key, serial) =>
      serials.push(serial),
    );
    expect(serials).toEqual([1, 1]);
    expect(damaged).toEqual([
      { start: record.length, end: record.length + noise.length },
      { start: 2 * record.length + noise.length, end: 2 * (record.length + noise.length) },
    ]);
  });

  it('keeps the newest hashes of exported files, up to a limit', () => {
    const batch = new ConsumerLogBatch();
    batch.state(KEY, 1, 'C', emptyConsumerState(), []);
    for (let at = 0; at < EXPORTS_KEPT_MAX + 5; at++) batch.exported(KEY, at + 2, `${at}`.padStart(8, '0'));
    const { exported } = replay(batch.take());
    expect(exported).toHaveLength(EXPORTS_KEPT_MAX);
    expect(exported[0]).toBe('00000005');
    expect(exported.at(-1)).toBe(`${EXPORTS_KEPT_MAX + 4}`.padStart(8, '0'));
  });

  it('applies what was written before a state record only once', () => {
    const batch = new ConsumerLogBatch();
    const state = emptyConsumerState();
    state.delivered = { consumerSeq: 5, streamSeq: 5 };
    state.ackFloor = { consumerSeq: 5, streamSeq: 5 };
    batch.state(KEY, 9, 'C', state, []);
    batch.delivered(KEY, 8, 5, 5, 1, 1000, false, 4, 4);
    expect(plain(replay(batch.take()).state)).toEqual(plain(state));
  });
});

describe('a gap in the consumer log', () => {
  const existing = async (fromSeq: number, toSeq: number, limit: number): Promise<number[]> => {
    const found: number[] = [];
    for (let seq = fromSeq; seq <= toSeq && found.length <= limit; seq++) if (seq % 2 === 0) found.push(seq);
    return found;
  };

  it('makes the messages that may have been delivered pending, if they exist and were not acked later', async () => {
    const replayed = replay(logWithGap(4, 20, [6, 19]));
    await closeGaps(replayed, existing);
    expect([...replayed.state.pending.keys()].sort((left, right) => left - right)).toEqual([
      1, 2, 3, 4, 8, 10, 12, 14, 16, 18, 20,
    ]);
    expect(replayed.state.delivered).toEqual({ consumerSeq: 20, streamSeq: 20 });
    expect(replayed.missing).toBe(16);
  });

  it('leaves out what is below the floor', async () => {
    const batch = new ConsumerLogBatch();
    const log = logWithGap(4, 20);
    batch.acked(KEY, 22, 9, 9, 9, 9, 20, 20);
    const replayed = replay(Buffer.concat([log, batch.take()]));
    await closeGaps(replayed, existing);
    expect([...replayed.state.pending.keys()].sort((left, right) => left - right)).toEqual([
      10, 12, 14, 16, 18, 19, 20,
    ]);
  });

  it('sends the consumer back to where it began when it may hold too many', async () => {
    const replayed = replay(logWithGap(4, GAP_MESSAGES_MAX * 2 + 100));
    await closeGaps(replayed, existing);
    expect(replayed.state.delivered).toEqual({ consumerSeq: 3, streamSeq: 3 });
    expect([...replayed.state.pending.keys()]).toEqual([1, 2, 3]);
    const fits = replay(logWithGap(4, GAP_MESSAGES_MAX * 2));
    await closeGaps(fits, existing);
    expect(fits.state.pending.size).toBeGreaterThanOrEqual(GAP_MESSAGES_MAX);
    expect(fits.state.delivered.streamSeq).toBe(GAP_MESSAGES_MAX * 2);
  });
});
