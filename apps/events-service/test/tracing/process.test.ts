import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort, TempDir, until } from '../../../../tests/src/index.ts';
import { Kvm } from '../../../../tests/src/official-clients.ts';
import { ask, serviceEnv as emptyEnv, logLines, RunningService, run } from '../support/service.ts';
import { Collector } from './collector.ts';
import { client, event } from './support.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${PARENT_ID}-01`;

/** Sends spans soon, and every sync. */
const SOON = { OTEL_BSP_SCHEDULE_DELAY: '20', NATS_TRACING_SLOW_SYNC: '0s' };

const exportTo = ({ url }: Collector): Record<string, string> => ({
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
});

/** The registry in memory makes no requests and messages of its own. */
const serviceEnv = (base: string, env: Record<string, string> = {}): Record<string, string> =>
  emptyEnv(base, { MICRO_REGISTRY: 'memory', ...env });

async function makeQueue(port: number): Promise<void> {
  await using nats = await client(port);
  await nats.request('$JS.API.STREAM.CREATE.main-queue', '{"name":"main-queue"}');
  await nats.request('$JS.API.STREAM.INFO.nowhere');
}

async function expectRequestSpans(collector: Collector): Promise<void> {
  const created = await collector.span('STREAM.CREATE');
  expect(created).toMatchObject({
    kind: 2,
    parentSpanId: '',
    status: 0,
    attributes: { 'messaging.system': 'nats', 'nats.account': '$G', 'nats.stream': 'main-queue' },
    scope: { name: '@nats-ts/events-service', version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
  });
  expect(created.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(created.durationMs).toBeGreaterThan(0);
  expect(await collector.span('STREAM.INFO')).toMatchObject({
    status: 2,
    message: 'stream not found',
    attributes: { 'nats.stream': 'nowhere', 'nats.error_code': 10059 },
  });
}

describe('a collector gets the spans of requests', () => {
  it('over gRPC, as the settings of oCIS say', async () => {
    await using collector = await Collector.grpc();
    using dir = new TempDir('events-tracing');
    const env = {
      ...SOON,
      OCIS_TRACING_ENABLED: 'true',
      OCIS_TRACING_TYPE: 'otlp',
      OCIS_TRACING_ENDPOINT: `127.0.0.1:${collector.port}`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=one',
    };
    await using service = await RunningService.start(serviceEnv(dir.path, env));
    await makeQueue(service.port);
    await expectRequestSpans(collector);
    expect(collector.paths[0]).toBe('/opentelemetry.proto.collector.trace.v1.TraceService/Export');
    expect(collector.headers[0]).toMatchObject({ 'x-tenant': 'one' });
    expect(collector.spans[0]?.resource).toMatchObject({ 'service.name': 'nats' });
  });

  it.each(['http/protobuf', 'http/json'])(
    'over HTTP as %s, as the variables of OpenTelemetry say',
    async (protocol) => {
      await using collector = await Collector.http();
      using dir = new TempDir('events-tracing');
      const env = {
        ...SOON,
        ...exportTo(collector),
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20geheim',
        OTEL_SERVICE_NAME: 'events',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
      };
      await using service = await RunningService.start(serviceEnv(dir.path, env));
      await makeQueue(service.port);
      await expectRequestSpans(collector);
      expect(collector.paths[0]).toBe('/v1/traces');
      expect(collector.headers[0]).toMatchObject({
        authorization: 'Bearer geheim',
        'content-type': protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
      });
      expect(collector.spans[0]?.resource).toMatchObject({
        'service.name': 'events',
        'deployment.environment': 'test',
        'service.version': expect.any(String),
      });
    },
  );

  it('where Jaeger was asked for, with one warning', async () => {
    await using collector = await Collector.http();
    using dir = new TempDir('events-tracing');
    const env = {
      ...SOON,
      NATS_TRACING_ENABLED: 'true',
      NATS_TRACING_TYPE: 'jaeger',
      NATS_TRACING_COLLECTOR: `${collector.url}/api/traces`,
      NATS_LOG_LEVEL: 'warn',
    };
    await using service = await RunningService.start(serviceEnv(dir.path, env));
    await makeQueue(service.port);
    await expectRequestSpans(collector);
    expect(collector.paths[0]).toBe('/v1/traces');
    const warnings = logLines(service.output).filter(({ level }) => level === 'warn');
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining(
        `Jaeger's own protocols are gone, traces are sent as OTLP over HTTP to ${collector.url}/v1/traces`,
      ),
    ]);
  });
});

