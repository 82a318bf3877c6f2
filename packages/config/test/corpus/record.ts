// Asks nats-server about every case and writes down what it says: node --conditions=@nats-ts/source record.ts
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oraclePath } from '../../../../tests/src/oracle.ts';
import { type Outcome, runCommandLine, runFileCase } from '../support/oracle-run.ts';
import { COMMAND_LINE_CASES, FILE_CASES, type FileCase } from './cases.ts';

const oracle = oraclePath();
if (oracle === null) throw new Error('there is no nats-server to ask');
const directory = mkdtempSync(join(tmpdir(), 'config-corpus-'));
cpSync(join(import.meta.dirname, '../fixtures'), directory, { recursive: true });
try {
  const files: (FileCase & { outcome: Outcome })[] = [];
  for (const fileCase of FILE_CASES) {
    files.push({ ...fileCase, outcome: await runFileCase(oracle, directory, fileCase) });
  }
  const commandLines: { args: readonly string[]; outcome: Outcome & { stdout: string } }[] = [];
  for (const args of COMMAND_LINE_CASES) {
    commandLines.push({ args, outcome: await runCommandLine(oracle, directory, args) });
  }
  const text = JSON.stringify({ files, commandLines }, null, 2);
  writeFileSync(join(import.meta.dirname, 'nats-server-2.15.json'), `${text}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
