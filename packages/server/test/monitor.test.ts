import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { afterEach, describe, expect, it } from 'vitest';
import { type JetStreamView, ListenError, type NatsServer, type ServerOptions } from '../src/index.ts';
import { CLOSED_SUBSCRIPTIONS_MAX } from '../src/monitor/connection-record.ts';
import { MONITOR_CONNECTIONS_MAX } from '../src/monitor/monitor.ts';
import { login, type ManualClock, RawClient, startServer, type TestLogger, until } from './support.ts';

let server: NatsServer;
let port: number;
let logger: TestLogger;

async function start(options: ServerOptions = {}, clock?: ManualClock): Promise<void> {
  ({ server, port, logger } = await startServer({ monitor: { port: -1 }, ...options }, clock));
}

afterEach(async () => {
  await server?.shutdown();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look at any field
  readonly json: any;
}

async function get(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${server.monitorPort}/${path}`, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json' && text !== '';
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null };
}

/** Sends bytes to the monitoring port; resolves with what came until the connection was closed. */
async function raw(bytes: string): Promise<string> {
  const client = new RawClient(server.monitorPort);
  client.send(bytes);
  return client.closed();
}

describe('the monitoring endpoint', () => {
  it('writes indented JSON that pages of other origins may read', async () => {
    await start();
    const { status, headers, text } = await get('varz');
    expect(status).toBe(200);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(text).toMatch(/^\{\n {2}"server_id": "N/);
    expect(logger.lines).toContain(`INF Starting http monitor on 127.0.0.1:${server.monitorPort}`);
  });

  it('answers exact paths only, by any method', async () => {
    await start();
    for (const path of ['nope', 'varz/', 'VARZ', 'expvarz', 'debug/pprof/']) {
      const { status, text } = await get(path);
      expect([status, text], path).toEqual([404, '404 page not found\n']);
    }
    for (const method of ['POST', 'DELETE', 'OPTIONS', 'HEAD']) {
      expect((await get('healthz', { method })).status, method).toBe(200);
    }
    expect((await get('')).text).toContain('href="./varz"');
  });

  it('can stand under a base path', async () => {
    await start({ monitor: { port: -1, basePath: 'mon/x' } });
    expect((await get('mon/x/varz')).json).toMatchObject({ http_base_path: 'mon/x' });
    expect((await get('mon/x')).status).toBe(200);
    for (const path of ['varz', '', 'mon', 'mon/x/', 'mon/xvarz']) expect((await get(path)).status, path).toBe(404);
  });

  it('counts requests per endpoint, the present one included', async () => {
    await start();
    for (const path of ['varz', 'connz', 'subscriptionsz', 'subsz', '', 'nope']) await get(path);
    expect((await get('varz')).json.http_req_stats).toEqual({ '/': 1, '/connz': 1, '/subsz': 2, '/varz': 2 });
  });

  it('refuses parameters it cannot read, in the words of Go', async () => {
    await start();
    const cases: [string, string][] = [
      ['connz?auth=zz', `Error decoding boolean for 'auth': strconv.ParseBool: parsing "zz": invalid syntax`],
      ['connz?subs=zz', `Error decoding boolean for 'subs': strconv.ParseBool: parsing "zz": invalid syntax`],
      ['connz?limit=x', `Error decoding int for 'limit': strconv.Atoi: parsing "x": invalid syntax`],
      [
        'subsz?offset=99999999999999999999',
        `Error decoding int for 'offset': strconv.Atoi: parsing "99999999999999999999": value out of range`,
      ],
      ['connz?cid=-1', `Error decoding uint64 for 'cid': strconv.ParseUint: parsing "-1": invalid syntax`],
      ['connz?state=zz', 'Error decoding state for zz'],
      ['connz?sort=foo', 'invalid sorting option: foo'],
      ['connz?sort=toString', 'invalid sorting option: toString'],
      ['connz?sort=stop', 'sort by stop only valid on closed connections'],
      ['connz?sort=reason&state=all', 'sort by reason only valid on closed connections'],
      ['subsz?test=a.*', 'invalid test subject, must be valid publish subject: a.*'],
      ['accountz?acc=zz', 'Account zz does not exist'],
      ['jsz?accounts=2', `Error decoding boolean for 'accounts': strconv.ParseBool: parsing "2": invalid syntax`],
    ];
    for (const [path, expected] of cases) {
      const { status, text } = await get(path);
      expect([status, text], path).toEqual([400, expected]);
    }
  });

  it('is served over https with the certificate of the client listener', async () => {
    const pem = (name: string): string => readFileSync(new URL(`./fixtures/${name}.pem`, import.meta.url), 'utf8');
    const tls = { cert: pem('server'), key: pem('server-key'), ca: pem('ca'), verify: true };
    await start({ tls, monitor: { port: -1, secure: true } });
    const body = await new Promise<string>((resolve, reject) => {
      secureRequest(
        { port: server.monitorPort, path: '/varz', ca: tls.ca, host: 'localhost', family: 4 },
        (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => resolve(text));
        },
      )
        .on('error', reject)
        .end();
    });
    expect(JSON.parse(body)).toMatchObject({ https_port: server.monitorPort, http_port: 0, tls_required: true });
    expect(JSON.parse(body).tls_cert_not_after).toMatch(/^21\d\d-\d\d-\d\dT[\d:]+Z$/);
  });

  it('answers HTTP/1.0 without Host, and not HTTP/1.1 without it', async () => {
    await start();
    const raw = (text: string): Promise<string> =>
      new Promise((resolve) => {
        const client = new RawClient(server.monitorPort);
        client.send(text);
        client.socket.on('close', () => resolve(client.received));
      });
    expect(await raw('GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await raw('GET /healthz HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('survives requests that are none', async () => {
    await start();
    for (const text of ['PING\r\n', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`]) {
      const client = new RawClient(server.monitorPort);
      client.send(text);
      await client.closed();
    }
    const odd = new Promise<number>((resolve) => {
      request({ port: server.monitorPort, path: '//evil?%zz', host: '127.0.0.1' }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).end();
    });
    expect(await odd).toBe(301);
    expect((await get('varz')).status).toBe(200);
  });

  it('serves a limited number of connections at a time', async () => {
    await start();
    const clients: RawClient[] = [];
    while (clients.length <= MONITOR_CONNECTIONS_MAX) {
      // In portions: more than the kernel's queue takes at once would be tried again only after a second.
      const portion = Array.from(
        { length: Math.min(128, MONITOR_CONNECTIONS_MAX + 1 - clients.length) },
        () => new RawClient(server.monitorPort),
      );
      clients.push(...portion);
      await until(() => portion.every((client) => !client.socket.connecting), 'to be connected');
    }
    await until(() => clients.some((client) => client.isClosed), 'one to be turned away');
    expect(clients.filter((client) => client.isClosed)).toHaveLength(1);
    for (const client of clients) client.close();
    await expect.poll(async () => (await get('healthz').catch(() => null))?.status).toBe(200);
  });

  it('says that its port is taken', async () => {
    await start();
    await expect(startServer({ monitor: { port: server.monitorPort } })).rejects.toThrowError(ListenError);
  });
});