it('sends spans of syncs that take long, and of recovery with what it found', async () => {
  await using collector = await Collector.http();
  using dir = new TempDir('events-tracing');
  const env = { ...SOON, ...exportTo(collector) };
  {
    await using service = await RunningService.start(serviceEnv(dir.path, env));
    await makeQueue(service.port);
    await using nats = await client(service.port);
    await nats.request('main-queue', 'one');
    expect(
      await collector.span('store sync', ({ attributes }) => attributes['nats.sync.messages'] === 1),
    ).toMatchObject({
      attributes: { 'nats.account': '$G', 'nats.stream': 'main-queue' },
      status: 0,
    });
    expect(await service.process.stop()).toBe(0);
  }
  await using again = await RunningService.start(serviceEnv(dir.path, { ...env, NATS_TRACING_SLOW_SYNC: '1h' }));
  expect(await collector.span('recover stream')).toMatchObject({
    attributes: {
      'nats.account': '$G',
      'nats.stream': 'main-queue',
      'nats.recovery.messages': 1,
      'nats.recovery.lost_messages': 0,
    },
    status: 0,
  });
  const syncs = collector.spans.filter(({ name }) => name === 'store sync').length;
  await using nats = await client(again.port);
  await nats.request('main-queue', 'two');
  expect(await again.process.stop()).toBe(0);
  expect(collector.spans.filter(({ name }) => name === 'store sync')).toHaveLength(syncs);
});

it('says in the span of a recovery what it found, and that it cost a message', async () => {
  await using collector = await Collector.http();
  using dir = new TempDir('events-tracing');
  const env = { ...SOON, ...exportTo(collector) };
  {
    await using service = await RunningService.start(serviceEnv(dir.path));
    await makeQueue(service.port);
    await using nats = await client(service.port);
    for (const text of ['first', 'second', 'third']) await nats.request('main-queue', text.repeat(50));
    expect(await service.process.stop()).toBe(0);
  }
  const messages = join(dir.path, 'nats/jetstream/$G/streams/main-queue/msgs');
  const block = readFileSync(join(messages, '1.blk'));
  block.fill('damage', block.indexOf('secondsecond'), block.indexOf('secondsecond') + 100);
  writeFileSync(join(messages, '1.blk'), block);
  rmSync(join(messages, 'index.db'));
  await using _service = await RunningService.start(serviceEnv(dir.path, env));
  expect(await collector.span('recover stream')).toMatchObject({
    status: 2,
    message: '1 messages lost',
    attributes: {
      'nats.recovery.messages': 2,
      'nats.recovery.from_index': false,
      'nats.recovery.lost_messages': 1,
      'nats.recovery.damaged_blocks': 1,
    },
  });
});

it('sends a span when the service registers, and withdraws', async () => {
  await using collector = await Collector.http();
  using dir = new TempDir('events-tracing');
  const env = { ...SOON, ...exportTo(collector) };
  await using service = await RunningService.start(serviceEnv(dir.path, env));
  expect(await collector.span('registry register')).toMatchObject({
    status: 0,
    attributes: { 'registry.service': 'com.owncloud.api.nats', 'registry.version': expect.any(String) },
  });
  expect(await service.process.stop()).toBe(0);
  await collector.span('registry close');
});

