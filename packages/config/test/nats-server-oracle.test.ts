import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oraclePath } from '../../../tests/src/oracle.ts';
import { TOP_LEVEL_FIELDS, UNSUPPORTED_TOP_LEVEL } from '../src/server/top-level.ts';
import { COMMAND_LINE_CASES, FILE_CASES } from './corpus/cases.ts';
import { runCommandLine, runFileCase } from './support/oracle-run.ts';
import { judgeCommandLine, judgeFileCase } from './support/our-run.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const oracle = oraclePath();

describe.skipIf(oracle === null)('beside nats-server itself', () => {
  let directory = '';

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'config-oracle-'));
    cpSync(FIXTURES, directory, { recursive: true });
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('every configuration file of the corpus is judged alike', async () => {
    for (const fileCase of FILE_CASES) {
      const theirs = await runFileCase(oracle!, directory, fileCase);
      expect(judgeFileCase(FIXTURES, fileCase), fileCase.conf).toEqual(theirs);
    }
  });

  test('every command line of the corpus is judged alike', async () => {
    for (const args of COMMAND_LINE_CASES) {
      const theirs = await runCommandLine(oracle!, directory, args);
      expect(judgeCommandLine(FIXTURES, args), args.join(' ')).toEqual(theirs);
    }
  });

  test('every key, served or refused, is one that it knows', async () => {
    const keys = [...TOP_LEVEL_FIELDS.keys(), ...UNSUPPORTED_TOP_LEVEL];
    const conf = keys.map((key) => `${key}: 2020-01-01T00:00:00Z\n`).join('');
    const { lines } = await runFileCase(oracle!, directory, { mode: 'check', conf });
    expect(lines.filter((line) => line.includes('unknown field'))).toEqual([]);
    expect(lines.length).toBeGreaterThan(keys.length / 2);
  });
});
