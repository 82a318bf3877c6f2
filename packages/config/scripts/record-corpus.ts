// Asks nats-server about every case of the corpus and writes down what it says:
//   node --conditions=@nats-ts/source packages/config/scripts/record-corpus.ts
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oraclePath } from '../../../tests/src/oracle.ts';
import { COMMAND_LINE_CASES, FILE_CASES, type FileCase } from '../test/corpus/cases.ts';
import { askFileCase, type Outcome, runCommandLine } from '../test/support/oracle-run.ts';
import { judgeFileCase } from '../test/support/our-run.ts';

const TEST = join(import.meta.dirname, '../test');

const oracle = oraclePath();
if (oracle === null) throw new Error('there is no nats-server to ask');
const directory = mkdtempSync(join(tmpdir(), 'config-corpus-'));
cpSync(join(TEST, 'fixtures'), directory, { recursive: true });
try {
  const files: (FileCase & { outcome: Outcome })[] = [];
  for (const fileCase of FILE_CASES) {
    // Of several answers the one for keys in their order is wanted.
    const expected = judgeFileCase(directory, fileCase);
    files.push({ ...fileCase, outcome: await askFileCase(oracle, directory, fileCase, expected) });
  }
  const commandLines: { args: readonly string[]; outcome: Outcome & { stdout: string } }[] = [];
  for (const args of COMMAND_LINE_CASES) {
    commandLines.push({ args, outcome: await runCommandLine(oracle, directory, args) });
  }
  const text = JSON.stringify({ files, commandLines }, null, 2);
  writeFileSync(join(TEST, 'corpus/nats-server-2.15.json'), `${text}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
