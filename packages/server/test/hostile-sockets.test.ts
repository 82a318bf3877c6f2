import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { hashSync } from '@node-rs/bcrypt';
import { afterEach, describe, expect, it } from 'vitest';
import type { NatsServer, ServerOptions } from '../src/index.ts';
import { login, ManualClock, RawClient, startServer, until } from './support.ts';

const pem = (name: string): string => readFileSync(new URL(`./fixtures/${name}.pem`, import.meta.url), 'utf8');
const tls = { cert: pem('server'), key: pem('server-key') };

let server: NatsServer;
let port: number;

/** TCP sockets of this process, clients' and servers'. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCPSocket|TLSWrap/.test(name)).length;
}

async function start(options: ServerOptions = {}, clock?: ManualClock): Promise<void> {
  await until(() => sockets() === 0, 'the end of the sockets of the test before');
  ({ server, port } = await startServer(options, clock));
}

/** Nothing is left of any client, and the server serves on. */
async function expectClean(): Promise<void> {
  await until(
    () => server.connectionCount === 0 && sockets() === 0,
    () => `${server.connectionCount} connections and ${sockets()} sockets are left`,
  );
  const { subscriptions, pendingBytes } = server.statistics();
  expect({ subscriptions, pendingBytes }).toEqual({ subscriptions: 0, pendingBytes: 0 });
}

afterEach(async () => {
  await server.shutdown();
});

/** A socket that only writes; resets the connection when told. */
async function open(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await until(() => socket.readyState === 'open' || socket.closed, 'the connection');
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  await until(() => socket.closed, 'the close');
}

/** A ClientHello as OpenSSL writes it. */
async function clientHello(): Promise<Buffer> {
  const { createServer } = await import('node:net');
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port: listening } = listener.address() as { port: number };
  const accepted = once(listener, 'connection');
  const client = connectTls({ port: listening, host: '127.0.0.1' });
  client.on('error', () => {});
  const [socket] = (await accepted) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  client.destroy();
  listener.close();
  await once(listener, 'close');
  return hello;
}

describe('a TLS listener', () => {
  it('outlives garbage of all kinds', async () => {
    const hello = await clientHello();
    await start({ tls: { ...tls, timeoutMs: 300 } });
    const half = hello.subarray(0, hello.length >> 1);
    const inputs = [
      Buffer.from('CONNECT {}\r\nPING\r\n'),
      Buffer.from([0x16]),
      Buffer.from([0x16, 3, 1, 0xff, 0xff, ...Array.from({ length: 2000 }, (_, i) => i & 0xff)]),
      Buffer.from([0x15, 3, 1, 0, 2, 2, 40]),
      Buffer.alloc(70_000, 0x16),
      Buffer.concat([half, Buffer.alloc(hello.length, 0xee)]),
      Buffer.concat([hello, Buffer.from('PING\r\n')]),
      half,
    ];
    for (const input of inputs) {
      for (const end of ['end', 'reset'] as const) {
        const socket = await open();
        socket.write(input);
        if (end === 'end') socket.end();
        else setImmediate(() => socket.resetAndDestroy());
        await closed(socket);
      }
    }
    await expectClean();
    expect(server.statistics().tlsFailures).toBeGreaterThanOrEqual(inputs.length - 1);
    const client = connectTls({
      port,
      host: '127.0.0.1',
      socket: await greeted(),
      ca: pem('ca'),
      servername: 'localhost',
    });
    client.write('CONNECT {"verbose":false}\r\nPING\r\n');
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toContain('PONG');
    client.destroy();
  });

  it('closes who stops in the middle of the handshake after its timeout', async () => {
    const hello = await clientHello();
    await start({ tls: { ...tls, timeoutMs: 150 } });
    const socket = await open();
    socket.write(hello.subarray(0, 40));
    await closed(socket);
    const silent = await open();
    await closed(silent);
    await expectClean();
    expect(server.statistics().tlsFailures).toBe(2);
  });

  it('takes who says nothing for a plain client after that time, where both are allowed', async () => {
    await start({ tls: { ...tls, timeoutMs: 100 }, allowNonTls: true, authorization: { token: 't', timeoutMs: 100 } });
    const silent = await open();
    await closed(silent);
    const gone = await open();
    gone.end();
    await closed(gone);
    const reset = await open();
    reset.resetAndDestroy();
    await expectClean();
    expect(server.statistics()).toMatchObject({ authTimeouts: 1, tlsFailures: 0 });
  });
});

