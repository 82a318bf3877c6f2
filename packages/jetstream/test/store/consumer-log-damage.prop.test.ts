import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConsumerLogBatch, consumerKey, KIND_REMOVED, readLog } from '../../src/store/file/consumer-log-codec.ts';
import { ConsumerReplay, closeGaps } from '../../src/store/file/consumer-replay.ts';
import { decodeConsumerState, encodeConsumerState } from '../../src/store/file/consumer-state-codec.ts';
import { emptyConsumerState } from '../../src/store/shared/empty.ts';
import type { ConsumerState, ConsumerStore } from '../../src/store/store.ts';
import { ConsumerModel, plain } from './consumer-model.ts';

type Step =
  | { do: 'deliver'; skipped: number }
  | { do: 'again' | 'ack' | 'ackAll'; at: number }
  | { do: 'replace' }
  | { do: 'reset'; back: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver' as const), skipped: fc.constantFrom(0, 0, 0, 2) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('ack' as const, 'ack' as const, 'again' as const), at: fc.nat(50) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ackAll' as const), at: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'replace' as const }) },
);

/** Encodes what a consumer reports, one record a report, and remembers where each begins. */
class Recorder {
  readonly batch = new ConsumerLogBatch();
  readonly starts: number[] = [];
  readonly key: Buffer;
  readonly model: ConsumerModel;
  serial = 0;
  #position = { consumerSeq: 0, streamSeq: 0 };

  constructor(name: string, batch: ConsumerLogBatch = new ConsumerLogBatch()) {
    this.batch = batch;
    this.key = consumerKey(name, '');
    let exporter = emptyConsumerState;
    const store: ConsumerStore = {
      name,
      recovered: emptyConsumerState(),
      hasState: false,
      setExporter: (exportState) => {
        exporter = exportState;
      },
      delivered: (consumerSeq, streamSeq, deliveries, timeMs) => {
        this.#record();
        const { consumerSeq: c, streamSeq: s } = this.#position;
        this.batch.delivered(this.key, ++this.serial, consumerSeq, streamSeq, deliveries, timeMs, false, c, s);
        this.#follow();
      },
      acked: (consumerSeq, streamSeq, floorConsumerSeq, floorStreamSeq) => {
        this.#record();
        const { consumerSeq: c, streamSeq: s } = this.#position;
        this.batch.acked(this.key, ++this.serial, consumerSeq, streamSeq, floorConsumerSeq, floorStreamSeq, c, s);
      },
      replaced: () => {
        this.#record();
        this.batch.state(this.key, ++this.serial, name, exporter(), []);
        this.#follow();
      },
      sync: (callback) => callback(null),
      updateMeta: async () => {},
      delete: async () => {},
    };
    this.model = new ConsumerModel(store);
    this.model.startAt(1);
  }

  do(one: Step): void {
    const { model } = this;
    const pending = [...model.state.pending.keys()];
    switch (one.do) {
      case 'deliver':
        model.deliver(1_700_000_000_000, one.skipped);
        return;
      case 'replace':
        model.replace();
        return;
      case 'reset':
        model.startAt(Math.max(1, model.state.delivered.streamSeq - one.back));
        model.acked.clear();
        return;
    }
    const seq = pending[one.at % Math.max(1, pending.length)];
    if (seq === undefined) return;
    if (one.do === 'ack') model.ack(seq);
    else if (one.do === 'again') model.deliverAgain(seq, 1_700_000_001_000);
    else model.ackAll(seq);
  }

  #record(): void {
    this.starts.push(this.batch.bytes);
  }

  #follow(): void {
    this.#position = { ...this.model.state.delivered };
  }
}

/** What a consumer without a filter takes: everything. */
const everything = async (fromSeq: number, toSeq: number, limit: number): Promise<number[]> =>
  Array.from({ length: Math.min(toSeq - fromSeq + 1, limit + 1) }, (_, at) => fromSeq + at);

async function replayed(log: Buffer, key: Buffer, exported: ConsumerState | null): Promise<ConsumerReplay> {
  const replay = new ConsumerReplay(exported);
  readLog(log, (kind, recordKey, serial, reader) => {
    if (kind !== KIND_REMOVED && recordKey === key.toString('latin1')) replay.apply(kind, serial, reader);
  });
  await closeGaps(replay, everything);
  return replay;
}

