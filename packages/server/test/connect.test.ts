import { fromPublic } from '@nats-io/nkeys';
import { afterEach, describe, expect, it } from 'vitest';
import type { NatsServer, ServerOptions } from '../src/index.ts';
import { login, RawClient, startServer, type TestLogger, until } from './support.ts';

let server: NatsServer;
let port: number;
let logger: TestLogger;

async function start(options: ServerOptions = {}): Promise<void> {
  ({ server, port, logger } = await startServer(options));
}

afterEach(async () => {
  await server.shutdown();
});

async function hello(): Promise<RawClient> {
  const client = new RawClient(port);
  await client.take('\r\n');
  return client;
}

describe('INFO', () => {
  it('comes first, with a blank before its line end and the fields of nats-server in its order', async () => {
    await start({ serverName: 'it', gitCommit: '1.2.3' });
    const client = new RawClient(port);
    const line = await client.take('\r\n');
    expect(line).toMatch(/^INFO \{.*\} \r\n$/);
    const info = JSON.parse(line.slice(5)) as Record<string, unknown>;
    expect(Object.keys(info)).toEqual(
      'server_id server_name version proto git_commit go host port headers max_payload client_id client_ip api_lvl xkey'.split(
        ' ',
      ),
    );
    expect(info).toMatchObject({
      server_id: expect.stringMatching(/^N[A-Z2-7]{55}$/),
      server_name: 'it',
      version: '2.15.1',
      proto: 1,
      git_commit: '1.2.3',
      host: '127.0.0.1',
      port,
      headers: true,
      max_payload: 1_048_576,
      client_id: 5,
      client_ip: '127.0.0.1',
      api_lvl: 5,
      xkey: expect.stringMatching(/^X[A-Z2-7]{55}$/),
    });
  });

  it('tells public keys that nkeys libraries read', async () => {
    await start();
    const { server_id: serverId, xkey } = await new RawClient(port).info();
    expect(fromPublic(`${serverId}`).getPublicKey()).toBe(serverId);
    expect(fromPublic(`${xkey}`).getPublicKey()).toBe(xkey);
    expect(fromPublic(server.id).verify(Buffer.from('x'), Buffer.alloc(64))).toBe(false);
  });

  it('tells the address to advertise, limits, JetStream and that there are no headers', async () => {
    await start({
      clientAdvertise: 'example.org:7777',
      maxPayload: -1,
      noHeaderSupport: true,
      jetstream: true,
      jetstreamDomain: 'hub',
    });
    const info = await new RawClient(port).info();
    expect(info).toMatchObject({ host: 'example.org', port: 7777, max_payload: -1, headers: false });
    expect(info).toMatchObject({ jetstream: true, domain: 'hub' });
  });

  it('comes again behind the first PING after CONNECT, once, and only to protocol 1', async () => {
    await start();
    const client = await hello();
    client.send('CONNECT {"verbose":false,"protocol":1}\r\n');
    await client.flush();
    const info = JSON.parse((await client.take('\r\n')).slice(5)) as object;
    expect(info).toMatchObject({ connect_info: true, remote_account: '$G', max_payload: 1_048_576 });
    expect(await client.flush()).toBe('');
    const old = await login(port, { protocol: 0 });
    expect(await old.flush()).toBe('');
  });

  it('does not come to a client that sent PING without CONNECT', async () => {
    await start();
    const client = await hello();
    await client.flush();
    expect(await client.flush()).toBe('');
  });
});

