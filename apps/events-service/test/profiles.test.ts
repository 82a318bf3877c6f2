import { mkdirSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, RawClient, TempDir, until } from '../../../tests/src/index.ts';
import { PROFILE_SECONDS_MAX } from '../src/profiles/profile-routes.ts';
import { inProcess } from './support/in-process.ts';
import { ask, RunningService, serviceEnv } from './support/service.ts';

const TOKEN = 'a-very-secret-token';
const AUTHORIZED = { Authorization: `Bearer ${TOKEN}` };

/** A place on a stack. */
interface Place {
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

/** A profile as pprof reads it. */
interface Opened {
  readonly types: readonly string[];
  readonly samples: readonly { values: readonly number[]; stack: readonly Place[] }[];
  readonly profile: Profile;
}

/** Fetches a profile and takes it apart, checking on the way what pprof checks when it opens a file. */
async function open(port: number, path: string): Promise<Opened> {
  const response = await fetch(`http://127.0.0.1:${port}/debug/pprof/${path}`, { headers: AUTHORIZED });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  const profile = Profile.decode(gunzipSync(Buffer.from(await response.arrayBuffer())));
  const { strings } = profile.stringTable;
  const text = (at: number | bigint): string => strings[Number(at)]!;
  expect(strings[0]).toBe('');
  const functions = new Map(profile.function.map((one) => [Number(one.id), one]));
  const places = new Map<number, Place>();
  for (const { id, line } of profile.location) {
    expect(Number(id)).toBeGreaterThan(0);
    expect(places.has(Number(id))).toBe(false);
    expect(line.length).toBe(1);
    const found = functions.get(Number(line[0]!.functionId));
    if (found === undefined) throw new Error(`there is no function ${line[0]!.functionId}`);
    places.set(Number(id), { name: text(found.name), file: text(found.filename), line: Number(line[0]!.line) });
  }
  expect(functions.size).toBe(profile.function.length);
  const samples = profile.sample.map(({ value, locationId }) => {
    expect(value.length).toBe(profile.sampleType.length);
    return { values: value.map(Number), stack: locationId.map((id) => places.get(Number(id))!) };
  });
  for (const { stack } of samples) expect(stack).not.toContain(undefined);
  return { types: profile.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`), samples, profile };
}

/** Whether code of ours, by its name in the sources, is on a stack. */
function hasOwn({ samples }: Opened): boolean {
  return samples.some(({ stack }) =>
    stack.some(({ file, line }) => /\/packages\/server\/src\/.*\.ts$/.test(file) && line > 0),
  );
}

describe('with NATS_DEBUG_PPROF', () => {
  let dir: TempDir;
  let port: number;
  let service: RunningService;
  let isBusy = true;
  let work: Promise<void>;

  beforeAll(async () => {
    dir = new TempDir('profiles');
    port = await freePort();
    const env = { NATS_DEBUG_ADDR: `127.0.0.1:${port}`, NATS_DEBUG_TOKEN: TOKEN, NATS_DEBUG_PPROF: 'true' };
    service = await RunningService.start(serviceEnv(dir.path, env));
    work = publishAllAlong();
  });

  afterAll(async () => {
    isBusy = false;
    await work;
    await service[Symbol.asyncDispose]();
    dir[Symbol.dispose]();
  });

  /** Something to be seen in profiles. */
  async function publishAllAlong(): Promise<void> {
    await using client = await RawClient.connect(service.port);
    client.send('CONNECT {"verbose":false}\r\nSUB a.* 1\r\n');
    for (let round = 0; isBusy; round++) {
      client.send(`PUB a.${round} 5\r\nhello\r\n`.repeat(500));
      client.send('PING\r\n');
      await client.readUntil('PONG\r\n');
      client.discard(client.received.length);
    }
  }

  it('asks for the token', async () => {
    for (const path of ['', 'profile', 'wall', 'heap', 'allocs', 'trace', 'cmdline', 'symbol']) {
      expect((await ask(port, `/debug/pprof/${path}`)).status).toBe(401);
    }
  });

  it('shows what runs, by function and line of the sources', async () => {
    let opened!: Opened;
    await until('the server is seen at work', async () => {
      opened = await open(port, 'profile?seconds=0.5');
      return hasOwn(opened);
    });
    expect(opened.types).toEqual(['samples/count', 'cpu/nanoseconds']);
    const names = opened.samples.flatMap(({ stack }) => stack.map(({ name }) => name));
    expect(names).not.toContain('(idle)');
    const { timeNanos, durationNanos, period } = opened.profile;
    expect(Number(durationNanos)).toBeGreaterThanOrEqual(0.5e9);
    expect(Number(period)).toBe(1e6);
    expect(Math.abs(Number(timeNanos) / 1e6 - Date.now())).toBeLessThan(600_000);
    const total = opened.samples.reduce((sum, { values }) => sum + values[1]!, 0);
    expect(total).toBeLessThanOrEqual(Number(durationNanos) * 1.5);
  });

  it('shows the time in which nothing runs as well', async () => {
    isBusy = false;
    await work;
    const { types, samples } = await open(port, 'wall?seconds=0.3');
    expect(types).toEqual(['samples/count', 'wall/nanoseconds']);
    const idle = samples.filter(({ stack }) => stack[0]?.name === '(idle)');
    expect(idle.reduce((sum, { values }) => sum + values[1]!, 0)).toBeGreaterThan(1e6);
    isBusy = true;
    work = publishAllAlong();
  });

  it('shows memory in use and memory allocated', async () => {
    const heap = await open(port, 'heap?gc=1');
    expect(heap.types).toEqual(['inuse_space/bytes']);
    const outside = heap.samples.find(({ stack }) => stack[0]?.name === '(buffers)');
    expect(outside?.values[0]).toBeGreaterThan(0);
    expect(heap.samples.length).toBeGreaterThan(2);
    const allocs = await open(port, 'allocs?seconds=0.5');
    expect(allocs.types).toEqual(['alloc_space/bytes']);
    expect((await open(port, 'heap')).samples.length).toBeGreaterThan(0);
  });

  it('gives a profile that Chrome DevTools opens', async () => {
    const answer = await ask(port, '/debug/pprof/trace?seconds=0.2', AUTHORIZED);
    expect(answer.headers['content-disposition']).toContain('.cpuprofile');
    const profile = JSON.parse(answer.body);
    expect(profile.nodes.length).toBeGreaterThan(0);
    expect(profile.samples.length).toBe(profile.timeDeltas.length);
  });

  it('tells what there is', async () => {
    const index = await ask(port, '/debug/pprof/', AUTHORIZED);
    for (const name of ['profile', 'wall', 'heap', 'allocs', 'trace', 'cmdline']) {
      expect(index.body).toContain(`/debug/pprof/${name} `);
    }
    const command = await ask(port, '/debug/pprof/cmdline', AUTHORIZED);
    expect(command.body.split('\0').slice(-2)).toEqual([expect.stringMatching(/dist\/main\.js$/), 'server']);
    expect((await ask(port, '/debug/pprof/symbol', AUTHORIZED)).body).toBe('num_symbols: 0\n');
  });

  it.each(['0', '-1', 'x', `${PROFILE_SECONDS_MAX + 1}`])('refuses to take one for %s seconds', async (seconds) => {
    for (const kind of ['profile', 'wall', 'allocs', 'trace']) {
      const answer = await ask(port, `/debug/pprof/${kind}?seconds=${seconds}`, AUTHORIZED);
      expect(answer).toMatchObject({
        status: 400,
        body: `seconds is "${seconds}", expected a number above 0 and not above 120\n`,
      });
    }
  });

  it('takes one at a time, until whoever asked has gone', async () => {
    const first = get({ host: '127.0.0.1', port, path: '/debug/pprof/profile?seconds=120', headers: AUTHORIZED });
    first.on('error', () => {});
    await until('the first is being taken', async () => {
      const second = await ask(port, '/debug/pprof/heap', AUTHORIZED);
      if (second.status === 200) return false;
      expect(second).toMatchObject({
        status: 429,
        body: 'a profile is being taken already (cpu of 120 s), and there is only one at a time\n',
      });
      return true;
    });
    first.destroy();
    await until(
      'the next one can be taken',
      async () => (await ask(port, '/debug/pprof/heap', AUTHORIZED)).status === 200,
    );
  });
});

it('has no profiles unless they are asked for', async () => {
  using dir = new TempDir('profiles');
  const port = await freePort();
  await using _ = await RunningService.start(serviceEnv(dir.path, { NATS_DEBUG_ADDR: `127.0.0.1:${port}` }));
  expect((await ask(port, '/debug/pprof/')).status).toBe(404);
});

it('stops while a profile is being taken', async () => {
  using dir = new TempDir('profiles');
  const port = await freePort();
  const env = { NATS_DEBUG_ADDR: `127.0.0.1:${port}`, NATS_DEBUG_PPROF: 'true' };
  await using service = await RunningService.start(serviceEnv(dir.path, env));
  const asking = get({ host: '127.0.0.1', port, path: '/debug/pprof/profile?seconds=120' });
  asking.on('error', () => {});
  await until('it is being taken', async () => (await ask(port, '/debug/pprof/heap')).status === 429);
  expect(await service.process.stop()).toBe(0);
});

it('goes on for a service whose neighbour in the same process stops', async () => {
  using dir = new TempDir('profiles');
  const env = { NATS_DEBUG_PPROF: 'true' };
  for (const name of ['one', 'other']) mkdirSync(join(dir.path, name));
  const { service: one } = await inProcess(join(dir.path, 'one'), env);
  const { service: other } = await inProcess(join(dir.path, 'other'), env);
  await using _ = other;
  await Promise.all([one.start(), other.start()]);
  expect((await ask(one.debugPort, '/debug/pprof/allocs?seconds=0.05')).status).toBe(200);
  await one.stop();
  for (const path of ['heap', 'allocs?seconds=0.05', 'profile?seconds=0.05']) {
    expect((await ask(other.debugPort, `/debug/pprof/${path}`)).status).toBe(200);
  }
});
