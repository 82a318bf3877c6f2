import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TOP_LEVEL_FIELDS, UNSUPPORTED_TOP_LEVEL } from '../src/server/top-level.ts';
import { ConfigError, loadServerOptions, NO_FLAGS, parseCommandLine, type ServerConfig } from '../src/server.ts';
import { CASE_FILE } from './support/oracle-run.ts';
import { inputsFor } from './support/our-run.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

function load(conf: string, ...args: string[]): ServerConfig {
  const command = parseCommandLine(['-c', CASE_FILE, ...args]);
  if (command.kind !== 'run') throw new Error(`no start: ${JSON.stringify(command)}`);
  return loadServerOptions(command.flags, inputsFor(FIXTURES, conf)).config;
}

function problemsOf(conf: string, ...args: string[]): string[] {
  try {
    load(conf, ...args);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.text);
    throw error;
  }
  return [];
}

const DEFAULTS: ServerConfig = {
  configFile: '',
  configDigest: '',
  host: '0.0.0.0',
  port: 4222,
  clientAdvertise: '',
  serverName: '',
  serverTags: [],
  serverMetadata: {},
  debug: false,
  trace: false,
  traceVerbose: false,
  traceHeaders: false,
  logtime: true,
  logtimeUtc: false,
  logFile: '',
  logSizeLimitBytes: 0,
  logMaxFiles: 0,
  maxTracedMsgLenBytes: 0,
  pidFile: '',
  portsFileDir: '',
  httpHost: '0.0.0.0',
  httpPort: 0,
  httpsPort: 0,
  httpBasePath: '',
  maxConnections: 65_536,
  maxControlLineBytes: 4096,
  maxPayloadBytes: 1_048_576,
  maxPendingBytes: 67_108_864,
  maxSubscriptions: 0,
  maxSubTokens: 0,
  maxClosedClients: 10_000,
  pingIntervalMs: 120_000,
  maxPingsOut: 2,
  writeDeadlineMs: 10_000,
  noFastProducerStall: false,
  noHeaderSupport: false,
  noSublistCache: false,
  username: '',
  password: '',
  authorization: '',
  authTimeoutMs: 2000,
  users: null,
  noAuthUser: '',
  tls: null,
  allowNonTls: false,
  jetstream: {
    enabled: false,
    storeDir: '',
    maxMemoryBytes: -1,
    maxStoreBytes: -1,
    syncAlways: true,
    syncIntervalMs: 120_000,
    strict: true,
    limits: { maxAckPending: 0, maxRequestBatch: 0, duplicateWindowMs: 0, defaultMaxConsumers: 1000 },
  },
  systemAccount: '',
  noSystemAccount: false,
  lameDuckDurationMs: 120_000,
  lameDuckGracePeriodMs: 10_000,
};

describe('defaults', () => {
  test("without a file and flags are nats-server's, but for the sync", () => {
    const { config, warnings } = loadServerOptions(NO_FLAGS, inputsFor(FIXTURES, ''));
    expect(config).toEqual(DEFAULTS);
    expect(warnings).toEqual([]);
  });

  test('an empty file changes nothing and is warned of', () => {
    const flags = { ...NO_FLAGS, configFile: CASE_FILE };
    const { config, warnings } = loadServerOptions(flags, inputsFor(FIXTURES, ''));
    const { configFile, configDigest, ...rest } = config;
    expect({ ...rest, configFile: '', configDigest: '' }).toEqual(DEFAULTS);
    expect([configFile, configDigest.slice(0, 15)]).toEqual([CASE_FILE, 'sha256:ca3d163b']);
    expect(warnings).toEqual(['case.conf: config has no values or is empty']);
  });

  test('0 and the empty text count as not given', () => {
    const zeros = 'port: 0, ping_interval: "0s", ping_max: 0, max_payload: 0, max_pending: 0, max_control_line: 0';
    const {
      configFile: _,
      configDigest: __,
      ...config
    } = load(`${zeros}, write_deadline: "0s", max_closed_clients: 0, lame_duck_grace_period: "0s", host: ""`);
    expect(config).toEqual({ ...DEFAULTS, configFile: undefined, configDigest: undefined });
  });

  test('the monitor listens where the server listens', () => {
    expect(load('host: 127.0.0.1, http: 8222').httpHost).toBe('127.0.0.1');
    expect(load('host: 127.0.0.1, http: "localhost:8222"').httpHost).toBe('localhost');
  });
});

