import { describe, expect, it } from 'vitest';
import { FileStorage } from '../../src/store/file/file-storage.ts';
import { ManualClock, turns } from '../manual-clock.ts';
import { ConsumerModel } from './consumer-model.ts';
import { anyOptions, consumerMeta, streamMeta, testDependencies } from './dependencies.ts';
import { SimulatedFileSystem } from './simulated-fs.ts';
import { append, load, storeOptions } from './support.ts';

/** What was told to clients before the machine went off. */
interface Told {
  stored: number;
  acked: number;
}

/** Stores, delivers what is committed, and confirms acks, until the machine goes off at the given operation. */
async function workUntil(fs: SimulatedFileSystem, clock: ManualClock, offAt: number): Promise<Told> {
  const storage = await FileStorage.open('/store', testDependencies({ clock }, fs));
  const stream = await storage.createStream('$G', 'S', streamMeta('S'), storeOptions());
  const model = new ConsumerModel(await stream.createConsumer('C', consumerMeta('C'), false));
  model.startAt(1);
  await model.sync();
  const told: Told = { stored: 0, acked: 0 };
  const { messages } = stream;
  messages.setEvents({
    onCommit: () => {
      told.stored = messages.committedSeq;
      while (model.state.delivered.streamSeq < messages.committedSeq) model.deliver(clock.now());
    },
    onFailure: () => {},
  });
  fs.operations = 0;
  fs.offAt = offAt;
  const work = (async () => {
    for (let round = 0; round < 6; round++) {
      for (let at = 0; at < 3; at++) append(messages, 'S.a', `${round}`, '', clock.now());
      await turns(6);
      const [first] = model.state.pending.keys();
      if (first !== undefined) {
        model.ack(first);
        await model.sync();
        told.acked = first;
      }
      clock.advance(50);
    }
    await storage.close();
  })();
  await Promise.race([work, turns(160)]);
  return told;
}

describe('messages and consumers through a crash', () => {
  it.each([
    ['SIGKILL', (fs: SimulatedFileSystem) => fs.kill()],
    ['a power cut', (fs: SimulatedFileSystem) => fs.powerCut()],
    [
      'a power cut that left the log',
      (fs: SimulatedFileSystem) => fs.powerCut((path) => path.includes('consumers.log')),
    ],
    ['a power cut that left the messages', (fs: SimulatedFileSystem) => fs.powerCut((path) => path.includes('/msgs'))],
  ])('nothing that was told is lost, and no consumer is ahead of its stream: %s', async (_what, end) => {
    for (let offAt = 0; offAt < 60; offAt++) {
      const fs = new SimulatedFileSystem();
      const clock = new ManualClock();
      const told = await workUntil(fs, clock, offAt);
      end(fs);
      await fs.removeTree('/store/.nats-ts.lock');
      const storage = await FileStorage.open('/store', testDependencies({ clock }, fs));
      const { streams, offline } = await storage.recoverAccount('$G', anyOptions);
      expect(offline).toEqual([]);
      const { messages } = streams[0]!;
      expect(messages.lastSeq).toBeGreaterThanOrEqual(told.stored);
      for (let seq = 1; seq <= told.stored; seq++) expect((await load(messages, seq))?.seq).toBe(seq);
      const [consumer] = streams[0]!.recoveredConsumers();
      const { delivered, ackFloor, pending } = consumer!.store.recovered;
      expect(delivered.streamSeq).toBeLessThanOrEqual(messages.lastSeq);
      expect(ackFloor.streamSeq).toBeGreaterThanOrEqual(told.acked);
      for (let seq = ackFloor.streamSeq + 1; seq <= delivered.streamSeq; seq++) expect(pending.has(seq)).toBe(true);
      await storage.close();
    }
  });
});
