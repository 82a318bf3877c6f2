import { describe, expect, it } from 'vitest';
import { apiError } from '../../src/errors/api-error.ts';
import { MemoryStorage } from '../../src/store/memory/memory-storage.ts';
import type { ConsumerModule } from '../../src/stream/consumer-port.ts';
import { FakeHost } from '../fake-host.ts';
import { Harness, NO_CONSUMERS } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';

describe('the API of an account', () => {
  it('answers requests of a queue in their order, also when one takes long', async () => {
    let finish = (): void => undefined;
    const slow: ConsumerModule = {
      ...NO_CONSUMERS,
      routes: {
        'CONSUMER.CREATE.*': {
          type: 'consumer_create_response',
          queue: 'main',
          async handle(request) {
            await new Promise<void>((resolve) => {
              finish = resolve;
            });
            request.respond({ n: 1 });
          },
        },
      },
    };
    const harness = await Harness.open({}, new MemoryStorage(), slow);
    const answers = harness.account.inbox('R.*');
    harness.account.publish('$JS.API.CONSUMER.CREATE.A', '', { reply: 'R.1' });
    harness.account.publish('$JS.API.STREAM.DELETE.A', '', { reply: 'R.2' });
    harness.account.publish('$JS.API.INFO', '', { reply: 'R.3' });
    await turns();
    // The other queue does not wait.
    expect(answers.map(({ subject }) => subject)).toEqual(['R.3']);
    finish();
    await turns();
    expect(answers.map(({ subject }) => subject)).toEqual(['R.3', 'R.1', 'R.2']);
  });

  it('turns what a handler throws into the answer', async () => {
    const failing: ConsumerModule = {
      ...NO_CONSUMERS,
      routes: {
        'CONSUMER.INFO.*.*': {
          type: 'consumer_info_response',
          queue: 'info',
          handle() {
            throw apiError('ConsumerNotFound');
          },
        },
        'CONSUMER.DELETE.*.*': {
          type: 'consumer_delete_response',
          queue: 'main',
          handle: () => Promise.reject(new Error('disk on fire')),
        },
      },
    };
    const harness = await Harness.open({}, new MemoryStorage(), failing);
    expect(await harness.outcome('CONSUMER.INFO.A.B')).toBe('404 10014 consumer not found');
    expect(await harness.outcome('CONSUMER.DELETE.A.B')).toBe('500 10051 disk on fire');
    expect(harness.host.lines).toEqual([
      'ERR JetStream API request $JS.API.CONSUMER.DELETE.A.B failed: Error: disk on fire',
    ]);
  });

  it('acts on requests nobody waits for', async () => {
    const harness = await Harness.open();
    harness.account.publish('$JS.API.STREAM.CREATE.A', '{"name":"A"}');
    await turns();
    expect((await harness.json('STREAM.NAMES')).streams).toEqual(['A']);
  });

  it('drops everything that waits when too much does, and says so in the system account', async () => {
    const host = new FakeHost();
    const system = host.account('$SYS');
    system.jetstreamLimits = null;
    const harness = await Harness.open({ limits: { requestQueue: 3 } }, new MemoryStorage(), NO_CONSUMERS, host);
    const events = system.inbox('$JS.EVENT.ADVISORY.>');
    const answers = harness.account.inbox('R');
    for (let i = 0; i < 4; i++) harness.account.publish('$JS.API.INFO', '', { reply: 'R' });
    await turns();
    expect(answers).toHaveLength(1);
    expect(JSON.parse(events[0]!.payload)).toMatchObject({
      type: 'io.nats.jetstream.advisory.v1.api_limit_reached',
      server: 'fake',
      dropped: 3,
    });
    expect(host.lines).toEqual(['WRN JetStream API queue limit reached, dropping 3 requests']);
  });

  it('counts calls, and tells the audit about them while somebody listens', async () => {
    const harness = await Harness.open();
    await harness.api('STREAM.INFO.A');
    expect(harness.account.sent).toHaveLength(1);
    const audits = harness.account.inbox('$JS.EVENT.ADVISORY.API');
    await harness.api('STREAM.CREATE.A', '{"name":"A"}');
    await harness.api('STREAM.MSG.GET.A', '{"seq":1}');
    const events = audits.map(({ payload }) => JSON.parse(payload));
    expect(events.map(({ subject, request }) => [subject, request])).toEqual([
      ['$JS.API.STREAM.CREATE.A', '{"name":"A"}'],
      ['$JS.API.STREAM.MSG.GET.A', '{"seq":1}'],
    ]);
    expect(events[0]).toMatchObject({ type: 'io.nats.jetstream.advisory.v1.api_audit', client: { acc: '$G', id: 5 } });
    expect(JSON.parse(events[0]!.response).did_create).toBe(true);
    expect((await harness.json('INFO')).api).toEqual({ level: 5, total: 3, errors: 2 });
  });

  it('tells the audit also when only a stream listens', async () => {
    const harness = await Harness.open();
    expect(await harness.outcome('STREAM.CREATE.EVENTS', { name: 'EVENTS', subjects: ['$JS.EVENT.ADVISORY.>'] })).toBe(
      'ok',
    );
    await harness.json('STREAM.INFO.EVENTS');
    await expect.poll(async () => (await harness.json('STREAM.INFO.EVENTS')).state.messages).toBeGreaterThan(1);
  });

  it('takes no requests from the server itself: an answer to an API subject is none', async () => {
    const harness = await Harness.open();
    const account = harness.host.account();
    const total = async (): Promise<number> => (await harness.json('INFO')).api.total;
    const before = await total();
    account.publish('$JS.API.INFO', '', { reply: '$JS.API.STREAM.NAMES' });
    await total();
    // An answer shows the count before it: the first request, the published one, the second request.
    expect(await total()).toBe(before + 3);
  });

  it('reads bodies leniently when it is told to', async () => {
    const harness = await Harness.open({ strict: false });
    expect(await harness.outcome('STREAM.CREATE.A', { name: 'A', bogus: 1 })).toBe('ok');
    expect(await harness.outcome('STREAM.CREATE.B', '{"name":"B"')).toBe(
      '400 10025 invalid JSON: unexpected end of JSON input',
    );
  });
});

