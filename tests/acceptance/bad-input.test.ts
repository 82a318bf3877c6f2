import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort, RawClient, repositoryRoot, ServerProcess, TempDir, until, WireClient } from '../src/index.ts';

const LOOPBACK = ['-a', '127.0.0.1', '-p', '-1'];
const NATSD = join(repositoryRoot, 'apps/natsd/bin/natsd');
const EVENTS_SERVICE = join(repositoryRoot, 'apps/events-service/bin/events-service');
// Directory permissions do not stop root; only others can show that error.
const isRoot = process.getuid?.() === 0;

/** A neighbour that talks to itself all the time and notices every disturbance. */
class Neighbour implements AsyncDisposable {
  readonly client: WireClient;
  readonly sid: string;
  #sent = 0;

  private constructor(client: WireClient, sid: string) {
    this.client = client;
    this.sid = sid;
  }

  static async connect(port: number): Promise<Neighbour> {
    const client = await WireClient.connect(port);
    const sid = client.subscribe('neighbour');
    await client.flush();
    return new Neighbour(client, sid);
  }

  async isUndisturbed(): Promise<void> {
    const payload = `still here ${this.#sent++}`;
    this.client.publish('neighbour', payload);
    expect((await this.client.next(this.sid))?.payload).toBe(payload);
    expect(this.client.errors).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}

describe('bad input from a client', () => {
  const cases: [title: string, bytes: string | Buffer, answer: string | RegExp][] = [
    [
      'garbage',
      Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 31 + 7) % 256)),
      /^-ERR 'Unknown Protocol Operation'\r\n$/,
    ],
    ['an HTTP request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', "-ERR 'Unknown Protocol Operation'\r\n"],
    ['half a TLS hello', Buffer.from('16030100f0010000ec0303', 'hex'), "-ERR 'Unknown Protocol Operation'\r\n"],
    ['a control line without end', `SUB ${'a'.repeat(100_000)}`, "-ERR 'maximum control line exceeded'\r\n"],
    [
      'a payload above the limit',
      'CONNECT {"verbose":false}\r\nPUB a 1048577\r\n',
      "-ERR 'Maximum Payload Violation'\r\n",
    ],
    ['a negative size', 'CONNECT {"verbose":false}\r\nPUB a -1\r\n', ''],
    ['JSON that is none in CONNECT', 'CONNECT {"verbose":fal\r\n', ''],
    ['a wrong type in CONNECT', 'CONNECT {"verbose":"yes"}\r\n', ''],
    [
      'a payload longer than announced',
      'CONNECT {"verbose":false}\r\nPUB a 2\r\nhello\r\n',
      "-ERR 'Unknown Protocol Operation'\r\n",
    ],
    ['a server verb', 'MSG a 1 0\r\n\r\n', "-ERR 'Unknown Protocol Operation'\r\n"],
  ];

  it('is answered in the protocol and closes that connection only', async () => {
    await using server = await ServerProcess.natsd({ args: LOOPBACK });
    await using neighbour = await Neighbour.connect(server.port);
    for (const [title, bytes, answer] of cases) {
      await using bad = await RawClient.connect(server.port);
      bad.send(bytes);
      const received = await bad.untilClosed();
      if (typeof answer === 'string') expect(received, title).toBe(answer);
      else expect(received, title).toMatch(answer);
      await neighbour.isUndisturbed();
    }
    await using leaver = await RawClient.connect(server.port);
    leaver.send('CONNECT {"verbose":false}\r\nSUB neighbour 1\r\nPUB neighbour 100\r\nhalf of it');
    leaver.socket.resetAndDestroy();
    await neighbour.isUndisturbed();
    expect(server.exited).toBe(false);
  });

  it('in API requests is answered with the error that nats-server gives', async () => {
    using dir = new TempDir('bad-api');
    await using server = await ServerProcess.natsd({ args: [...LOOPBACK, '-js', '-sd', dir.path] });
    await using client = await WireClient.connect(server.port);
    for (const body of [
      '{',
      'null',
      '[1,2',
      '{"name":5}',
      '\u0000\u0001',
      '{"name":"S","subjects":"s"}',
      `{"name":"S","description":"${'x'.repeat(5000)}"}`,
    ]) {
      const answer = await client.request('$JS.API.STREAM.CREATE.S', body);
      expect(answer.kind === 'message' && answer.message.payload, body).toMatch(/"err_code":\d+/);
    }
    expect(server.exited).toBe(false);
  });

  it('that reads slowly is cut off and named, others get everything', async () => {
    using dir = new TempDir('slow');
    const file = join(dir.path, 'slow.conf');
    writeFileSync(file, 'listen: "127.0.0.1:-1"\nmax_pending: 2MB\n');
    await using server = await ServerProcess.natsd({ args: ['-c', file] });
    await using neighbour = await Neighbour.connect(server.port);
    await using slow = await RawClient.connect(server.port);
    slow.send('CONNECT {"verbose":false,"name":"sleepy"}\r\nSUB flood 1\r\n');
    await slow.flush();
    slow.socket.pause();
    await using publisher = await WireClient.connect(server.port);
    const payload = 'x'.repeat(100_000);
    await until(
      'the slow consumer is found',
      async () => {
        for (let i = 0; i < 20; i++) publisher.publish('flood', payload);
        await publisher.flush();
        return server.output.includes('Slow Consumer Detected');
      },
      20_000,
    );
    expect(server.output).toMatch(/sleepy.* - Slow Consumer Detected: MaxPending of 2097152 Exceeded/);
    await neighbour.isUndisturbed();
  });
});

