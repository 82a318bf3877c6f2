import { describe, expect, test } from 'vitest';
import { ConfigError, type EventsConfig, loadEventsConfig } from '../src/index.ts';
import { eventsInputs, filesOf } from './support/events-inputs.ts';

const load = (env: Record<string, string>): EventsConfig => loadEventsConfig(eventsInputs({ env })).config;

function problemsOf(env: Record<string, string>): string[] {
  try {
    loadEventsConfig(eventsInputs({ env }));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.text);
    throw error;
  }
  return [];
}

describe('without anything set', () => {
  test('the defaults are those of the oCIS service', () => {
    expect(load({})).toEqual({
      flavour: 'ocis',
      tracing: {
        exporter: 'none',
        otlp: null,
        serviceName: 'nats',
        resource: {},
        sampler: 'parentbased_always_on',
        samplerRatio: 1,
        messages: false,
        slowSyncMs: 100,
        queue: { spansMax: 2048, batchMax: 512, delayMs: 5000, timeoutMs: 30_000 },
      },
      log: { level: 'error', pretty: false, color: false, file: '' },
      debug: { addr: '127.0.0.1:9234', token: '', pprof: false, zpages: false },
      nats: {
        host: '127.0.0.1',
        port: 9233,
        clusterId: 'ocis-cluster',
        storeDir: '/var/lib/ocis/nats',
        tlsCert: '/var/lib/ocis/nats/tls.crt',
        tlsKey: '/var/lib/ocis/nats/tls.key',
        tlsSkipVerifyClientCert: false,
        tlsClientCa: '',
        enableTls: false,
        authUsername: '',
        authPassword: '',
        mainQueueMaxAgeMs: 0,
        mainQueueMaxBytes: 0,
        diskWarnPercent: 80,
        diskCriticalPercent: 95,
      },
      registry: {
        kind: 'nats-js-kv',
        addresses: [],
        authUsername: '',
        authPassword: '',
        enableTls: false,
        tlsRootCaCertificate: '',
        tlsCert: '',
        tlsKey: '',
        tlsInsecure: false,
        registerIntervalMs: 25_000,
        registerTtlMs: 30_000,
      },
      grpc: { addr: '', token: '', tlsCert: '', tlsKey: '', tlsClientCa: '' },
    });
  });

  test('every value says that it is a default', () => {
    const { sources, warnings, yamlFile } = loadEventsConfig(eventsInputs());
    expect(new Set([...sources.values()].map((source) => source.text))).toEqual(new Set(['default']));
    expect(sources.size).toBeGreaterThan(20);
    expect([warnings, yamlFile]).toEqual([[], null]);
  });
});

