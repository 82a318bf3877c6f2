import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { NatsServer, type ServerOptions } from '../src/index.ts';
import { SLOW_CONSUMERS_MAX, SLOW_SUBSCRIPTIONS_MAX } from '../src/limits.ts';
import { login, ManualClock, RawClient, startServer, TestLogger, testClock, testIds, until } from './support.ts';

let server: NatsServer;

afterEach(async () => {
  await server.shutdown();
});

const PAYLOAD = 256 * 1024;
const MAX_PENDING = 1024 * 1024;

/** Takes lines with fields too. */
class FieldLogger extends TestLogger {
  readonly told: { text: string; fields: Readonly<Record<string, unknown>> }[] = [];

  always(text: string, fields: Readonly<Record<string, unknown>>): void {
    this.told.push({ text, fields });
  }
}

async function start(options: ServerOptions = {}): Promise<FieldLogger> {
  const logger = new FieldLogger();
  server = new NatsServer(
    { host: '127.0.0.1', port: -1, maxPending: MAX_PENDING, ...options },
    { clock: testClock, ids: testIds, logger },
  );
  await server.start();
  return logger;
}

/** Floods `subject` from inside the process until `isDone`. */
async function flood(subject: string, isDone: () => boolean, to: string = subject): Promise<void> {
  const account = [...server.host.accounts()].find(({ name }) => name === '$G');
  const payload = new Uint8Array(PAYLOAD);
  for (let i = 0; i < 1000 && !isDone(); i++) {
    account!.deliver(to, subject, null, null, payload);
    await setImmediate();
  }
  expect(isDone()).toBe(true);
}

/** A client called `name` that does not read is flooded until it is closed. */
async function beSlow(name: string, cause: (cid: number) => Promise<void>): Promise<RawClient> {
  const client = await login(server.port, { name, lang: 'node', version: '3.4.0' });
  client.send('SUB idle 1\r\nSUB inbox workers 2\r\n');
  await client.flush();
  client.socket.pause();
  await cause(Number(/"client_id":(\d+)/.exec(client.received)?.[1]));
  return client;
}

function timesSlow(): number {
  return server.statistics().slowConsumers;
}