describe('bad input to the programs', () => {
  const events = (
    env: Record<string, string>,
    dir: string,
  ): { status: number | null; stderr: string; stdout: string } =>
    spawnSync(EVENTS_SERVICE, ['server'], {
      encoding: 'utf8',
      timeout: 20_000,
      env: { ...process.env, NATS_NATS_STORE_DIR: dir, NATS_NATS_PORT: '-1', ...env },
    });

  it('names the variable, the value and what was expected', () => {
    using dir = new TempDir('env');
    const result = events({ NATS_NATS_PORT: 'abc' }, dir.path);
    expect(result.status).not.toBe(0);
    expect(result.stderr).toMatch(/NATS_NATS_PORT.*"?abc"?/);
    const toggle = events({ NATS_EVENTS_ENABLE_TLS: 'perhaps' }, dir.path);
    expect(toggle.status).not.toBe(0);
    expect(toggle.stderr).toMatch(/NATS_EVENTS_ENABLE_TLS.*perhaps/);
  });

  it('refuses a malformed YAML file, naming file and line', () => {
    using dir = new TempDir('yaml');
    writeFileSync(join(dir.path, 'nats.yaml'), 'nats:\n  port: 9233\n bad: [\n');
    const result = events({ OCIS_CONFIG_DIR: dir.path }, dir.path);
    expect(result.status).not.toBe(0);
    expect(result.stderr).toContain('nats.yaml');
    expect(result.stderr).toMatch(/:\s*3|line 3/);
  });

  it('refuses a port that is taken', async () => {
    using dir = new TempDir('taken');
    await using server = await ServerProcess.natsd({ args: LOOPBACK });
    const result = events(
      { NATS_NATS_PORT: `${server.port}`, NATS_DEBUG_ADDR: `127.0.0.1:${await freePort()}` },
      dir.path,
    );
    expect(result.status).not.toBe(0);
    expect(result.stderr).toContain('address already in use');
  });

  it('refuses a second process on the same directory and names the first', async () => {
    using dir = new TempDir('twice');
    await using server = await ServerProcess.natsd({ args: [...LOOPBACK, '-js', '-sd', dir.path] });
    const result = spawnSync(NATSD, [...LOOPBACK, '-js', '-sd', dir.path], { encoding: 'utf8', timeout: 20_000 });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(`${server.pid}`);
    await server.kill();
    await using next = await ServerProcess.natsd({ args: [...LOOPBACK, '-js', '-sd', dir.path] });
    expect(next.exited).toBe(false);
  });

  it('refuses a store directory that is a file', () => {
    using dir = new TempDir('file');
    const file = join(dir.path, 'not-a-directory');
    writeFileSync(file, '');
    const result = spawnSync(NATSD, [...LOOPBACK, '-js', '-sd', file], { encoding: 'utf8', timeout: 20_000 });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("Can't start JetStream");
    expect(result.stderr).toContain(file);
  });

  it.runIf(!isRoot)('refuses a store directory it may not write (not shown to root)', () => {
    using dir = new TempDir('readonly');
    const store = join(dir.path, 'store');
    mkdirSync(store);
    chmodSync(store, 0o500);
    const result = spawnSync(NATSD, [...LOOPBACK, '-js', '-sd', store], { encoding: 'utf8', timeout: 20_000 });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("Can't start JetStream");
  });
});