describe('an account without JetStream', () => {
  it('is told 10039 with the type of the request', async () => {
    const host = new FakeHost();
    host.account().jetstreamLimits = null;
    const harness = await Harness.open({}, new MemoryStorage(), NO_CONSUMERS, host);
    expect(await harness.api('STREAM.NAMES')).toBe(
      '{"type":"io.nats.jetstream.api.v1.stream_names_response","error":{"code":503,"err_code":10039,"description":' +
        '"JetStream not enabled for account"},"total":0,"offset":0,"limit":0,"streams":null}',
    );
    expect(await harness.api('STREAM.FOO')).toBe('silence');
    expect(harness.jetstream.accountEnabled('$G')).toBe(false);
  });

  it('is the system account: only INFO keeps its type', async () => {
    const host = new FakeHost();
    const system = host.account('$SYS');
    system.jetstreamLimits = null;
    await Harness.open({}, new MemoryStorage(), NO_CONSUMERS, host);
    const info = await system.request('$JS.API.INFO');
    const names = await system.request('$JS.API.STREAM.NAMES');
    expect(await system.request('$JS.API.META.LEADER.STEPDOWN')).toBeUndefined();
    expect(JSON.parse(info!.payload)).toMatchObject({
      type: 'io.nats.jetstream.api.v1.account_info_response',
      error: { err_code: 10039 },
    });
    expect(JSON.parse(names!.payload)).toMatchObject({
      type: 'io.nats.jetstream.api.v1.system_response',
      error: { err_code: 10039 },
    });
  });
});

describe('accounts that appear later', () => {
  it('have their own streams', async () => {
    const harness = await Harness.open();
    await harness.create({ name: 'A' });
    const other = harness.host.account('OTHER');
    await turns();
    const names = await other.request('$JS.API.STREAM.NAMES');
    expect(JSON.parse(names!.payload).streams).toBeNull();
    expect(harness.jetstream.accountEnabled('OTHER')).toBe(true);
  });
});

describe('JetStream.open', () => {
  it('refuses a domain by name', async () => {
    await expect(Harness.open({ domain: 'hub' })).rejects.toThrow(
      'JetStream domain "hub": domains are not supported yet by nats-ts',
    );
  });
});
