import { describe, expect, it } from 'vitest';
import {
  type KeyValueBucket,
  MEMORY_ENTRIES_MAX,
  MemoryBucket,
  REGISTERED_MAX,
  Registry,
  type RegistryEvent,
  type Service,
} from '../src/index.ts';
import { ManualClock } from './support/manual-clock.ts';

function service(name: string, id: string, extra: Partial<Service> = {}): Service {
  return {
    name,
    version: '1.0.0',
    metadata: null,
    endpoints: null,
    nodes: [{ id: `${name}-${id}`, address: `10.0.0.1:${id.length}`, metadata: { protocol: 'grpc' } }],
    ...extra,
  };
}

function setUp(ttlMs = 30_000) {
  const clock = new ManualClock();
  const bucket = new MemoryBucket({ ttlMs, clock });
  const open = (processId: string, through: KeyValueBucket = bucket, errors: unknown[] = []) =>
    new Registry({
      bucket: through,
      processId,
      clock,
      intervalMs: 25_000,
      onError: (error) => void errors.push(error),
    });
  return { clock, bucket, open };
}

describe('the registry', () => {
  it('shows all instances of one service', async () => {
    const { open } = setUp();
    const [a, b] = [open('a'), open('b')];
    await a.register(service('gateway', 'a'));
    await b.register(service('gateway', 'b'));
    await b.register(service('search', 'b'));
    const [found] = await a.getService('gateway');
    expect(found?.nodes.map((node) => node.id)).toEqual(['gateway-a', 'gateway-b']);
    expect(await a.listServices()).toEqual([
      { name: 'gateway', version: '1.0.0' },
      { name: 'search', version: '1.0.0' },
    ]);
    expect(await a.getService('nobody')).toEqual([]);
  });

  it('keeps a registered service alive, and lets a dead one go within its time to live', async () => {
    const { clock, bucket, open } = setUp();
    let killed = false;
    // A process that is killed: no deregistration, no more heartbeats.
    const mortal: KeyValueBucket = {
      ttlMs: bucket.ttlMs,
      put: async (key, value) => (killed ? undefined : bucket.put(key, value)),
      get: (key) => bucket.get(key),
      delete: (key) => bucket.delete(key),
      keys: () => bucket.keys(),
      watch: (callback) => bucket.watch(callback),
    };
    const [alive, dying] = [open('alive'), open('dying', mortal)];
    await alive.register(service('gateway', 'alive'));
    await dying.register(service('gateway', 'dying'));
    const events: string[] = [];
    await alive.watch(({ action, service: { nodes } }: RegistryEvent) => void events.push(`${action} ${nodes[0]?.id}`));
    expect(events).toEqual(['create gateway-alive', 'create gateway-dying']);
    killed = true;
    clock.advance(25_000);
    clock.advance(25_000);
    expect(events).toEqual(['create gateway-alive', 'create gateway-dying', 'delete gateway-dying']);
    const [found] = await alive.getService('gateway');
    expect(found?.nodes.map((node) => node.id)).toEqual(['gateway-alive']);
  });

  it('tells watchers of changes and deregistration, not of heartbeats', async () => {
    const { clock, open } = setUp();
    const registry = open('a');
    const events: string[] = [];
    const watch = await registry.watch(({ action }) => void events.push(action), 'gateway');
    await registry.register(service('gateway', 'a'));
    await registry.register(service('other', 'a'));
    clock.advance(25_000);
    await registry.register(service('gateway', 'a', { metadata: { changed: 'yes' } }));
    await registry.deregister(service('gateway', 'a'));
    expect(events).toEqual(['create', 'update', 'delete']);
    watch.stop();
    await registry.register(service('gateway', 'a'));
    expect(events).toHaveLength(3);
  });

  it('registers again by itself after an outage', async () => {
    const { clock, bucket, open } = setUp();
    let down = true;
    const flaky: KeyValueBucket = {
      ttlMs: bucket.ttlMs,
      put: (key, value) => (down ? Promise.reject(new Error('no servers')) : bucket.put(key, value)),
      get: (key) => bucket.get(key),
      delete: (key) => bucket.delete(key),
      keys: () => bucket.keys(),
      watch: (callback) => bucket.watch(callback),
    };
    const errors: unknown[] = [];
    const registry = open('a', flaky, errors);
    await expect(registry.register(service('gateway', 'a'))).rejects.toThrow('no servers');
    clock.advance(25_000);
    await Promise.resolve();
    expect(await registry.getService('gateway')).toEqual([]);
    down = false;
    clock.advance(25_000);
    expect(await registry.getService('gateway')).toHaveLength(1);
    expect(errors).toHaveLength(1);
  });

  it('withdraws behind a put that is under way, its own and one for another process', async () => {
    const { bucket } = setUp();
    let release = (): void => {};
    const slow: KeyValueBucket = {
      ttlMs: bucket.ttlMs,
      put: async (key, value) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        await bucket.put(key, value);
      },
      get: (key) => bucket.get(key),
      delete: (key) => bucket.delete(key),
      keys: () => bucket.keys(),
      watch: (callback) => bucket.watch(callback),
    };
    const registry = new Registry({ bucket: slow, processId: 'a' });
    const own = service('gateway', 'a');
    const calls: [() => Promise<void>, () => Promise<void>][] = [
      [() => registry.register(own), () => registry.deregister(own)],
      [() => registry.announceFor(own, 'b'), () => registry.withdrawFor(own, 'b')],
    ];
    for (const [put, withdraw] of calls) {
      const done = Promise.all([put(), withdraw()]);
      release();
      await done;
      expect(await bucket.keys()).toEqual([]);
    }
    await registry.close();
  });

  it('tells of every put that succeeded, and tries sooner after one that failed', async () => {
    const { clock, bucket } = setUp();
    let failing = false;
    let registered = 0;
    const flaky: KeyValueBucket = {
      ttlMs: bucket.ttlMs,
      put: (key, value) => (failing ? Promise.reject(new Error('no servers')) : bucket.put(key, value)),
      get: (key) => bucket.get(key),
      delete: (key) => bucket.delete(key),
      keys: () => bucket.keys(),
      watch: (callback) => bucket.watch(callback),
    };
    const registry = new Registry({ bucket: flaky, processId: 'a', clock, onRegistered: () => void registered++ });
    await registry.register(service('gateway', 'a'));
    expect(registered).toBe(1);
    failing = true;
    clock.advance(25_000);
    // The failure is known some turns of the microtask queue later.
    await new Promise((resolve) => setImmediate(resolve));
    failing = false;
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(registered).toBe(2);
    await registry.close();
  });

  it('withdraws everything when it closes, and takes nothing afterwards', async () => {
    const { open } = setUp();
    const [a, b] = [open('a'), open('b')];
    await a.register(service('gateway', 'a'));
    await a.close();
    expect(await b.listServices()).toEqual([]);
    await expect(a.register(service('gateway', 'a'))).rejects.toThrow('the registry is closed');
  });

  it('refuses names that would break its keys, and more services than its limit', async () => {
    const { open } = setUp();
    const registry = open('a');
    await expect(registry.register(service('a@b', 'a'))).rejects.toThrow(/must not contain "@"/);
    await expect(registry.register(service('', 'a'))).rejects.toThrow(/must not be empty/);
    for (let i = 0; i < REGISTERED_MAX; i++) await registry.register(service(`s${i}`, 'a'));
    await expect(registry.register(service('more', 'a'))).rejects.toThrow(`at most ${REGISTERED_MAX} services`);
  });

  it('refuses entries beyond the limit of a memory bucket', async () => {
    const bucket = new MemoryBucket();
    for (let i = 0; i < MEMORY_ENTRIES_MAX; i++) await bucket.put(`k${i}`, new Uint8Array(0));
    await expect(bucket.put('one more', new Uint8Array(0))).rejects.toThrow(`at most ${MEMORY_ENTRIES_MAX} entries`);
    await bucket.put('k0', new Uint8Array(1));
  });
});
