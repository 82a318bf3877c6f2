import { describe, expect, it } from 'vitest';
import { EXPORT_INTERVAL_MS } from '../../src/store/file/consumer-export.ts';
import {
  LAZY_SYNC_MS,
  LOG_BATCH_BYTES_MAX,
  LOG_COMPACT_BYTES,
  LOG_RETRY_MS,
} from '../../src/store/file/consumer-log.ts';
import { decodeConsumerState, encodeConsumerState } from '../../src/store/file/consumer-state-codec.ts';
import type { FileStorage } from '../../src/store/file/file-storage.ts';
import { emptyConsumerState } from '../../src/store/shared/empty.ts';
import type { ConsumerStore, StreamStore } from '../../src/store/store.ts';
import { ManualClock, turns } from '../manual-clock.ts';
import { ConsumerModel, plain } from './consumer-model.ts';
import {
  anyOptions,
  consumerMeta,
  openStorage,
  streamMeta,
  type TestDependencies,
  testDependencies,
} from './dependencies.ts';
import { SimulatedFileSystem } from './simulated-fs.ts';
import { append, storeOptions } from './support.ts';

const STREAM_DIRECTORY = '/store/jetstream/$G/streams/S';
const LOG = `${STREAM_DIRECTORY}/consumers.log`;

class Machine {
  readonly fs = new SimulatedFileSystem();
  readonly clock = new ManualClock();
  deps: TestDependencies = this.#fresh();
  storage!: FileStorage;
  stream!: StreamStore;

  #fresh(overrides: Partial<TestDependencies> = {}): TestDependencies {
    return testDependencies({ clock: this.clock, ...overrides }, this.fs);
  }

  /** A new store with the stream S. */
  static async create(overrides: Partial<TestDependencies> = {}): Promise<Machine> {
    const machine = new Machine();
    machine.deps = machine.#fresh(overrides);
    machine.storage = await openStorage('/store', machine.deps);
    machine.stream = await machine.storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
    return machine;
  }

  async consumer(name = 'C', config: Record<string, unknown> = {}): Promise<ConsumerModel> {
    const model = new ConsumerModel(await this.stream.createConsumer(name, consumerMeta(name, config), false));
    model.startAt(1);
    await model.sync();
    return model;
  }

  /** Opens what the last process left. The lock of a process that ended this way would be taken over: it was ours. */
  async restart(messages = 0): Promise<Map<string, ConsumerStore>> {
    await this.fs.removeTree('/store/.nats-ts.lock');
    this.deps = this.#fresh();
    this.storage = await openStorage('/store', this.deps);
    const { streams, offline } = await this.storage.recoverAccount('$G', anyOptions);
    expect(offline).toEqual([]);
    this.stream = streams[0]!;
    for (let left = messages; left > 0; left--) append(this.stream.messages, 'S.a');
    return new Map(this.stream.recoveredConsumers().map(({ name, store }) => [name, store]));
  }

  /** The consumer C after a restart. */
  async recovered(): Promise<ConsumerStore> {
    return (await this.restart()).get('C')!;
  }

  exported(name = 'C'): ReturnType<typeof decodeConsumerState> {
    const bytes = this.fs.files().get(`${STREAM_DIRECTORY}/obs/${name}/o.dat`);
    return bytes === undefined ? null : decodeConsumerState(bytes);
  }

  /** Lets the log write what was reported. */
  async settle(): Promise<void> {
    await turns(40);
  }

  /** Lets a whole round of exports happen. */
  async afterExports(): Promise<void> {
    await this.settle();
    this.clock.advance(EXPORT_INTERVAL_MS);
    await this.settle();
  }
}

function someWork(model: ConsumerModel, timeMs = 1_700_000_000_123): void {
  for (let at = 0; at < 20; at++) model.deliver(timeMs + at, at % 3);
  const pending = [...model.state.pending.keys()];
  for (const at of [0, 1, 2, 5, 6, 11]) model.ack(pending[at]!);
  model.deliverAgain(pending[3]!, timeMs + 500);
  model.deliverAgain(pending[3]!, timeMs + 900);
  model.deliver(timeMs + 1000, 10);
}

