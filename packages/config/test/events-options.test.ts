import { expect, test } from 'vitest';
import { ConfigError, type EventsConfig, type EventsOptions, loadEventsConfig } from '../src/index.ts';
import { eventsInputs, filesOf } from './support/events-inputs.ts';

const load = (options: EventsOptions, env: Record<string, string> = {}): EventsConfig =>
  loadEventsConfig(eventsInputs({ options, env })).config;

function problemsOf(options: object): string[] {
  try {
    load(options);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.text);
    throw error;
  }
  return [];
}

test('a program gives settings by their names in the configuration', () => {
  const config = load({
    nats: { port: -1, storeDir: './data', clusterId: 'mine', enableTls: true },
    registry: { kind: 'memory', addresses: ['a:1', 'b:2'], registerTtlMs: 1_500 },
    log: { level: 'warn' },
  });
  expect(config.nats).toMatchObject({ port: -1, storeDir: './data', clusterId: 'mine', enableTls: true });
  expect(config.registry).toMatchObject({ kind: 'memory', addresses: ['a:1', 'b:2'], registerTtlMs: 1_500 });
  expect(config.log.level).toBe('warn');
});

test('every setting of the configuration can be given so', () => {
  const { flavour: _, tracing: __, ...sections } = load({});
  // Values in effect are values that can be given. The section tracing is worked out from what is given.
  expect(load(sections as EventsOptions)).toMatchObject(sections);
  const tracing: Required<NonNullable<EventsOptions['tracing']>> = {
    enabled: false,
    type: 'otlp',
    endpoint: '',
    collector: '',
    exporter: 'otlp',
    messages: true,
    slowSyncMs: 5,
    otlpEndpoint: '',
    otlpTracesEndpoint: 'http://collector:4318/traces',
    otlpProtocol: 'http/protobuf',
    otlpHeaders: 'key=value',
    serviceName: 'events',
    resourceAttributes: 'a=b',
    sampler: 'traceidratio',
    samplerArg: '0.5',
    queueSpans: 100,
    batchSpans: 10,
    batchDelay: 20,
    exportTimeout: 30,
  };
  const { sources } = loadEventsConfig(eventsInputs({ options: { tracing } }));
  const given = [...sources].filter(([key]) => key.startsWith('tracing.'));
  expect(given.filter(([, source]) => source.kind !== 'option')).toEqual([]);
  expect(given).toHaveLength(Object.keys(tracing).length);
});

test('what a program gives counts over environment and file, and is named as the source', () => {
  const env = { NATS_NATS_PORT: '1', NATS_NATS_HOST: 'from-env', OCIS_CONFIG_DIR: '/c' };
  const readFile = filesOf({ '/c/nats.yaml': 'nats: { port: 2, clusterid: from-yaml }' });
  const options = { nats: { port: 3 } };
  const { config, sources } = loadEventsConfig(eventsInputs({ env, options, readFile }));
  expect(config.nats).toMatchObject({ port: 3, host: 'from-env', clusterId: 'from-yaml' });
  expect(sources.get('nats.port')).toEqual({ kind: 'option', text: 'option nats.port', place: 'option nats.port' });
});

test('undefined counts as not given', () => {
  expect(load({ nats: { port: undefined } } as unknown as EventsOptions).nats.port).toBe(9233);
});

test('what cannot be used is refused as everywhere else', () => {
  expect(problemsOf({ nats: { port: 70_000 } })).toEqual([
    'option nats.port: nats.port is "70000", expected an integer from -1 to 65535',
  ]);
  expect(problemsOf({ nats: { enableTls: {} } })[0]).toContain(
    'option nats.enableTls: nats.enable_tls is "{}", expected',
  );
  expect(problemsOf({ nats: { prot: 1 } })).toEqual(['option nats.prot: there is no such setting']);
  expect(problemsOf({ nast: { port: 1 } })).toEqual(['option nast.port: there is no such setting']);
  for (const noSection of [{ port: 1 }, { nats: 'x' }, { nats: null }]) {
    expect(problemsOf(noSection)).toEqual([
      expect.stringMatching(/^option (port|nats) is no section of settings, expected/),
    ]);
  }
});
