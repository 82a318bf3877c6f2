import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../fake-host.ts';
import { Harness } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';
import { type ManualMessages, ManualStorage } from './manual-storage.ts';
import { openStream } from './stream-bench.ts';

async function open(config: Record<string, unknown> = {}): Promise<{
  harness: Harness;
  store: ManualMessages;
  /** Publishes on `s.a` and keeps what comes back. */
  publish: (payload: string, headers?: Record<string, string>) => void;
  replies: string[];
}> {
  const storage = new ManualStorage();
  const harness = await Harness.open({}, storage);
  await harness.create({ name: 'S', subjects: ['s.>'], allow_direct: true, ...config });
  const replies: string[] = [];
  harness.account.listen('R', ({ header, payload }) => replies.push(header + payload));
  const publish = (payload: string, headers?: Record<string, string>): void => {
    harness.account.publish('s.a', payload, { reply: 'R', ...(headers && { headers }) });
  };
  return { harness, store: storage.stream('S'), publish, replies };
}

describe('what waits for the commit', () => {
  it('acknowledges in ingest order, when the store has committed, duplicates and refusals in their turn', async () => {
    const { store, publish, replies } = await open();
    publish('1', { 'Nats-Msg-Id': 'x' });
    publish('1', { 'Nats-Msg-Id': 'x' });
    publish('2', { 'Nats-Expected-Last-Sequence': '7' });
    publish('3');
    await turns();
    expect(replies).toEqual([]);
    store.commit();
    expect(replies).toEqual([
      '{"stream":"S","seq":1}',
      '{"stream":"S","seq":1,"duplicate": true}',
      '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 1"},"stream":"S","seq":0}',
      '{"stream":"S","seq":2}',
    ]);
  });

  it('answers at once when nothing is outstanding', async () => {
    const { store, publish, replies } = await open();
    publish('1', { 'Nats-Msg-Id': 'x' });
    store.commit();
    replies.length = 0;
    publish('1', { 'Nats-Msg-Id': 'x' });
    publish('2', { 'Nats-Expected-Stream': 'T' });
    expect(replies).toEqual([
      '{"stream":"S","seq":1,"duplicate": true}',
      '{"error":{"code":400,"err_code":10060,"description":"expected stream does not match"},"stream":"S","seq":0}',
    ]);
  });

  it('tells of a message that is not durable yet only when it is', async () => {
    const { harness, store, publish } = await open({ max_msgs_per_subject: 1 });
    publish('old');
    store.commit();
    publish('new');
    const answers: string[] = [];
    const ask = async (subject: string, body = ''): Promise<void> => {
      const answer = await harness.account.request(subject, body);
      answers.push(`${subject.slice('$JS.API.'.length)}: ${answer?.payload}`);
    };
    void ask('$JS.API.DIRECT.GET.S.s.a');
    void ask('$JS.API.STREAM.MSG.GET.S', '{"last_by_subj":"s.a"}');
    void ask('$JS.API.STREAM.INFO.S');
    await turns();
    expect(answers).toEqual([]);
    store.commit();
    await turns();
    expect(answers).toHaveLength(3);
    expect(answers[0]).toBe('DIRECT.GET.S.s.a: new');
    expect(answers[1]).toContain(Buffer.from('new').toString('base64'));
    expect(answers[2]).toContain('"last_seq":2');
  });

  it('reads a committed message without waiting for later ones', async () => {
    const { harness, store, publish } = await open();
    publish('1');
    store.commit();
    publish('2');
    expect(await harness.ask('$JS.API.DIRECT.GET.S', '{"seq":1,"no_hdr":true}')).toBe('1');
  });

  it('confirms deletes and purges when they are durable', async () => {
    const { harness, store, publish } = await open();
    publish('1');
    publish('2');
    store.commit();
    const answers: string[] = [];
    void harness.api('STREAM.MSG.DELETE.S', { seq: 1 }).then((text) => answers.push(text));
    void harness.api('STREAM.PURGE.S').then((text) => answers.push(text));
    await turns();
    expect(answers).toEqual([]);
    store.commit();
    await turns();
    expect(answers.map((text) => JSON.parse(text).success)).toEqual([true, true]);
  });

  it('republishes what is committed', async () => {
    const { harness, store, publish } = await open({ republish: { src: 's.>', dest: 'copy.>' } });
    const copies = harness.account.inbox('copy.>');
    publish('1');
    expect(copies).toEqual([]);
    store.commit();
    expect(copies.map(({ subject, payload }) => `${subject} ${payload}`)).toEqual(['copy.a 1']);
  });

  it('commits and acknowledges at a shutdown', async () => {
    const { harness, publish, replies } = await open();
    publish('1');
    await harness.jetstream.shutdown();
    expect(replies).toEqual(['{"stream":"S","seq":1}']);
    expect(await harness.ask('s.a', '2')).toBe('503');
  });
});

