import { afterEach, describe, expect, it } from 'vitest';
import { ListenError, NatsServer, type ServerOptions } from '../src/index.ts';
import { login, RawClient, startServer, TestLogger, testClock, testIds, until } from './support.ts';

const servers: NatsServer[] = [];

function make(options: ServerOptions = {}, logger: TestLogger = new TestLogger()): NatsServer {
  const server = new NatsServer(
    { host: '127.0.0.1', port: -1, debug: true, ...options },
    { clock: testClock, ids: testIds, logger },
  );
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.shutdown();
});

describe('starting', () => {
  it('logs the lines of nats-server, in its order', async () => {
    const logger = new TestLogger();
    const server = make(
      { serverName: 'it', jetstream: true, configFile: 'x.conf', configDigest: 'sha256:0', maxPayload: 9_000_000 },
      logger,
    );
    await server.start();
    expect(logger.lines).toEqual([
      'INF Starting nats-server',
      'INF   Version:  2.15.1',
      'INF   Git:      [not set]',
      'DBG   Go build: node',
      'INF   Name:     it',
      // Calculated by nats-server 2.15.1 for this name.
      'INF   Node:     gUh4X0NH',
      `INF   ID:       ${server.id}`,
      'INF Using configuration file: x.conf (sha256:0)',
      'WRN Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance',
      'DBG Created system account: "$SYS"',
      `INF Listening for client connections on 127.0.0.1:${server.port}`,
      'INF Server is ready',
    ]);
  });

  it('takes the port first and serves who came meanwhile when it is ready', async () => {
    const server = make();
    await server.bind();
    const early = new RawClient(server.port);
    early.send('CONNECT {"verbose":false}\r\nPING\r\n');
    const gone = new RawClient(server.port);
    await until(() => gone.socket.readyState === 'open', 'the connection');
    gone.close();
    expect(early.received).toBe('');
    server.ready();
    expect(await early.take('PONG\r\n')).toMatch(/^INFO /);
  });

  it('lets no more wait than it would serve', async () => {
    const server = make({ maxConnections: 1 });
    await server.bind();
    const first = new RawClient(server.port);
    await until(() => first.socket.readyState === 'open', 'the connection');
    const second = new RawClient(server.port);
    expect(await second.closed()).toBe('');
    server.ready();
    await first.info();
  });

  it('says which port is taken', async () => {
    const first = make();
    await first.start();
    const error = await make({ port: first.port })
      .start()
      .then(
        () => null,
        (reason: unknown) => reason,
      );
    expect(error).toBeInstanceOf(ListenError);
    expect((error as ListenError).message).toBe(`listen tcp 127.0.0.1:${first.port}: bind: address already in use`);
    expect((error as ListenError).code).toBe('EADDRINUSE');
  });

  it('listens on every address unless told otherwise, and shows IPv4 peers as such', async () => {
    const server = make({ host: '0.0.0.0' });
    await server.start();
    expect(await new RawClient(server.port, '127.0.0.1').info()).toMatchObject({
      host: '0.0.0.0',
      client_ip: '127.0.0.1',
    });
  });
});

describe('stopping', () => {
  it('frees the port at once and lets connections go on until the end', async () => {
    const server = make();
    await server.start();
    const { port } = server;
    const client = await login(port);
    server.stopAccepting();
    const late = new RawClient(port);
    await late.closed();
    expect(late.received).toBe('');
    client.send('SUB a 1\r\nPUB a 1\r\nx\r\n');
    expect(await client.flush()).toBe('MSG a 1 1\r\nx\r\n');
    const successor = make({ port });
    await successor.start();
  });

  it('sends what is queued before it closes, without an error', async () => {
    const logger = new TestLogger();
    const server = make({}, logger);
    await server.start();
    const client = await login(server.port);
    client.send('SUB a 1\r\n');
    await client.flush();
    const account = server.host.account('$G');
    for (let i = 0; i < 100; i++) account?.deliver('a', 'a', 'r', null, Buffer.alloc(1000, 120));
    await server.shutdown();
    expect(await client.closed()).toBe(`MSG a 1 r 1000\r\n${'x'.repeat(1000)}\r\n`.repeat(100));
    expect(logger.lines.some((line) => line.endsWith('Client connection closed: Server Shutdown'))).toBe(true);
    await server.shutdown();
  });

  it('does not wait for a client that does not read', async () => {
    const server = make();
    await server.start();
    const client = await login(server.port);
    client.send('SUB a 1\r\n');
    await client.flush();
    client.socket.pause();
    const account = server.host.account('$G');
    for (let i = 0; i < 300; i++) account?.deliver('a', 'a', 'r', null, Buffer.alloc(100_000));
    await server.shutdown();
    expect(server.connectionCount).toBe(0);
    client.close();
  });

  it('is what `await using` does', async () => {
    let port: number;
    {
      await using server = make();
      await server.start();
      port = server.port;
    }
    await new RawClient(port).closed();
  });
});