describe('CONNECT', () => {
  it('leaves what it does not mention as it was, and knows its keys in any case', async () => {
    await start();
    const client = await hello();
    client.send('CONNECT {"PEDANTIC":false}\r\nSUB a 1\r\nPUB a..b 1\r\nx\r\n');
    expect(await client.flush()).toBe('+OK\r\n+OK\r\n+OK\r\n');
  });

  it('a second time drops the subscriptions; those from before the first one stay', async () => {
    await start();
    const client = await hello();
    client.send('SUB a 1\r\nCONNECT {"verbose":false}\r\nPUB a 1\r\nx\r\n');
    expect(await client.flush()).toBe('+OK\r\nMSG a 1 1\r\nx\r\n');
    client.send('CONNECT {}\r\nPUB a 1\r\nx\r\n');
    expect(await client.flush()).toBe('');
  });

  it.each([
    ['{"verbose":x}', '', /invalid character 'x'/],
    ['{"verbose":"x"}', '', /cannot unmarshal string into Go struct field ClientOpts.verbose of type bool/],
    ['{"protocol":2}', "-ERR 'invalid client protocol'\r\n", /invalid client protocol/],
    ['{"no_responders":true}', "-ERR 'no responders requires headers support'\r\n", /no responders requires/],
    ['{"account":"A"}', "-ERR 'Authorization Violation'\r\n", /authentication error/],
    ['{"new_account":true}', "-ERR 'Authorization Violation'\r\n", /authentication error/],
  ])('%s closes the connection', async (json, answer, line) => {
    await start();
    const client = await hello();
    client.send(`CONNECT ${json}\r\nPING\r\n`);
    expect(await client.closed()).toBe(answer);
    expect(logger.lines.some((text) => text.startsWith('ERR ') && line.test(text))).toBe(true);
  });

  it('is what log lines take the name of the client from', async () => {
    await start({ debug: true, authorization: { user: 'u', password: 'p' } });
    const client = await login(port, { name: 'n', lang: 'go', version: '1.2', user: 'u', pass: 'p' });
    client.close();
    await until(() => logger.lines.at(-1)?.includes('closed') ?? false, 'the close');
    expect(logger.lines.at(-1)).toMatch(
      /^DBG 127\.0\.0\.1:\d+ - cid:5 - "v1\.2:go:n" - "\$G\/user:u" - Client connection closed: Client Closed$/,
    );
  });
});

describe('protocol violations', () => {
  it.each([
    ['garbage', 'GET / HTTP/1.1\r\n\r\n', "-ERR 'Unknown Protocol Operation'\r\n", 'Client parser ERROR, state=0, i=0'],
    ['server operations', 'MSG a 1 1\r\nx\r\n', "-ERR 'Unknown Protocol Operation'\r\n", 'Client parser ERROR'],
    ['bad arguments', 'PUB a b c 1\r\n', '', 'processPub Parse Error: "a b c 1"'],
    ['bad sizes', 'PUB a -1\r\n', '', 'processPub Bad or Missing Size: "a -1"'],
    ['a payload above max_payload', 'PUB a 11\r\n', "-ERR 'Maximum Payload Violation'\r\n", '11 vs 10'],
    ['a long line', `SUB ${'a'.repeat(99)} 1`, "-ERR 'maximum control line exceeded'\r\n", 'maximum control line'],
    ['an error of the client', "-ERR 'x'\r\n", '', "Client Error 'x'"],
    ['headers that were not asked for', 'HPUB a 0 0\r\n\r\n', '', 'message headers not supported'],
    ['INFO that is no JSON', 'INFO {x}\r\n', '', "invalid character 'x'"],
  ])('%s: answered, logged and closed', async (_name, input, answer, line) => {
    await start({ maxPayload: 10, maxControlLine: 100 });
    const witness = await login(port);
    const client = await hello();
    client.send('CONNECT {"verbose":false,"headers":false}\r\n');
    await client.flush();
    client.send(input);
    expect(await client.closed()).toBe(answer);
    await until(() => logger.lines.some((text) => text.startsWith('ERR ') && text.includes(line)), `line ${line}`);
    witness.send('SUB a 1\r\nPUB a 1\r\nx\r\n');
    expect(await witness.flush()).toBe('MSG a 1 1\r\nx\r\n');
  });

  it('ignores +OK, INFO with good JSON, and what stands behind PING', async () => {
    await start();
    const client = await login(port);
    client.send('+OK\r\nINFO {}\r\nPING abc\r\n');
    expect(await client.take('PONG\r\n')).toBe('PONG\r\n');
  });
});

describe('max_connections', () => {
  it('turns clients away behind INFO, and logs that once a second', async () => {
    await start({ maxConnections: 1 });
    const first = await login(port);
    for (let i = 0; i < 3; i++) {
      const client = new RawClient(port);
      expect(await client.closed()).toMatch(/^INFO .*\r\n-ERR 'maximum connections exceeded'\r\n$/);
    }
    expect(logger.lines.filter((line) => line.includes('maximum connections exceeded'))).toHaveLength(1);
    first.close();
    await until(() => server.connectionCount === 0, 'the place to be free');
    await login(port);
  });

  it('of 0 lets nobody in', async () => {
    await start({ maxConnections: 0 });
    expect(await new RawClient(port).closed()).toContain("-ERR 'maximum connections exceeded'");
  });
});

describe('a half-closed connection', () => {
  it('gets the answers to what it sent before', async () => {
    await start();
    const client = await hello();
    client.socket.end('CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 1\r\nx\r\nPING\r\n');
    expect(await client.closed()).toBe('MSG a 1 1\r\nx\r\nPONG\r\n');
  });
});
