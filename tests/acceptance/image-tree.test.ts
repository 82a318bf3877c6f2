import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, repositoryRoot, ServerProcess, TempDir, until, WireClient } from '../src/index.ts';

const DOCKERFILE = readFileSync(join(repositoryRoot, 'deploy/docker/Dockerfile'), 'utf8');
const TREE_IN_IMAGE = '/opt/nats-ts';
/** Who the image's process is; a test that is not root itself runs it as who it is. */
const USER = /^USER (\d+):(\d+)$/m.exec(DOCKERFILE);
const isRoot = process.getuid?.() === 0;
const identity = isRoot ? { uid: Number(USER?.[1]), gid: Number(USER?.[2]) } : {};

const dir = new TempDir('image');
const tree = join(dir.path, 'root', TREE_IN_IMAGE);
let isMounted = false;

/** The words of an instruction in exec form, as they are run from the tree. */
function words(instruction: RegExp): string[] {
  const given = JSON.parse(instruction.exec(DOCKERFILE)?.[1] ?? '[]') as string[];
  return given.map((word) => (word === 'node' ? process.execPath : word.replace(TREE_IN_IMAGE, tree)));
}

const entrypoint = words(/^ENTRYPOINT (\[.*\])$/m);
const command = words(/^CMD (\[.*\])$/m);
const healthcheck = words(/^HEALTHCHECK [\s\S]*?CMD (\[.*\])$/m);

/** The variables that the image sets, with the data where the test may write. */
function environment(data: string, more: Record<string, string> = {}): Record<string, string> {
  const block = /^ENV ((?:.*\\\n)*.*)$/m.exec(DOCKERFILE)?.[1] ?? '';
  const set = [...block.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]);
  return { ...Object.fromEntries(set), OCIS_BASE_DATA_PATH: data, OCIS_CONFIG_DIR: '/nowhere', ...more };
}

/** Every file below a folder. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

beforeAll(() => {
  const done = spawnSync(process.execPath, [join(repositoryRoot, 'scripts/image-tree.mjs'), tree, '--built'], {
    encoding: 'utf8',
  });
  expect(done.stderr).toContain('the events service and');
  expect(done.status).toBe(0);
  chmodSync(dir.path, 0o755);
  // A read-only mount where that may be had; else it is read-only by its permissions.
  const root = join(dir.path, 'root');
  isMounted =
    isRoot &&
    spawnSync('mount', ['--bind', root, root]).status === 0 &&
    spawnSync('mount', ['-o', 'remount,bind,ro', root]).status === 0;
  if (!isMounted) spawnSync('chmod', ['-R', 'a-w', root]);
});

afterAll(() => {
  const root = join(dir.path, 'root');
  if (isMounted) spawnSync('umount', [root]);
  else spawnSync('chmod', ['-R', 'u+w', root]);
  dir[Symbol.dispose]();
});

/** A folder for data that the image's user may write to. */
function dataFolder(name: string): string {
  const data = join(dir.path, name);
  mkdirSync(data);
  if (isRoot) chownSync(data, identity.uid ?? 0, identity.gid ?? 0);
  return data;
}

