import { describe, expect, it } from 'vitest';
import { FILTERED_SCAN_MAX } from '../../src/stream/consumer-registry.ts';
import { RETENTION_CHUNK } from '../../src/stream/retention.ts';
import { turns } from '../manual-clock.ts';
import { FakeConsumer } from './fake-consumer.ts';
import { openStream } from './stream-bench.ts';

describe('what consumers are told', () => {
  it('is what passes their filter, in order, when it is committed', async () => {
    const { stream, store, publish } = await openStream({}, { isInstant: false });
    const all = new FakeConsumer('all');
    const some = new FakeConsumer('some', ['s.b']);
    stream.addConsumer(all);
    stream.addConsumer(some);
    publish('s.a');
    publish('s.b');
    expect([all.told, some.told, stream.visibleSeq]).toEqual([[], [], 0]);
    store.commit();
    expect(all.told).toEqual(['stored 1 s.a', 'stored 2 s.b', 'commit']);
    expect(some.told).toEqual(['stored 2 s.b', 'commit']);
    expect(stream.visibleSeq).toBe(2);
  });

  it('is not a message that went before it was committed', async () => {
    const { stream, store, publish } = await openStream({ max_msgs: 3, max_msgs_per_subject: 1 }, { isInstant: false });
    const all = new FakeConsumer('all');
    stream.addConsumer(all);
    for (const subject of ['s.a', 's.b', 's.a', 's.c', 's.d']) publish(subject);
    store.commit();
    expect(all.told).toEqual(['stored 3 s.a', 'stored 4 s.c', 'stored 5 s.d', 'commit']);
    publish('s.a');
    expect(all.told.slice(4)).toEqual(['removed 3 s.a limit']);
  });

  it('finds filtered consumers through an index when there are many', async () => {
    const { stream, publish } = await openStream();
    const consumers = Array.from({ length: FILTERED_SCAN_MAX + 2 }, (_, i) => new FakeConsumer(`c${i}`, [`s.${i}.*`]));
    for (const consumer of consumers) stream.addConsumer(consumer);
    publish('s.3.x');
    await turns();
    expect(consumers.map(({ told }) => told.length)).toEqual([1, 1, 1, 2, 1, 1, 1, 1, 1, 1]);
    expect(consumers[3]!.told).toEqual(['stored 1 s.3.x', 'commit']);
    stream.remove(1, 'user', false);
    expect(consumers[3]!.told.at(-1)).toBe('removed 1 s.3.x user');
    consumers[4]!.filter = consumers[3]!.filter;
    stream.consumerChanged(consumers[4]!);
    publish('s.3.y');
    await turns();
    expect(consumers[4]!.told).toContain('stored 2 s.3.y');
  });

  it('includes purges: what went, and where the stream begins now', async () => {
    const { stream, publish } = await openStream();
    const all = new FakeConsumer('all');
    const other = new FakeConsumer('other', ['s.z']);
    const same = new FakeConsumer('same', ['s.a']);
    const wider = new FakeConsumer('wider', ['s.a', 's.b']);
    const consumers = [all, other, same, wider];
    for (const consumer of consumers) stream.addConsumer(consumer);
    for (const subject of ['s.a', 's.b', 's.a', 's.b', 's.a']) publish(subject);
    await turns();
    for (const consumer of consumers) consumer.told.length = 0;
    expect(stream.purge(['s.a'], 0, 1)).toBe(2);
    expect(all.told).toEqual(['removed 1 s.a purge', 'removed 3 s.a purge', 'purged 2']);
    expect(other.told).toEqual([]);
    expect(same.told).toEqual(['removed 1 s.a purge', 'removed 3 s.a purge', 'purged 5']);
    expect(wider.told).toEqual(['removed 1 s.a purge', 'removed 3 s.a purge', 'purged 2']);
    expect(stream.purge(['s.*'], 5, 0)).toBe(2);
    expect(all.told.at(-1)).toBe('purged 5');
    expect(other.told).toEqual(['purged 5']);
    expect(stream.purge(null, 0, 0)).toBe(1);
    expect([all, other].map(({ told }) => told.at(-1))).toEqual(['purged 6', 'purged 6']);
  });

  it('refuses a second consumer of a name, and forgets one that is removed', async () => {
    const { stream, publish } = await openStream();
    const one = new FakeConsumer('c');
    stream.addConsumer(one);
    expect(() => stream.addConsumer(new FakeConsumer('c'))).toThrow('consumer "c" is in service already');
    stream.removeConsumer(one);
    publish('s.a');
    await turns();
    expect(one.told).toEqual([]);
  });

  it('tells them why the stream ends', async () => {
    const { stream } = await openStream();
    const one = new FakeConsumer('c');
    stream.addConsumer(one);
    stream.stop('stream-deleted');
    stream.stop('shutdown');
    expect(one.told).toEqual(['stopped stream-deleted']);
  });
});