describe('/varz', () => {
  it('has the fields of nats-server in its order', async () => {
    await start({ serverName: 'it', gitCommit: 'abc', tags: ['A:b'], metadata: { k: 'v' }, maxSubscriptions: 7 });
    const { json } = await get('varz');
    expect(Object.keys(json)).toEqual(
      (
        'server_id server_name version proto git_commit go host port max_connections max_subscriptions ping_interval ' +
        'ping_max http_host http_port http_base_path https_port auth_timeout max_control_line max_payload max_pending ' +
        'cluster gateway leaf mqtt websocket jetstream tls_timeout write_deadline start now uptime mem cores gomaxprocs ' +
        'cpu connections total_connections routes remotes leafnodes in_msgs in_bytes in_client_msgs in_client_bytes ' +
        'out_msgs out_bytes out_client_msgs out_client_bytes slow_consumers stale_connections stalled_clients ' +
        'subscriptions http_req_stats config_load_time config_digest feature_flags tags metadata system_account slow_consumer_stats ' +
        'stale_connection_stats disk_io_wait_stats'
      ).split(' '),
    );
    expect(json).toMatchObject({
      ping_interval: 120_000_000_000,
      ping_max: 2,
      auth_timeout: 2,
      tls_timeout: 2,
      write_deadline: 10_000_000_000,
      max_connections: 65_536,
      tags: ['a:b'],
      metadata: { k: 'v' },
      jetstream: {},
    });
    expect(json.mem).toBeGreaterThan(10_000_000);
  });

  it('counts connections and subscriptions', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a 1\r\nSUB b 2\r\n');
    await client.flush();
    (await login(port)).close();
    await until(() => server.connectionCount === 1, 'the close');
    expect((await get('varz')).json).toMatchObject({ connections: 1, total_connections: 2, subscriptions: 2 });
  });
});

