import { MemoryBucket, Registry, type Service } from '@nats-ts/kv-registry';
import { expect, it } from 'vitest';
import { openTracing } from '../../src/tracing/open-tracing.ts';
import { tracedRegistry } from '../../src/tracing/traced-registry.ts';
import { Collector } from './collector.ts';
import { KeptLog, tracingConfig } from './support.ts';

const SERVICE: Service = {
  name: 'com.owncloud.api.search',
  version: '1.0',
  metadata: null,
  endpoints: [],
  nodes: [{ id: 'a', address: '127.0.0.1:1', metadata: {} }],
};

it('every call of the registry is a span, and one that fails says why', async () => {
  await using collector = await Collector.http();
  const env = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const tracing = await openTracing(tracingConfig(env), false, '1.2.3', new KeptLog());
  const registry = new Registry({ bucket: new MemoryBucket({ ttlMs: 30_000 }), processId: 'p' });
  const calls = tracedRegistry(registry, tracing);
  await calls.register(SERVICE);
  const watch = await calls.watch(() => {}, SERVICE.name);
  watch.stop();
  expect(await calls.getService(SERVICE.name)).toHaveLength(1);
  expect(await calls.listServices()).toHaveLength(1);
  await calls.deregister(SERVICE);
  await registry.close();
  await expect(calls.register(SERVICE)).rejects.toThrow('the registry is closed');
  await tracing.stop();
  const ofService = { 'registry.service': SERVICE.name };
  const ofVersion = { ...ofService, 'registry.version': '1.0' };
  expect(collector.spans.map(({ name, attributes, status, message }) => [name, attributes, status, message])).toEqual([
    ['registry register', ofVersion, 0, ''],
    ['registry watch', ofService, 0, ''],
    ['registry get', ofService, 0, ''],
    ['registry list', {}, 0, ''],
    ['registry deregister', ofVersion, 0, ''],
    ['registry register', { ...ofVersion, 'error.type': 'RegistryError' }, 2, 'the registry is closed'],
  ]);
});

it('without traces the registry is left as it is', () => {
  const registry = new Registry({ bucket: new MemoryBucket({ ttlMs: 30_000 }), processId: 'p' });
  expect(tracedRegistry(registry, null)).toBe(registry);
});
