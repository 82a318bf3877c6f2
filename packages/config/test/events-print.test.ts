import { expect, test } from 'vitest';
import { eventsConfigReference, loadEventsConfig, printEventsConfig, printEventsReference } from '../src/index.ts';
import { eventsInputs, filesOf } from './support/events-inputs.ts';

const YAML = ['log:', '  level: warn', 'nats:', '  clusterid: from-yaml', ''].join('\n');

function print(env: Record<string, string> = {}): string {
  const readFile = filesOf({ '/etc/ocis/nats.yaml': YAML });
  return printEventsConfig(loadEventsConfig(eventsInputs({ env, readFile })));
}

test('every value is printed with its source', () => {
  const lines = print({ NATS_NATS_PORT: '0', MICRO_REGISTRY_ADDRESS: 'a:1,b:2' })
    .split('\n')
    .map((line) => line.replace(/(\S) +#/, '$1 #'));
  expect(lines[0]).toBe('# nats.yaml: /etc/ocis/nats.yaml');
  expect(lines).toContain('  level: warn # /etc/ocis/nats.yaml:2');
  expect(lines).toContain('  clusterid: from-yaml # /etc/ocis/nats.yaml:4');
  expect(lines).toContain('  port: 4222 # env NATS_NATS_PORT');
  expect(lines).toContain('  host: "127.0.0.1" # default');
  expect(lines).toContain('# MICRO_REGISTRY_ADDRESS=a:1,b:2 # env MICRO_REGISTRY_ADDRESS');
  expect(lines).toContain('# EXPERIMENTAL_REGISTER_TTL=30s # default');
  for (const { key, yamlKey, env } of eventsConfigReference().slice(2)) {
    const name = yamlKey === null ? `# ${env.at(-1)}=` : `  ${key.split('.')[1]}: `;
    expect(lines.some((line) => line.replace('  # ', '  ').startsWith(name))).toBe(true);
  }
});

test('what is printed is a file that says the same', () => {
  const first = loadEventsConfig(
    eventsInputs({ env: { NATS_LOG_FILE: 'a "quoted" #file', OCIS_EVENTS_ENABLE_TLS: 'true', NATS_NATS_PORT: '-1' } }),
  );
  const readFile = filesOf({ '/etc/ocis/nats.yaml': printEventsConfig(first) });
  const second = loadEventsConfig(eventsInputs({ readFile }));
  expect(second.config).toEqual(first.config);
  expect(second.warnings).toEqual([]);
});

test('secrets are masked, also those in addresses', () => {
  const text = print({
    NATS_DEBUG_TOKEN: 'geheim',
    OCIS_EVENTS_AUTH_USERNAME: 'anna',
    OCIS_EVENTS_AUTH_PASSWORD: 'geheim',
    MICRO_REGISTRY_ADDRESS: 'nats://anna:geheim@a:1,anna:geheim@b:2,geheim@c:3',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://geheim@collector/api?api_key=geheim&x=geheim',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://anna:ge/geheim@collector',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=geheim',
    MICRO_REGISTRY_AUTH_USERNAME: 'anna',
    MICRO_REGISTRY_AUTH_PASSWORD: 'geheim',
    NATS_GRPC_TOKEN: 'geheim',
    OCIS_TRACING_COLLECTOR: 'https://anna:geheim@collector/api',
  });
  expect(text).not.toContain('geheim');
  expect(text).toContain('# token: "***"');
  expect(text).toContain('MICRO_REGISTRY_ADDRESS=nats://***@a:1,***@b:2,***@c:3');
  // As a comment: what is masked must not become the address when the text is used as a file.
  expect(text).toContain('# collector: "https://***@collector/api"');
  expect(text).toContain('OTEL_EXPORTER_OTLP_ENDPOINT=https://***@collector/api?api_key=***&x=***');
  expect(text).toContain('auth_username: anna');
});

test('secrets in addresses are in no warning and no error either', () => {
  const env = { OCIS_TRACING_ENABLED: 'true', OCIS_TRACING_COLLECTOR: 'http://anna:geheim@collector:14268/api/traces' };
  const { warnings } = loadEventsConfig(eventsInputs({ env }));
  expect(warnings.join()).toContain('http://***@collector:4318/v1/traces');
  expect(warnings.join()).not.toContain('geheim');
  const wrong = {
    ...env,
    OCIS_TRACING_COLLECTOR: 'ftp://anna:geheim@collector',
    MICRO_REGISTRY_ADDRESS: 'a:geheim@b,',
  };
  expect(() => loadEventsConfig(eventsInputs({ env: wrong }))).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('geheim') }),
  );
});

test('the reference is a table with a row for each setting', () => {
  const lines = printEventsReference().trimEnd().split('\n');
  expect(lines).toHaveLength(2 + eventsConfigReference().length);
  for (const line of lines) expect(line).toMatch(/^\|.*\|$/);
  expect(printEventsReference()).toContain('| `nats.port` | `NATS_NATS_PORT` | integer | 9233 |');
});
