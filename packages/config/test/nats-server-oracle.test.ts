import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oraclePath } from '../../../tests/src/oracle.ts';
import { TOP_LEVEL_FIELDS, UNSUPPORTED_TOP_LEVEL } from '../src/server/top-level.ts';
import { loadServerOptions, parseCommandLine, type ServerConfig } from '../src/server.ts';
import { COMMAND_LINE_CASES, FILE_CASES, type FileCase } from './corpus/cases.ts';
import { confText } from './support/conf-arbitraries.ts';
import { askFileCase, CASE_FILE, runCommandLine, runFileCase, varzOf } from './support/oracle-run.ts';
import { inputsFor, judgeCommandLine, judgeFileCase } from './support/our-run.ts';

const RICH = `
server_name: rich
server_tags: [" A ", b, B, ""]
server_metadata {k: v}
max_connections: 0, max_subscriptions: 5, max_payload: 2kb, max_pending: 1m, max_control_line: 5000
ping_interval: "1500ms", ping_max: 3, write_deadline: "100us"
http_base_path: ""
authorization { user: u, password: p, timeout: 2.5 }
tls { cert_file: cert.pem, key_file: key.pem, timeout: "3s" }
jetstream {
  store_dir: js, max_mem: 1mb, max_file: "2M", sync_interval: "10s"
  limits { max_ack_pending: 5, max_request_batch: 6, duplicate_window: "90s", default_max_consumers: 7 }
}
`;

const ns = (ms: number): number => ms * 1e6;

/** What nats-server's varz says of a configuration. */
function varzExpectedOf(config: ServerConfig): { varz: object; jetstream: object } {
  const { jetstream } = config;
  return {
    varz: {
      ...(config.serverName !== '' && { server_name: config.serverName }),
      ...(config.serverTags.length > 0 && { tags: config.serverTags, metadata: config.serverMetadata }),
      ...(config.maxSubscriptions > 0 && { max_subscriptions: config.maxSubscriptions }),
      host: config.host,
      max_connections: config.maxConnections,
      ping_interval: ns(config.pingIntervalMs),
      ping_max: config.maxPingsOut,
      http_host: config.httpHost,
      http_base_path: config.httpBasePath,
      auth_timeout: config.authTimeoutMs / 1000,
      tls_timeout: (config.tls?.timeoutMs ?? 2000) / 1000,
      max_control_line: config.maxControlLineBytes,
      max_payload: config.maxPayloadBytes,
      max_pending: config.maxPendingBytes,
      write_deadline: ns(config.writeDeadlineMs),
      config_digest: config.configDigest,
    },
    jetstream: {
      config: {
        max_memory: jetstream.maxMemoryBytes,
        max_storage: jetstream.maxStoreBytes,
        sync_interval: ns(jetstream.syncIntervalMs),
      },
      limits: {
        max_request_batch: jetstream.limits.maxRequestBatch,
        max_ack_pending: jetstream.limits.maxAckPending,
        max_duplicate_window: ns(jetstream.limits.duplicateWindowMs),
        default_max_consumers: jetstream.limits.defaultMaxConsumers,
      },
    },
  };
}

const FIXTURES = join(import.meta.dirname, 'fixtures');
const oracle = oraclePath();

// Hundreds of starts of the server in a row: how long they take is the machine's matter.
describe.skipIf(oracle === null)('beside nats-server itself', { timeout: 600_000 }, () => {
  let directory = '';

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'config-oracle-'));
    cpSync(FIXTURES, directory, { recursive: true });
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('every configuration file of the corpus is judged alike', async () => {
    for (const fileCase of FILE_CASES) {
      const ours = judgeFileCase(FIXTURES, fileCase);
      expect(ours, fileCase.conf).toEqual(await askFileCase(oracle!, directory, fileCase, ours));
    }
  });

  test('every command line of the corpus is judged alike', async () => {
    for (const args of COMMAND_LINE_CASES) {
      const theirs = await runCommandLine(oracle!, directory, args);
      expect(judgeCommandLine(FIXTURES, args), args.join(' ')).toEqual(theirs);
    }
  });

  test('texts of random pieces are read alike', async () => {
    for (const piece of fc.sample(confText, { seed: 20261121, numRuns: 150 })) {
      const question: FileCase = { mode: 'parse', conf: `resolver { type: MEM, x: ${piece}\n}\n` };
      const ours = judgeFileCase(FIXTURES, question);
      const theirs = await askFileCase(oracle!, directory, question, ours);
      // A text may leave the block it stands in; then nats-server reads it, and misses what the keys mean.
      if (theirs.lines.some((line) => /unknown field|interface conversion/.test(line))) expect(ours.exitCode).toBe(0);
      else expect(ours, question.conf).toEqual(theirs);
    }
  });

  test.each(['', RICH])('the options that it runs on are the same: %#', async (conf) => {
    const command = parseCommandLine(['-a', '127.0.0.1', '-p', '-1', '-m', '-1', '-c', CASE_FILE]);
    if (command.kind !== 'run') throw new Error('no start');
    const { config } = loadServerOptions(command.flags, inputsFor(FIXTURES, conf));
    const { jetstream, ...varz } = await varzOf(oracle!, directory, conf);
    const expected = varzExpectedOf(config);
    expect(varz).toMatchObject(expected.varz);
    if (config.jetstream.enabled) expect(jetstream).toMatchObject(expected.jetstream);
    else expect(jetstream).toEqual({});
  });

  test('every key, served or refused, is one that it knows', async () => {
    const keys = [...TOP_LEVEL_FIELDS.keys(), ...UNSUPPORTED_TOP_LEVEL];
    const conf = keys.map((key) => `${key}: 2020-01-01T00:00:00Z\n`).join('');
    const { lines } = await runFileCase(oracle!, directory, { mode: 'check', conf });
    expect(lines.filter((line) => line.includes('unknown field'))).toEqual([]);
    expect(lines.length).toBeGreaterThan(keys.length / 2);
  });
});