describe('with NATS_TRACING_MESSAGES', () => {
  it("an event's publish, store, delivery and ack join the trace of its envelope", async () => {
    await using collector = await Collector.grpc();
    using dir = new TempDir('events-tracing');
    const env = {
      ...SOON,
      NATS_TRACING_MESSAGES: 'true',
      ...exportTo(collector),
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    };
    await using service = await RunningService.start(serviceEnv(dir.path, env));
    await makeQueue(service.port);
    await using nats = await client(service.port);
    const config = { durable_name: 'search', deliver_subject: 'in', deliver_group: 'search', ack_policy: 'explicit' };
    await nats.request(
      '$JS.API.CONSUMER.CREATE.main-queue.search',
      JSON.stringify({ stream_name: 'main-queue', config: { ...config, name: 'search' } }),
    );
    nats.subscribe('in', { queue: 'search', callback: (_, message) => void message.respond('+ACK') });
    await nats.flush();
    await nats.request('main-queue', event(TRACEPARENT));
    const ofTrace = ({ traceId }: { traceId: string }): boolean => traceId === TRACE_ID;
    const publish = await collector.span('publish main-queue', ofTrace);
    const store = await collector.span('store main-queue', ofTrace);
    const deliver = await collector.span('deliver main-queue', ofTrace);
    const ack = await collector.span('ack main-queue', ofTrace);
    expect(publish).toMatchObject({
      parentSpanId: PARENT_ID,
      kind: 5,
      attributes: {
        'messaging.system': 'nats',
        'messaging.operation.name': 'publish',
        'messaging.destination.name': 'main-queue',
        'messaging.message.id': 'e-1',
        'nats.event_type': 'events.UploadReady',
        'nats.stream_sequence': 1,
      },
    });
    expect(store).toMatchObject({ parentSpanId: publish.spanId, kind: 1 });
    expect(deliver).toMatchObject({
      parentSpanId: publish.spanId,
      kind: 4,
      attributes: {
        'messaging.consumer.group.name': 'search',
        'nats.deliveries': 1,
        'nats.settlement': 'ack',
        'nats.stream_sequence': 1,
      },
    });
    expect(ack).toMatchObject({ parentSpanId: deliver.spanId, attributes: { 'messaging.operation.type': 'settle' } });
  });

  it('a message joins the trace of its header, also when it is delivered after a restart', async () => {
    await using collector = await Collector.http();
    using dir = new TempDir('events-tracing');
    const env = serviceEnv(dir.path, {
      ...SOON,
      NATS_TRACING_MESSAGES: 'true',
      ...exportTo(collector),
    });
    {
      await using service = await RunningService.start(env);
      await makeQueue(service.port);
      await using nats = await client(service.port);
      const { headers } = await import('@nats-io/transport-node');
      const withTrace = headers();
      withTrace.set('Traceparent', TRACEPARENT);
      withTrace.set('tracestate', 'vendor=1');
      await nats.request('main-queue', 'text', { headers: withTrace, timeout: 5_000 });
      // It names no trace: it begins one.
      await nats.request('main-queue', event(''));
      // It is not sampled.
      await nats.request('main-queue', event(`00-${'1'.repeat(32)}-${PARENT_ID}-00`));
      expect(await service.process.stop()).toBe(0);
    }
    const published = collector.spans.filter(({ name }) => name === 'publish main-queue');
    expect(published.map(({ traceId, parentSpanId, traceState }) => [traceId, parentSpanId, traceState])).toEqual([
      [TRACE_ID, PARENT_ID, 'vendor=1'],
      [expect.not.stringContaining(TRACE_ID), '', ''],
    ]);
    await using again = await RunningService.start(env);
    await using nats = await client(again.port);
    await nats.request(
      '$JS.API.CONSUMER.CREATE.main-queue.late',
      JSON.stringify({
        stream_name: 'main-queue',
        config: { name: 'late', durable_name: 'late', ack_policy: 'explicit' },
      }),
    );
    const inbox = nats.subscribe('inbox');
    nats.publish('$JS.API.CONSUMER.MSG.NEXT.main-queue.late', '3', { reply: 'inbox' });
    let received = 0;
    for await (const message of inbox) {
      message.respond(received === 0 ? '-NAK {"delay":3600000000000}' : '+TERM');
      received++;
      if (received === 3) break;
    }
    expect(await collector.span('deliver main-queue')).toMatchObject({
      traceId: TRACE_ID,
      parentSpanId: PARENT_ID,
      attributes: { 'nats.settlement': 'nak' },
    });
    await collector.span('nak main-queue');
    expect(await again.process.stop()).toBe(0);
    expect(collector.spans.filter(({ name }) => name === 'deliver main-queue')).toHaveLength(1);
  });

  it('direct gets are spans too', async () => {
    await using collector = await Collector.http();
    using dir = new TempDir('events-tracing');
    const env = {
      ...SOON,
      NATS_TRACING_MESSAGES: 'true',
      ...exportTo(collector),
    };
    await using service = await RunningService.start(serviceEnv(dir.path, env));
    await using nats = await client(service.port);
    const kv = await new Kvm(nats).create('bucket');
    await kv.put('key', 'value');
    expect((await kv.get('key'))?.string()).toBe('value');
    expect(await kv.get('other')).toBeNull();
    expect(await collector.span('DIRECT.GET')).toMatchObject({ status: 0, attributes: { 'nats.stream': 'KV_bucket' } });
    expect(await collector.span('publish KV_bucket')).toMatchObject({
      attributes: { 'messaging.destination.name': '$KV.bucket.key' },
    });
  });

  it('publishes that are refused are errors', async () => {
    await using collector = await Collector.http();
    using dir = new TempDir('events-tracing');
    const env = {
      ...SOON,
      NATS_TRACING_MESSAGES: 'true',
      ...exportTo(collector),
    };
    await using service = await RunningService.start(serviceEnv(dir.path, env));
    await using nats = await client(service.port);
    await nats.request('$JS.API.STREAM.CREATE.S', '{"name":"S","subjects":["s"],"max_msg_size":3}');
    await nats.request('s', 'four');
    expect(await collector.span('publish S')).toMatchObject({
      status: 2,
      message: 'message size exceeds maximum allowed',
      attributes: { 'nats.error_code': 10054 },
    });
  });
});