describe('consumer state on disk', () => {
  it('comes back after a clean stop, to the millisecond', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    await machine.storage.close();
    const store = await machine.recovered();
    expect(plain(store.recovered)).toEqual(plain(model.state));
    expect(store.hasState).toBe(true);
  });

  it('comes back after SIGKILL as far as it was written', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    await machine.settle();
    machine.fs.kill();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(model.state));
  });

  it('comes back after a power cut as far as it was synced', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    await model.sync();
    const synced = plain(model.state);
    model.deliver(1, 0);
    await machine.settle();
    machine.fs.powerCut();
    expect(plain((await machine.recovered()).recovered)).toEqual(synced);
  });

  it('is synced within a second even if nobody waits for it', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    await machine.settle();
    machine.clock.advance(LAZY_SYNC_MS);
    await machine.settle();
    machine.fs.powerCut();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(model.state));
  });

  it('goes on from where it was over many restarts', async () => {
    const machine = await Machine.create();
    let model = await machine.consumer();
    for (let round = 0; round < 8; round++) {
      someWork(model, 1_700_000_000_000 + round * 10_000);
      if (round % 3 === 1) model.ackAll([...model.state.pending.keys()].at(-3)!);
      if (round % 3 === 2) model.replace();
      if (round % 2 === 0) await machine.storage.close();
      else await model.sync();
      if (round % 4 === 1) machine.fs.kill();
      if (round % 4 === 3) machine.fs.powerCut();
      const store = await machine.recovered();
      expect(plain(store.recovered)).toEqual(plain(model.state));
      model = ConsumerModel.resume(store, model);
    }
  });

  it('keeps the positions of consumers without acks', async () => {
    const machine = await Machine.create();
    const store = await machine.stream.createConsumer('C', consumerMeta('C', { ack_policy: 'none' }), false);
    const state = emptyConsumerState();
    store.setExporter(() => state);
    store.replaced();
    for (let seq = 1; seq <= 5; seq++) {
      for (const position of [state.delivered, state.ackFloor])
        Object.assign(position, { consumerSeq: seq, streamSeq: seq * 2 });
      store.delivered(seq, seq * 2, 1, 1000);
    }
    await new Promise((resolve) => store.sync(resolve));
    machine.fs.powerCut();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(state));
  });

  it('says of a consumer that never began that there is no state', async () => {
    const machine = await Machine.create();
    await machine.stream.createConsumer('C', consumerMeta('C'), false);
    machine.fs.kill();
    const store = await machine.recovered();
    expect(store.hasState).toBe(false);
    expect(plain(store.recovered)).toEqual(plain(emptyConsumerState()));
  });

  it('knows a start at zero from no start', async () => {
    const machine = await Machine.create();
    await machine.consumer();
    machine.fs.powerCut();
    expect((await machine.recovered()).hasState).toBe(true);
  });

  it('forgets a deleted consumer, and its successor of the same name starts afresh', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    const store = machine.stream.recoveredConsumers();
    expect(store).toEqual([]);
    someWork(model);
    await model.sync();
    await machine.storage.close();
    await (await machine.recovered()).delete();
    machine.fs.powerCut();
    expect((await machine.restart()).size).toBe(0);
    const again = await machine.stream.createConsumer(
      'C',
      { ...consumerMeta('C'), created: '2027-01-01T00:00:00Z' },
      false,
    );
    expect(again.hasState).toBe(false);
    await machine.storage.close();
    expect((await machine.recovered()).hasState).toBe(false);
  });

  it('keeps consumers apart', async () => {
    const machine = await Machine.create();
    const models = [await machine.consumer('A'), await machine.consumer('B'), await machine.consumer('C')];
    for (let round = 0; round < 10; round++) {
      for (const [at, model] of models.entries()) for (let times = 0; times <= at; times++) model.deliver(round);
      models[0]!.ack(round + 1);
    }
    await models[1]!.sync();
    machine.fs.powerCut();
    const stores = await machine.restart();
    for (const [at, name] of ['A', 'B', 'C'].entries()) {
      expect(plain(stores.get(name)!.recovered)).toEqual(plain(models[at]!.state));
    }
  });

  it('keeps memory consumers out of the directory', async () => {
    const machine = await Machine.create();
    const store = await machine.stream.createConsumer('M', consumerMeta('M'), true);
    store.delivered(1, 1, 1, 1);
    await new Promise((resolve) => store.sync(resolve));
    await machine.settle();
    expect([...machine.fs.files().keys()].filter((path) => path.includes('/obs/'))).toEqual([]);
    await machine.storage.close();
    expect((await machine.restart()).size).toBe(0);
  });

  it('refuses two consumers of one name at a time', async () => {
    const machine = await Machine.create();
    const first = machine.stream.createConsumer('C', consumerMeta('C'), false);
    await expect(machine.stream.createConsumer('C', consumerMeta('C'), false)).rejects.toThrow('exists already');
    await first;
  });

  it('keeps an updated configuration', async () => {
    const machine = await Machine.create();
    await machine.consumer();
    await machine.storage.close();
    const store = await machine.recovered();
    await Promise.all([
      store.updateMeta(consumerMeta('C', { description: 'first' })),
      store.updateMeta(consumerMeta('C', { description: 'second' })),
    ]);
    machine.fs.powerCut();
    await machine.restart();
    expect(machine.stream.recoveredConsumers()[0]?.meta).toEqual(consumerMeta('C', { description: 'second' }));
  });
});