describe('variables of the environment', () => {
  test.each([
    ['TRACING_ENABLED', 'true', (config: EventsConfig) => config.tracing.exporter, 'otlp'],
    ['LOG_LEVEL', 'WARN', (config: EventsConfig) => config.log.level, 'warn'],
    ['LOG_PRETTY', '1', (config: EventsConfig) => config.log.pretty, true],
    ['LOG_COLOR', 'T', (config: EventsConfig) => config.log.color, true],
    ['LOG_FILE', '/l', (config: EventsConfig) => config.log.file, '/l'],
    ['EVENTS_ENABLE_TLS', 'TRUE', (config: EventsConfig) => config.nats.enableTls, true],
  ] as const)('%s is taken with each of the three prefixes', (name, text, read, value) => {
    for (const prefix of ['OCIS_', 'OC_', 'NATS_']) expect(read(load({ [prefix + name]: text }))).toBe(value);
  });

  test.each([
    ['NATS_DEBUG_ADDR', ':1', (config: EventsConfig) => config.debug.addr, ':1'],
    ['NATS_DEBUG_TOKEN', 't', (config: EventsConfig) => config.debug.token, 't'],
    ['NATS_DEBUG_PPROF', 'true', (config: EventsConfig) => config.debug.pprof, true],
    ['NATS_DEBUG_ZPAGES', 'true', (config: EventsConfig) => config.debug.zpages, true],
    ['NATS_NATS_HOST', '::1', (config: EventsConfig) => config.nats.host, '::1'],
    ['NATS_NATS_PORT', '1234', (config: EventsConfig) => config.nats.port, 1234],
    ['NATS_NATS_CLUSTER_ID', 'c', (config: EventsConfig) => config.nats.clusterId, 'c'],
    ['NATS_NATS_STORE_DIR', 'd', (config: EventsConfig) => config.nats.storeDir, 'd'],
    ['NATS_MAIN_QUEUE_MAX_AGE', '168h', (config: EventsConfig) => config.nats.mainQueueMaxAgeMs, 604_800_000],
    ['NATS_MAIN_QUEUE_MAX_BYTES', '10GiB', (config: EventsConfig) => config.nats.mainQueueMaxBytes, 10 * 1024 ** 3],
    ['NATS_MAIN_QUEUE_MAX_BYTES', '5 kb', (config: EventsConfig) => config.nats.mainQueueMaxBytes, 5120],
    ['NATS_MAIN_QUEUE_MAX_BYTES', '77', (config: EventsConfig) => config.nats.mainQueueMaxBytes, 77],
    ['NATS_DISK_WARN_PERCENT', '0', (config: EventsConfig) => config.nats.diskWarnPercent, 0],
    ['NATS_DISK_CRITICAL_PERCENT', '99', (config: EventsConfig) => config.nats.diskCriticalPercent, 99],
    ['NATS_TLS_CERT', 'c', (config: EventsConfig) => config.nats.tlsCert, 'c'],
    ['NATS_TLS_KEY', 'k', (config: EventsConfig) => config.nats.tlsKey, 'k'],
    ['OCIS_INSECURE', 'true', (config: EventsConfig) => config.nats.tlsSkipVerifyClientCert, true],
    ['OC_INSECURE', 'true', (config: EventsConfig) => config.nats.tlsSkipVerifyClientCert, true],
    ['NATS_TLS_SKIP_VERIFY_CLIENT_CERT', 't', (config: EventsConfig) => config.nats.tlsSkipVerifyClientCert, true],
    ['MICRO_REGISTRY', 'memory', (config: EventsConfig) => config.registry.kind, 'memory'],
    ['MICRO_REGISTRY', 'natsjs', (config: EventsConfig) => config.registry.kind, 'nats-js-kv'],
    ['MICRO_REGISTRY', 'nats-js', (config: EventsConfig) => config.registry.kind, 'nats-js-kv'],
    ['EXPERIMENTAL_REGISTER_INTERVAL', '1m5s', (config: EventsConfig) => config.registry.registerIntervalMs, 65_000],
    ['EXPERIMENTAL_REGISTER_TTL', '90s', (config: EventsConfig) => config.registry.registerTtlMs, 90_000],
  ] as const)('%s=%s is taken', (name, text, read, value) => {
    expect(read(load({ [name]: text }))).toBe(value);
  });

  test('a list is split at commas', () => {
    expect(load({ MICRO_REGISTRY_ADDRESS: 'a:1, b:2' }).registry.addresses).toEqual(['a:1', 'b:2']);
  });

  test.each(['OCIS_EVENTS_AUTH_', 'OC_EVENTS_AUTH_', 'NATS_EVENTS_AUTH_'])('%s… guards the server', (prefix) => {
    const { nats } = load({ [`${prefix}USERNAME`]: 'u', [`${prefix}PASSWORD`]: 'p' });
    expect([nats.authUsername, nats.authPassword]).toEqual(['u', 'p']);
  });

  test('the last alias that is set wins, whatever the order of the environment', () => {
    expect(load({ NATS_LOG_LEVEL: 'debug', OC_LOG_LEVEL: 'info', OCIS_LOG_LEVEL: 'warn' }).log.level).toBe('debug');
    expect(load({ OC_LOG_LEVEL: 'info', OCIS_LOG_LEVEL: 'warn' }).log.level).toBe('info');
    const { sources } = loadEventsConfig(eventsInputs({ env: { NATS_LOG_LEVEL: 'debug', OCIS_LOG_LEVEL: 'warn' } }));
    expect(sources.get('log.level')).toEqual({ kind: 'env', text: 'env NATS_LOG_LEVEL', place: 'env NATS_LOG_LEVEL' });
  });

  test.each([
    ['0x7301', 29_441],
    ['0b101', 5],
    ['010', 8],
    ['1_000', 1000],
    ['+5', 5],
    ['0', 4222],
    ['-1', -1],
    ['65535', 65_535],
  ])('the port %s is %d', (text, port) => {
    expect(load({ NATS_NATS_PORT: text }).nats.port).toBe(port);
  });

  test('an empty host means every address', () => {
    expect(load({ NATS_NATS_HOST: '' }).nats.host).toBe('0.0.0.0');
  });

  test('an empty text counts as a value, but not for the store directory', () => {
    const { config, warnings } = loadEventsConfig(
      eventsInputs({ env: { NATS_NATS_CLUSTER_ID: '', NATS_NATS_STORE_DIR: '' } }),
    );
    expect([config.nats.clusterId, config.nats.storeDir]).toEqual(['', '/var/lib/ocis/nats']);
    expect(warnings).toEqual(['env NATS_NATS_STORE_DIR: nats.store_dir is set but empty, which counts as not set']);
  });

  test('an empty number or switch counts as not set, with a warning, and the alias before it counts', () => {
    const env = { OCIS_INSECURE: 'true', NATS_TLS_SKIP_VERIFY_CLIENT_CERT: '', NATS_NATS_PORT: '' };
    const { config, warnings } = loadEventsConfig(eventsInputs({ env }));
    expect([config.nats.port, config.nats.tlsSkipVerifyClientCert]).toEqual([9233, true]);
    expect(warnings).toHaveLength(2);
  });
});

