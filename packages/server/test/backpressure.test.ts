import { afterEach, describe, expect, it } from 'vitest';
import type { NatsServer, ServerOptions } from '../src/index.ts';
import { login, ManualClock, type RawClient, startServer, type TestLogger, until } from './support.ts';

let server: NatsServer;
let port: number;
let logger: TestLogger;

async function start(options: ServerOptions, clock?: ManualClock): Promise<void> {
  ({ server, port, logger } = await startServer({ monitor: { port: -1 }, debug: true, ...options }, clock));
}

afterEach(async () => {
  await server.shutdown();
});

async function monitor(path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`http://127.0.0.1:${server.monitorPort}/${path}`)).json()) as Record<string, unknown>;
}

/** A subscriber to `s` that stopped reading. */
async function deaf(): Promise<RawClient> {
  const client = await login(port);
  client.send('SUB s 1\r\n');
  await client.flush();
  client.socket.pause();
  return client;
}

const PAYLOAD = 64 * 1024;
const MESSAGE = `PUB s ${PAYLOAD}\r\n${'x'.repeat(PAYLOAD)}\r\n`;

/** Publishes until `done`, keeping the connection alive. */
async function publishUntil(publisher: RawClient, done: () => boolean): Promise<void> {
  for (let i = 0; i < 4000 && !done(); i++) {
    publisher.send(MESSAGE);
    await publisher.flush();
  }
  await until(done, 'what the flood should lead to');
}

describe('a consumer that does not read', () => {
  it('is closed without a word at max_pending, and nobody else notices', async () => {
    await start({ maxPending: 2 * 1024 * 1024 });
    const slow = await deaf();
    const other = await login(port);
    other.send('SUB other 1\r\n');
    await other.flush();
    const publisher = await login(port);
    await publishUntil(publisher, () => logger.lines.some((line) => line.includes('Slow Consumer')));
    expect(logger.lines.find((line) => line.includes('Slow Consumer'))).toMatch(
      /^INF 127\.0\.0\.1:\d+ - cid:5 - Slow Consumer Detected: MaxPending of 2097152 Exceeded$/,
    );
    publisher.send('PUB other 1\r\nx\r\n');
    await publisher.flush();
    expect(await other.flush()).toBe('MSG other 1 1\r\nx\r\n');
    slow.socket.resume();
    await until(() => slow.isClosed, 'the close');
    expect(slow.received).not.toContain('-ERR');
    expect(await monitor('varz')).toMatchObject({ slow_consumers: 1, slow_consumer_stats: { clients: 1 } });
    expect(await monitor('connz?state=closed')).toMatchObject({
      connections: [{ cid: 5, reason: 'Slow Consumer (Pending Bytes)' }],
    });
    expect(await monitor('accstatz')).toMatchObject({ account_statz: [{ slow_consumers: 1 }] });
  });

  it('is closed when a write is blocked for write_deadline', async () => {
    const clock = new ManualClock();
    await start({ writeDeadlineMs: 3000, pingIntervalMs: 3_600_000 }, clock);
    await deaf();
    const publisher = await login(port);
    const isBlocked = async (): Promise<boolean> => {
      const { connections } = (await monitor('connz?cid=5')) as { connections: { pending_bytes: number }[] };
      return (connections[0]?.pending_bytes ?? 0) > 0;
    };
    for (let i = 0; i < 4000 && !(await isBlocked()); i++) {
      publisher.send(MESSAGE);
      await publisher.flush();
    }
    clock.advance(2900);
    expect(server.connectionCount).toBe(2);
    clock.advance(200);
    await until(() => server.connectionCount === 1, 'the close');
    expect(logger.lines.find((line) => line.includes('Slow Consumer'))).toMatch(
      /Slow Consumer Detected: WriteDeadline of 3s exceeded with \d+ chunks of \d+ total bytes\.$/,
    );
    expect(await monitor('connz?state=closed')).toMatchObject({
      connections: [{ cid: 5, reason: 'Slow Consumer (Write Deadline)' }],
    });
  });

  it('slows its producers from three quarters of max_pending on', async () => {
    await start({ maxPending: 8 * 1024 * 1024 });
    await deaf();
    const publisher = await login(port);
    let stalls = 0;
    await publishUntil(publisher, () => logger.lines.some((line) => line.includes('Timed out of fast producer stall')));
    ({ stalled_clients: stalls } = (await monitor('varz')) as { stalled_clients: number });
    expect(stalls).toBeGreaterThan(0);
    const warnings = logger.lines.filter((line) =>
      /^WRN .*Producer was stalled for a total of \d+ms - Account:\$G$/.test(line),
    );
    expect(warnings.length).toBeLessThan(stalls);
    const { connections } = (await monitor('connz?cid=5&state=all')) as { connections: { stalls: number }[] };
    expect(connections[0]?.stalls).toBe(stalls);
  });

  it('is left out from three quarters on, and not closed, with no_fast_producer_stall', async () => {
    await start({ maxPending: 2 * 1024 * 1024, noFastProducerStall: true });
    const slow = await deaf();
    const publisher = await login(port);
    for (let i = 0; i < 300; i++) {
      publisher.send(MESSAGE);
      await publisher.flush();
    }
    expect(await monitor('varz')).toMatchObject({ slow_consumers: 0, connections: 2 });
    slow.socket.resume();
    await slow.flush();
    publisher.send('PUB s 3\r\nend\r\n');
    await publisher.flush();
    // A busy machine takes longer than the two seconds to the first PING.
    expect((await slow.flush()).replace('PING\r\n', '')).toBe('MSG s 1 3\r\nend\r\n');
    expect(slow.received.split('MSG s 1').length - 1).toBeLessThan(301);
  });
});

describe('a consumer that was slow for a while', () => {
  it('gets everything, in order', async () => {
    await start({});
    const slow = await deaf();
    const publisher = await login(port);
    const count = 200;
    for (let i = 0; i < count; i++)
      publisher.send(`PUB s ${PAYLOAD}\r\n${`${i} `.padEnd(PAYLOAD, 'y')}\r\nPUB s 4\r\n${`${i}`.padEnd(4)}\r\n`);
    await publisher.flush();
    slow.socket.resume();
    await slow.flush();
    const order = [...slow.received.matchAll(/MSG s 1 (?:65536|4)\r\n(\d+)/g)].map((match) => Number(match[1]));
    expect(order).toEqual(Array.from({ length: 2 * count }, (_, i) => i >> 1));
  });
});
