import { afterEach, describe, expect, it } from 'vitest';
import { Permissions } from '../src/auth/permissions.ts';
import { Access } from '../src/connection/access.ts';
import type { NatsServer, PermissionsOptions } from '../src/index.ts';
import { REPLIES_MAX, REPLY_PRUNE_AT, VERDICTS_MAX } from '../src/limits.ts';
import { login, ManualClock, type RawClient, startServer, type TestLogger } from './support.ts';

let server: NatsServer;
let port: number;
let logger: TestLogger;

afterEach(async () => {
  await server?.shutdown();
});

/** A server with the user `u` that has these permissions and the user `all` that may do anything. */
async function start(permissions: PermissionsOptions): Promise<void> {
  const users = [
    { user: 'u', password: 'p', permissions },
    { user: 'all', password: 'p' },
  ];
  ({ server, port, logger } = await startServer({ authorization: { users } }));
}

const user = (options: object = {}): Promise<RawClient> => login(port, { user: 'u', pass: 'p', ...options });
const admin = (): Promise<RawClient> => login(port, { user: 'all', pass: 'p' });

const publishError = (subject: string): string => `-ERR 'Permissions Violation for Publish to "${subject}"'\r\n`;

describe('publish permissions', () => {
  it('let pass what is allowed and not denied, take wildcards literally, and keep the connection', async () => {
    await start({ publish: { allow: ['a.*', 'b.>'], deny: ['b.no.>', 'a.x'] } });
    const client = await user();
    const witness = await admin();
    witness.send('SUB > 1\r\n');
    await witness.flush();
    for (const subject of ['a.b', 'b.c', 'b.no', 'a.*', 'b.>', 'a.b']) client.send(`PUB ${subject} 0\r\n\r\n`);
    expect(await client.flush()).toBe('');
    expect(await witness.flush()).toBe(
      ['a.b', 'b.c', 'b.no', 'a.*', 'b.>', 'a.b'].map((subject) => `MSG ${subject} 1 0\r\n\r\n`).join(''),
    );
    for (const subject of ['a', 'a.x', 'a.b.c', 'b.no.x', 'c']) {
      client.send(`PUB ${subject} 0\r\n\r\n`);
      expect(await client.flush()).toBe(publishError(subject));
      expect(logger.lines.at(-1)).toMatch(new RegExp(`^ERR .* - Publish Violation - Subject "${subject}"$`));
    }
    expect(await witness.flush()).toBe('');
  });

  it('answer a refused publish of a verbose client with the error alone', async () => {
    await start({ publish: { allow: ['a'] } });
    const client = await user({ verbose: true });
    await client.flush();
    client.send('PUB b 0\r\n\r\nPUB a 0\r\n\r\n');
    expect(await client.flush()).toBe(`${publishError('b')}+OK\r\n`);
  });
});

describe('subscribe permissions', () => {
  it('let pass subsets of what is allowed that are not subsets of what is denied', async () => {
    await start({ subscribe: { allow: ['a.>', 'b.*', '_INBOX.>'], deny: ['a.no', 'a.none.>'] } });
    const client = await user();
    const refused = ['>', '*', 'b.>', 'c', 'a.no', 'a.none.x', 'a.none.>'];
    for (const [sid, subject] of refused.entries()) {
      client.send(`SUB ${subject} ${sid}\r\n`);
      expect(await client.flush()).toBe(`-ERR 'Permissions Violation for Subscription to "${subject}"'\r\n`);
      expect(logger.lines.at(-1)).toContain(`Subscription Violation - Subject "${subject}", SID ${sid}`);
    }
    client.send('SUB a.> x1\r\nSUB a.* x2\r\nSUB b.* x3\r\nSUB a.b.c x4\r\n');
    expect(await client.flush()).toBe('');
  });

  it('drop denied messages at delivery when the subscription is wider, also in queue groups', async () => {
    await start({ subscribe: { deny: ['s.no', 's.q grp'] } });
    const client = await user();
    client.send('SUB s.* 1\r\nSUB s.* grp 2\r\nUNSUB 1 1\r\n');
    await client.flush();
    const publisher = await admin();
    publisher.send('PUB s.no 1\r\nx\r\nPUB s.q 1\r\ny\r\nPUB s.ok 1\r\nz\r\n');
    await publisher.flush();
    // Messages dropped at delivery do not count towards UNSUB max.
    expect(await client.flush()).toBe('MSG s.q 1 1\r\ny\r\nMSG s.ok 2 1\r\nz\r\n');
  });

  it('can be for queue groups', async () => {
    await start({ subscribe: { allow: ['plain', 'qq grp', 'both', 'both v1.*'], deny: ['den', 'plain bad'] } });
    const client = await user();
    const cases: [string, boolean][] = [
      ['plain', true],
      ['plain any', true],
      ['plain bad', false],
      ['qq', false],
      ['qq grp', true],
      ['qq other', false],
      ['both', true],
      ['both v1.x', true],
      ['both v2.x', false],
      ['den', false],
    ];
    for (const [index, [subject, isAllowed]] of cases.entries()) {
      client.send(`SUB ${subject} ${index}\r\n`);
      expect((await client.flush()) === '', subject).toBe(isAllowed);
    }
    expect(logger.lines.some((line) => line.endsWith('- Subject "qq", Queue: "other", SID 5'))).toBe(true);
  });
});