/** A socket that has got INFO. */
async function greeted(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'readable');
  socket.read();
  return socket;
}

describe('a reset', () => {
  const hash = hashSync('p', { cost: 8 });
  const stages: [stage: string, options: ServerOptions, input: string][] = [
    ['at once', {}, ''],
    ['in the middle of CONNECT', {}, 'CONNECT {"verb'],
    [
      'while a password is verified',
      { authorization: { user: 'u', password: hash } },
      'CONNECT {"user":"u","pass":"p"}\r\nSUB a 1\r\nPUB a 1\r\nx\r\n',
    ],
    ['behind CONNECT', {}, 'CONNECT {"verbose":true}\r\n'],
    ['with subscriptions', {}, 'CONNECT {}\r\nSUB a 1\r\nSUB b q 2\r\n'],
    ['in the middle of a payload', {}, `CONNECT {}\r\nSUB a 1\r\nPUB a 20000\r\n${'x'.repeat(9000)}`],
    [
      'while it gets its own messages',
      {},
      `CONNECT {}\r\nSUB a 1\r\n${'PUB a 3000\r\n'.concat('x'.repeat(3000), '\r\n').repeat(100)}`,
    ],
  ];
  for (const [stage, options, input] of stages) {
    it(`${stage} leaves nothing behind`, async () => {
      await start({ ...options, noSystemAccount: true });
      for (let i = 0; i < 20; i++) {
        const socket = await open();
        if (input !== '') socket.write(input);
        // Some before the server has read anything, some after.
        if (i % 2 === 0) await until(() => server.connectionCount > 0, 'the connection');
        socket.resetAndDestroy();
        await closed(socket);
      }
      await expectClean();
    });
  }

  it('of thousands of connections leaves nothing behind, not even a timer', async () => {
    const clock = new ManualClock();
    await start({ noSystemAccount: true }, clock);
    const rounds = 10;
    const each = 200;
    for (let round = 0; round < rounds; round++) {
      const opened = await Promise.all(Array.from({ length: each }, () => open()));
      for (const [i, socket] of opened.entries()) {
        if (i % 3 > 0) socket.write('CONNECT {"verbose":false}\r\nSUB a.* 1\r\nPING\r\n');
        if (i % 3 === 2) await until(() => server.statistics().subscriptions > 0, 'a subscription');
      }
      for (const socket of opened) socket.resetAndDestroy();
      const accepted = (round + 1) * each;
      await until(() => server.statistics().totalConnections === accepted, 'all of them');
      await until(() => server.connectionCount === 0, 'the end of all of them');
    }
    await expectClean();
    expect(clock.timerCount).toBe(0);
    const client = await login(port);
    client.send('SUB a.b 1\r\nPUB a.b 1\r\nx\r\n');
    expect(await client.flush()).toBe('MSG a.b 1 1\r\nx\r\n');
    client.close();
  });
});

describe('the monitoring port', () => {
  it('closes a client that never ends its request, and serves the others meanwhile', async () => {
    await start({ monitor: { port: -1, requestTimeoutMs: 300 } });
    const slow = new RawClient(server.monitorPort);
    slow.send('GET /varz HTTP/1.1\r\n');
    const drip = setInterval(() => slow.send('X: y\r\n'), 20);
    const silent = new RawClient(server.monitorPort);
    expect(
      (await fetch(`http://127.0.0.1:${server.monitorPort}/varz`, { headers: { connection: 'close' } })).status,
    ).toBe(200);
    expect(await slow.closed()).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
    await silent.closed();
    const reset = connect(server.monitorPort, '127.0.0.1');
    reset.on('error', () => {});
    reset.write('GET /connz HT');
    await once(reset, 'connect');
    reset.resetAndDestroy();
    await expectClean();
  });
});