/** Nothing that awaits an ack may be out of reach: pending, or still to be delivered. */
function expectNothingLost(recovered: ConsumerState, model: ConsumerModel): void {
  const { state, acked } = model;
  for (const seq of state.pending.keys()) {
    expect(recovered.pending.has(seq) || seq > recovered.delivered.streamSeq).toBe(true);
  }
  expect(recovered.delivered.streamSeq).toBeLessThanOrEqual(state.delivered.streamSeq);
  expect(recovered.ackFloor.streamSeq).toBeLessThanOrEqual(state.ackFloor.streamSeq);
  for (const seq of recovered.pending.keys()) expect(seq).toBeGreaterThan(recovered.ackFloor.streamSeq);
  expect(acked.size).toBeGreaterThanOrEqual(0);
}

it('comes back from an undamaged log exactly as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const recorder = new Recorder('C');
      for (const one of steps) recorder.do(one);
      const { state, missing } = await replayed(recorder.batch.take(), recorder.key, null);
      expect(plain(state)).toEqual(plain(recorder.model.state));
      expect(missing).toBe(0);
    }),
    { numRuns: 150 },
  );
});

it('loses at most what one damaged record said: nothing goes missing, and hardly anything comes again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 2, maxLength: 60 }),
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (steps, which, where, flip) => {
        const recorder = new Recorder('C');
        const other = new Recorder('D', recorder.batch);
        for (const one of steps) {
          recorder.do(one);
          other.do({ do: 'deliver', skipped: 0 });
        }
        const log = recorder.batch.take();
        const starts = [...recorder.starts, ...other.starts, log.length].sort((left, right) => left - right);
        // The first record is the state everything builds on; it has a test of its own.
        const record = 1 + (which % (recorder.starts.length - 1));
        const start = recorder.starts[record]!;
        const end = starts[starts.indexOf(start) + 1]!;
        log[start + (where % (end - start))]! ^= flip;
        const { state } = await replayed(log, recorder.key, null);
        const { model } = recorder;
        expectNothingLost(state, model);
        const again = [...model.acked].filter((seq) => state.pending.has(seq) || seq > state.delivered.streamSeq);
        const isLast = record === recorder.starts.length - 1;
        // An ackAll acks many with one record; the last record has none behind it that repeats the position.
        const alone = steps.some((one) => one.do === 'ackAll' || one.do === 'replace') || isLast;
        if (!alone) expect(again.length).toBeLessThanOrEqual(1);
        const neighbour = await replayed(log, other.key, null);
        expect(plain(neighbour.state)).toEqual(plain(other.model.state));
      },
    ),
    { numRuns: 300 },
  );
});

it('puts nothing out of reach whatever stretch of the log is damaged, with and without an o.dat', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 2, maxLength: 60 }),
      fc.nat(),
      fc.nat(400),
      fc.option(fc.nat()),
      async (steps, from, length, exportAt) => {
        const recorder = new Recorder('C');
        let exported: ConsumerState | null = null;
        for (const [at, one] of steps.entries()) {
          recorder.do(one);
          if (exportAt !== null && at === exportAt % steps.length) {
            exported = decodeConsumerState(encodeConsumerState(recorder.model.state, 1_700_000_002_000));
          }
        }
        const log = recorder.batch.take();
        const start = from % log.length;
        log.fill(0, start, Math.min(log.length, start + length));
        const { state } = await replayed(log, recorder.key, exported);
        expectNothingLost(state, recorder.model);
      },
    ),
    { numRuns: 300 },
  );
});

it('goes back rather than on when records around a reset are damaged', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 30 }),
      fc.nat(20),
      fc.array(step, { minLength: 3, maxLength: 30 }),
      fc.nat(),
      async (before, back, after, which) => {
        const recorder = new Recorder('C');
        for (const one of before) recorder.do(one);
        recorder.do({ do: 'reset', back });
        for (const one of after) recorder.do(one);
        const log = recorder.batch.take();
        const record = 1 + (which % (recorder.starts.length - 1));
        log[recorder.starts[record]! + 6]! ^= 0xff;
        const isReset = record === recorder.starts.length - 1;
        const { state } = await replayed(log, recorder.key, null);
        // Where the reset itself was the last record, nothing is left to tell of it.
        if (!isReset) {
          for (const seq of recorder.model.state.pending.keys()) {
            expect(state.pending.has(seq) || seq > state.delivered.streamSeq).toBe(true);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});
