import { expect, test } from 'vitest';
import { ConfigError, eventsConfigReference, loadEventsConfig } from '../src/index.ts';
import { eventsInputs } from './support/events-inputs.ts';

const rows = eventsConfigReference();

test('the reference lists every setting that a configuration has a source for', () => {
  const { sources } = loadEventsConfig(eventsInputs());
  const directories = ['config directory', 'base data path'];
  expect(rows.map((row) => row.key)).toEqual([...directories, ...sources.keys()]);
});

test('every row can be printed', () => {
  for (const row of rows) {
    expect(row.description).toMatch(/\.$/);
    expect(row.env.length).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  }
});

test('no variable gives two settings', () => {
  const names = rows.flatMap((row) => row.env);
  expect(new Set(names).size).toBe(names.length);
});

test('a secret is never shown, not even when it is wrong', () => {
  const secrets = rows.filter((row) => row.secret);
  expect(secrets.map((row) => row.key)).toEqual([
    'tracing.otlp_headers',
    'debug.token',
    'nats.auth_password',
    'registry.auth_password',
    'grpc.token',
  ]);
  for (const { env } of secrets) {
    try {
      loadEventsConfig(eventsInputs({ env: { [env.at(-1)!]: 'geheim', NATS_NATS_PORT: 'x' } }));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect(String(error)).not.toContain('geheim');
    }
  }
});