describe('a slow consumer', () => {
  it('is named, with its subscriptions and the subjects of what it did not take', async () => {
    const logger = await start();
    let cid = 0;
    const client = await beSlow('uploader', (its) => {
      cid = its;
      return flood('main-queue.uploads', () => timesSlow() === 1, 'inbox');
    });
    const [slow, ...others] = server.slowConsumers();
    expect(others).toEqual([]);
    expect(slow).toMatchObject({
      cid,
      name: 'uploader',
      user: '',
      account: '$G',
      lang: 'node',
      version: '3.4.0',
      ip: '127.0.0.1',
      port: client.socket.localPort,
      reason: 'max_pending',
      count: 1,
      subscriptionCount: 2,
    });
    expect(slow!.pendingBytes).toBeGreaterThan(MAX_PENDING);
    expect(slow!.subscriptions).toEqual([
      { subject: 'inbox', queue: 'workers', msgs: expect.any(Number), lastSubject: 'main-queue.uploads' },
      { subject: 'idle', queue: null, msgs: 0, lastSubject: '' },
    ]);
    expect(logger.told).toEqual([
      {
        text: `127.0.0.1:${client.socket.localPort} - cid:${cid} - "v3.4.0:node:uploader" - Slow Consumer Detected: MaxPending of ${MAX_PENDING} Exceeded`,
        fields: expect.objectContaining({
          cid,
          client_name: 'uploader',
          account: '$G',
          reason: 'max_pending',
          pending_bytes: slow!.pendingBytes,
          subjects: ['inbox', 'idle'],
          last_subjects: ['main-queue.uploads', ''],
        }),
      },
    ]);
  });

  it('that comes back and is slow again is one entry, counted', async () => {
    await start();
    const first = await beSlow('again', () => flood('s', () => timesSlow() === 1, 'inbox'));
    await beSlow('other', () => flood('s', () => timesSlow() === 2, 'inbox'));
    const second = await beSlow('again', () => flood('s', () => timesSlow() === 3, 'inbox'));
    expect(server.slowConsumers().map(({ name, count, port }) => ({ name, count, port }))).toEqual([
      { name: 'again', count: 2, port: second.socket.localPort },
      { name: 'other', count: 1, port: expect.any(Number) },
    ]);
    expect(second.socket.localPort).not.toBe(first.socket.localPort);
  });

  it('shows its busiest subscriptions only', async () => {
    await start();
    const client = await login(server.port, { name: 'many' });
    for (let i = 0; i < 2 * SLOW_SUBSCRIPTIONS_MAX; i++) client.send(`SUB s.${i} ${i}\r\n`);
    for (let i = 0; i < 2 * SLOW_SUBSCRIPTIONS_MAX; i++) client.send(`PUB s.${i} 1\r\nx\r\n`.repeat(i));
    await client.flush();
    client.socket.pause();
    await flood('s.15', () => timesSlow() === 1);
    const [slow] = server.slowConsumers();
    expect(slow?.subscriptionCount).toBe(2 * SLOW_SUBSCRIPTIONS_MAX);
    expect(slow?.subscriptions.map(({ subject }) => subject)).toEqual(
      [15, 14, 13, 12, 11, 10, 9, 8].map((i) => `s.${i}`),
    );
  });

  it('is forgotten when more than the limit came after it', async () => {
    // One message is more than what may wait.
    await start({ maxPending: 4096, maxPayload: 4096 });
    for (let i = 0; i <= SLOW_CONSUMERS_MAX; i++) {
      const client = await login(server.port, { name: `n${i}` });
      client.send('SUB inbox 1\r\nPING\r\n');
      await client.take('PONG\r\n');
      await flood('s', () => timesSlow() === i + 1, 'inbox');
      client.close();
    }
    const names = server.slowConsumers().map(({ name }) => name);
    expect(names.length).toBe(SLOW_CONSUMERS_MAX);
    expect(names[0]).toBe(`n${SLOW_CONSUMERS_MAX}`);
    expect(names.at(-1)).toBe('n1');
    expect(timesSlow()).toBe(SLOW_CONSUMERS_MAX + 1);
  });

  it('is told by the write deadline too', async () => {
    const clock = new ManualClock();
    ({ server } = await startServer({ writeDeadlineMs: 3000, pingIntervalMs: 3_600_000 }, clock));
    await beSlow('stuck', () => flood('s', () => server.statistics().pendingBytes > 0, 'inbox'));
    expect(server.statistics().pendingBytesMax).toBe(server.statistics().pendingBytes);
    clock.advance(3100);
    expect(server.slowConsumers()).toMatchObject([{ name: 'stuck', reason: 'write_deadline' }]);
    expect(server.statistics()).toMatchObject({
      connections: 0,
      pendingBytes: 0,
      slowConsumers: 1,
      slowConsumersByReason: { maxPending: 0, writeDeadline: 1 },
    });
  });
});

describe('statistics', () => {
  it('count connections, subscriptions and traffic, those of closed connections included', async () => {
    await start({ noSystemAccount: true });
    const zero = server.statistics();
    const one = await login(server.port);
    one.send('SUB a 1\r\nPUB a 3\r\nabc\r\n');
    await one.flush();
    expect(server.statistics()).toEqual({
      ...zero,
      connections: 1,
      totalConnections: 1,
      subscriptions: 1,
      inMsgs: 1,
      inBytes: 3,
      outMsgs: 1,
      outBytes: 3,
    });
    one.close();
    await until(() => server.connectionCount === 0, 'the close');
    expect(server.statistics()).toEqual({
      ...zero,
      totalConnections: 1,
      inMsgs: 1,
      inBytes: 3,
      outMsgs: 1,
      outBytes: 3,
    });
  });

  it('count who is refused, and why', async () => {
    const clock = new ManualClock();
    ({ server } = await startServer(
      {
        maxConnections: 2,
        pingIntervalMs: 3_600_000,
        authorization: {
          users: [
            { user: 'u', password: 'p', permissions: { publish: { deny: ['no'] }, subscribe: { deny: ['no'] } } },
          ],
        },
      },
      clock,
    ));
    const wrong = new RawClient(server.port);
    wrong.send('CONNECT {"user":"u","pass":"x"}\r\n');
    await wrong.closed();
    const silent = new RawClient(server.port);
    await silent.info();
    clock.advance(3000);
    await silent.closed();
    const user = await login(server.port, { user: 'u', pass: 'p' });
    user.send('PUB no 1\r\nx\r\nSUB no 1\r\n');
    await user.flush();
    await login(server.port, { user: 'u', pass: 'p' });
    await new RawClient(server.port).closed();
    expect(server.statistics()).toMatchObject({
      connections: 2,
      totalConnections: 5,
      authFailures: 1,
      authTimeouts: 1,
      permissionViolations: 2,
      refusedConnections: 1,
      tlsFailures: 0,
    });
  });
});