describe('a store that fails', () => {
  const failed = '{"error":{"code":503,"err_code":10077,"description":"no space left on device"},"stream":"S","seq":0}';

  it('answers what waits and what comes with 10077 until it is writable again', async () => {
    const { harness, store, publish, replies } = await open();
    publish('1');
    store.isDiskGood = false;
    store.fail('no space left on device');
    publish('2');
    expect(replies).toEqual([failed, failed]);
    harness.host.clock.advance(1_000);
    await turns();
    publish('3');
    expect(replies).toEqual([failed, failed, failed]);

    store.isDiskGood = true;
    harness.host.clock.advance(1_000);
    await turns();
    replies.length = 0;
    publish('4');
    store.commit();
    expect(replies).toEqual(['{"stream":"S","seq":2}']);
  });

  it('shows nothing that is not committed, neither to whoever waits for it nor later', async () => {
    const { harness, store, publish } = await open({ storage: 'memory' });
    publish('1');
    store.commit();
    const before = (await harness.json('STREAM.INFO.S', { subjects_filter: '>' })).state;
    const answers = harness.account.inbox('I');
    store.isDiskGood = false;
    publish('2');
    harness.account.publish('s.new', '3');
    for (const subject of ['STREAM.INFO.S', 'STREAM.LIST'])
      harness.account.publish(`$JS.API.${subject}`, '{}', { reply: 'I' });
    await turns();
    expect(answers).toEqual([]);
    store.fail('no space left on device');
    await turns();
    const [info, list] = answers.map(({ payload }) => JSON.parse(payload));
    const { subjects, ...state } = before;
    expect(info.state).toEqual(state);
    expect(list.streams[0].state).toEqual(state);
    const later = await harness.json('STREAM.INFO.S', { subjects_filter: '>' });
    expect([later.total, later.state]).toEqual([1, { ...state, subjects }]);
  });

  it('shows an empty stream as long as its first message is not committed', async () => {
    const { harness, store, publish } = await open({ storage: 'memory' });
    const before = await harness.state('S');
    store.isDiskGood = false;
    publish('1');
    store.fail('no space left on device');
    expect(await harness.state('S')).toEqual(before);
  });

  it('refuses changes and goes on answering questions', async () => {
    const { harness, store, publish } = await open();
    publish('1');
    store.commit();
    store.isDiskGood = false;
    store.fail('no space left on device');
    expect(await harness.outcome('STREAM.PURGE.S')).toBe('503 10077 no space left on device');
    expect(await harness.outcome('STREAM.MSG.DELETE.S', { seq: 1 })).toBe('503 10077 no space left on device');
    expect((await harness.state('S')).messages).toBe(1);
    expect(await harness.ask('$JS.API.DIRECT.GET.S', '{"seq":1,"no_hdr":true}')).toBe('1');
    expect(harness.jetstream.healthz()).toEqual({
      status: 'unavailable',
      code: 503,
      error: "JetStream stream '$G > S' is not current: no space left on device",
    });
  });
});

