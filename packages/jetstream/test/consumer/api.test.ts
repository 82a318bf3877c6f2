import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIST_PAGE, NAMES_PAGE } from '../../src/consumer/api.ts';
import { JetStream } from '../../src/jetstream.ts';
import { MemoryStorage } from '../../src/store/index.ts';
import { type FakeAccount, FakeHost, type Received } from '../fake-host.ts';
import { turns } from '../manual-clock.ts';

let host: FakeHost;
let account: FakeAccount;
let jetstream: JetStream;

beforeEach(async () => {
  host = new FakeHost();
  account = host.account();
  jetstream = await JetStream.open(host, new MemoryStorage());
  await api('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], storage: 'memory' });
});

afterEach(() => jetstream.shutdown());

type Json = Record<string, unknown>;

/** The answer of an API request; null = no responders, undefined = silence. */
async function api(subject: string, body: Json | string = ''): Promise<Json | null | undefined> {
  const answer = await account.request(`$JS.API.${subject}`, typeof body === 'string' ? body : JSON.stringify(body));
  return answer === null || answer === undefined ? answer : (JSON.parse(answer.payload) as Json);
}

function create(name: string, config: Json = {}): Promise<Json | null | undefined> {
  return api(`CONSUMER.CREATE.S.${name}`, { stream_name: 'S', config: { name, ...config } });
}

async function publish(subject: string, payload = ''): Promise<void> {
  await account.request(subject, payload);
}

function listen(subject: string): Received[] {
  return account.inbox(subject);
}

describe('CONSUMER.CREATE', () => {
  it('answers with the consumer as it begins, in the order of nats-server', async () => {
    await publish('s.a');
    const created = await create('c', { durable_name: 'c', ack_policy: 'explicit' });
    expect(Object.keys(created!)).toEqual([
      'type',
      'stream_name',
      'name',
      'created',
      'config',
      'delivered',
      'ack_floor',
      'num_ack_pending',
      'num_redelivered',
      'num_waiting',
      'num_pending',
      'ts',
    ]);
    expect(created).toMatchObject({
      type: 'io.nats.jetstream.api.v1.consumer_create_response',
      stream_name: 'S',
      name: 'c',
      num_pending: 1,
      delivered: { consumer_seq: 0, stream_seq: 0 },
    });
    expect((await api('CONSUMER.INFO.S.c'))!['created']).toBe(created!['created']);
  });

  it('answers before the first message of a push consumer goes out', async () => {
    await publish('s.a', 'first');
    const order: string[] = [];
    account.listen('p', () => order.push('message'));
    account.listen('r', () => order.push('answer'));
    const config = { name: 'c', deliver_subject: 'p' };
    account.publish('$JS.API.CONSUMER.CREATE.S.c', JSON.stringify({ stream_name: 'S', config }), { reply: 'r' });
    await turns(20);
    expect(order).toEqual(['answer', 'message']);
  });

  it('says in the answer that a push consumer is bound already', async () => {
    listen('p');
    expect(await create('c', { deliver_subject: 'p' })).toMatchObject({ push_bound: true });
    expect(await create('d', { deliver_subject: 'q' })).not.toHaveProperty('push_bound');
  });

  it('tells of the creation', async () => {
    const events = listen('$JS.EVENT.ADVISORY.CONSUMER.CREATED.S.c');
    await create('c');
    expect(JSON.parse(events[0]!.payload)).toMatchObject({
      type: 'io.nats.jetstream.advisory.v1.consumer_action',
      stream: 'S',
      consumer: 'c',
      action: 'create',
    });
  });

  it('names ephemeral consumers that come without a name', async () => {
    const created = await api('CONSUMER.CREATE.S', { stream_name: 'S', config: { ack_policy: 'explicit' } });
    expect(created).toMatchObject({ config: { inactive_threshold: 5_000_000_000 } });
    expect(created!['config']).not.toHaveProperty('name');
    expect(created!['name']).toMatch(/^\w{8}$/);
    expect(await api(`CONSUMER.INFO.S.${created!['name'] as string}`)).toMatchObject({ name: created!['name'] });
  });

  it('of the same durable by two members at once succeeds for both', async () => {
    const config = { durable_name: 'g', ack_policy: 'explicit', deliver_subject: 'p1', deliver_group: 'g' };
    const [first, second] = await Promise.all([create('g', config), create('g', { ...config, deliver_subject: 'p2' })]);
    expect(first).toMatchObject({ config: { deliver_subject: 'p1' } });
    expect(second).toMatchObject({ config: { deliver_subject: 'p2' } });
    account.listen('p2', () => {}, 'g');
    expect(await create('g', config)).toMatchObject({ error: { err_code: 10013 } });
  });
});

describe('CONSUMER.INFO', () => {
  it.each([
    ['CONSUMER.INFO.S.nope', '', 10014],
    ['CONSUMER.INFO.nope.c', '', 10059],
    ['CONSUMER.INFO.S.c', 'x', 10038],
  ])('%s with body %j fails', async (subject, body, err_code) => {
    await create('c');
    expect(await api(subject, body)).toMatchObject({
      type: 'io.nats.jetstream.api.v1.consumer_info_response',
      error: { err_code },
    });
  });

  it('tells when a message and an ack were last seen', async () => {
    await publish('s.a');
    await create('c', { ack_policy: 'explicit' });
    const inbox = listen('in');
    host.clock.advance(1000);
    account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '', { reply: 'in' });
    host.clock.advance(500);
    account.publish(inbox[0]!.reply!, '+ACK');
    expect(await api('CONSUMER.INFO.S.c')).toMatchObject({
      delivered: { consumer_seq: 1, stream_seq: 1, last_active: '2026-01-02T03:04:06Z' },
      ack_floor: { consumer_seq: 1, stream_seq: 1, last_active: '2026-01-02T03:04:06.5Z' },
      ts: '2026-01-02T03:04:06.5Z',
    });
  });
});