describe('consumers.log', () => {
  it('is rewritten above its named size and holds the same', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    let largest = 0;
    for (let total = 0; total < LOG_COMPACT_BYTES * 1.3; ) {
      for (let at = 0; at < 20_000; at++) {
        model.deliver(1_700_000_000_000);
        model.ack(model.state.delivered.streamSeq - 3);
      }
      await model.sync();
      const length = machine.fs.files().get(LOG)!.length;
      if (length < largest) break;
      largest = length;
      total = length;
    }
    expect(largest).toBeGreaterThan(LOG_COMPACT_BYTES * 0.8);
    // What was reported while the rewrite ran is behind it.
    await model.sync();
    await machine.settle();
    expect(machine.fs.files().get(LOG)!.length).toBeLessThan(3_000_000);
    machine.fs.powerCut();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(model.state));
  });

  it('writes what is reported in one turn at once', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    await machine.afterExports();
    let writes = 0;
    machine.fs.fault = ({ name, path }) => {
      if (name === 'write' && path.startsWith(LOG)) writes++;
      return null;
    };
    for (let at = 0; at < 500; at++) model.deliver(at);
    await turns(3);
    expect(writes).toBe(1);
  });

  it('syncs once for all that wait', async () => {
    const machine = await Machine.create();
    const models = await Promise.all(['A', 'B', 'D'].map((name) => machine.consumer(name)));
    await machine.settle();
    let syncs = 0;
    machine.fs.fault = ({ name, path }) => {
      if (name === 'sync' && path.startsWith(LOG)) syncs++;
      return null;
    };
    const waits = models.flatMap((model) => {
      model.deliver(1);
      return [model.sync(), model.sync()];
    });
    await Promise.all(waits);
    expect(syncs).toBe(1);
  });

  it('does not sync where the sync interval allows to wait, and tells after the write', async () => {
    const machine = await Machine.create({ syncIntervalMs: 5000 });
    const model = await machine.consumer();
    await machine.settle();
    let syncs = 0;
    machine.fs.fault = ({ name, path }) => {
      if (name === 'sync' && path.startsWith(LOG)) syncs++;
      return null;
    };
    model.deliver(1);
    await model.sync();
    expect(syncs).toBe(0);
    machine.clock.advance(5000);
    await machine.settle();
    expect(syncs).toBe(1);
  });

  it('gives the error of a full disk to those who wait, and heals by itself', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    machine.fs.fault = ({ name, path }) => (name === 'write' && path.startsWith(LOG) ? 'ENOSPC' : null);
    await expect(model.sync()).rejects.toThrow('ENOSPC');
    someWork(model);
    await expect(model.sync()).rejects.toThrow('ENOSPC');
    expect(machine.deps.log.of('ERR')).toHaveLength(1);
    machine.fs.fault = () => null;
    machine.clock.advance(LOG_RETRY_MS);
    await machine.settle();
    someWork(model);
    await model.sync();
    machine.fs.powerCut();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(model.state));
  });

  it('does not trust the file after a failed sync: everything is written anew', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    await machine.settle();
    const { fs } = machine;
    let opened = 0;
    // Syncs fail until the log is written to another file.
    fs.fault = ({ name, path }) => {
      if (name === 'open' && path.startsWith(LOG)) opened++;
      return name === 'sync' && path.startsWith(LOG) && opened === 0 ? 'EIO' : null;
    };
    someWork(model);
    await expect(model.sync()).rejects.toThrow('EIO');
    expect(machine.storage.stats.failing).toContain('EIO');
    await model.sync();
    expect(opened).toBe(1);
    expect(machine.storage.stats.failing).toBeNull();
    machine.fs.powerCut();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(model.state));
  });

  it('holds no more than its named size while the disk stands still, and writes whole states then', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    await machine.afterExports();
    let release = (): void => {};
    const standstill = new Promise<void>((resolve) => {
      release = resolve;
    });
    let written = 0;
    machine.fs.stall = ({ name, path }) => (name === 'write' && path.startsWith(LOG) ? standstill : null);
    model.deliver(1_700_000_000_000);
    await turns(3);
    for (let at = 0; at < 200_000; at++) {
      model.ack(model.deliver(1_700_000_000_000));
    }
    machine.fs.stall = () => null;
    machine.fs.fault = ({ name, path }) => {
      if (name === 'write' && path.startsWith(LOG)) written++;
      return null;
    };
    const before = machine.fs.files().get(LOG)!.length;
    release();
    await model.sync();
    expect(written).toBe(2);
    expect(machine.fs.files().get(LOG)!.length - before).toBeLessThan(LOG_BATCH_BYTES_MAX + 1_000_000);
    machine.fs.powerCut();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(model.state));
  });

  it('does not hammer a broken disk for every delivery', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    await machine.afterExports();
    let attempts = 0;
    machine.fs.fault = ({ name, path }) => {
      if (name !== 'open' && name !== 'write') return null;
      if (path.startsWith(LOG)) attempts++;
      return path.startsWith(STREAM_DIRECTORY) ? 'EIO' : null;
    };
    for (let at = 0; at < 50; at++) {
      model.deliver(at);
      await turns(4);
    }
    expect(attempts).toBeLessThan(5);
  });

  it('cuts off a torn end and loses nothing before it', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    await machine.settle();
    const before = plain(model.state);
    model.deliver(1);
    await machine.settle();
    const log = machine.fs.files().get(LOG)!;
    machine.fs.kill();
    machine.fs.put(LOG, log.subarray(0, log.length - 3));
    const store = await machine.recovered();
    expect(plain(store.recovered)).toEqual(before);
    const resumed = ConsumerModel.resume(store, model);
    resumed.deliver(2);
    await resumed.sync();
    machine.fs.powerCut();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(resumed.state));
    expect(machine.deps.log.of('WRN')).toEqual([]);
  });

  it('loses one delivery to a damaged record, which comes again, and keeps the damaged file', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    for (let at = 0; at < 20; at++) model.deliver(1_700_000_000_000 + at);
    await machine.settle();
    const log = Buffer.from(machine.fs.files().get(LOG)!);
    model.ack(20);
    await model.sync();
    const length = machine.fs.files().get(LOG)!.length;
    machine.fs.kill();
    const damaged = Buffer.from(machine.fs.files().get(LOG)!);
    damaged[Math.floor(log.length * 0.6)]! ^= 0x40;
    machine.fs.put(LOG, damaged);
    const store = (await machine.restart(20)).get('C')!;
    // Where the time of the lost delivery is not known, the one after it stands for it.
    const state = plain(store.recovered) as { pending: number[][] };
    expect(state.pending.map(([seq]) => seq)).toEqual(Array.from({ length: 19 }, (_, at) => at + 1));
    expect(store.recovered.delivered).toEqual(model.state.delivered);
    expect(machine.deps.log.of('WRN').join()).toMatch(/damaged bytes.*log records are lost/);
    expect(machine.fs.files().get(`${LOG}.damaged`)?.equals(damaged)).toBe(true);
    // Written anew, undamaged.
    await new Promise((resolve) => store.sync(resolve));
    machine.fs.powerCut();
    const again = (await machine.restart(20)).get('C')!;
    expect(plain(again.recovered)).toEqual(plain(store.recovered));
    expect(machine.deps.log.of('WRN')).toEqual([]);
    expect(length).toBeGreaterThan(log.length);
  });

  it('is closed with an error when the disk refuses, and still releases the lock', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    machine.fs.fault = ({ name, path }) => (name === 'write' && path.startsWith(STREAM_DIRECTORY) ? 'ENOSPC' : null);
    await expect(machine.storage.close()).rejects.toThrow('ENOSPC');
    expect(machine.fs.files().has('/store/.nats-ts.lock')).toBe(false);
  });

  it('refuses to sync after it was closed', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    await machine.storage.close();
    await expect(model.sync()).rejects.toThrow('closed');
  });
});