describe('misbehaviour', () => {
  it('of one client is no trouble for another', async () => {
    const { server, port } = await startServer({});
    servers.push(server);
    const witness = await login(port);
    const inputs = [
      Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]),
      Buffer.alloc(100_000, 0xff),
      Buffer.alloc(100_000, 0x20),
      Buffer.from('PUB a 1000000\r\nabc'),
      Buffer.from(`SUB ${'a.'.repeat(2000)}a 1\r\n`),
      Buffer.from('CONNECT {"name":"\u0000\ud800"}\r\n'),
    ];
    for (const input of inputs) {
      const client = new RawClient(port);
      await client.info();
      client.send(input);
      client.socket.end();
      await client.closed();
    }
    witness.send('SUB a 1\r\nPUB a 1\r\nx\r\n');
    expect(await witness.flush()).toBe('MSG a 1 1\r\nx\r\n');
    await until(() => server.connectionCount === 1, 'the others to be gone');
  });

  it('a flood of connections that come and go leaves nothing behind', async () => {
    const { server, port } = await startServer({});
    servers.push(server);
    const clients = Array.from({ length: 300 }, () => new RawClient(port));
    await Promise.all(clients.map((client) => client.info()));
    for (const [index, client] of clients.entries()) client.send(`SUB flood.${index % 7} 1\r\nSUB flood.* q 2\r\n`);
    await Promise.all(clients.map((client) => client.flush()));
    expect(server.connectionCount).toBe(300);
    for (const client of clients) client.close();
    await until(() => server.connectionCount === 0, 'all to be gone');
    const witness = await login(port, { no_responders: true });
    witness.send('SUB r 1\r\nPUB flood.1 r 0\r\n\r\n');
    expect(await witness.flush()).toContain('NATS/1.0 503');
  });

  it('of our own, in handling one connection, closes that connection only', async () => {
    let isBroken = false;
    const logger = new TestLogger();
    const ids = {
      ...testIds,
      random(): number {
        if (isBroken) throw new Error('broken dice');
        return 0;
      },
    };
    const server = new NatsServer({ host: '127.0.0.1', port: -1 }, { clock: testClock, ids, logger });
    servers.push(server);
    await server.start();
    const witness = await login(server.port);
    witness.send('SUB a q 1\r\nSUB a q 2\r\nSUB b 3\r\n');
    await witness.flush();
    isBroken = true;
    const victim = new RawClient(server.port);
    await victim.info();
    victim.send('PUB a 1\r\nx\r\n');
    await victim.closed();
    isBroken = false;
    expect(logger.lines.some((line) => line.startsWith('ERR') && line.includes('broken dice'))).toBe(true);
    witness.send('PUB b 1\r\nx\r\n');
    expect(await witness.flush()).toBe('MSG b 3 1\r\nx\r\n');
  });
});

describe('tracing', () => {
  it('shows operations and payloads both ways, without secrets', async () => {
    const { server, port, logger } = await startServer({
      trace: true,
      maxTracedMsgLen: 4,
      authorization: { token: 't' },
    });
    servers.push(server);
    const client = new RawClient(port);
    await client.info();
    client.send('CONNECT {"verbose":true,"auth_token":"t"}\r\nSUB a 1\r\nUNSUB 1 1\r\nPUB a re 5\r\nhello\r\nPING\r\n');
    await client.take('PONG\r\n');
    const traced = logger.lines.filter((line) => line.startsWith('TRC')).map((line) => line.replace(/^.* - /, ''));
    expect(traced).toEqual([
      '<<- [CONNECT {"verbose":true,"auth_token":"[REDACTED]"}]',
      '->> [OK]',
      '<<- [SUB a 1]',
      '->> [OK]',
      '<<- [UNSUB 1 1]',
      '->> [OK]',
      '<<- [PUB a re 5]',
      '<<- MSG_PAYLOAD: ["hell..."]',
      '->> [OK]',
      '->> [MSG a 1 re 5]',
      '->> MSG_PAYLOAD: ["hell..."]',
      '<-> [DELSUB 1]',
      '<<- [PING]',
      '->> [PONG]',
    ]);
  });
});