describe('CONSUMER.DELETE', () => {
  it('removes the consumer and tells', async () => {
    await create('c');
    const events = listen('$JS.EVENT.ADVISORY.CONSUMER.DELETED.S.c');
    expect(await api('CONSUMER.DELETE.S.c')).toEqual({
      type: 'io.nats.jetstream.api.v1.consumer_delete_response',
      success: true,
    });
    expect(events).toHaveLength(1);
    expect(await api('CONSUMER.DELETE.S.c')).toMatchObject({ error: { err_code: 10014 } });
    expect(await account.request('$JS.API.CONSUMER.MSG.NEXT.S.c')).toBeNull();
  });

  it('goes with its stream', async () => {
    await create('c');
    const events = listen('$JS.EVENT.ADVISORY.CONSUMER.DELETED.S.c');
    const inbox = listen('in');
    account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '', { reply: 'in' });
    await api('STREAM.DELETE.S');
    expect(inbox.map(({ header }) => header)).toEqual(['NATS/1.0 409 Consumer Deleted\r\n\r\n']);
    expect(events).toHaveLength(1);
  });
});

describe('CONSUMER.NAMES and CONSUMER.LIST', () => {
  it('are sorted and paged', async () => {
    for (let at = LIST_PAGE; at >= 0; at--) await create(`c${String(at).padStart(3, '0')}`, { mem_storage: true });
    const names = await api('CONSUMER.NAMES.S');
    expect(names).toMatchObject({ total: LIST_PAGE + 1, offset: 0, limit: NAMES_PAGE });
    expect((names!['consumers'] as string[])[0]).toBe('c000');
    const first = await api('CONSUMER.LIST.S');
    expect(first).toMatchObject({ total: LIST_PAGE + 1, offset: 0, limit: LIST_PAGE });
    expect(first!['consumers']).toHaveLength(LIST_PAGE);
    const second = await api('CONSUMER.LIST.S', { offset: LIST_PAGE });
    expect(second!['consumers']).toMatchObject([{ name: `c${LIST_PAGE}` }]);
    // As stored: version and level are only in replies about one consumer.
    expect(second!['consumers']).toHaveProperty('0.config.metadata', { '_nats.req.level': '0' });
    expect(await api('CONSUMER.NAMES.S', { offset: 10_000 })).toMatchObject({ offset: LIST_PAGE + 1, consumers: [] });
  });

  it.each(['NAMES', 'LIST'])('%s of a missing stream keeps its fields', async (kind) => {
    expect(await api(`CONSUMER.${kind}.nope`)).toEqual({
      type: `io.nats.jetstream.api.v1.consumer_${kind.toLowerCase()}_response`,
      error: { code: 404, err_code: 10059, description: 'stream not found' },
      total: 0,
      offset: 0,
      limit: 0,
      consumers: [],
    });
  });
});