describe('the tree of the image', () => {
  it('holds the program and what it runs on, and nothing else', () => {
    const all = files(tree).map((file) => file.slice(tree.length + 1));
    expect(all).toContain('dist/main.js');
    expect(all).toContain('LICENSE');
    expect(all.filter((file) => /\.(?:ts|map|md)$/.test(file))).toEqual([]);
    expect(all.filter((file) => file.startsWith('src/') || /@nats-ts\/[^/]+\/src\//.test(file))).toEqual([]);
    expect(existsSync(join(tree, 'node_modules/@nats-ts/natsd/dist/index.js'))).toBe(true);
    for (const tool of ['vitest', 'typescript', '@biomejs', '@types']) {
      expect(existsSync(join(tree, 'node_modules', tool))).toBe(false);
    }
    const manifest = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const name of Object.keys(manifest.dependencies)) {
      expect(existsSync(join(tree, 'node_modules', name, 'package.json'))).toBe(true);
    }
  });

  it('runs by its entrypoint, without privileges, writing to its data only, and stops on a signal', async () => {
    expect(entrypoint.length).toBeGreaterThan(1);
    const data = dataFolder('data');
    const debugPort = await freePort();
    const env = environment(data, { NATS_NATS_PORT: '-1', NATS_DEBUG_ADDR: `0.0.0.0:${debugPort}` });
    const [node, ...args] = [...entrypoint, ...command] as [string, ...string[]];
    const before = files(tree).length;
    await using server = new ServerProcess(node, { args, env, cwd: '/', ...identity, isolated: true });
    const port = Number((await server.line(/Ready for clients on 0\.0\.0\.0:(\d+)/))[1]);
    if (isRoot) expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).toMatch(/^Uid:\t1000\t1000/m);
    await using client = await WireClient.connect(port);
    const made = await client.request('$JS.API.STREAM.CREATE.main-queue', '{"name":"main-queue"}');
    expect(JSON.stringify(made)).toContain('did_create');
    expect(existsSync(join(data, 'nats/jetstream/$G/streams/main-queue/meta.inf'))).toBe(true);
    const ask = (more: Record<string, string> = {}): { status: number | null; stdout: string } => {
      const [program, ...rest] = healthcheck as [string, ...string[]];
      return spawnSync(program, rest, { encoding: 'utf8', env: { ...env, ...more }, ...identity });
    };
    expect(ask()).toMatchObject({ status: 0, stdout: 'healthy\n' });
    expect(ask({ NATS_DEBUG_ADDR: `0.0.0.0:${await freePort()}` }).status).toBe(1);
    expect(await server.stop('SIGTERM')).toBe(0);
    expect(files(tree)).toHaveLength(before);
  });

  const canIsolate = isRoot && spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;

  it.runIf(canIsolate)('stops on a signal as process 1 of its namespace', async () => {
    const data = dataFolder('first');
    const env = environment(data, { NATS_NATS_PORT: '-1', NATS_DEBUG_ADDR: '' });
    const args = ['--pid', '--fork', '--kill-child', '--', ...entrypoint, ...command];
    await using outer = new ServerProcess('/usr/bin/unshare', { args, env, isolated: true });
    await outer.line(/Ready for clients on/);
    const child = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').trim();
    expect(readFileSync(`/proc/${child}/status`, 'utf8')).toMatch(/^NSpid:.*\t1$/m);
    // Process 1 gets no signal that it does not catch.
    process.kill(Number(child), 'SIGTERM');
    expect(await outer.ended()).toBe(0);
  });

  it('has everything for the parts that are loaded when they are needed', async () => {
    const data = dataFolder('more');
    const env = environment(data, {
      NATS_NATS_PORT: '-1',
      NATS_DEBUG_ADDR: `127.0.0.1:${await freePort()}`,
      NATS_LOG_PRETTY: 'true',
      OCIS_EVENTS_ENABLE_TLS: 'true',
      OCIS_INSECURE: 'true',
      NATS_GRPC_ADDR: '127.0.0.1:0',
      MICRO_REGISTRY_ADDRESS: `127.0.0.1:${await freePort()}`,
      NATS_LOG_LEVEL: 'info',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    });
    const [node, ...args] = [...entrypoint, ...command] as [string, ...string[]];
    await using server = new ServerProcess(node, { args, env, cwd: '/', ...identity, isolated: true });
    await until('it is ready', () => server.output.includes('Ready for clients on') || server.exited);
    expect(server.output).toContain('Ready for clients on');
    expect(server.output).toContain('gRPC server on port');
    await server.line(/registry: cannot connect to 127\.0\.0\.1/);
    expect(existsSync(join(data, 'nats/tls.crt'))).toBe(true);
    expect(await server.stop('SIGTERM')).toBe(0);
  });
});