describe('interest retention', () => {
  it('uses up the sequence of a message nobody wants, and acknowledges it', async () => {
    const { stream, host } = await openStream({ retention: 'interest' });
    stream.addConsumer(new FakeConsumer('c', ['s.b']));
    const answer = await host.account().request('s.a', 'x');
    expect(answer?.payload).toBe('{"stream":"S","seq":1}');
    const { messages, firstSeq, lastSeq } = stream.messages.state();
    expect([messages, firstSeq, lastSeq, stream.visibleSeq]).toEqual([0, 2, 1, 1]);
  });

  it('keeps a message until every consumer that takes it is done with it', async () => {
    const { stream, publish } = await openStream({ retention: 'interest' });
    const all = new FakeConsumer('all');
    const some = new FakeConsumer('some', ['s.b']);
    stream.addConsumer(all);
    stream.addConsumer(some);
    publish('s.a');
    publish('s.b');
    await turns();
    for (const seq of [1, 2]) {
      all.acked.add(seq);
      stream.doneWith(all, seq);
    }
    expect(stream.messages.messages).toBe(1);
    some.acked.add(2);
    stream.doneWith(some, 2);
    expect(stream.messages.messages).toBe(0);
    expect(some.told.at(-1)).toBe('removed 2 s.b ack');
  });

  it('reads a cold message before it decides', async () => {
    const { stream, store, publish } = await openStream({ retention: 'interest' });
    const [one, two] = [new FakeConsumer('1'), new FakeConsumer('2', ['s.b'])];
    stream.addConsumer(one);
    stream.addConsumer(two);
    publish('s.a');
    await turns();
    store.cold.add(1);
    one.acked.add(1);
    stream.doneWith(one, 1);
    expect(stream.messages.messages).toBe(1);
    await turns();
    expect(stream.messages.messages).toBe(0);
  });

  it('releases what only a removed consumer held back, in more than one turn if it is much', async () => {
    const { stream, publish } = await openStream({ retention: 'interest' });
    const [one, two] = [new FakeConsumer('1'), new FakeConsumer('2')];
    stream.addConsumer(one);
    stream.addConsumer(two);
    const count = RETENTION_CHUNK * 2 + 5;
    for (let i = 0; i < count; i++) publish('s.a');
    await turns();
    for (let seq = 2; seq <= count; seq++) two.acked.add(seq);
    stream.removeConsumer(one);
    expect(stream.messages.messages).toBeGreaterThan(RETENTION_CHUNK);
    await turns();
    expect([stream.messages.messages, stream.messages.firstSeq]).toEqual([1, 1]);
    stream.removeConsumer(two);
    expect([stream.messages.messages, stream.messages.firstSeq]).toEqual([0, count + 1]);
  });

  it('removes what is done with already when a stream turns to it', async () => {
    const { stream, publish } = await openStream();
    const one = new FakeConsumer('1');
    stream.addConsumer(one);
    publish('s.a');
    publish('s.a');
    await turns();
    one.ackFloorSeq = 1;
    stream.update({ ...stream.config, retention: 'interest' });
    expect(stream.messages.firstSeq).toBe(2);
    expect(one.told).toContain('updated');
  });
});

describe('work queues', () => {
  it('keep what no consumer takes, and remove what was acked once', async () => {
    const { stream, publish } = await openStream({ retention: 'workqueue' });
    publish('s.a');
    publish('s.b');
    await turns();
    const one = new FakeConsumer('1', ['s.a']);
    stream.addConsumer(one);
    one.acked.add(1);
    stream.doneWith(one, 1);
    stream.retention.check(1);
    expect([stream.messages.messages, stream.messages.firstSeq]).toEqual([1, 2]);
    stream.removeConsumer(one);
    expect(stream.messages.messages).toBe(1);
  });
});

describe('limits streams', () => {
  it('keep what is acked', async () => {
    const { stream, publish } = await openStream();
    const one = new FakeConsumer('1');
    stream.addConsumer(one);
    publish('s.a');
    await turns();
    one.acked.add(1);
    stream.doneWith(one, 1);
    expect(stream.messages.messages).toBe(1);
  });
});
