import { afterEach, describe, expect, it } from 'vitest';
import { NatsServer, type ServerOptions } from '../src/index.ts';
import { LAME_DUCK_CLOSES_PER_TURN } from '../src/limits.ts';
import { login, ManualClock, RawClient, TestLogger, testIds, until } from './support.ts';

const servers: NatsServer[] = [];

async function start(options: ServerOptions = {}, clock: ManualClock = new ManualClock(), random = () => 0.75) {
  const logger = new TestLogger();
  const server = new NatsServer(
    { host: '127.0.0.1', port: -1, pingIntervalMs: 3_600_000, ...options },
    { clock, ids: { ...testIds, random }, logger },
  );
  servers.push(server);
  await server.start();
  return { server, clock, logger, port: server.port };
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.shutdown();
});

/** A state of the promise that can be looked at. */
function watch(promise: Promise<void>): { isDone: boolean } {
  const state = { isDone: false };
  void promise.then(() => {
    state.isDone = true;
  });
  return state;
}

describe('lame duck mode', () => {
  it('closes clients one by one when the grace period is over, at most a second apart', async () => {
    const { server, clock, logger, port } = await start();
    for (let i = 0; i < 4; i++) await login(port);
    const done = watch(server.lameDuck());
    expect(server.isLameDuck).toBe(true);
    await until(() => clock.timerCount > 0, 'the grace period');
    expect(logger.lines.at(-1)).toBe('INF Entering lame duck mode, stop accepting new clients');
    clock.advance(9999);
    expect(server.connectionCount).toBe(4);
    clock.advance(1);
    expect(logger.lines.at(-1)).toBe('INF Closing existing clients');
    expect(server.connectionCount).toBe(3);
    clock.advance(749);
    expect(server.connectionCount).toBe(3);
    clock.advance(1);
    expect(server.connectionCount).toBe(2);
    clock.advance(750);
    expect([server.connectionCount, done.isDone]).toEqual([1, false]);
    clock.advance(750);
    expect(server.connectionCount).toBe(0);
    await until(() => done.isDone, 'the end');
  });

  it('spreads many over the time there is, with pauses of half to all of an even share', async () => {
    const { server, clock, port } = await start(
      { lameDuckDurationMs: 1100, lameDuckGracePeriodMs: 100 },
      new ManualClock(),
      () => 0,
    );
    for (let i = 0; i < 10; i++) await login(port);
    const done = watch(server.lameDuck());
    await Promise.resolve();
    clock.advance(100);
    // An even share is 100 ms, its half the shortest pause.
    for (let left = 9; left > 0; left--) {
      expect(server.connectionCount).toBe(left);
      clock.advance(50);
    }
    await until(() => done.isDone, 'the end');
  });

  it('closes no more in a turn than its limit when timers are too coarse for its pauses', async () => {
    class CoarseClock extends ManualClock {
      override setTimer(callback: () => void, delayMs: number): { cancel(): void } {
        return super.setTimer(callback, Math.max(100, delayMs));
      }
    }
    const count = LAME_DUCK_CLOSES_PER_TURN * 2;
    const { server, clock, port } = await start(
      { lameDuckDurationMs: 101, lameDuckGracePeriodMs: 100 },
      new CoarseClock(),
    );
    const clients = Array.from({ length: count }, () => new RawClient(port));
    await Promise.all(clients.map((client) => client.info()));
    const done = watch(server.lameDuck());
    await Promise.resolve();
    clock.advance(100);
    expect(server.connectionCount).toBe(count - 1);
    clock.advance(100);
    expect(server.connectionCount).toBe(count - 1 - LAME_DUCK_CLOSES_PER_TURN);
    clock.advance(100);
    expect(server.connectionCount).toBe(0);
    await until(() => done.isDone, 'the end');
  });

  it('tells clients that take INFO at any time, closes the port, and goes on serving', async () => {
    const { server, port, logger } = await start({ debug: true });
    const modern = new RawClient(port);
    const first = await modern.info();
    modern.send('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n');
    await modern.take('PONG\r\n');
    await modern.take('"connect_info":true');
    await modern.flush();
    const old = await login(port);
    const silent = new RawClient(port);
    await silent.info();
    void server.lameDuck();
    const line = await modern.take('\r\n');
    expect(JSON.parse(line.slice('INFO '.length))).toEqual({ ...first, ldm: true });
    const late = new RawClient(port);
    await late.closed();
    expect(late.received).toBe('');
    expect(server.port).toBe(port);
    old.send('SUB a 1\r\n');
    await old.flush();
    modern.send('PUB a 2\r\nhi\r\n');
    await modern.flush();
    expect(await old.flush()).toBe('MSG a 1 2\r\nhi\r\n');
    // Its first PING is answered as always: nobody is told twice.
    silent.send('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n');
    expect(await silent.take('PONG\r\n')).toBe('PONG\r\n');
    expect(await silent.take('\r\n')).not.toContain('ldm');
    await server.shutdown();
    await modern.closed();
    expect(logger.lines.filter((text) => text.endsWith('Client connection closed: Server Shutdown'))).toHaveLength(3);
  });

  it('stops the services first, whatever becomes of them', async () => {
    const { server, clock, port } = await start();
    const client = await login(port, { protocol: 1 });
    await client.take('\r\n');
    let fail: (error: Error) => void = () => {};
    const going = server.lameDuck(() => new Promise((_, reject) => (fail = reject)));
    const rejected = going.then(
      () => null,
      (error: unknown) => error,
    );
    expect(await client.flush()).toBe('');
    fail(new Error('disk'));
    expect(await client.take('\r\n')).toContain('"ldm":true');
    clock.advance(10_000);
    await client.closed();
    expect(await rejected).toEqual(new Error('disk'));
  });

  it('is over at once without clients, and when the server is shut down', async () => {
    const alone = await start();
    await alone.server.lameDuck();
    const { server, port, clock } = await start();
    const client = await login(port);
    const first = server.lameDuck();
    expect(server.lameDuck()).toBe(first);
    await server.shutdown();
    await first;
    await client.closed();
    clock.advance(3_600_000);
    const lines = alone.logger.lines.filter((line) => line.includes('lame duck'));
    expect(lines).toEqual(['INF Entering lame duck mode, stop accepting new clients']);
  });

  it('does nothing before the server is ready and after it stopped accepting', async () => {
    const { server } = await start();
    server.stopAccepting();
    await server.lameDuck();
    expect(server.isLameDuck).toBe(false);
  });

  it('refuses times that do not fit together', () => {
    const make = (options: ServerOptions) => () =>
      new NatsServer(options, { clock: new ManualClock(), ids: testIds, logger: new TestLogger() });
    expect(make({ lameDuckDurationMs: 10_000 })).toThrow(
      'lame duck grace period (10s) should be strictly lower than lame duck duration (10s)',
    );
    expect(make({ lameDuckDurationMs: 0 })).toThrow('lame_duck_duration must be positive, got 0');
    expect(make({ lameDuckGracePeriodMs: -1 })).toThrow('invalid lame_duck_grace_period, needs to be positive');
  });
});