describe('limits of what may wait', () => {
  it('refuses messages with 10167 when too many wait', async () => {
    const storage = new ManualStorage();
    const harness = await Harness.open({ limits: { maxBufferedMsgs: 2 } }, storage);
    await harness.create({ name: 'S', subjects: ['s'] });
    const replies = harness.account.inbox('R');
    for (let i = 0; i < 3; i++) harness.account.publish('s', '', { reply: 'R' });
    expect(replies.map(({ header, payload }) => header + payload)).toEqual([
      'NATS/1.0 429 Too Many Requests\r\n\r\n{"error":{"code":429,"err_code":10167,"description":"too many requests"},"stream":"S","seq":0}',
    ]);
    storage.stream('S').commit();
    harness.account.publish('s', '', { reply: 'R' });
    storage.stream('S').commit();
    expect(replies.map(({ payload }) => payload).slice(1)).toEqual([
      '{"stream":"S","seq":1}',
      '{"stream":"S","seq":2}',
      '{"stream":"S","seq":3}',
    ]);
  });

  it('counts their bytes too', async () => {
    const storage = new ManualStorage();
    const harness = await Harness.open({ limits: { maxBufferedBytes: 100 } }, storage);
    await harness.create({ name: 'S', subjects: ['s'] });
    const replies = harness.account.inbox('R');
    for (let i = 0; i < 3; i++) harness.account.publish('s', 'x'.repeat(60), { reply: 'R' });
    expect(replies).toHaveLength(1);
    expect(replies[0]!.payload).toContain('10167');
    expect(harness.host.lines).toContain("WRN Dropping messages due to excessive stream ingest rate on stream 'S'");
  });

  it('has publishers wait from half of it on, until a quarter is left', async () => {
    const { host, stream, store, publish } = await openStream(
      {},
      { isInstant: false, options: { limits: { maxBufferedMsgs: 8 } } },
    );
    const account = host.account();
    for (let i = 0; i < 4; i++) publish('s.a');
    expect(account.holds).toBe(0);
    publish('s.a');
    // What the server itself sends cannot wait.
    account.deliver('s.a', 's.a', null, null, null);
    expect([account.holds, stream.messages.messages]).toEqual([1, 6]);
    store.commit();
    expect(account.holds).toBe(0);
    for (let i = 0; i < 3; i++) publish('s.a');
    store.commit();
    expect(account.holds).toBe(0);
  });

  it('goes by the bytes that wait as well', async () => {
    const { host, store, publish } = await openStream(
      {},
      { isInstant: false, options: { limits: { maxBufferedBytes: 200 } } },
    );
    publish('s.a', 'x'.repeat(100));
    publish('s.a');
    expect(host.account().holds).toBe(1);
    store.commit();
    expect(host.account().holds).toBe(0);
  });

  it('keeps nobody waiting for a store that failed, or for a stream that is gone', async () => {
    const limited = { isInstant: false, options: { limits: { maxBufferedMsgs: 4 } } };
    for (const end of ['fails', 'goes'] as const) {
      const { host, stream, store, publish } = await openStream({}, limited);
      for (let i = 0; i < 3; i++) publish('s.a');
      expect(host.account().holds).toBe(1);
      if (end === 'fails') store.fail('no space left on device');
      else stream.commits.close(new Error('stream is deleted'));
      expect(host.account().holds).toBe(0);
      publish('s.a');
      expect(host.account().holds).toBe(end === 'fails' ? 0 : 1);
    }
  });

  it('counts answers that wait among them', async () => {
    const storage = new ManualStorage();
    const harness = await Harness.open({ limits: { maxBufferedMsgs: 2 } }, storage);
    await harness.create({ name: 'S', subjects: ['s'], allow_direct: true });
    harness.account.publish('s', 'x');
    const waiting = harness.ask('$JS.API.DIRECT.GET.S', '{"last_by_subj":"s","no_hdr":true}');
    expect(await harness.ask('$JS.API.DIRECT.GET.S', '{"seq":1}')).toBe(
      'NATS/1.0 500 too many requests wait for the store\r\n\r\n',
    );
    expect(await harness.outcome('STREAM.MSG.GET.S', { seq: 1 })).toBe(
      '503 10077 too many requests wait for the store',
    );
    storage.stream('S').commit();
    expect(await waiting).toBe('x');
  });

  it('refuses messages above the limits of the account', async () => {
    const storage = new ManualStorage();
    storage.isInstant = true;
    const harness = await Harness.open({}, storage);
    harness.account.jetstreamLimits = { ...UNLIMITED, maxStorage: 100 };
    await harness.create({ name: 'S', subjects: ['s'] });
    harness.account.publish('s', 'x'.repeat(40));
    expect(await harness.ask('s', 'x'.repeat(40))).toBe(
      '{"error":{"code":400,"err_code":10002,"description":"resource limits exceeded for account"},"stream":"S","seq":0}',
    );
  });

  it('refuses messages above the limits of the server', async () => {
    const storage = new ManualStorage();
    storage.isInstant = true;
    const harness = await Harness.open({ limits: { maxStorage: 50 } }, storage);
    await harness.create({ name: 'S', subjects: ['s'] });
    harness.account.publish('s', 'x'.repeat(60));
    expect(await harness.ask('s', 'x')).toContain('"err_code":10023,"description":"insufficient resources"');
  });
});
