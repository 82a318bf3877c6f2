// npm test: set-up, build, every test; ends with one line "N passed, N failed".
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, root, run, say, setUp } from './toolchain.mjs';

const node = setUp();
build(node);
const folder = mkdtempSync(join(tmpdir(), 'nats-ts-test-'));
const report = join(folder, 'report.json');
say('running the tests');
const done = run(
  node,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  { tolerate: true, stdio: ['ignore', 'inherit', 'inherit'] },
);
let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed = result.numPassedTests;
  failed =
    result.numFailedTests +
    result.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0).length;
  skipped = result.numPendingTests + (result.numTodoTests ?? 0);
} catch {
  failed = 1;
}
rmSync(folder, { recursive: true, force: true });
if (done.status !== 0 && failed === 0) failed = 1;
if (skipped > 0) say(`${skipped} skipped`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
