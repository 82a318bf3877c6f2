// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the files that are tested expand these themselves
import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  type LoadedEventsConfig,
  loadEventsConfig,
  MAX_YAML_BYTES,
  MAX_YAML_MERGES,
} from '../src/index.ts';
import { eventsInputs, filesOf } from './support/events-inputs.ts';

function load(yaml: string, env: Record<string, string> = {}): LoadedEventsConfig {
  return loadEventsConfig(eventsInputs({ env, readFile: filesOf({ '/etc/ocis/nats.yaml': yaml }) }));
}

function problemsOf(yaml: string): string[] {
  try {
    load(yaml);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.text);
    throw error;
  }
  return [];
}

test('every key of the file is taken', () => {
  const { config, warnings } = load(`
tracing: {enabled: true, type: otlp, endpoint: 'e:1', collector: c, exporter: otlp, messages: true, slow_sync: 1s}
log:
  level: debug
  pretty: true
  color: true
  file: f
debug:
  addr: ":1"
  token: t
  pprof: true
  zpages: true
nats:
  host: h
  port: 1
  clusterid: c
  store_dir: d
  tls_cert: tc
  tls_key: tk
  tls_skip_verify_client_cert: true
  enable_tls: true
  auth_username: u
  auth_password: p
`);
  expect(warnings).toEqual([]);
  expect(config).toMatchObject({
    tracing: { exporter: 'otlp', otlp: { protocol: 'grpc', url: 'http://e:1' }, messages: true, slowSyncMs: 1000 },
    log: { level: 'debug', pretty: true, color: true, file: 'f' },
    debug: { addr: ':1', token: 't', pprof: true, zpages: true },
    nats: {
      host: 'h',
      port: 1,
      clusterId: 'c',
      storeDir: 'd',
      tlsCert: 'tc',
      tlsKey: 'tk',
      tlsSkipVerifyClientCert: true,
      enableTls: true,
      authUsername: 'u',
      authPassword: 'p',
    },
  });
});

test('the environment wins over the file', () => {
  const { config, sources } = load('nats: {port: 1, host: h}', { NATS_NATS_PORT: '2' });
  expect([config.nats.port, config.nats.host]).toEqual([2, 'h']);
  expect(sources.get('nats.port')?.text).toBe('env NATS_NATS_PORT');
  expect(sources.get('nats.host')).toEqual({
    kind: 'yaml',
    text: '/etc/ocis/nats.yaml:1 nats.host',
    place: '/etc/ocis/nats.yaml:1',
  });
});

test('a file that is empty, or of empty sections, gives nothing', () => {
  for (const yaml of ['', '# nothing\n', 'nats:\nlog:\n', 'nats: {port: , host: ~}', '---\n']) {
    expect(load(yaml).config).toEqual(loadEventsConfig(eventsInputs()).config);
  }
});

test('only the first document counts', () => {
  expect(load('nats: {port: 1}\n---\nnats: {port: 2}\n').config.nats.port).toBe(1);
});

test('keys count in any case', () => {
  expect(load('NATS:\n  Store_Dir: d\nLog: {LEVEL: info}\n').config).toMatchObject({
    nats: { storeDir: 'd' },
    log: { level: 'info' },
  });
});

test('a byte order mark is no part of the first key', () => {
  expect(load('\ufeffnats: {port: 1}').config.nats.port).toBe(1);
});

describe('weak typing', () => {
  test.each([
    ['port: "9000"', 9000],
    ["port: '0x10'", 16],
    ['port: 0x10', 16],
    ['port: 010', 8],
    ['port: -1', -1],
  ])('%s is a port', (line, port) => {
    expect(load(`nats:\n  ${line}\n`).config.nats.port).toBe(port);
  });

  test.each(['true', '"true"', 'True', 't', '1', '"1"'])('%s is true', (text) => {
    expect(load(`nats: {enable_tls: ${text}}`).config.nats.enableTls).toBe(true);
  });

  test.each([
    ['5', '5'],
    ['1.50', '1.50'],
    ['true', 'true'],
    ['2020-01-01', '2020-01-01'],
  ])('%s is a text where one is wanted, as it is written', (written, text) => {
    expect(load(`nats: {clusterid: ${written}}`).config.nats.clusterId).toBe(text);
  });

  test.each(['xyz', '"xyz"', '1.5', '1e3', '65536', 'true'])('%s is no port', (text) => {
    const shown = text.replaceAll('"', '');
    expect(problemsOf(`nats:\n  host: h\n  port: ${text}\n`)).toEqual([
      `/etc/ocis/nats.yaml:3: nats.port is "${shown}", expected an integer from -1 to 65535`,
    ]);
  });

  test('yes is no switch, as in Go', () => {
    expect(problemsOf('log: {pretty: yes}')[0]).toMatch(
      /^\/etc\/ocis\/nats\.yaml:1: log\.pretty is "yes", expected true or false/,
    );
  });

  test('an empty number counts as not set, with a warning; an empty text is one', () => {
    const { config, warnings } = load('nats:\n  port: ""\n  store_dir: ""\n  host: ""\n');
    expect(config.nats).toMatchObject({ port: 9233, storeDir: '/var/lib/ocis/nats', host: '0.0.0.0' });
    expect(warnings).toEqual([
      '/etc/ocis/nats.yaml:2: nats.port is empty, which counts as not set',
      '/etc/ocis/nats.yaml:3: nats.store_dir is empty, which counts as not set',
    ]);
  });
});