describe('/connz', () => {
  it('shows open connections', async () => {
    await start({ authorization: { users: [{ user: 'u', password: 'p' }] } });
    const client = await login(port, { name: 'n', lang: 'l', version: 'v', user: 'u', pass: 'p' });
    client.send('SUB a 1\r\nSUB b q 2\r\nUNSUB 2 9\r\nPUB a 3\r\nabc\r\n');
    await client.flush();
    const plain = (await get('connz')).json;
    expect(plain).toMatchObject({ num_connections: 1, total: 1, offset: 0, limit: 1024 });
    const [connection] = plain.connections;
    expect(Object.keys(connection)).toEqual(
      (
        'cid kind type ip port start last_activity rtt uptime idle pending_bytes in_msgs out_msgs in_bytes out_bytes ' +
        'subscriptions name lang version'
      ).split(' '),
    );
    expect(connection).toMatchObject({ cid: 5, kind: 'Client', type: 'nats', ip: '127.0.0.1' });
    expect(connection).toMatchObject({ in_msgs: 1, in_bytes: 3, out_msgs: 1, out_bytes: 3, subscriptions: 2 });
    expect(connection).toMatchObject({ name: 'n', lang: 'l', version: 'v', port: client.socket.localPort });
    const detailed = (await get('connz?subs=detail&auth=1')).json.connections[0];
    expect(detailed.authorized_user).toBe('u');
    expect(detailed.subscriptions_list_detail).toEqual([
      { subject: 'a', sid: '1', msgs: 1, cid: 5 },
      { subject: 'b', qgroup: 'q', sid: '2', msgs: 0, max: 9, cid: 5 },
    ]);
    expect((await get('connz?subs=1')).json.connections[0].subscriptions_list).toEqual(['a', 'b']);
  });

  it('remembers closed ones, at most max_closed_clients of them, and the reason', async () => {
    await start({ maxClosedClients: 3 });
    for (let i = 0; i < 5; i++) {
      const client = await login(port, { name: `n${i}` });
      client.send('SUB a 1\r\n');
      await client.flush();
      client.close();
      await until(() => server.connectionCount === 0, 'the close');
    }
    const { total, connections } = (await get('connz?state=closed&sort=stop&subs=1')).json;
    expect(total).toBe(3);
    expect(connections.map(({ name }: { name: string }) => name).sort()).toEqual(['n2', 'n3', 'n4']);
    expect(connections[0]).toMatchObject({ reason: 'Client Closed', subscriptions: 1, subscriptions_list: ['a'] });
    expect(connections[0].stop).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect((await get('connz?state=all&cid=9')).json).toMatchObject({ limit: 1, connections: [{ cid: 9 }] });
  });

  it('remembers a limited number of subscriptions of a closed connection', async () => {
    await start();
    const client = await login(port);
    for (let i = 0; i < CLOSED_SUBSCRIPTIONS_MAX + 5; i++) client.send(`SUB s.${i} ${i}\r\n`);
    await client.flush();
    client.close();
    await until(() => server.connectionCount === 0, 'the close');
    const [closed] = (await get('connz?state=closed&subs=detail')).json.connections;
    expect(closed.subscriptions).toBe(CLOSED_SUBSCRIPTIONS_MAX + 5);
    expect(closed.subscriptions_list_detail).toHaveLength(CLOSED_SUBSCRIPTIONS_MAX);
  });

  it('sorts, pages and filters', async () => {
    await start();
    const busy = await login(port, { name: 'busy' });
    const idle = await login(port, { name: 'idle' });
    busy.send('SUB a 1\r\nSUB b 2\r\nPUB a 1\r\nx\r\n');
    idle.send('SUB c 1\r\n');
    await busy.flush();
    await idle.flush();
    const names = async (query: string): Promise<string[]> =>
      (await get(`connz?${query}`)).json.connections.map(({ name }: { name: string }) => name);
    for (const sort of ['subs', 'msgs_to', 'msgs_from', 'bytes_to', 'bytes_from', 'cid', 'start', '']) {
      expect(await names(`sort=${sort}`), sort).toEqual(['busy', 'idle']);
    }
    for (const sort of ['pending', 'last', 'idle', 'uptime', 'rtt'])
      expect(await names(`sort=${sort}`)).toHaveLength(2);
    expect(await names('offset=1')).toEqual(['idle']);
    expect(await names('limit=1')).toEqual(['busy']);
    expect(await names('cid=6')).toEqual(['idle']);
    expect(await names('acc=$G')).toEqual(['busy', 'idle']);
    expect(await names('mqtt_client=x')).toEqual([]);
    expect((await get('connz?cid=99')).json).toMatchObject({ total: 2, limit: 1, connections: [] });
    expect((await get('connz?acc=nope')).json).toMatchObject({ server_id: '', total: 0, connections: null });
  });
});

