import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  describeTargets,
  freePort,
  GoRegistry,
  natsd,
  ServerProcess,
  type Target,
  TempDir,
  until,
} from '../../../tests/src/index.ts';
import { oraclePath } from '../../../tests/src/oracle.ts';
import { encodeStoreKey, RegistryError } from '../src/index.ts';
import { type ConnectOptions, connectRegistry, NatsBucket, type RemoteRegistry } from '../src/nats/index.ts';
import { Events, goKey, goService, NAME, nodesOf, service } from './support/services.ts';

async function open(port: number, options: Partial<ConnectOptions> = {}): Promise<RemoteRegistry> {
  const registry = await connectRegistry({ servers: [`127.0.0.1:${port}`], ...options });
  onTestFinished(() => registry.close());
  return registry;
}

async function startServer(target: Target, dir: TempDir, port = -1, more: string[] = []) {
  const server = await target.start({ args: ['-js', '-sd', dir.path, '-p', `${port}`, ...more] });
  onTestFinished(() => server.kill());
  return server;
}

function tempDir(): TempDir {
  const dir = new TempDir('kv-registry');
  onTestFinished(() => dir[Symbol.dispose]());
  return dir;
}

describeTargets('the registry on a server', (target) => {
  it('makes the bucket as Go services make it, and takes theirs', async () => {
    const [ours, theirs] = [await startServer(target, tempDir()), await startServer(target, tempDir())];
    const registry = await open(ours.port);
    await registry.register(service('a'));
    using go = new GoRegistry(theirs.port);
    await go.init();
    using reader = new GoRegistry(ours.port);
    await reader.client.connected();
    const made = (await reader.client.api('STREAM.INFO.KV_service-registry', '')) as { config: object };
    const expected = (await go.client.api('STREAM.INFO.KV_service-registry', '')) as { config: object };
    expect(made.config).toEqual(expected.config);
    // The bucket that Go made is used as it is.
    const second = await open(theirs.port);
    await second.register(service('b'));
    expect(await nodesOf(second)).toEqual(['b']);
  });

  it('is read, watched and written by Go services, and reads, watches and is written by them', async () => {
    const { port } = await startServer(target, tempDir());
    using go = new GoRegistry(port);
    await go.init();
    const registry = await open(port, { processId: 'ours' });
    const events = new Events();
    await registry.watch(events.add);
    const goEvents: string[] = [];
    await go.watch(({ action, key }) => void goEvents.push(`${action} ${key}`));

    await go.register(goKey('go-1'), goService('go-1'));
    await registry.register(service('ours'));
    await events.has('create go-1', 'create ours');
    expect(await nodesOf(registry)).toEqual(['go-1', 'ours']);
    const read = await go.getService(NAME);
    expect(read.map((json) => JSON.parse(json).nodes[0].id).sort()).toEqual([`${NAME}-go-1`, `${NAME}-ours`]);
    expect(JSON.parse(read.find((json) => json.includes('ours')) ?? '')).toEqual({
      name: NAME,
      version: '7.3.0',
      metadata: null,
      endpoints: [],
      nodes: [{ id: `${NAME}-ours`, address: '10.0.0.1:9142', metadata: { protocol: 'grpc', registry: 'cache' } }],
    });

    await registry.deregister({ name: NAME, version: '7.3.0' });
    await go.deregister(goKey('go-1'));
    await events.has('delete go-1', 'delete ours');
    await until('the Go watcher saw it', () => goEvents.includes(`delete ${NAME}@ours@7.3.0`));
    expect(goEvents).toContain(`create ${NAME}@ours@7.3.0`);
    expect(await nodesOf(registry)).toEqual([]);
    expect(await go.getService(NAME)).toEqual([]);
  });

  it('writes entries that the official key-value client reads', async () => {
    const { port } = await startServer(target, tempDir());
    const registry = await open(port, { processId: 'ours' });
    await registry.register(service('ours'));
    const connection = await connect({ servers: `127.0.0.1:${port}` });
    onTestFinished(() => connection.close());
    const kv = await new Kvm(connection).open('service-registry');
    const entry = await kv.get(encodeStoreKey(`${NAME}@ours@7.3.0`));
    expect(entry?.json<{ key: string }>().key).toBe(`${NAME}@ours@7.3.0`);
  });

  it('sees several instances of one service (ocis#9535)', async () => {
    const { port } = await startServer(target, tempDir());
    const instances = await Promise.all(['a', 'b', 'c'].map((processId) => open(port, { processId })));
    for (const [i, registry] of instances.entries()) await registry.register(service('abc'[i] ?? ''));
    const [found, ...others] = (await instances[0]?.getService(NAME)) ?? [];
    expect(others).toEqual([]);
    expect(found?.nodes.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c'].map((id) => `${NAME}-${id}`));
    await instances[1]?.close();
    expect(await nodesOf(instances[0] as RemoteRegistry)).toEqual(['a', 'c']);
  });

  it('tells watchers of a node that died, within its time to live (ocis#10412)', async () => {
    const { port } = await startServer(target, tempDir());
    const ttlMs = 1_000;
    const watching = await open(port, { ttlMs, processId: 'watching' });
    const dying = await open(port, { ttlMs, processId: 'dying', intervalMs: 60_000 });
    const living = await open(port, { ttlMs, processId: 'living', intervalMs: 100 });
    await dying.register(service('dying'));
    await living.register(service('living'));
    // This one comes later and finds an entry that has only a part of its time left.
    const events = new Events();
    await watching.watch(events.add);
    const since = performance.now();
    await events.has('create dying', 'create living', 'delete dying');
    expect(performance.now() - since).toBeLessThan(ttlMs + 3_000);
    await until('get forgets it too', async () => (await nodesOf(watching)).join() === 'living');
    expect(events.seen).not.toContain('delete living');
  });

  // spec/ocis.md 8: clients never recovered after an outage of more than two minutes. Here nothing counts attempts.
  it.each(['12404', '7056', '8880'])('registers again by itself when the server was away (ocis#%s)', async () => {
    const dir = tempDir();
    const port = await freePort();
    const first = await startServer(target, dir, port);
    const errors: unknown[] = [];
    const registry = await open(port, {
      processId: 'ours',
      intervalMs: 60_000,
      onError: (error) => void errors.push(error),
    });
    await registry.register(service('ours'));
    const events = new Events();
    await registry.watch(events.add);
    using go = new GoRegistry(port);
    await go.init();
    await go.register(goKey('short'), goService('short'));
    await events.has('create ours', 'create short');
    await first.kill();
    await until('the loss is reported', () => errors.length > 0);
    await expect(registry.register(service('more', { name: 'more' }))).rejects.toThrow('not connected to');
    const second = await startServer(target, dir, port);
    // The bucket was in memory: it and both registrations are made again, without waiting for a heartbeat.
    using after = new GoRegistry(second.port);
    await after.client.connected();
    await until('both are back', async () => (await registry.listServices()).length === 2);
    expect(await after.getService('more')).toHaveLength(1);
    await after.register(goKey('new'), goService('new'));
    await events.has('create new');
    // Who has not come back yet is not dead before its time to live is over.
    expect(events.seen).not.toContain('delete ours');
    expect(events.seen).not.toContain('delete short');
  });

  it('reports what was deleted while it was away, if the bucket lasted', async () => {
    const { port } = await startServer(target, tempDir());
    const bucket = NatsBucket.start({ servers: [`127.0.0.1:${port}`] });
    onTestFinished(() => bucket.close());
    using go = new GoRegistry(port);
    await go.init();
    await go.register(goKey('stays'), goService('stays'));
    await go.register(goKey('goes'), goService('goes'));
    const seen: string[] = [];
    await bucket.watch(({ kind, key }) => void seen.push(`${kind} ${key}`));
    const info = (await go.client.api('CONSUMER.NAMES.KV_service-registry', '')) as { consumers: string[] };
    // Its consumer is taken away, an entry deleted: what a reconnect after an outage finds.
    for (const name of info.consumers) await go.client.api(`CONSUMER.DELETE.KV_service-registry.${name}`, '');
    await go.deregister(goKey('goes'));
    await until('the deletion is reported', () => seen.includes(`delete ${goKey('goes')}`), 20_000);
    expect(seen).not.toContain(`delete ${goKey('stays')}`);
  });

  it('makes the bucket again when somebody deletes it', async () => {
    const { port } = await startServer(target, tempDir());
    const registry = await open(port, { processId: 'ours', intervalMs: 100 });
    await registry.register(service('ours'));
    await registry.register(service('ours', { name: 'other' }));
    using go = new GoRegistry(port);
    await go.client.connected();
    await go.client.api('STREAM.DELETE.KV_service-registry', '');
    await until('both are back', async () => (await registry.listServices()).length === 2);
  });

  it('gives user and password, and goes on when they are refused for a while', async () => {
    const dir = tempDir();
    const port = await freePort();
    const options = { user: 'registry', pass: 'secret' };
    const first = await startServer(target, dir, port, ['--user', 'registry', '--pass', 'secret']);
    await expect(connectRegistry({ servers: [`127.0.0.1:${port}`] })).rejects.toThrow(/cannot connect to 127/);
    const registry = await open(port, { ...options, processId: 'ours' });
    await registry.register(service('ours'));
    // As nats.go takes them; nothing of it is shown in errors.
    const inUrl = await connectRegistry({ servers: [`nats://registry:secret@127.0.0.1:${port}`] });
    expect(await nodesOf(inUrl)).toEqual(['ours']);
    await inUrl.close();
    const wrong = connectRegistry({ servers: [`registry:se%3Acret@127.0.0.1:${port}`] });
    await expect(wrong).rejects.toThrow(new RegExp(`^cannot connect to 127.0.0.1:${port}: [^@]*$`));
    await first.kill();
    const refusing = await startServer(target, dir, port, ['--user', 'registry', '--pass', 'other']);
    await refusing.line(/authentication error/i).catch(() => null);
    await refusing.kill();
    await startServer(target, dir, port, ['--user', 'registry', '--pass', 'secret']);
    await until('it is registered again', async () => (await nodesOf(registry)).join() === 'ours');
  });
});

describe.runIf(oraclePath('2.10') !== null)('the registry on the server that Go services embed (2.10)', () => {
  it('registers, watches and notices who died, in a bucket that Go made', async () => {
    const dir = tempDir();
    await using server = await ServerProcess.oracle(
      { args: ['-a', '127.0.0.1', '-p', '-1', '-js', '-sd', dir.path] },
      '2.10',
    );
    using go = new GoRegistry(server.port);
    await go.init();
    const registry = await open(server.port, { processId: 'ours' });
    const events = new Events();
    await registry.watch(events.add);
    await registry.register(service('ours'));
    await go.register(goKey('go-1'), goService('go-1'));
    await events.has('create ours', 'create go-1');
    expect(await nodesOf(registry)).toEqual(['go-1', 'ours']);
    expect(await go.getService(NAME)).toHaveLength(2);
    await go.deregister(goKey('go-1'));
    await events.has('delete go-1');
    expect(await nodesOf(registry)).toEqual(['ours']);
  });
});

describe('the first connection', () => {
  it('fails when nobody is there', async () => {
    const port = await freePort();
    const failing = connectRegistry({ servers: [`127.0.0.1:${port}`] });
    await expect(failing).rejects.toThrow(RegistryError);
    await expect(failing).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is waited for if asked, at any of several addresses', async () => {
    const [nobody, port] = [await freePort(), await freePort()];
    const errors: unknown[] = [];
    const opening = connectRegistry({
      servers: [`127.0.0.1:${nobody}`, `127.0.0.1:${port}`],
      waitOnFirstConnect: true,
      onError: (error) => void errors.push(error),
    });
    await until('an attempt has failed', () => errors.length > 0);
    await startServer(natsd, tempDir(), port);
    const registry = await opening;
    await registry.register(service('ours'));
    expect(await nodesOf(registry)).toEqual(['ours']);
    await registry.close();
  });

  it('ends when the bucket is closed before it was there', async () => {
    const bucket = NatsBucket.start({ servers: [`127.0.0.1:${await freePort()}`] });
    await expect(bucket.put('a', new Uint8Array(0))).rejects.toMatchObject({ code: 'unavailable' });
    await bucket.close();
    await expect(bucket.put('a', new Uint8Array(0))).rejects.toMatchObject({ code: 'closed' });
  });
});