describe('variables in values', () => {
  const file = (text: string, env: Record<string, string> = {}): string =>
    load(`log: {file: '${text}'}`, env).config.log.file;

  test.each([
    ['${H}', 'set'],
    ['a${H}b${H}', 'asetbset'],
    ['${ H }', 'set'],
    ['${H|other}', 'set'],
    ['${NONE|other}', 'other'],
    ['${NONE | other }', 'other'],
    ['${EMPTY|other}', 'other'],
    ['${NONE|a|b}', 'a|b'],
    ['x${NONE}', 'x'],
    ['$H', '$H'],
    ['${}', '${}'],
    ['${H', '${H'],
    ['${NESTED}', '${H}'],
  ])('%s is %s', (text, expanded) => {
    expect(file(text, { H: 'set', EMPTY: '', NESTED: '${H}' })).toBe(expanded);
  });

  test('what comes out is weakly typed like any text', () => {
    expect(load('nats: {port: "${P|1234}", enable_tls: "${T}"}', { T: 'true' }).config.nats).toMatchObject({
      port: 1234,
      enableTls: true,
    });
  });
});

describe('unknown keys', () => {
  test('are ignored with a warning', () => {
    const { config, warnings } = load('nats:\n  port: 1\n  foo: 2\nweb:\n  a: b\nregistry: {type: memory}\n');
    expect(config.nats.port).toBe(1);
    expect(config.registry.kind).toBe('nats-js-kv');
    expect(warnings).toEqual([
      '/etc/ocis/nats.yaml:3: unknown key "nats.foo" is ignored',
      '/etc/ocis/nats.yaml:4: unknown key "web" is ignored',
      '/etc/ocis/nats.yaml:6: unknown key "registry" is ignored',
    ]);
  });
});

describe('what is no configuration', () => {
  test.each([
    ['nats: [', /^\/etc\/ocis\/nats\.yaml:1: /],
    ['nats:\n  port: 1\n  port: 2\n', /^\/etc\/ocis\/nats\.yaml:3: Map keys must be unique$/],
    ['nats:\n\tport: 1\n', /^\/etc\/ocis\/nats\.yaml:2: /],
    ['nats: *x\n', /^\/etc\/ocis\/nats\.yaml:1: .*alias/i],
    ['- a\n', /^\/etc\/ocis\/nats\.yaml:1: the file is no mapping/],
    ['text\n', /^\/etc\/ocis\/nats\.yaml:1: the file is no mapping/],
    ['nats: 5\n', /^\/etc\/ocis\/nats\.yaml:1: nats is no mapping/],
    ['nats:\n  port: [1]\n', /^\/etc\/ocis\/nats\.yaml:2: nats\.port is a list, expected a single value$/],
    ['nats:\n  port: {a: 1}\n', /^\/etc\/ocis\/nats\.yaml:2: nats\.port is a mapping, expected a single value$/],
    ['nats:\n  <<: 5\n', /^\/etc\/ocis\/nats\.yaml:2: << takes a mapping/],
  ])('%j is one problem with its line', (yaml, problem) => {
    const problems = problemsOf(yaml);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});

describe('anchors', () => {
  test('and merge keys are followed; what the map itself says wins', () => {
    const yaml =
      'x: &x {port: 5, host: a}\ny: &y {host: b, clusterid: c}\nnats:\n  <<: [*x, *y]\n  port: 6\nlog: {level: &l info}\ndebug: {token: *l}\n';
    const { config } = load(yaml);
    expect(config.nats).toMatchObject({ port: 6, host: 'a', clusterId: 'c' });
    expect([config.log.level, config.debug.token]).toEqual(['info', 'info']);
  });

  test(`bring in at most ${MAX_YAML_MERGES} mappings`, () => {
    const merges = (count: number): string =>
      `x: &x {port: 5}\nnats:\n  <<: [${Array.from({ length: count }, () => '*x').join(', ')}]\n`;
    expect(load(merges(MAX_YAML_MERGES)).config.nats.port).toBe(5);
    expect(problemsOf(merges(MAX_YAML_MERGES + 1))).toEqual([
      `/etc/ocis/nats.yaml:3: << brings in more than ${MAX_YAML_MERGES} mappings`,
    ]);
  });

  test('that multiply end at the limit too', () => {
    const levels = Array.from({ length: 20 }, (_, i) => `l${i + 1}: &l${i + 1} {<<: [*l${i}, *l${i}, *l${i}]}`);
    const yaml = `l0: &l0 {port: 5}\n${levels.join('\n')}\nnats: {<<: *l20}\n`;
    expect(problemsOf(yaml)).toHaveLength(1);
  });
});

test('a file larger than the limit is not read', () => {
  const comment = `#${' '.repeat(MAX_YAML_BYTES - 1)}`;
  expect(load(comment).config.nats.port).toBe(9233);
  expect(problemsOf(`${comment} `)).toEqual([`/etc/ocis/nats.yaml: larger than ${MAX_YAML_BYTES} bytes`]);
});
