import { expect, it } from 'vitest';
import { consumerModule } from '../src/consumer/module.ts';
import { MemoryStorage } from '../src/store/memory/memory-storage.ts';
import { Harness } from './jetstream-harness.ts';

function open(): Promise<Harness> {
  return Harness.open({ limits: { maxMemory: 1000, maxStorage: 2000 } }, new MemoryStorage(), consumerModule);
}

it('adds up streams, consumers, messages and requests of all accounts', async () => {
  const harness = await open();
  await harness.create({ name: 'A', storage: 'memory', max_bytes: 500 });
  await harness.create({ name: 'B', storage: 'memory' });
  for (const name of ['A', 'A', 'B']) await harness.ask(name, 'x');
  await harness.api('CONSUMER.CREATE.A.c', { stream_name: 'A', config: { durable_name: 'c', ack_policy: 'explicit' } });
  await harness.api('STREAM.INFO.C');
  expect(harness.jetstream.totals()).toEqual({
    accounts: 1,
    streams: 2,
    offlineStreams: 0,
    failingStreams: 0,
    consumers: 1,
    messages: 3,
    bytes: 54,
    memoryUsed: 54,
    storageUsed: 0,
    memoryReserved: 500,
    storageReserved: 0,
    memoryMax: 1000,
    storageMax: 2000,
    apiTotal: 4,
    apiErrors: 1,
  });
});

it('gives the figures of each stream and its consumers', async () => {
  const harness = await open();
  await harness.create({ name: 'A', subjects: ['a.*'], storage: 'memory', max_msgs: 10 });
  for (let at = 0; at < 12; at++) await harness.ask(`a.${at % 3}`, 'x');
  const now = harness.host.clock.now();
  await harness.api('STREAM.MSG.DELETE.A', { seq: 5 });
  await harness.api('CONSUMER.CREATE.A.c', { stream_name: 'A', config: { durable_name: 'c', ack_policy: 'explicit' } });
  const inbox = harness.account.inbox('pulled');
  harness.account.publish('$JS.API.CONSUMER.MSG.NEXT.A.c', '{"batch":3}', { reply: 'pulled' });
  expect(inbox.length).toBe(3);
  harness.account.publish(inbox[0]!.reply!, '+ACK');
  harness.account.inbox('waiting');
  harness.account.publish('$JS.API.CONSUMER.MSG.NEXT.A.c', '{"batch":100,"expires":30000000000}', { reply: 'waiting' });
  const streams = [...harness.jetstream.streams()];
  expect(streams).toMatchObject([
    {
      account: '$G',
      stream: 'A',
      messages: 9,
      bytes: 9 * 20,
      messagesMax: 10,
      bytesMax: -1,
      firstSeq: 3,
      lastSeq: 12,
      firstMs: now,
      lastMs: now,
      subjects: 3,
      deleted: 1,
      lostMessages: 0,
      consumerCount: 1,
      failure: null,
    },
  ]);
  expect([...streams[0]!.consumers()]).toEqual([
    {
      name: 'c',
      figures: {
        pending: 0,
        ackPending: 8,
        redelivered: 0,
        waiting: 1,
        deliveredConsumerSeq: 9,
        deliveredStreamSeq: 12,
        ackFloorConsumerSeq: 1,
        ackFloorStreamSeq: 3,
        lastDeliveryMs: now,
        lastAckMs: now,
      },
    },
  ]);
});

it('lets streams come and go while somebody goes through them', async () => {
  const harness = await open();
  for (const name of ['A', 'B', 'C']) await harness.create({ name, storage: 'memory' });
  const seen: string[] = [];
  for (const { stream } of harness.jetstream.streams()) {
    seen.push(stream);
    if (stream === 'A') {
      await harness.api('STREAM.DELETE.B');
      await harness.create({ name: 'D', storage: 'memory' });
    }
  }
  expect(seen).toEqual(['A', 'C', 'D']);
});
