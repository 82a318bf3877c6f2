import { describe, expect, it } from 'vitest';
import { consumerModule } from '../../src/consumer/module.ts';
import { MemoryStorage } from '../../src/store/memory/memory-storage.ts';
import { FakeHost, UNLIMITED } from '../fake-host.ts';
import { Harness, NO_CONSUMERS } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';
import { ManualStorage, ManualStreamStore } from '../stream/manual-storage.ts';

describe('what a later release brings', () => {
  it.each([
    [{ compression: 's2' }, 'stream compression "s2" (compression)'],
    [{ mirror: { name: 'B' }, subjects: null }, 'a stream mirror (mirror)'],
    [{ sources: [{ name: 'B' }] }, 'stream sourcing (sources)'],
    [{ allow_msg_ttl: true }, 'per-message TTL (allow_msg_ttl)'],
    [{ subject_delete_marker_ttl: 1_000_000_000 }, 'delete markers (subject_delete_marker_ttl)'],
    [{ allow_msg_counter: true }, 'message counters (allow_msg_counter)'],
    [{ allow_atomic: true }, 'atomic batch publishing (allow_atomic)'],
    [{ allow_batched: true }, 'fast batch publishing (allow_batched)'],
    [{ allow_msg_schedules: true }, 'message scheduling (allow_msg_schedules)'],
    [{ persist_mode: 'async' }, 'the persist mode "async" (persist_mode)'],
  ])('is refused by name at create and update: %j', async (config, feature) => {
    const harness = await Harness.open();
    const expected = `500 10052 ${feature} is not supported yet by nats-ts`;
    expect(await harness.outcome('STREAM.CREATE.A', { name: 'A', ...config })).toBe(expected);
    await harness.create({ name: 'A' });
    expect(await harness.outcome('STREAM.UPDATE.A', { name: 'A', ...config })).toBe(expected);
  });

  it('includes snapshots and restores', async () => {
    const harness = await Harness.open();
    await harness.create({ name: 'A' });
    expect(await harness.outcome('STREAM.SNAPSHOT.A', { deliver_subject: 'x' })).toBe(
      '500 10064 snapshot failed: STREAM.SNAPSHOT is not supported yet by nats-ts',
    );
    expect(await harness.outcome('STREAM.RESTORE.B', { config: { name: 'B' } })).toBe(
      '500 10052 STREAM.RESTORE is not supported yet by nats-ts',
    );
  });
});

describe('pages', () => {
  it('lists streams in pages of 256 and names in pages of 1024', async () => {
    const harness = await Harness.open();
    for (let i = 0; i < 1030; i++) await harness.create({ name: `S${String(i).padStart(4, '0')}` });
    const list = await harness.json('STREAM.LIST', { offset: 250 });
    expect([list.total, list.offset, list.limit, list.streams.length]).toEqual([1030, 250, 256, 256]);
    expect(list.streams[0].config.name).toBe('S0250');
    const names = await harness.json('STREAM.NAMES');
    expect([names.total, names.offset, names.limit, names.streams.length]).toEqual([1030, 0, 1024, 1024]);
    const rest = await harness.json('STREAM.NAMES', { offset: 1024 });
    expect(rest.streams).toEqual(['S1024', 'S1025', 'S1026', 'S1027', 'S1028', 'S1029']);
  });

  it('shows the subjects of a stream in pages of 100000, sorted', async () => {
    const harness = await Harness.open();
    await harness.create({ name: 'A', subjects: ['a.*'], storage: 'memory' });
    for (let i = 0; i < 100_001; i++) {
      harness.account.publish(`a.${String(i).padStart(6, '0')}`);
      // What is published in one turn waits for the end of it, and not more than 100000 messages may wait.
      if (i % 50_000 === 0) await turns(1);
    }
    const first = await harness.json('STREAM.INFO.A', { subjects_filter: '>' });
    expect([first.total, first.offset, first.limit]).toEqual([100_001, 0, 100_000]);
    expect(Object.keys(first.state.subjects)).toHaveLength(100_000);
    const second = await harness.json('STREAM.INFO.A', { subjects_filter: '>', offset: 100_000 });
    expect(second.state.subjects).toEqual({ 'a.100000': 1 });
  });
});

