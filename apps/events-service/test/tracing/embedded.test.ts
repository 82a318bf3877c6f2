import { type ProxyTracerProvider, type Tracer, trace } from '@opentelemetry/api';
import { afterEach, expect, it } from 'vitest';
import { TempDir } from '../../../../tests/src/index.ts';
import { createEventsService, type EventsService } from '../../src/index.ts';
import { Collector } from './collector.ts';
import { client, KeptLog, keptTracer } from './support.ts';

afterEach(() => trace.disable());

function start(dir: TempDir, collector: Collector, serviceName: string): Promise<EventsService> {
  return createEventsService({
    nats: { port: -1, storeDir: `${dir.path}/${serviceName}` },
    debug: { addr: '' },
    tracing: { exporter: 'otlp', otlpEndpoint: collector.url, batchDelay: 10, serviceName },
  });
}

async function ask(port: number): Promise<void> {
  await using nats = await client(port);
  await nats.request('$JS.API.INFO');
}

const globalProvider = (): unknown => (trace.getTracerProvider() as ProxyTracerProvider).getDelegate();

it('inside a program that traces on its own account, both keep to themselves', async () => {
  const started: string[] = [];
  const tracer = { startSpan: (name: string) => started.push(name) } as unknown as Tracer;
  const own = { getTracer: () => tracer };
  trace.setGlobalTracerProvider(own);
  using dir = new TempDir('events-tracing');
  await using collector = await Collector.http();
  {
    await using service = await start(dir, collector, 'nats');
    expect(globalProvider()).toBe(own);
    await ask(service.port);
    await collector.span('INFO');
  }
  expect(globalProvider()).toBe(own);
  expect(started).toEqual([]);
});

it('two services in one process send to a collector each, and one may stop before the other', async () => {
  using dir = new TempDir('events-tracing');
  await using first = await Collector.http();
  await using second = await Collector.http();
  const one = await start(dir, first, 'one');
  await using two = await start(dir, second, 'two');
  await ask(one.port);
  await first.span('INFO');
  await one.stop();
  await ask(two.port);
  await second.span('INFO');
  const names = (collector: Collector): unknown[] => [
    ...new Set(collector.spans.map((span) => span.resource['service.name'])),
  ];
  expect([names(first), names(second)]).toEqual([['one'], ['two']]);
});

it('a service that was stopped can be started again, and leaves nothing registered', async () => {
  const before = globalProvider();
  using dir = new TempDir('events-tracing');
  for (let i = 0; i < 2; i++) {
    await using collector = await Collector.http();
    await using service = await start(dir, collector, 'nats');
    await ask(service.port);
    await collector.span('INFO');
  }
  expect(globalProvider()).toBe(before);
});

it('work that is run within a span fails it when it fails', async () => {
  const { openTracing } = await import('../../src/tracing/open-tracing.ts');
  const { tracingConfig } = await import('./support.ts');
  await using collector = await Collector.http();
  const env = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const tracing = await openTracing(tracingConfig(env), false, '1.2.3', new KeptLog());
  expect(await tracing.call('good', { 'registry.service': 'a' }, () => Promise.resolve(5))).toBe(5);
  await expect(tracing.call('bad', {}, () => Promise.reject(new TypeError('broken')))).rejects.toThrow('broken');
  await tracing.stop();
  expect(collector.spans.map(({ name, status, message, attributes }) => [name, status, message, attributes])).toEqual([
    ['good', 0, '', { 'registry.service': 'a' }],
    ['bad', 2, 'broken', { 'error.type': 'TypeError' }],
  ]);
});

it('a tracer of its own is used whatever is registered', async () => {
  await using kept = await keptTracer();
  await using other = await keptTracer();
  kept.tracer.startSpan('a').end();
  other.tracer.startSpan('b').end();
  expect([kept.spans.take(), other.spans.take()]).toEqual([['a'], ['b']]);
});