describe('CONSUMER.PAUSE', () => {
  it('pauses until a moment and resumes', async () => {
    await create('c', { durable_name: 'c', ack_policy: 'explicit' });
    const events = listen('$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.c');
    expect(await api('CONSUMER.PAUSE.S.c', { pause_until: '2026-01-02T05:04:05+01:00' })).toEqual({
      type: 'io.nats.jetstream.api.v1.consumer_pause_response',
      paused: true,
      pause_until: '2026-01-02T04:04:05Z',
      pause_remaining: 3_600_000_000_000,
    });
    expect(await api('CONSUMER.INFO.S.c')).toMatchObject({
      paused: true,
      config: { pause_until: '2026-01-02T04:04:05Z', metadata: { '_nats.req.level': '1' } },
    });
    await publish('s.a', 'm1');
    const inbox = listen('in');
    account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '', { reply: 'in' });
    expect(inbox).toEqual([]);
    expect(await api('CONSUMER.PAUSE.S.c')).toEqual({
      type: 'io.nats.jetstream.api.v1.consumer_pause_response',
      paused: false,
      pause_until: '0001-01-01T00:00:00Z',
    });
    expect(inbox).toHaveLength(1);
    expect(events.map(({ payload }) => (JSON.parse(payload) as Json)['paused'])).toEqual([true, false]);
  });

  it('of a missing consumer fails', async () => {
    expect(await api('CONSUMER.PAUSE.S.c', { pause_until: '2999-01-01T00:00:00Z' })).toMatchObject({
      error: { err_code: 10014 },
    });
  });
});

describe('CONSUMER.RESET', () => {
  beforeEach(async () => {
    for (let at = 1; at <= 5; at++) await publish('s.a', `m${at}`);
  });

  async function pulled(name: string): Promise<string[]> {
    const inbox = listen(`in.${name}`);
    account.publish(`$JS.API.CONSUMER.MSG.NEXT.S.${name}`, '{"batch":9,"no_wait":true}', { reply: `in.${name}` });
    return inbox.filter(({ reply }) => reply !== null).map(({ reply }) => reply!.split('.').slice(4, 7).join('/'));
  }

  it('goes back to just above the ack floor', async () => {
    await create('c', { ack_policy: 'explicit' });
    const inbox = listen('first');
    account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '3', { reply: 'first' });
    account.publish(inbox[0]!.reply!, '');
    expect(await api('CONSUMER.RESET.S.c')).toMatchObject({
      type: 'io.nats.jetstream.api.v1.consumer_reset_response',
      name: 'c',
      num_ack_pending: 0,
      num_pending: 4,
      reset_seq: 2,
    });
    // As if it had never been active.
    expect(await api('CONSUMER.INFO.S.c')).toHaveProperty('delivered', { consumer_seq: 0, stream_seq: 1 });
    expect(await api('CONSUMER.INFO.S.c')).toHaveProperty('ack_floor', { consumer_seq: 0, stream_seq: 1 });
    expect(await pulled('c')).toEqual(['1/2/1', '1/3/2', '1/4/3', '1/5/4']);
  });

  it('goes to a sequence', async () => {
    await create('c', { ack_policy: 'explicit' });
    expect(await pulled('c')).toHaveLength(5);
    expect(await api('CONSUMER.RESET.S.c', { seq: 4 })).toMatchObject({ reset_seq: 4, num_pending: 2 });
  });

  it.each([
    [{ deliver_policy: 'by_start_sequence', opt_start_seq: 3 }, 'invalid reset: below start seq'],
    [{ deliver_policy: 'by_start_time', opt_start_time: '2200-01-01T00:00:00Z' }, 'invalid reset: below start time'],
    [{ deliver_policy: 'new' }, 'invalid reset: not allowed'],
  ])('of %j to below its start is refused', async (config, description) => {
    await create('c', { ack_policy: 'explicit', ...config });
    expect(await api('CONSUMER.RESET.S.c', { seq: 2 })).toMatchObject({ error: { err_code: 10204, description } });
  });

  it('with bad JSON fails, of a missing consumer is silent', async () => {
    await create('c');
    expect(await api('CONSUMER.RESET.S.c', '{"seq":')).toMatchObject({ error: { err_code: 10025 } });
    expect(await api('CONSUMER.RESET.S.nope')).toBeUndefined();
  });
});