describe('a collector that is not there', () => {
  it('costs the service nothing but a warning, and spans come when it is there again', async () => {
    const port = await freePort();
    using dir = new TempDir('events-tracing');
    const env = {
      ...SOON,
      NATS_LOG_LEVEL: 'info',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '200',
    };
    await using service = await RunningService.start(serviceEnv(dir.path, env));
    const lost = (): string[] =>
      logLines(service.output).flatMap(({ message }) => (message.includes('traces cannot be sent') ? [message] : []));
    await until('the warning', async () => {
      await makeQueue(service.port);
      return lost().length > 0;
    });
    expect(lost()).toEqual([
      expect.stringMatching(/cannot be sent to http:\/\/127\.0\.0\.1:\d+\/v1\/traces .*ECONNREFUSED/),
    ]);
    await using collector = await Collector.http(port);
    await until('spans', async () => {
      await makeQueue(service.port);
      return collector.spans.length > 0;
    });
    expect(lost()).toHaveLength(1);
    await until('the good news', async () => service.output.includes('again'));
    expect(await service.process.stop()).toBe(0);
  });

  it('does not hold up a stop', async () => {
    // It takes connections and never answers.
    using dir = new TempDir('events-tracing');
    await using collector = await Collector.silent();
    const env = {
      NATS_LOG_LEVEL: 'info',
      ...exportTo(collector),
    };
    await using service = await RunningService.start(serviceEnv(dir.path, env));
    await makeQueue(service.port);
    expect(await service.process.stop()).toBe(0);
    expect(service.output).toContain('the last traces were not sent within 2000 ms');
  });
});

it('sends the last spans when it stops', async () => {
  await using collector = await Collector.http();
  using dir = new TempDir('events-tracing');
  const env = {
    ...exportTo(collector),
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
  };
  await using service = await RunningService.start(serviceEnv(dir.path, env));
  await makeQueue(service.port);
  expect(collector.spans).toEqual([]);
  expect(await service.process.stop()).toBe(0);
  await expectRequestSpans(collector);
});

it('writes spans to standard output as lines of JSON when the console is asked for', async () => {
  using dir = new TempDir('events-tracing');
  await using service = await RunningService.start(serviceEnv(dir.path, { ...SOON, NATS_TRACES_EXPORTER: 'console' }));
  await makeQueue(service.port);
  await until('a span', async () => service.output.includes('"name":"STREAM.INFO"'));
  const line = service.output.split('\n').find((text) => text.includes('"name":"STREAM.INFO"')) ?? '';
  expect(JSON.parse(line)).toMatchObject({
    name: 'STREAM.INFO',
    kind: 'SERVER',
    status: 'ERROR',
    message: 'stream not found',
    attributes: { 'nats.error_code': 10059 },
  });
});

/** Writes what was loaded of OpenTelemetry to MODULES_FILE when the process ends. */
const MODULE_LIST = `data:text/javascript,${encodeURIComponent(`
import { registerHooks } from 'node:module';
import { writeFileSync } from 'node:fs';
const urls = [];
registerHooks({ load(url, context, next) { if (url.includes('opentelemetry')) urls.push(url); return next(url, context); } });
process.on('exit', () => writeFileSync(process.env.MODULES_FILE, JSON.stringify(urls)));
`)}`;

