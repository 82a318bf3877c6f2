import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMAND_LINE_CASES, FILE_CASES, type FileCase } from './corpus/cases.ts';
import type { Outcome } from './support/oracle-run.ts';
import { judgeCommandLine, judgeFileCase } from './support/our-run.ts';

interface Recorded {
  readonly files: readonly (FileCase & { readonly outcome: Outcome })[];
  readonly commandLines: readonly {
    readonly args: readonly string[];
    readonly outcome: Outcome & { readonly stdout: string };
  }[];
}

const FIXTURES = join(import.meta.dirname, 'fixtures');
const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, 'corpus/nats-server-2.15.json'), 'utf8'),
) as Recorded;

describe('what nats-server 2.15.1 said of every case', () => {
  test('is recorded for exactly the cases of the corpus', () => {
    expect(recorded.files.map(({ outcome: _, ...fileCase }) => fileCase)).toEqual(FILE_CASES);
    expect(recorded.commandLines.map(({ args }) => args)).toEqual(COMMAND_LINE_CASES);
  });

  test.each(recorded.files)('of the file $conf', ({ outcome, ...fileCase }) => {
    expect(judgeFileCase(FIXTURES, fileCase)).toEqual(outcome);
  });

  test.each(recorded.commandLines)('of the command line $args', ({ args, outcome }) => {
    expect(judgeCommandLine(FIXTURES, args)).toEqual(outcome);
  });
});
