import { hashSync } from '@node-rs/bcrypt';
import { afterEach, describe, expect, it } from 'vitest';
import { BcryptVerifier, isBcrypt, isSameSecret } from '../src/auth/passwords.ts';
import { type NatsServer, OptionsError, type ServerOptions } from '../src/index.ts';
import { BCRYPT_RUNNING_MAX, BCRYPT_WAITING_MAX, HELD_BYTES_MAX } from '../src/limits.ts';
import { ManualClock, RawClient, startServer, type TestLogger, until } from './support.ts';

let server: NatsServer;
let port: number;
let logger: TestLogger;

async function start(options: ServerOptions, clock?: ManualClock): Promise<void> {
  ({ server, port, logger } = await startServer(options, clock));
}

afterEach(async () => {
  await server?.shutdown();
});

const VIOLATION = "-ERR 'Authorization Violation'\r\n";

/** What a client gets that sends this after INFO, and whether it was closed. */
async function attempt(input: string): Promise<string> {
  const client = new RawClient(port);
  await client.info();
  client.send(`${input}PING\r\n`);
  await until(() => client.isClosed || client.received.includes('PONG\r\n'), 'an answer');
  const answer = client.received.slice(client.received.indexOf('\r\n') + 2);
  client.close();
  return answer;
}

const connect = (options: object): string => `CONNECT ${JSON.stringify({ verbose: false, ...options })}\r\n`;

describe('user and password', () => {
  it('let in who knows them, and INFO says that they are needed', async () => {
    await start({ authorization: { user: 'u', password: 'p' } });
    const client = new RawClient(port);
    expect(await client.info()).toMatchObject({ auth_required: true });
    expect(await attempt(connect({ user: 'u', pass: 'p' }))).toBe('PONG\r\n');
  });

  it.each([
    ['a wrong password', connect({ user: 'u', pass: 'x' }), ' - User "u"'],
    ['a wrong user', connect({ user: 'v', pass: 'p' }), ' - User "v"'],
    ['a token', connect({ auth_token: 'p' }), ' - Token "[REDACTED]"'],
    ['nothing', connect({}), ''],
    ['an account', connect({ user: 'u', pass: 'p', account: 'A' }), ' - User "u"'],
    ['PING first', '', ''],
    ['PUB first', 'PUB a 1\r\nx\r\n', ''],
    ['INFO first', 'INFO {}\r\n', ''],
  ])('do not let in: %s', async (_name, input, label) => {
    await start({ authorization: { user: 'u', password: 'p' } });
    expect(await attempt(input)).toBe(VIOLATION);
    const line = logger.lines.find((text) => text.includes('authentication error'));
    expect(line?.replace(/.* - authentication error/, '')).toBe(label);
  });

  it('are judged again by a second CONNECT', async () => {
    await start({ authorization: { user: 'u', password: 'p' } });
    expect(await attempt(connect({ user: 'u', pass: 'p' }) + connect({ user: 'u', pass: 'x' }))).toBe(VIOLATION);
  });

  it('are warned about when they are not hashed', async () => {
    await start({ authorization: { user: 'u', password: 'p' } });
    expect(logger.lines).toContain('WRN Plaintext passwords detected, use nkeys or bcrypt');
  });
});

describe('a token', () => {
  it('lets in who knows it, and nobody else', async () => {
    await start({ authorization: { token: 't' } });
    expect(await attempt(connect({ auth_token: 't' }))).toBe('PONG\r\n');
    expect(await attempt(connect({ auth_token: 'x' }))).toBe(VIOLATION);
    expect(await attempt(connect({ user: 't', pass: 't' }))).toBe(VIOLATION);
    expect(logger.lines.join()).not.toContain('Plaintext');
  });
});

describe('a list of users', () => {
  const users = [
    { user: 'a', password: 'pa' },
    { user: 'b', password: hashSync('pb', { cost: 4 }) },
    { user: 'w', password: 'pw', allowedConnectionTypes: ['websocket'] },
    { user: 's', password: 'ps', allowedConnectionTypes: ['Standard'] },
  ];

  it('lets each of them in with the own password, plain or bcrypt', async () => {
    await start({ authorization: { users } });
    expect(await attempt(connect({ user: 'a', pass: 'pa' }))).toBe('PONG\r\n');
    expect(await attempt(connect({ user: 'b', pass: 'pb' }))).toBe('PONG\r\n');
    expect(await attempt(connect({ user: 's', pass: 'ps' }))).toBe('PONG\r\n');
    for (const options of [
      { user: 'a', pass: 'pb' },
      { user: 'b', pass: 'x' },
      { user: 'b', pass: users[1]?.password },
      { user: 'w', pass: 'pw' },
      { user: 'zz', pass: '' },
      { auth_token: 'pa' },
    ]) {
      expect(await attempt(connect(options)), JSON.stringify(options)).toBe(VIOLATION);
    }
  });

  it('takes no_auth_user for who gives nothing, CONNECT or not, and says so in INFO', async () => {
    await start({ authorization: { users }, noAuthUser: 'a' });
    expect(await new RawClient(port).info()).not.toHaveProperty('auth_required');
    expect(await attempt(connect({}))).toBe('PONG\r\n');
    expect(await attempt('')).toBe('PONG\r\n');
    expect(await attempt(connect({ user: 'a', pass: 'x' }))).toBe(VIOLATION);
  });

  it('makes what follows CONNECT wait until a hashed password is verified', async () => {
    await start({ authorization: { users } });
    const client = new RawClient(port);
    await client.info();
    const more = `SUB a 1\r\n${'PUB a 1\r\nx\r\n'.repeat(100)}`;
    client.send(`${connect({ user: 'b', pass: 'pb' })}${more}`);
    expect(await client.flush()).toBe('MSG a 1 1\r\nx\r\n'.repeat(100));
    client.send(`PUB a 1\r\ny\r\n${connect({ user: 'b', pass: 'pb' })}SUB c 1\r\nPUB c 1\r\nz\r\n`);
    expect(await client.flush()).toBe('MSG a 1 1\r\ny\r\nMSG c 1 1\r\nz\r\n');
  });

  it('throws away what follows a CONNECT that is refused', async () => {
    await start({ authorization: { users } });
    const witness = new RawClient(port);
    await witness.info();
    witness.send(`${connect({ user: 'a', pass: 'pa' })}SUB > 1\r\n`);
    await witness.flush();
    expect(await attempt(`${connect({ user: 'b', pass: 'x' })}PUB a 1\r\nx\r\n`)).toBe(VIOLATION);
    expect(await witness.flush()).toBe('');
  });

  it('survives a client that goes away while its password is verified', async () => {
    await start({ authorization: { users } });
    const client = new RawClient(port);
    await client.info();
    client.send(connect({ user: 'b', pass: 'pb' }));
    client.close();
    await until(() => server.connectionCount === 0, 'the close');
    expect(await attempt(connect({ user: 'b', pass: 'pb' }))).toBe('PONG\r\n');
  });

  it('holds no more than one read of a client that goes on sending while its password is verified', async () => {
    await start({ authorization: { users: [{ user: 'b', password: hashSync('pb', { cost: 10 }) }] } });
    const client = new RawClient(port);
    await client.info();
    const publish = 'PUB a 1\r\nx\r\n';
    client.send(connect({ user: 'b', pass: 'pb' }) + publish.repeat((4 * HELD_BYTES_MAX) / publish.length));
    await client.flush();
    expect(client.isClosed).toBe(false);
  });
});

