import { afterEach, describe, expect, it } from 'vitest';
import type { NatsServer, PublisherHold, ServerOptions } from '../src/index.ts';
import { login, ManualClock, RawClient, startServer, type TestLogger, testIds, until } from './support.ts';

let server: NatsServer;
let port: number;
let logger: TestLogger;
let clock: ManualClock;

async function start(options: ServerOptions = {}): Promise<void> {
  clock = new ManualClock();
  const ids = { ...testIds, random: () => 0.5 };
  ({ server, port, logger } = await startServer({ monitor: { port: -1 }, ...options }, clock, ids));
}

afterEach(async () => {
  await server.shutdown();
});

const pings = (client: RawClient): number => client.received.split('PING\r\n').length - 1;

async function monitor(path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`http://127.0.0.1:${server.monitorPort}/${path}`)).json()) as Record<string, unknown>;
}

describe('PING from the server', () => {
  it('comes two seconds and up to a fifth after CONNECT, then every interval while the client is silent', async () => {
    await start();
    const client = await login(port);
    clock.advance(2150);
    expect(await client.flush()).toBe('');
    clock.advance(100);
    expect(await client.flush()).toBe('PING\r\n');
    client.send('PONG\r\n');
    await client.flush();
    clock.advance(120_100);
    expect(await client.flush()).toBe('PING\r\n');
  });

  it('comes after a whole interval to a client that did not send CONNECT', async () => {
    await start({ pingIntervalMs: 10_000 });
    const client = new RawClient(port);
    await client.info();
    clock.advance(9_900);
    expect(await client.flush()).toBe('');
    clock.advance(200);
    expect(await client.flush()).toBe('PING\r\n');
  });

  it('does not come while the client talks and its round trip time is known', async () => {
    await start({ debug: true, pingIntervalMs: 10_000 });
    const client = await login(port);
    clock.advance(3_000);
    await client.take('PING\r\n');
    client.send('PONG\r\n');
    await client.flush();
    clock.advance(6_000);
    await client.flush();
    clock.advance(6_000);
    expect(await client.flush()).toBe('');
    expect(logger.lines.some((line) => /Delaying PING due to remote client data or ping \ds ago$/.test(line))).toBe(
      true,
    );
  });

  it('measures the round trip, and a PONG that nobody asked for changes nothing', async () => {
    await start();
    const client = await login(port);
    client.send('PONG\r\n');
    await client.flush();
    clock.advance(2_500);
    await client.take('PING\r\n');
    clock.advance(7);
    client.send('PONG\r\n');
    await client.flush();
    clock.advance(1_000);
    client.send('PONG\r\n');
    await client.flush();
    const { connections } = await monitor('connz');
    const rtt = (connections as { rtt: string }[])[0]?.rtt ?? '';
    // From the PING, some time before the 2.5 s were over, to the PONG 7 ms later.
    expect(rtt).toMatch(/^[23]\d\d(\.\d+)?ms$/);
  });
});

describe('a stale connection', () => {
  it('is closed when ping_max PINGs were not answered', async () => {
    await start({ pingIntervalMs: 400, pingMax: 2 });
    const client = new RawClient(port);
    await client.info();
    for (let i = 1; i <= 2; i++) {
      clock.advance(450);
      await until(() => pings(client) === i, `PING ${i}`);
    }
    clock.advance(450);
    expect(await client.closed()).toBe("PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
    expect(await monitor('varz')).toMatchObject({ stale_connections: 1, stale_connection_stats: { clients: 1 } });
    const { connections } = await monitor('connz?state=closed');
    expect(connections).toMatchObject([{ reason: 'Stale Connection' }]);
  });

  it('is saved by a PONG', async () => {
    await start({ pingIntervalMs: 400, pingMax: 2, trace: true });
    const client = new RawClient(port);
    await client.info();
    for (let i = 1; i <= 5; i++) {
      clock.advance(450);
      await until(() => pings(client) === i, `PING ${i}`);
      client.send('PONG\r\n');
      await until(() => logger.lines.filter((line) => line.includes('<<- [PONG]')).length === i, 'the PONG');
    }
    expect(client.isClosed).toBe(false);
  });
});

describe('a client that is held because others cannot keep up with it', () => {
  it('is not taken for a stale one, however long it lasts, and is heard afterwards', async () => {
    await start({ pingIntervalMs: 400, pingMax: 1 });
    const client = new RawClient(port);
    await client.info();
    const holds: PublisherHold[] = [];
    server.host.account('$G')?.subscribe('much', null, (message) => {
      holds.push(message.holdPublisher()!);
      return true;
    });
    clock.advance(450);
    await until(() => pings(client) === 1, 'the PING');
    client.send('PUB much 0\r\n\r\nPONG\r\n');
    await until(() => holds.length === 1, 'the hold');
    for (let i = 0; i < 5; i++) clock.advance(450);
    holds[0]!.release();
    // Before what it sent meanwhile is read.
    clock.advance(450);
    await until(() => pings(client) === 2, 'the next PING');
    client.send('PONG\r\n');
    expect(await client.flush()).not.toContain('-ERR');
    expect(pings(client)).toBe(2);
  });

  it('is closed when the server stops', async () => {
    await start();
    const client = await login(port);
    let isHeld = false;
    server.host.account('$G')?.subscribe('much', null, (message) => {
      isHeld = message.holdPublisher() !== null;
      return true;
    });
    client.send(`PUB much 0\r\n\r\n${'PUB much 5\r\nhello\r\n'.repeat(50_000)}`);
    await until(() => isHeld, 'the hold');
    const stopped = server.shutdown();
    // The last bytes are given 100 ms.
    await until(() => {
      clock.advance(10);
      return client.isClosed;
    }, 'the close');
    await stopped;
  });
});

describe('timers', () => {
  it('are gone when the connections are', async () => {
    await start({ authorization: { token: 't' } });
    const clients = [new RawClient(port), new RawClient(port)];
    for (const client of clients) await client.info();
    expect(clock.timerCount).toBeGreaterThan(0);
    await server.shutdown();
    for (const client of clients) await client.closed();
    expect(clock.timerCount).toBe(0);
  });
});