describe('settings of TLS that do not fit together', () => {
  const tls = { OCIS_EVENTS_ENABLE_TLS: 'true' };

  test('a client authority is refused where certificates of clients are not looked at', () => {
    expect(problemsOf({ ...tls, NATS_TLS_CLIENT_CA: '/ca.pem', OCIS_INSECURE: 'true' })).toEqual([
      'env NATS_TLS_CLIENT_CA: nats.tls_client_ca is set, but clients need no certificate: expected nats.tls_skip_verify_client_cert (env OCIS_INSECURE) to be false',
    ]);
    const own = { NATS_TLS_SKIP_VERIFY_CLIENT_CERT: 'false' };
    expect(problemsOf({ ...tls, ...own, NATS_TLS_CLIENT_CA: '/ca.pem', OCIS_INSECURE: 'true' })).toEqual([]);
  });

  test('certificate and key need names', () => {
    expect(problemsOf({ ...tls, NATS_TLS_KEY: '' })).toEqual([
      'env NATS_TLS_KEY: nats.tls_key is empty, expected a file',
    ]);
    expect(problemsOf({ NATS_TLS_KEY: '' })).toEqual([]);
  });
});

describe('wrong values', () => {
  test.each([
    ['NATS_NATS_PORT', 'abc', 'env NATS_NATS_PORT: nats.port is "abc", expected an integer from -1 to 65535'],
    ['NATS_NATS_PORT', '65536', 'env NATS_NATS_PORT: nats.port is "65536", expected an integer from -1 to 65535'],
    ['NATS_NATS_PORT', '1.5', 'env NATS_NATS_PORT: nats.port is "1.5", expected an integer from -1 to 65535'],
    ['NATS_NATS_PORT', '-2', 'env NATS_NATS_PORT: nats.port is "-2", expected an integer from -1 to 65535'],
    [
      'OCIS_EVENTS_ENABLE_TLS',
      'yes',
      'env OCIS_EVENTS_ENABLE_TLS: nats.enable_tls is "yes", expected true or false (or 1, t, T, TRUE, True, 0, f, F, FALSE, False)',
    ],
    [
      'OC_LOG_LEVEL',
      'loud',
      'env OC_LOG_LEVEL: log.level is "loud", expected one of panic, fatal, error, warn, info, debug, trace',
    ],
    [
      'NATS_NATS_HOST',
      '127.0.0.1:9233',
      'env NATS_NATS_HOST: nats.host is "127.0.0.1:9233", expected a host name or an IP address, without a port',
    ],
    [
      'NATS_NATS_HOST',
      '1.2.3',
      'env NATS_NATS_HOST: nats.host is "1.2.3", expected a host name or an IP address, without a port',
    ],
    [
      'NATS_NATS_CLUSTER_ID',
      'my cluster',
      'env NATS_NATS_CLUSTER_ID: nats.clusterid is "my cluster", expected a name without spaces',
    ],
    [
      'NATS_MAIN_QUEUE_MAX_AGE',
      '7d',
      'env NATS_MAIN_QUEUE_MAX_AGE: nats.main_queue_max_age is "7d", expected a duration of at least 100ms, such as 168h, or 0s',
    ],
    [
      'NATS_MAIN_QUEUE_MAX_AGE',
      '99ms',
      'env NATS_MAIN_QUEUE_MAX_AGE: nats.main_queue_max_age is "99ms", expected a duration of at least 100ms, such as 168h, or 0s',
    ],
    [
      'NATS_MAIN_QUEUE_MAX_BYTES',
      '-1',
      'env NATS_MAIN_QUEUE_MAX_BYTES: nats.main_queue_max_bytes is "-1", expected a number of bytes such as 1073741824 or 10GiB',
    ],
    [
      'NATS_MAIN_QUEUE_MAX_BYTES',
      '9999999TiB',
      'env NATS_MAIN_QUEUE_MAX_BYTES: nats.main_queue_max_bytes is "9999999TiB", expected a number of bytes such as 1073741824 or 10GiB',
    ],
    [
      'NATS_DISK_WARN_PERCENT',
      '101',
      'env NATS_DISK_WARN_PERCENT: nats.disk_warn_percent is "101", expected an integer from 0 to 100',
    ],
    [
      'NATS_DISK_WARN_PERCENT',
      '96',
      'env NATS_DISK_WARN_PERCENT: nats.disk_warn_percent is 96, expected at most nats.disk_critical_percent, which is 95',
    ],
    [
      'NATS_DISK_CRITICAL_PERCENT',
      '70',
      'env NATS_DISK_CRITICAL_PERCENT: nats.disk_critical_percent is 70, expected at least nats.disk_warn_percent, which is 80',
    ],
    [
      'NATS_TLS_CLIENT_CA',
      '/ca.pem',
      'env NATS_TLS_CLIENT_CA: nats.tls_client_ca is set, but nobody is asked for a certificate: expected nats.enable_tls to be true',
    ],
    ['NATS_DEBUG_ADDR', '9234', 'env NATS_DEBUG_ADDR: debug.addr is "9234", expected an address as host:port'],
    [
      'NATS_DEBUG_ADDR',
      '[::1]:70000',
      'env NATS_DEBUG_ADDR: debug.addr is "[::1]:70000", expected an address as host:port',
    ],
    [
      'MICRO_REGISTRY',
      'etcd',
      'env MICRO_REGISTRY: registry.type is "etcd", expected one of nats-js-kv, natsjs, nats-js, memory',
    ],
    [
      'MICRO_REGISTRY_ADDRESS',
      'a,,b',
      'env MICRO_REGISTRY_ADDRESS: registry.address is "a,,b", expected addresses such as 127.0.0.1:9233 or nats://host:4222 with commas between',
    ],
    [
      'EXPERIMENTAL_REGISTER_TTL',
      '30',
      'env EXPERIMENTAL_REGISTER_TTL: registry.register_ttl is "30", expected a duration above zero, such as 30s',
    ],
    [
      'NATS_EVENTS_AUTH_USERNAME',
      'u',
      'env NATS_EVENTS_AUTH_USERNAME: nats.auth_username is set without nats.auth_password, expected both or none',
    ],
    [
      'MICRO_REGISTRY_AUTH_PASSWORD',
      'geheim',
      'env MICRO_REGISTRY_AUTH_PASSWORD: registry.auth_password is set without registry.auth_username, expected both or none',
    ],
  ])('%s=%s is an error that says who, what and what else', (name, text, problem) => {
    expect(problemsOf({ [name]: text })).toEqual([problem]);
  });

  test('all of them are listed, with the warnings', () => {
    const env = { NATS_NATS_PORT: 'x', NATS_LOG_PRETTY: 'x', NATS_DEBUG_ADDR: 'x', NATS_LOG_COLOR: '' };
    try {
      loadEventsConfig(eventsInputs({ env, readFile: filesOf({ '/etc/ocis/nats.yaml': 'nats:\n  enable_tls: x\n' }) }));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      const { problems, warnings, message, stage } = error as ConfigError;
      expect(problems.map(({ source, key }) => [source, key])).toEqual([
        ['env NATS_LOG_PRETTY', 'log.pretty'],
        ['env NATS_DEBUG_ADDR', 'debug.addr'],
        ['env NATS_NATS_PORT', 'nats.port'],
        ['/etc/ocis/nats.yaml:2', 'nats.enable_tls'],
      ]);
      expect(message.split('\n')).toEqual([...warnings, ...problems.map((problem) => problem.text)]);
      expect([warnings.length, stage]).toEqual([1, 'read']);
    }
  });
});