describe('limits of the account', () => {
  async function openWith(limits: Partial<typeof UNLIMITED>): Promise<Harness> {
    const host = new FakeHost();
    host.account().jetstreamLimits = { ...UNLIMITED, ...limits };
    return Harness.open({}, new MemoryStorage(), NO_CONSUMERS, host);
  }

  it('hold the number of streams, before their configuration is looked at', async () => {
    const harness = await openWith({ maxStreams: 1 });
    await harness.create({ name: 'A' });
    expect(await harness.outcome('STREAM.CREATE.A', { name: 'A' })).toBe('ok');
    expect(await harness.outcome('STREAM.CREATE.B', { name: 'B', max_age: 5 })).toBe(
      '400 10027 maximum number of streams reached',
    );
  });

  it('hold the bytes that streams set aside', async () => {
    const harness = await openWith({ maxStorage: 300, maxMemory: 10 });
    await harness.create({ name: 'A', max_bytes: 200 });
    expect(await harness.outcome('STREAM.CREATE.B', { name: 'B', max_bytes: 101 })).toBe(
      '500 10047 insufficient storage resources available',
    );
    expect(await harness.outcome('STREAM.CREATE.M', { name: 'M', max_bytes: 11, storage: 'memory' })).toBe(
      '500 10028 insufficient memory resources available',
    );
    expect(await harness.outcome('STREAM.UPDATE.A', { name: 'A', max_bytes: 301 })).toBe(
      '500 10047 insufficient storage resources available',
    );
    expect(await harness.outcome('STREAM.UPDATE.A', { name: 'A', max_bytes: 300 })).toBe('ok');
    expect((await harness.json('INFO')).reserved_storage).toBe(300);
  });

  it('may ask for max_bytes and cap it', async () => {
    const harness = await openWith({ maxBytesRequired: true, storageMaxStreamBytes: 100 });
    expect(await harness.outcome('STREAM.CREATE.A', { name: 'A' })).toBe(
      '400 10113 account requires a stream config to have max bytes set',
    );
    expect(await harness.outcome('STREAM.CREATE.A', { name: 'A', max_bytes: 101 })).toBe(
      '400 10122 stream max bytes exceeds account limit max stream bytes',
    );
  });

  it('cap max_consumers', async () => {
    const harness = await openWith({ maxConsumers: 5 });
    expect(await harness.outcome('STREAM.CREATE.A', { name: 'A', max_consumers: 6 })).toBe(
      '400 10026 maximum consumers limit reached',
    );
  });
});

describe('limits of the server', () => {
  it('hold what all accounts set aside together', async () => {
    const harness = await Harness.open({ limits: { maxStorage: 100 } });
    await harness.create({ name: 'A', max_bytes: 60 });
    expect(await harness.outcome('STREAM.CREATE.B', { name: 'B', max_bytes: 60 })).toBe(
      '500 10047 insufficient storage resources available',
    );
  });

  it('cap the duplicate window', async () => {
    const harness = await Harness.open({ limits: { duplicateWindowNs: 60_000_000_000 } });
    expect(await harness.outcome('STREAM.CREATE.A', { name: 'A', duplicate_window: 61_000_000_000 })).toBe(
      '500 10052 duplicates window can not be larger then server limit of 1m0s',
    );
    const created = await harness.json('STREAM.CREATE.A', { name: 'A' });
    expect(created.config.duplicate_window).toBe(60_000_000_000);
  });
});

describe('a restart', () => {
  function stored(name: string, config: Record<string, unknown>): ManualStreamStore {
    const store = new ManualStreamStore(name, {
      created: '2025-01-01T00:00:00.000000001Z',
      config: { name, ...config },
    });
    store.messages.isInstant = true;
    return store;
  }

  it('brings streams back with their creation time, duplicate window and last message id', async () => {
    const storage = new ManualStorage();
    const store = stored('A', { subjects: ['a'], duplicate_window: 120_000_000_000 });
    const host = new FakeHost();
    const block = Buffer.from('NATS/1.0\r\nNats-Msg-Id: x\r\n\r\n');
    const nowMs = host.clock.now();
    for (const [id, ageMs] of [
      ['o', 130_000],
      ['x', 10_000],
    ] as const) {
      block.write(id, 23);
      store.messages.append('a', block, 0, block.length, block, 0, 0, nowMs - ageMs, 0);
    }
    store.messages.cold.add(2);
    storage.streams.set('A', store);
    const harness = await Harness.open({}, storage, NO_CONSUMERS, host);
    expect((await harness.json('STREAM.INFO.A')).created).toBe('2025-01-01T00:00:00.000000001Z');
    const publish = (headers: Record<string, string>): Promise<string> => harness.ask('a', '', { headers });
    expect(await publish({ 'Nats-Expected-Last-Msg-Id': 'y' })).toContain('wrong last msg ID: x');
    expect(await publish({ 'Nats-Msg-Id': 'x' })).toBe('{"stream":"A","seq":2,"duplicate": true}');
    expect(await publish({ 'Nats-Msg-Id': 'o' })).toBe('{"stream":"A","seq":3}');
  });

  it('leaves a stream that needs what is not there untouched, and lists it as offline', async () => {
    const storage = new ManualStorage();
    storage.streams.set('M', stored('M', { mirror: { name: 'B' } }));
    storage.streams.set('L', stored('L', { subjects: ['l.>'], metadata: { '_nats.req.level': '6' } }));
    storage.streams.set('U', stored('U', { subjects: ['u'], new_field: true }));
    storage.offline.push({ name: 'X', reason: 'unreadable', meta: null });
    const harness = await Harness.open({}, storage);
    const reasons = {
      L: 'unsupported - required API level: 6, current API level: 5',
      M: 'unsupported - a stream mirror (mirror) is not supported yet by nats-ts',
      U: 'unsupported - config error: json: unknown field "new_field"',
      X: 'unreadable',
    };
    const list = await harness.json('STREAM.LIST');
    expect([list.total, list.streams, list.missing, list.offline]).toEqual([4, [], ['L', 'M', 'U', 'X'], reasons]);
    expect(await harness.outcome('STREAM.CREATE.M', { name: 'M' })).toContain('10058');
    // Its subjects stay taken.
    expect(await harness.outcome('STREAM.CREATE.N', { name: 'N', subjects: ['l.a'] })).toBe(
      '400 10065 subjects overlap with an existing stream',
    );
    const answers = harness.account.inbox('R');
    harness.account.publish('$JS.API.STREAM.INFO.L', '', { reply: 'R' });
    await harness.api('INFO');
    expect(answers).toEqual([]);
    harness.host.clock.advance(500);
    expect(JSON.parse(answers[0]!.payload).error).toEqual({
      code: 500,
      err_code: 10194,
      description: `stream is offline: ${reasons.L}`,
    });
    expect(await harness.ask('l.a')).toBe('503');
  });

  it('deletes a stream that cannot run, when asked', async () => {
    const storage = new ManualStorage();
    storage.streams.set('M', stored('M', { subjects: ['m'], mirror: { name: 'B' } }));
    const harness = await Harness.open({}, storage);
    expect(await harness.json('STREAM.DELETE.M')).toMatchObject({ success: true });
    expect([...storage.streams.keys()]).toEqual([]);
    expect(await harness.json('STREAM.NAMES')).toMatchObject({ total: 0, streams: null });
    expect(await harness.outcome('STREAM.DELETE.M')).toContain('10059');
    expect(await harness.json('STREAM.CREATE.M', { name: 'M', subjects: ['m'] })).toMatchObject({ did_create: true });
  });

  it('keeps a stream in service whose limits would be refused today', async () => {
    const storage = new ManualStorage();
    storage.streams.set('A', stored('A', { subjects: ['a'], duplicate_window: 120_000_000_000 }));
    const harness = await Harness.open({ limits: { duplicateWindowNs: 1_000_000_000 } }, storage);
    expect((await harness.json('STREAM.INFO.A')).config.duplicate_window).toBe(120_000_000_000);
  });
});