test('every key of the top level ends up in the configuration', () => {
  const config = load(`
listen: "127.0.0.1:-1"
client_advertise: "a:1"
server_name: s
server_tags: [" A ", b, B, ""]
server_metadata {k: v, __proto__: p}
debug: yes
trace_verbose: true
trace_headers: true
logtime: no
logtime_utc: on
log_file: l
log_size_limit: 1kb
log_max_num: 2
max_traced_msg_len: 3
pid_file: p
ports_file_dir: d
http: -1
http_base_path: "/x"
max_connections: 4
max_control_line: 5
max_payload: -1
max_pending: 6
max_subs: 7
max_sub_tokens: 8
max_closed_clients: 9
ping_interval: "1.5s"
ping_max: 10
write_deadline: "100us"
no_fast_producer_stall: true
no_header_support: true
no_sublist_cache: true
allow_non_tls: true
no_sys_acc: true
lame_duck_duration: "1m"
lame_duck_grace_period: "1s"
`);
  expect({ ...config, configDigest: '' }).toEqual({
    ...DEFAULTS,
    configFile: CASE_FILE,
    host: '127.0.0.1',
    port: 0,
    clientAdvertise: 'a:1',
    serverName: 's',
    serverTags: ['a', 'b'],
    serverMetadata: Object.fromEntries([
      ['k', 'v'],
      ['__proto__', 'p'],
    ]),
    debug: true,
    trace: true,
    traceVerbose: true,
    traceHeaders: true,
    logtime: false,
    logtimeUtc: true,
    logFile: 'l',
    logSizeLimitBytes: 1024,
    logMaxFiles: 2,
    maxTracedMsgLenBytes: 3,
    pidFile: 'p',
    portsFileDir: 'd',
    httpHost: '127.0.0.1',
    httpPort: -1,
    httpBasePath: '/x',
    maxConnections: 4,
    maxControlLineBytes: 5,
    maxPayloadBytes: -1,
    maxPendingBytes: 6,
    maxSubscriptions: 7,
    maxSubTokens: 8,
    maxClosedClients: 9,
    pingIntervalMs: 1500,
    maxPingsOut: 10,
    writeDeadlineMs: 0.1,
    noFastProducerStall: true,
    noHeaderSupport: true,
    noSublistCache: true,
    allowNonTls: true,
    noSystemAccount: true,
    lameDuckDurationMs: 60_000,
    lameDuckGracePeriodMs: 1000,
  });
});

test.each(['max_connections: 0', 'max_conn: -1'])('%s lets nobody in', (conf) => {
  expect(load(conf).maxConnections).toBe(-1);
});

describe('authorization', () => {
  test('a single user, and a timeout in seconds or as a duration', () => {
    const config = load('authorization { user: u, password: "p", timeout: 3.5 }');
    expect([config.username, config.password, config.authTimeoutMs, config.users]).toEqual(['u', 'p', 3500, null]);
    expect(load('authorization { token: t, timeout: "250ms" }')).toMatchObject({
      authorization: 't',
      authTimeoutMs: 250,
    });
  });

  test('users, their permissions, and the default for those without', () => {
    const { users } = load(`authorization {
      default_permissions { publish: "d.>", subscribe { deny: "s" } }
      users: [
        {user: a, password: x}
        {user: b, password: y, permissions { sub: ["foo q", bar], allow_responses: {max: -1, ttl: "5s"} }}
        {user: c, password: z, clients: [standard, MQTT], permissions {}}
      ]
    }`);
    const inherited = {
      publish: { allow: ['d.>'], deny: null },
      subscribe: { allow: null, deny: ['s'] },
      responses: null,
    };
    expect(users).toEqual([
      { username: 'a', password: 'x', permissions: inherited, allowedConnectionTypes: null },
      {
        username: 'b',
        password: 'y',
        permissions: {
          publish: { allow: [], deny: null },
          subscribe: { allow: ['foo q', 'bar'], deny: null },
          responses: { maxMsgs: -1, expiresMs: 5000 },
        },
        allowedConnectionTypes: null,
      },
      {
        username: 'c',
        password: 'z',
        permissions: { publish: null, subscribe: null, responses: null },
        allowedConnectionTypes: ['STANDARD', 'MQTT'],
      },
    ]);
  });

  test('leave to reply keeps the subjects that were given, in whatever order', () => {
    for (const fields of ['publish: a, allow_responses: true', 'allow_responses: true, publish: a']) {
      const { users } = load(`authorization { users: [{user: u, permissions { ${fields} }}] }`);
      expect(users![0]!.permissions).toMatchObject({
        publish: { allow: ['a'] },
        responses: { maxMsgs: 1, expiresMs: 120_000 },
      });
    }
  });

  test('a message about a map or a list does not show what stands in it', () => {
    expect(problemsOf('authorization { users: {user: a, password: geheim} }')).toEqual([
      'case.conf:1:16: Expected users field to be an array, got map[password:… user:…]',
    ]);
    expect(problemsOf('authorization { users: [[geheim]] }')).toEqual([
      'case.conf:1:32: Expected user entry to be a map/struct, got […]',
    ]);
  });

  test('a bcrypt hash needs no quotes', () => {
    expect(load('authorization { user: u, password: $2a$11$abc/def }').password).toBe('$2a$11$abc/def');
  });

  test('an empty list of users asks nobody for anything', () => {
    expect(load('authorization { users: [] }').users).toBeNull();
  });
});