it.each([
  ['nothing', {}, false],
  ['no exporter', { OTEL_TRACES_EXPORTER: 'none', OCIS_TRACING_ENABLED: 'true', NATS_TRACING_MESSAGES: 'true' }, false],
  ['the pages', { NATS_DEBUG_ZPAGES: 'true' }, true],
])('with %s asked for, OpenTelemetry is loaded only where it is needed', async (_, env, isLoaded) => {
  using dir = new TempDir('events-tracing');
  const file = join(dir.path, 'modules.json');
  const hooks = { NODE_OPTIONS: `--import=${MODULE_LIST}`, MODULES_FILE: file };
  await using service = await RunningService.start(
    serviceEnv(dir.path, { ...hooks, ...(env as Record<string, string>) }),
  );
  await makeQueue(service.port);
  expect(await service.process.stop()).toBe(0);
  const loaded = JSON.parse(readFileSync(file, 'utf8')) as string[];
  expect(loaded.length > 0).toBe(isLoaded);
});

it('refuses settings it cannot use, naming variable, value and what was expected', () => {
  using dir = new TempDir('events-tracing');
  const done = run(['server'], serviceEnv(dir.path, { OCIS_TRACING_ENABLED: 'true', OCIS_TRACING_TYPE: 'zipkin' }));
  expect(done.status).toBe(1);
  expect(done.stderr).toContain('env OCIS_TRACING_TYPE: tracing.type is "zipkin", expected jaeger or otlp');
});

it('does not start with headers that gRPC cannot send, and says so', () => {
  using dir = new TempDir('events-tracing');
  const env = {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_HEADERS: 'a%20b=geheim',
  };
  const done = run(['server'], serviceEnv(dir.path, env));
  expect(done.status).toBe(1);
  expect(done.stderr).toMatch(/traces cannot be sent with these settings \(OTEL_EXPORTER_OTLP_…\): .*a b/);
  expect(done.stderr).not.toContain('geheim');
});

it('leaves tracing off where OTEL_SDK_DISABLED says so', async () => {
  await using collector = await Collector.http();
  using dir = new TempDir('events-tracing');
  const env = { ...exportTo(collector), OTEL_SDK_DISABLED: 'true' };
  await using service = await RunningService.start(serviceEnv(dir.path, env));
  await makeQueue(service.port);
  expect(await service.process.stop()).toBe(0);
  expect(collector.paths).toEqual([]);
});

it('shows spans at /debug/tracez, without an exporter', async () => {
  using dir = new TempDir('events-tracing');
  const debugPort = await freePort();
  const env = { NATS_DEBUG_ZPAGES: 'true', NATS_DEBUG_ADDR: `127.0.0.1:${debugPort}`, NATS_DEBUG_TOKEN: 'geheim' };
  await using service = await RunningService.start(serviceEnv(dir.path, env));
  await makeQueue(service.port);
  const token = { Authorization: 'Bearer geheim' };
  for (const path of ['/debug', '/debug/tracez']) {
    expect((await ask(debugPort, path)).status).toBe(401);
    const page = await ask(debugPort, path, token);
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.body).toContain('<td>STREAM.CREATE</td>');
    const data = JSON.parse((await ask(debugPort, `${path}?format=json`, token)).body) as { spans: object[] };
    expect(data.spans).toContainEqual(expect.objectContaining({ name: 'STREAM.INFO', running: 0, errors: 1 }));
  }
  const url = '/debug/tracez?zspanname=STREAM.INFO&ztype=2';
  const errors = JSON.parse((await ask(debugPort, url, { ...token, Accept: 'application/json' })).body);
  expect(errors).toMatchObject({ name: 'STREAM.INFO', what: 'errors', count: 1 });
  expect(errors.spans[0]).toMatchObject({ status: 'ERROR', message: 'stream not found' });
  expect((await ask(debugPort, url, token)).body).toContain('error: stream not found');
});

it('has no such pages unless they are asked for', async () => {
  using dir = new TempDir('events-tracing');
  const debugPort = await freePort();
  const env = { NATS_DEBUG_ADDR: `127.0.0.1:${debugPort}` };
  await using _service = await RunningService.start(serviceEnv(dir.path, env));
  expect((await ask(debugPort, '/debug/tracez')).status).toBe(404);
  expect((await ask(debugPort, '/debug')).status).toBe(404);
});