describe('CONSUMER.RESET of a push consumer', () => {
  it('shows it as it begins, and delivers again', async () => {
    for (const subject of ['s.a', 's.b']) await publish(subject);
    const inbox = listen('p');
    await create('c', { durable_name: 'c', ack_policy: 'explicit', deliver_subject: 'p' });
    await turns();
    expect(inbox).toHaveLength(2);
    expect(await api('CONSUMER.RESET.S.c')).toMatchObject({
      delivered: { consumer_seq: 0, stream_seq: 0 },
      num_pending: 2,
      num_ack_pending: 0,
      reset_seq: 1,
    });
    await turns();
    expect(inbox).toHaveLength(4);
  });
});

describe('CONSUMER.UNPIN', () => {
  it('knows no group: no consumer has any', async () => {
    await create('c');
    expect(await api('CONSUMER.UNPIN.S.c', { group: 'A' })).toMatchObject({ error: { err_code: 10160 } });
  });
});

describe('on a live stream', () => {
  it('counts exactly through limits, deletes and purges', async () => {
    await api('STREAM.CREATE.L', { name: 'L', subjects: ['l.>'], storage: 'memory', max_msgs_per_subject: 2 });
    const config = { durable_name: 'c', ack_policy: 'explicit', filter_subject: 'l.a' };
    await api('CONSUMER.CREATE.L.c.l.a', { stream_name: 'L', config });
    const pending = async () => (await api('CONSUMER.INFO.L.c'))!['num_pending'];
    for (const subject of ['l.a', 'l.b', 'l.a', 'l.a']) await publish(subject);
    expect(await pending()).toBe(2);
    await api('STREAM.MSG.DELETE.L', { seq: 3 });
    expect(await pending()).toBe(1);
    await publish('l.a');
    expect(await pending()).toBe(2);
    await api('STREAM.PURGE.L', { filter: 'l.b' });
    expect(await pending()).toBe(2);
    await api('STREAM.PURGE.L');
    expect(await pending()).toBe(0);
  });

  it('keeps interest messages until all consumers acked them', async () => {
    await api('STREAM.CREATE.W', { name: 'W', subjects: ['w.>'], storage: 'memory', retention: 'interest' });
    const config = { ack_policy: 'explicit' };
    for (const name of ['a', 'b']) {
      await api(`CONSUMER.CREATE.W.${name}`, { stream_name: 'W', config: { durable_name: name, ...config } });
    }
    await publish('w.x', 'one');
    const messages = async () => ((await api('STREAM.INFO.W'))!['state'] as Json)['messages'];
    for (const name of ['a', 'b']) {
      expect(await messages()).toBe(1);
      const inbox = listen(name);
      account.publish(`$JS.API.CONSUMER.MSG.NEXT.W.${name}`, '', { reply: name });
      account.publish(inbox[0]!.reply!, '+ACK');
      await turns();
    }
    expect(await messages()).toBe(0);
  });
});