describe('tls', () => {
  const pair = 'cert_file: cert.pem, key_file: key.pem';

  test('files are loaded, names become those of OpenSSL', () => {
    const suites = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384';
    const { tls, authTimeoutMs } = load(
      `tls { ${pair}, ca_file: cert.pem, verify: true, timeout: 3, min_version: "1.3", cipher_suites: [${suites}] }`,
    );
    const cert = readFileSync(join(FIXTURES, 'cert.pem'));
    expect(tls).toEqual({
      certificate: { certFile: 'cert.pem', keyFile: 'key.pem', cert, key: readFileSync(join(FIXTURES, 'key.pem')) },
      caFile: 'cert.pem',
      ca: cert,
      verify: true,
      timeoutMs: 3000,
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_256_GCM_SHA384',
      minVersion: 'TLSv1.3',
      handshakeFirst: false,
    });
    expect(authTimeoutMs).toBe(4000);
  });

  test.each([
    ['true', true],
    ['"off"', false],
    ['auto', 50],
    ['"200ms"', 200],
    ['"0s"', true],
  ])('handshake_first: %s', (text, value) => {
    expect(load(`tls { ${pair}, handshake_first: ${text} }`).tls?.handshakeFirst).toBe(value);
  });

  test('a block without a certificate is taken, as by nats-server', () => {
    expect(load('tls { timeout: 5 }').tls).toMatchObject({ certificate: null, timeoutMs: 5000 });
  });

  test('flags take the place of the block', () => {
    const { tls } = load(`tls { ${pair}, verify: true }`, '--tlscert', 'cert.pem', '--tlskey', 'key.pem');
    expect(tls).toMatchObject({ verify: false, ca: null });
    expect(
      load('debug: no', '--tlsverify', '--tlscert=cert.pem', '--tlskey=key.pem', '--tlscacert=cert.pem').tls,
    ).toMatchObject({
      verify: true,
      caFile: 'cert.pem',
    });
    expect(load(`tls { ${pair} }`, '--tls=false').tls).toBeNull();
  });
});

describe('jetstream', () => {
  test('every key of the block', () => {
    const { jetstream } = load(`jetstream {
      store_dir: d, max_mem: 1g, max_file: "2T", sync_interval: "10s", strict: false
      limits { max_ack_pending: 1, max_request_batch: 2, duplicate_window: "3s", default_max_consumers: 4 }
    }`);
    expect(jetstream).toEqual({
      enabled: true,
      storeDir: 'd',
      maxMemoryBytes: 1e9,
      maxStoreBytes: 2 * 2 ** 40,
      syncAlways: false,
      syncIntervalMs: 10_000,
      strict: false,
      limits: { maxAckPending: 1, maxRequestBatch: 2, duplicateWindowMs: 3000, defaultMaxConsumers: 4 },
    });
  });

  test.each([
    ['jetstream: true', true],
    ['jetstream: enabled', true],
    ['jetstream: disabled', false],
    ['jetstream {}', true],
    ['jetstream { enabled: false, max_mem: 0 }', false],
  ])('%s', (conf, enabled) => {
    expect(load(conf).jetstream.enabled).toBe(enabled);
  });

  test('a limit of 0 is one', () => {
    expect(load('jetstream { max_mem: 0, max_file: 0 }').jetstream).toMatchObject({
      maxMemoryBytes: 0,
      maxStoreBytes: 0,
    });
  });

  test('sync: always is what there is without it too', () => {
    expect(load('jetstream { sync: Always }').jetstream).toMatchObject({ syncAlways: true, syncIntervalMs: 120_000 });
  });

  test('the store directory may stand at the top level', () => {
    expect(load('store_dir: d').jetstream).toMatchObject({ enabled: false, storeDir: 'd' });
  });
});

describe('flags over the file', () => {
  test('each flag wins, even if it is empty or 0', () => {
    const conf = 'listen: "1.2.3.4:5", server_name: f, debug: true, logtime: false, jetstream: true, http: 1';
    const config = load(conf, '-a', '', '-p', '0', '-n', 'flag', '-D=false', '-T', '-js=false', '-m', '2');
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 4222,
      serverName: 'flag',
      debug: false,
      logtime: true,
      httpPort: 2,
    });
    expect(config.jetstream.enabled).toBe(false);
  });

  test('what no flag says the file says', () => {
    expect(load('port: 5, logtime: false', '-a', '::1')).toMatchObject({ host: '::1', port: 5, logtime: false });
  });
});