describe('consumers of a stream', () => {
  it("are refused above the server's default when neither stream nor account says how many", async () => {
    const harness = await Harness.open({ limits: { defaultMaxConsumers: 2 } }, undefined, consumerModule);
    await harness.create({ name: 'A', storage: 'memory' });
    const add = (name: string): Promise<{ error?: { err_code: number } }> =>
      harness.json(`CONSUMER.CREATE.A.${name}`, { stream_name: 'A', config: { durable_name: name } });
    expect((await add('one')).error).toBeUndefined();
    expect((await add('two')).error).toBeUndefined();
    expect((await add('three')).error).toMatchObject({ err_code: 10026 });
    expect((await add('two')).error).toBeUndefined();
  });
});

describe('monitoring', () => {
  it('shows streams and figures', async () => {
    const harness = await Harness.open({ shown: { storeDir: '/data', syncAlways: true } });
    await harness.create({ name: 'A', storage: 'memory' });
    harness.account.publish('A', 'x');
    expect(harness.jetstream.varz()).toEqual({
      config: { max_memory: -1, max_storage: -1, store_dir: '/data', sync_always: true, strict: true },
      stats: {
        memory: 18,
        storage: 0,
        reserved_memory: 0,
        reserved_storage: 0,
        accounts: 1,
        ha_assets: 0,
        api: { level: 5, total: 1, errors: 0 },
      },
      limits: { default_max_consumers: 1000 },
    });
    const jsz = harness.jetstream.jsz({ streams: true, config: true });
    expect(jsz).toMatchObject({ streams: 1, consumers: 0, messages: 1, bytes: 18, total: 1, server_id: 'NFAKE' });
    expect(jsz['account_details']).toMatchObject([
      { name: '$G', stream_detail: [{ name: 'A', state: { messages: 1 } }] },
    ]);
    expect(harness.jetstream.jsz()['account_details']).toBeUndefined();
    expect(harness.jetstream.healthz()).toEqual({ status: 'ok', code: 200 });
    expect(harness.jetstream.healthz({ account: '$G', stream: 'B' })).toMatchObject({ code: 404 });
    expect(harness.jetstream.healthz({ account: '$G', stream: 'A' })).toEqual({ status: 'ok', code: 200 });
    expect(harness.jetstream.healthz({ stream: 'A' })).toMatchObject({ status: 'error', code: 400 });
    const about = { account: '$G', stream: 'A', consumer: 'c' };
    expect(harness.jetstream.healthz({ ...about, details: true })).toEqual({
      status: 'error',
      code: 404,
      errors: [{ type: 'CONSUMER', ...about, error: "JetStream consumer '$G > A > c' not found" }],
    });
    expect(harness.jetstream.healthz({ account: 'x', details: true })).toEqual({
      status: 'error',
      code: 404,
      errors: [{ type: 'ACCOUNT', account: 'x', error: 'JetStream account "x" not found' }],
    });
  });
});
