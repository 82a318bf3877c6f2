import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { Objm } from '@nats-io/obj';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { connect as connectOld } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeTargets, type ServerProcess, TempDir, until } from '../src/index.ts';

describeTargets('JetStream through the official clients', (target) => {
  let dir: TempDir;
  let server: ServerProcess;
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let js: JetStreamClient;

  beforeAll(async () => {
    dir = new TempDir('js-clients');
    server = await target.start({ args: ['-js', '-sd', dir.path] });
  });
  afterAll(async () => {
    await server.kill();
    dir[Symbol.dispose]();
  });
  beforeEach(async () => {
    connection = await connect({ servers: server.url });
    manager = await jetstreamManager(connection);
    js = jetstream(connection);
  });
  afterEach(async () => {
    for await (const name of manager.streams.names()) await manager.streams.delete(name);
    await connection.close();
  });

  for (const storage of [StorageType.File, StorageType.Memory]) {
    it(`publishes, deduplicates and checks expectations (${storage})`, async () => {
      await manager.streams.add({ name: 'S', subjects: ['s.*'], storage });
      expect((await js.publish('s.a', 'one', { msgID: 'm1' })).seq).toBe(1);
      expect(await js.publish('s.a', 'again', { msgID: 'm1' })).toMatchObject({ seq: 1, duplicate: true });
      await expect(js.publish('s.a', 'x', { expect: { lastSequence: 7 } })).rejects.toThrow('wrong last sequence: 1');
      await expect(js.publish('s.a', 'x', { expect: { streamName: 'T' } })).rejects.toThrow(
        'expected stream does not match',
      );
      expect((await js.publish('s.b', 'two', { expect: { lastSubjectSequence: 0 } })).seq).toBe(2);
      const stored = await manager.streams.getMessage('S', { last_by_subj: 's.a' });
      expect(stored?.string()).toBe('one');
      await expect(js.publish('elsewhere', 'x')).rejects.toThrow();
    });

    it(`pulls with fetch and consume, acks, and redelivers what was refused (${storage})`, async () => {
      await manager.streams.add({ name: 'S', subjects: ['s.*'], storage });
      for (let i = 0; i < 50; i++) await js.publish(`s.${i % 2}`, `${i}`);
      await manager.consumers.add('S', { durable_name: 'C', ack_policy: AckPolicy.Explicit, filter_subject: 's.1' });
      const consumer = await js.consumers.get('S', 'C');
      const fetched: string[] = [];
      for await (const message of await consumer.fetch({ max_messages: 5, expires: 5_000 })) {
        if (message.string() === '3' && message.info.deliveryCount === 1) message.nak();
        else {
          expect(await message.ackAck()).toBe(true);
          fetched.push(message.string());
        }
      }
      expect(fetched).toEqual(['1', '5', '7', '9']);
      const rest: string[] = [];
      const messages = await consumer.consume({ max_messages: 10 });
      for await (const message of messages) {
        message.ack();
        rest.push(message.string());
        if (rest.length === 21) break;
      }
      expect(rest[0]).toBe('3');
      await until('everything is acked', async () => {
        const info = await consumer.info();
        return info.num_ack_pending === 0 && info.num_pending === 0;
      });
    });
  }

  it('reads a stream in order without naming a consumer', async () => {
    await manager.streams.add({ name: 'S', subjects: ['s.*'] });
    for (let i = 0; i < 200; i++) js.publish(`s.${i % 2}`, `${i}`).catch(() => {});
    await connection.flush();
    await until('all are stored', async () => (await manager.streams.info('S')).state.messages === 200);
    const ordered = await js.consumers.get('S', { filter_subjects: ['s.0'], deliver_policy: DeliverPolicy.All });
    const seen: number[] = [];
    for await (const message of await ordered.consume({ max_messages: 30 })) {
      seen.push(message.seq);
      if (seen.length === 100) break;
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i * 2 + 1));
  });

  it('pushes to the old client, with flow control and heartbeats', async () => {
    await manager.streams.add({ name: 'S', subjects: ['s.*'] });
    for (let i = 0; i < 300; i++) js.publish('s.a', `${i}`).catch(() => {});
    await connection.flush();
    const old = await connectOld({ servers: server.url });
    const seen: string[] = [];
    const subscription = await old.jetstream().subscribe('s.a', {
      config: {
        deliver_subject: 'push.here',
        ack_policy: 'none' as never,
        flow_control: true,
        idle_heartbeat: 1_000_000_000,
        deliver_policy: 'all' as never,
      },
    } as never);
    for await (const message of subscription) {
      seen.push(message.string());
      if (seen.length === 300) break;
    }
    expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`));
    await old.close();
  });

  it('keeps a work queue until acked, an interest stream while somebody wants it', async () => {
    await manager.streams.add({ name: 'W', subjects: ['w'], retention: RetentionPolicy.Workqueue });
    await manager.streams.add({ name: 'I', subjects: ['i'], retention: RetentionPolicy.Interest });
    await manager.consumers.add('W', { durable_name: 'C', ack_policy: AckPolicy.Explicit });
    await manager.consumers.add('I', { durable_name: 'A', ack_policy: AckPolicy.Explicit });
    await manager.consumers.add('I', { durable_name: 'B', ack_policy: AckPolicy.Explicit });
    for (const subject of ['w', 'i']) for (let i = 0; i < 3; i++) await js.publish(subject, `${i}`);
    const drain = async (stream: string, name: string): Promise<void> => {
      const consumer = await js.consumers.get(stream, name);
      for await (const message of await consumer.fetch({ max_messages: 3, expires: 5_000 })) await message.ackAck();
    };
    await drain('W', 'C');
    await drain('I', 'A');
    expect((await manager.streams.info('W')).state.messages).toBe(0);
    expect((await manager.streams.info('I')).state.messages).toBe(3);
    await drain('I', 'B');
    expect((await manager.streams.info('I')).state.messages).toBe(0);
  });

  it('serves a key-value bucket: put, create, update, delete, history, watch, keys', async () => {
    const kv = await new Kvm(js).create('bucket', { history: 5 });
    const watched: string[] = [];
    const watch = await kv.watch();
    void (async () => {
      for await (const entry of watch) watched.push(`${entry.operation} ${entry.key} ${entry.revision}`);
    })();
    await kv.put('a', '1');
    const revision = await kv.create('b', '1');
    await expect(kv.create('b', '2')).rejects.toThrow(/wrong last sequence/);
    await kv.update('b', '2', revision);
    await expect(kv.update('b', '3', revision)).rejects.toThrow(/wrong last sequence/);
    await kv.delete('a');
    expect((await kv.get('b'))?.string()).toBe('2');
    expect((await kv.get('a'))?.operation).toBe('DEL');
    const keys: string[] = [];
    for await (const key of await kv.keys()) keys.push(key);
    expect(keys).toEqual(['b']);
    const history: string[] = [];
    for await (const entry of await kv.history({ key: 'b' })) history.push(entry.string());
    expect(history).toEqual(['1', '2']);
    await kv.purge('b');
    await until('the watcher saw all of it', () => watched.length === 5);
    expect(watched).toEqual(['PUT a 1', 'PUT b 2', 'PUT b 3', 'DEL a 4', 'PURGE b 5']);
    watch.stop();
    const status = await kv.status();
    expect(status.values).toBe(3);
  });

  it('serves an object store: put, get, info, list, delete', async () => {
    const store = await new Objm(js).create('objects');
    const bytes = Uint8Array.from({ length: 400_000 }, (_, i) => (i * 7) % 251);
    const info = await store.put({ name: 'big', options: { max_chunk_size: 64 * 1024 } }, new Blob([bytes]).stream());
    expect(info).toMatchObject({ size: bytes.length, chunks: 7 });
    await store.putBlob({ name: 'small' }, new TextEncoder().encode('hello'));
    expect(await store.getBlob('big')).toEqual(bytes);
    expect((await store.list()).map((object) => object.name).sort()).toEqual(['big', 'small']);
    expect(await store.delete('big')).toMatchObject({ success: true });
    expect(await store.getBlob('big')).toBeNull();
    expect((await store.getBlob('small'))?.length).toBe(5);
  });

  it('reads batches directly and by subject', async () => {
    await manager.streams.add({ name: 'D', subjects: ['d.*'], allow_direct: true });
    const head = headers();
    head.set('K', 'v');
    for (let i = 0; i < 10; i++) await js.publish(`d.${i % 2}`, `${i}`, { headers: head });
    const direct = (await jetstreamManager(connection)).direct;
    const one = await direct.getMessage('D', { seq: 3 });
    expect(one?.string()).toBe('2');
    expect(one?.header.get('K')).toBe('v');
    const batch: string[] = [];
    for await (const message of await direct.getBatch('D', { batch: 4, seq: 5 })) batch.push(message.string());
    expect(batch).toEqual(['4', '5', '6', '7']);
    const last: string[] = [];
    for await (const message of await direct.getLastMessagesFor('D', { multi_last: ['d.*'] }))
      last.push(message.string());
    expect(last).toEqual(['8', '9']);
  });

  it('keeps limits and reports errors with their codes', async () => {
    await manager.streams.add({ name: 'L', subjects: ['l'], max_msgs: 3 });
    for (let i = 0; i < 5; i++) await js.publish('l', `${i}`);
    expect((await manager.streams.info('L')).state).toMatchObject({ messages: 3, first_seq: 3, last_seq: 5 });
    const failure = await manager.streams.add({ name: 'L', subjects: ['other'] }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(JetStreamApiError);
    expect((failure as JetStreamApiError).code).toBe(10058);
    await manager.streams.purge('L');
    expect((await manager.streams.info('L')).state).toMatchObject({ messages: 0, first_seq: 6, last_seq: 5 });
  });
});