describe('what is not served yet', () => {
  const later = (path: string): string => `case.conf:1:0: "${path}" is not supported yet by nats-ts`;

  test.each([...UNSUPPORTED_TOP_LEVEL])('%s is refused by its name', (key) => {
    expect(problemsOf(`${key}: {}`)).toEqual([later(key)]);
  });

  test.each([
    ['jetstream {domain: d}', 'jetstream.domain'],
    ['jetstream {ek: k}', 'jetstream.ek'],
    ['jetstream {cipher: aes}', 'jetstream.cipher'],
    ['jetstream {unique_tag: t}', 'jetstream.unique_tag'],
    ['jetstream {max_buffered_msgs: 5}', 'jetstream.max_buffered_msgs'],
    ['jetstream {limits {max_ha_assets: 5}}', 'jetstream.limits.max_ha_assets'],
    ['jetstream {limits {batch {}}}', 'jetstream.limits.batch'],
    ['tls {verify_and_map: true}', 'tls.verify_and_map'],
    ['tls {ocsp_peer: true}', 'tls.ocsp_peer'],
    ['tls {pinned_certs: ["a7d4a9b4a3a2f2d0ef0f43c0b7a9c7a0c51f0e6d2d1c4b3a29181716151413a0"]}', 'tls.pinned_certs'],
    ['tls {connection_rate_limit: 5}', 'tls.connection_rate_limit'],
    ['tls {curve_preferences: [X25519]}', 'tls.curve_preferences'],
    ['authorization {auth_callout {}}', 'authorization.auth_callout'],
    ['authorization {proxy_required: true}', 'authorization.proxy_required'],
    ['authorization {users: [{nkey: U}]}', 'authorization.users.nkey'],
    ['authorization {users: [{user: u, proxy_required: true}]}', 'authorization.users.proxy_required'],
  ])('%s is refused by its path', (conf, path) => {
    expect(problemsOf(conf).map((text) => text.replace(/^case\.conf:1:\d+: /, ''))).toEqual([
      `"${path}" is not supported yet by nats-ts`,
    ]);
  });

  test('a switch that is off asks for nothing', () => {
    const off = 'proxy_protocol: false, syslog: no, ocsp: off, jetstream {meta_compact_sync: false}';
    expect(problemsOf(`${off}, tls {verify_and_map: false}, authorization {proxy_required: false}`)).toEqual([]);
  });

  test('a second certificate is refused', () => {
    const pair = '{cert_file: cert.pem, key_file: key.pem}';
    expect(load(`tls { certs: [${pair}] }`).tls?.certificate?.certFile).toBe('cert.pem');
    expect(problemsOf(`tls { certs: [${pair}, ${pair}] }`)).toEqual([
      'case.conf:1:6: more than one certificate is not supported yet by nats-ts',
    ]);
  });

  test('a cipher that OpenSSL has dropped is refused by its name', () => {
    expect(problemsOf('tls { cipher_suites: [TLS_RSA_WITH_RC4_128_SHA], allow_insecure_cipher_suites: true }')).toEqual(
      ['case.conf:1:22: cipher TLS_RSA_WITH_RC4_128_SHA is not supported by nats-ts'],
    );
  });

  test('$G as the system account is refused', () => {
    expect(problemsOf('system_account: "$G"')).toEqual(['system_account "$G" is not supported yet by nats-ts']);
  });

  test('a number that a double cannot hold is refused', () => {
    expect(problemsOf('max_pending: 9007199254740992')).toEqual([
      'case.conf:1:0: 9007199254740992 is beyond 9007199254740991, the largest number that nats-ts takes',
    ]);
  });
});

test('every problem of a file is listed, in the order of the file, after the warnings', () => {
  const conf = 'ping_interval: 5\nport: x\nfoo: 1\ncluster {}\nauthorization { users: [{pass: x}] }\n';
  try {
    load(conf);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message.split('\n')).toEqual([
      'case.conf:1:0: invalid use of field "ping_interval": ping_interval should be converted to a duration',
      'case.conf:2:1: interface conversion: interface {} is string, not int64',
      'case.conf:3:1: unknown field "foo"',
      'case.conf:4:1: "cluster" is not supported yet by nats-ts',
      'case.conf:5:26: User entry requires a user',
    ]);
  }
});

test('an error says when nats-server would notice it', () => {
  const stageOf = (conf: string): string => {
    try {
      load(conf);
    } catch (error) {
      if (error instanceof ConfigError) return error.stage;
    }
    return 'none';
  };
  expect(['port: x', 'max_payload: 100mb', 'port: 70000', 'port: 7000'].map(stageOf)).toEqual([
    'read',
    'options',
    'start',
    'none',
  ]);
});

test('no key is both served and refused', () => {
  expect([...TOP_LEVEL_FIELDS.keys()].filter((key) => UNSUPPORTED_TOP_LEVEL.has(key))).toEqual([]);
});