describe('o.dat as export', () => {
  it('is there, durably, when the first sync of a new consumer returns', async () => {
    const machine = await Machine.create();
    const model = new ConsumerModel(await machine.stream.createConsumer('C', consumerMeta('C'), false));
    model.startAt(43);
    await model.sync();
    machine.fs.powerCut();
    expect(plain(machine.exported()!)).toEqual(plain(model.state));
  });

  it('follows changes at most ten times a second', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    await machine.afterExports();
    let exports = 0;
    machine.fs.fault = ({ name, path }) => {
      if (name === 'rename' && path.endsWith('o.dat.tmp')) exports++;
      return null;
    };
    for (let at = 0; at < 50; at++) {
      model.deliver(1_700_000_000_000);
      await machine.settle();
      machine.clock.advance(10);
      await machine.settle();
    }
    expect(exports).toBeGreaterThanOrEqual(4);
    expect(exports).toBeLessThanOrEqual(6);
    await machine.afterExports();
    expect(plain(machine.exported()!)).toEqual(plain(model.state, true));
  });

  it('is exact after a clean stop, also for a consumer that a kill had left behind', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    await machine.settle();
    machine.fs.kill();
    await machine.restart();
    await machine.storage.close();
    expect(plain(machine.exported()!)).toEqual(plain(model.state, true));
    machine.fs.powerCut();
    expect(plain(machine.exported()!)).toEqual(plain(model.state, true));
  });

  it('is exact after a clean stop even if the log could not be written, and counts then', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    await machine.afterExports();
    machine.fs.fault = ({ name, path }) => (name === 'write' && path.startsWith(LOG) ? 'EIO' : null);
    someWork(model);
    await machine.storage.close().catch(() => {});
    machine.fs.kill();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(model.state, true));
  });

  it('gives way to the log, which is ahead of it after a kill', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    await machine.afterExports();
    // This one is exported at once; the next is not before a tenth of a second.
    model.deliver(1_700_000_000_000);
    await machine.settle();
    someWork(model);
    await machine.settle();
    expect(plain(machine.exported()!)).not.toEqual(plain(model.state, true));
    machine.fs.kill();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(model.state));
  });

  it('rules when nats-server wrote it', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    await machine.storage.close();
    const foreign = structuredClone(model.state);
    foreign.delivered = { consumerSeq: 99, streamSeq: 199 };
    foreign.pending.set(190, { consumerSeq: 95, timeMs: 1_700_000_100_000 });
    machine.fs.put(`${STREAM_DIRECTORY}/obs/C/o.dat`, encodeConsumerState(foreign, 1_700_000_200_000));
    const store = await machine.recovered();
    expect(plain(store.recovered)).toEqual(plain(foreign, true));
    // From then on the log rules again.
    const resumed = ConsumerModel.resume(store, model);
    resumed.deliver(1_700_000_300_000);
    await resumed.sync();
    machine.fs.powerCut();
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(resumed.state));
  });

  it('rules where there is no log', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    await machine.storage.close();
    await machine.fs.removeTree(LOG);
    expect(plain((await machine.recovered()).recovered)).toEqual(plain(model.state, true));
  });

  it('does not count when it is damaged', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    await machine.storage.close();
    for (const bytes of ['', '1602', '160205050101' + '0000']) {
      machine.fs.put(`${STREAM_DIRECTORY}/obs/C/o.dat`, Buffer.from(bytes, 'hex'));
      const store = await machine.recovered();
      expect(plain(store.recovered)).toEqual(plain(model.state));
      await machine.storage.close();
    }
  });

  it('does not count for a consumer that nats-server created anew under the name', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    someWork(model);
    await machine.storage.close();
    const files = machine.fs.files();
    const meta = files.get(`${STREAM_DIRECTORY}/obs/C/meta.inf`)!.toString();
    machine.fs.put(`${STREAM_DIRECTORY}/obs/C/meta.inf`, Buffer.from(meta.replace('2026-01-02', '2026-02-03')));
    machine.fs.put(`${STREAM_DIRECTORY}/obs/C/meta.sum`, Buffer.from(''));
    await machine.fs.removeTree(`${STREAM_DIRECTORY}/obs/C/o.dat`);
    const store = await machine.recovered();
    expect(plain(store.recovered)).toEqual(plain(emptyConsumerState()));
    expect(store.hasState).toBe(false);
  });

  // The machine goes off at every single operation of a stretch with exports. What was confirmed must be there, whatever
  // else reached the disk.
  it.each([
    ['SIGKILL', (fs: SimulatedFileSystem) => fs.kill()],
    ['a power cut', (fs: SimulatedFileSystem) => fs.powerCut()],
    ['a power cut that left the o.dat', (fs: SimulatedFileSystem) => fs.powerCut((path) => path.includes('/obs'))],
    [
      'a power cut that left the name of an o.dat but not its content',
      (fs: SimulatedFileSystem) => fs.powerCut((path) => path.endsWith('/obs/C')),
    ],
    [
      'a power cut that left the log',
      (fs: SimulatedFileSystem) => fs.powerCut((path) => path.includes('consumers.log')),
    ],
  ])('never takes a confirmed position back: %s', async (_what, end) => {
    for (let offAt = 0; offAt < 45; offAt++) {
      const machine = await Machine.create();
      const model = await machine.consumer();
      await machine.afterExports();
      let confirmed = 0;
      machine.fs.operations = 0;
      machine.fs.offAt = offAt;
      const work = (async () => {
        for (let round = 0; round < 4; round++) {
          model.ack(model.deliver(1_700_000_000_000));
          const reached = model.state.ackFloor.streamSeq;
          await model.sync();
          confirmed = reached;
          machine.clock.advance(EXPORT_INTERVAL_MS);
        }
      })();
      await Promise.race([work, turns(120)]);
      end(machine.fs);
      const { ackFloor, delivered } = (await machine.recovered()).recovered;
      expect(ackFloor.streamSeq).toBeGreaterThanOrEqual(confirmed);
      expect(ackFloor.streamSeq).toBeLessThanOrEqual(model.state.ackFloor.streamSeq);
      expect(delivered.streamSeq).toBeLessThanOrEqual(model.state.delivered.streamSeq);
    }
  });

  it('tries again after a failure', async () => {
    const machine = await Machine.create();
    const model = await machine.consumer();
    await machine.afterExports();
    machine.fs.fault = ({ name, path }) => (name === 'open' && path.endsWith('o.dat.tmp') ? 'ENOSPC' : null);
    model.deliver(1_700_000_000_000);
    await machine.afterExports();
    expect(plain(machine.exported()!)).not.toEqual(plain(model.state, true));
    expect(machine.deps.log.of('WRN')).toHaveLength(1);
    machine.fs.fault = () => null;
    machine.clock.advance(1000);
    await machine.settle();
    expect(plain(machine.exported()!)).toEqual(plain(model.state, true));
  });
});