test('a service that says too seldom that it is there is warned about', () => {
  const warningsOf = (env: Record<string, string>): readonly string[] =>
    loadEventsConfig(eventsInputs({ env })).warnings;
  expect(warningsOf({ EXPERIMENTAL_REGISTER_INTERVAL: '29s' })).toEqual([]);
  for (const [name, text, told] of [
    [
      'EXPERIMENTAL_REGISTER_INTERVAL',
      '30s',
      'registry.register_interval (30s) is not shorter than registry.register_ttl (30s)',
    ],
    [
      'EXPERIMENTAL_REGISTER_TTL',
      '10s',
      'registry.register_interval (25s) is not shorter than registry.register_ttl (10s)',
    ],
  ] as const) {
    expect(warningsOf({ [name]: text })).toEqual([expect.stringContaining(`env ${name}: ${told}`)]);
  }
});

test.each([
  'a b',
  '::::',
  '::1',
  'http:/',
  'host:',
  'host:70000',
  'host:x',
  'nats://',
  'host/path',
  'nats://u@',
  '[::1',
])('%j is no address of a registry', (text) => {
  expect(problemsOf({ MICRO_REGISTRY_ADDRESS: text })).toEqual([
    expect.stringContaining('expected addresses such as 127.0.0.1:9233'),
  ]);
});

test.each([
  'host',
  'host:4222',
  'a_b.c-d:1',
  '[::1]:4222',
  'nats://host',
  'tls://u:p@host:1/',
  'u:p/@q@host:1',
  ':9233',
])('%j is the address of a registry', (text) => {
  const { config } = loadEventsConfig(eventsInputs({ env: { MICRO_REGISTRY_ADDRESS: `127.0.0.1:1, ${text}` } }));
  expect(config.registry.addresses).toEqual(['127.0.0.1:1', text]);
});