describe('the time for CONNECT', () => {
  it('is two seconds', async () => {
    const clock = new ManualClock();
    await start({ authorization: { user: 'u', password: 'p' } }, clock);
    const client = new RawClient(port);
    await client.info();
    clock.advance(1900);
    expect(client.isClosed).toBe(false);
    clock.advance(200);
    expect(await client.closed()).toBe("-ERR 'Authentication Timeout'\r\n");
  });

  it('does not run out once CONNECT has come, or when there is nothing to authenticate', async () => {
    const clock = new ManualClock();
    await start({ authorization: { user: 'u', password: 'p', timeoutMs: 500 } }, clock);
    const client = new RawClient(port);
    await client.info();
    client.send(connect({ user: 'u', pass: 'p' }));
    await client.flush();
    clock.advance(1000);
    await client.flush();
    await server.shutdown();
    await start({}, clock);
    const anonymous = new RawClient(port);
    await anonymous.info();
    clock.advance(10_000);
    await anonymous.flush();
  });
});

describe('options that make no sense', () => {
  it.each<[string, ServerOptions]>([
    ['Cannot have a user/pass and token', { authorization: { user: 'u', token: 't' } }],
    [
      'Can not have a single user/pass and a users array',
      { authorization: { user: 'u', users: [{ user: 'a', password: '' }] } },
    ],
    ['Can not have a token and a users array', { authorization: { token: 't', users: [{ user: 'a', password: '' }] } }],
    ['User entry requires a user', { authorization: { users: [{ user: '', password: '' }] } }],
    [
      'Duplicate user "c" detected',
      {
        authorization: {
          users: [
            { user: 'c', password: '' },
            { user: 'c', password: '' },
          ],
        },
      },
    ],
    [
      'invalid connection types ["FOO"]',
      { authorization: { users: [{ user: 'c', password: '', allowedConnectionTypes: ['foo'] }] } },
    ],
    ['no_auth_user: "zz" present, but users/nkeys are not defined', { noAuthUser: 'zz' }],
    [
      'no_auth_user: "zz" not present as user or nkey in authorization block or account configuration',
      { noAuthUser: 'zz', authorization: { users: [{ user: 'c', password: '' }] } },
    ],
    [
      'subject "a..b" is not a valid subject',
      { authorization: { users: [{ user: 'c', password: '', permissions: { publish: { allow: ['a..b'] } } }] } },
    ],
    ['server name cannot contain spaces', { serverName: 'a b' }],
    ['max_payload (200) cannot be higher than max_pending (100)', { maxPayload: 200, maxPending: 100 }],
  ])('%s', async (text, options) => {
    await expect(startServer(options)).rejects.toThrowError(new OptionsError(text));
  });
});

describe('passwords', () => {
  it('are known to be bcrypt by their prefix', () => {
    for (const hash of ['$2a$11$x', '$2b$04$', '$2x$10$', '$2y$10$']) expect(isBcrypt(hash)).toBe(true);
    for (const text of ['$2c$11$x', '$2a$1$x', '2a$11$x', '']) expect(isBcrypt(text)).toBe(false);
  });

  it('are the same only when every byte is', () => {
    expect(isSameSecret('abc', 'abc')).toBe(true);
    for (const other of ['abd', 'ab', 'abcd', '']) expect(isSameSecret('abc', other)).toBe(false);
  });

  it('are verified a few at a time, the rest waits, and beyond a limit the answer is no', async () => {
    const verifier = new BcryptVerifier();
    const hash = hashSync('p', { cost: 4 });
    const all = Array.from({ length: BCRYPT_RUNNING_MAX + BCRYPT_WAITING_MAX + 5 }, () => verifier.verify(hash, 'p'));
    const results = await Promise.all(all);
    expect(results.filter((result) => !result)).toHaveLength(5);
    expect(await verifier.verify(hash, 'p')).toBe(true);
    expect(await verifier.verify('$2a$99$broken', 'p')).toBe(false);
  });
});