describe('the other endpoints', () => {
  it('/subsz shows figures and, when asked, subscriptions', async () => {
    await start();
    const client = await login(port);
    client.send('SUB a.* 1\r\nSUB b q 2\r\nPUB a.b 0\r\n\r\n');
    await client.flush();
    expect((await get('subsz')).json).toMatchObject({ num_subscriptions: 2, num_inserts: 2, total: 0, limit: 1024 });
    const all = (await get('subsz?subs=1')).json;
    expect(all.total).toBe(2);
    expect(all.subscriptions_list).toContainEqual({
      account: '$G',
      account_tag: '$G',
      subject: 'a.*',
      sid: '1',
      msgs: 1,
      cid: 5,
    });
    expect((await get('subsz?subs=1&test=b')).json.subscriptions_list).toMatchObject([{ subject: 'b', qgroup: 'q' }]);
    expect((await get('subsz?subs=1&acc=$SYS')).json.total).toBe(0);
  });

  it('/accountz and /accstatz show accounts', async () => {
    await start();
    expect((await get('accountz')).json).toMatchObject({ system_account: '$SYS', accounts: ['$G', '$SYS'] });
    expect((await get('accountz?acc=$G')).json.account_detail).toMatchObject({
      account_name: '$G',
      jetstream_enabled: false,
      client_connections: 0,
      sublist_stats: { num_subscriptions: 0 },
    });
    expect((await get('accstatz')).json.account_statz).toEqual([]);
    expect((await get('accstatz?unused=1')).json.account_statz).toHaveLength(2);
    const client = await login(port);
    client.send('SUB a 1\r\nPUB a 2\r\nxy\r\n');
    await client.flush();
    expect((await get('accstatz')).json.account_statz).toMatchObject([
      { acc: '$G', conns: 1, num_subscriptions: 1, sent: { msgs: 1, bytes: 2 }, received: { msgs: 1, bytes: 2 } },
    ]);
  });

  it('/routez, /gatewayz, /leafz, /ipqueuesz and /raftz answer that there is nothing', async () => {
    await start();
    expect((await get('routez')).json).toMatchObject({ num_routes: 0, routes: [] });
    expect((await get('gatewayz')).json).toMatchObject({ outbound_gateways: {}, inbound_gateways: {} });
    expect((await get('leafz')).json).toMatchObject({ leafnodes: 0, leafs: [] });
    expect((await get('ipqueuesz')).text).toBe('{}');
    expect(await get('raftz')).toMatchObject({ status: 404, text: 'No Raft nodes registered' });
  });

  it('whatever the method, known or not, and refuse what is no request', async () => {
    await start();
    for (const method of ['get', 'POST', 'Foo', 'M-SEARCH', 'x!']) {
      const answer = await raw(`${method} /varz?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(answer).toContain(`"server_id": "${server.id}"`);
    }
    expect(await raw('get /nope HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 404 Not Found\r\n.*404 page not found\n$/s);
    expect(await raw('get /connz?limit=x HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    for (const text of [
      'get varz HTTP/1.1\r\n\r\n',
      '\u0016\u0003\u0001',
      'GET /varz HTTP/9\r\n\r\n',
      'get /varz\r\n\r\n',
    ]) {
      expect(await raw(text)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*Connection: close\r\n\r\n400 Bad Request$/s);
    }
    expect(await raw(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('under their clean path', async () => {
    await start();
    const answer = await raw('GET //a/../varz?x=1&y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 301 Moved Permanently\r\nLocation: \/varz\?x=1&y\r\n/);
    expect(await get('varz/')).toMatchObject({ status: 404 });
    expect(await get('%76arz')).toMatchObject({ status: 200 });
    for (const [target, status] of [
      ['http://x/varz', 200],
      ['http://x', 400],
      ['*', 400],
      ['/%zz', 400],
      ['/%0d%0aSet-Cookie:%20x//', 301],
    ] as const) {
      const line = await raw(`GET ${target} HTTP/1.0\r\n\r\n`);
      expect(line, target).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(line, target).not.toContain('\nSet-Cookie');
    }
  });

  it('/stacksz and /debug/vars tell about the process, and not its command line', async () => {
    await start();
    expect(await raw('GET /stacksz HTTP/1.0\r\n\r\n')).toMatch(
      /\r\n\r\nmain thread \[running\]:\n {4}at .*active resources:\n/s,
    );
    const { text } = await get('debug/vars');
    expect(JSON.parse(text)).toMatchObject({
      cmdline: [],
      memstats: { Alloc: expect.any(Number), Sys: expect.any(Number) },
    });
  });

  it('/jsz and /healthz of a server without JetStream', async () => {
    await start();
    const { json } = await get('jsz?streams=1');
    expect(Object.keys(json).slice(6, 10)).toEqual(['api', 'server_id', 'now', 'disabled']);
    expect(await get('healthz?account=a&stream=b')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect(await get('healthz?stream=x')).toMatchObject({
      status: 400,
      text: '{"status":"error","error":"\\"account\\" must not be empty when checking stream health"}',
    });
    expect(logger.lines.at(-1)).toBe(
      'WRN Healthcheck failed: "\\"account\\" must not be empty when checking stream health"',
    );
    expect((await get('healthz?account=a&consumer=x&details=1')).json).toEqual({
      status: 'error',
      errors: [{ type: 'BAD_REQUEST', error: '"stream" must not be empty when checking consumer health' }],
    });
  });

  it('shows JetStream when it is attached', async () => {
    await start();
    const asked: object[] = [];
    const view: JetStreamView = {
      varz: () => ({ stats: { memory: 1 } }),
      jsz(options) {
        asked.push(options);
        if (options.account === 'bad') throw new Error('account "bad" not found');
        return { memory: 1, api: {}, streams: 2, reserved_memory: 2n ** 64n - 1n };
      },
      healthz: (options) =>
        options.stream === 'gone'
          ? { status: 'unavailable', code: 404, error: "JetStream stream 'gone' not found" }
          : { status: 'ok', code: 200 },
      accountEnabled: (name) => name === '$G',
    };
    server.attachJetStream(view);
    expect((await get('varz')).json.jetstream).toEqual({ stats: { memory: 1 } });
    expect(Object.keys((await get('jsz?acc=a&limit=5&consumers=1')).json)).toEqual([
      'memory',
      'api',
      'server_id',
      'now',
      'streams',
      'reserved_memory',
    ]);
    expect((await get('jsz?acc=a')).text).toContain('"reserved_memory": 18446744073709551615');
    asked.length = 1;
    expect(asked).toMatchObject([{ account: 'a', limit: 5, consumers: true, streams: false }]);
    expect(await get('jsz?acc=bad')).toMatchObject({ status: 400, text: 'account "bad" not found' });
    expect((await get('accountz?acc=$G')).json.account_detail.jetstream_enabled).toBe(true);
    expect(await get('healthz?account=$G&stream=gone')).toMatchObject({ status: 404 });
    expect(await get('healthz?js-server-only=1&account=$G&stream=gone')).toMatchObject({ status: 200 });
  });
});