describe('allow_responses', () => {
  it('lets a service answer what it was asked, once, and publish nothing else', async () => {
    await start({ subscribe: { allow: ['svc'] }, responses: true });
    const service = await user();
    service.send('SUB svc 1\r\n');
    await service.flush();
    const client = await admin();
    client.send('SUB r.> 1\r\nPUB svc r.1 0\r\n\r\nPUB svc r.2 0\r\n\r\n');
    await client.flush();
    await service.flush();
    service.send('PUB r.1 1\r\na\r\nPUB r.2 1\r\nb\r\nPUB r.1 1\r\nc\r\nPUB r.3 1\r\nd\r\n');
    expect(await service.flush()).toBe(publishError('r.1') + publishError('r.3'));
    expect(await client.flush()).toBe('MSG r.1 1 1\r\na\r\nMSG r.2 1 1\r\nb\r\n');
  });

  it('works beside other publish permissions, with a maximum of its own', async () => {
    await start({ publish: { allow: ['ok'] }, responses: { maxMsgs: 2, expiresMs: 60_000 } });
    const service = await user();
    service.send('SUB svc 1\r\n');
    await service.flush();
    const client = await admin();
    client.send('SUB r 1\r\nPUB svc r 0\r\n\r\n');
    await client.flush();
    await service.flush();
    service.send('PUB ok 0\r\n\r\nPUB r 1\r\na\r\nPUB r 1\r\nb\r\nPUB r 1\r\nc\r\n');
    expect(await service.flush()).toBe(publishError('r'));
    expect(await client.flush()).toBe('MSG r 1 1\r\na\r\nMSG r 1 1\r\nb\r\n');
  });

  it('ends after its time, and is unlimited with -1', () => {
    const clock = new ManualClock();
    const limited = new Access(new Permissions({ responses: { maxMsgs: 5, expiresMs: 1000 } }), clock);
    const unlimited = new Access(new Permissions({ responses: { maxMsgs: -1, expiresMs: -1 } }), clock);
    for (const access of [limited, unlimited]) access.delivered('r');
    clock.advance(999);
    expect([limited.mayPublish('r'), unlimited.mayPublish('r')]).toEqual([true, true]);
    clock.advance(2);
    expect([limited.mayPublish('r'), unlimited.mayPublish('r')]).toEqual([false, true]);
    for (let i = 0; i < 100; i++) expect(unlimited.mayPublish('r')).toBe(true);
  });

  it('forgets used-up replies after a while, and the oldest ones at its limit', () => {
    const clock = new ManualClock();
    const access = new Access(new Permissions({ responses: true }), clock);
    for (let i = 0; i <= REPLY_PRUNE_AT; i++) {
      access.delivered(`r.${i}`);
      access.mayPublish(`r.${i}`);
    }
    expect(access.openReplies).toBeLessThan(3);
    for (let i = 0; i < REPLIES_MAX + 10; i++) access.delivered(`open.${i}`);
    expect(access.openReplies).toBe(REPLIES_MAX);
    expect(access.mayPublish('open.3')).toBe(false);
    expect(access.mayPublish(`open.${REPLIES_MAX + 9}`)).toBe(true);
  });
});

describe('verdicts', () => {
  it('are right beyond the number of subjects that are remembered', () => {
    const access = new Access(
      new Permissions({ publish: { allow: ['a.*'] }, subscribe: { deny: ['d.*'] } }),
      new ManualClock(),
    );
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < VERDICTS_MAX + 10; i++) {
        expect(access.mayPublish(`a.${i}`)).toBe(true);
        expect(access.mayPublish(`b.${i}`)).toBe(false);
        expect(access.deniesDelivery(`d.${i}`, null)).toBe(true);
        expect(access.deniesDelivery(`e.${i}`, 'q')).toBe(false);
      }
    }
  });
});
