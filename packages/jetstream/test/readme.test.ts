import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const packageRoot = new URL('..', import.meta.url);

it('has an example in its README that runs as it says', async () => {
  const readme = await readFile(new URL('README.md', packageRoot), 'utf8');
  const [, source = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  // Beside the package's own files, so that its dependencies resolve.
  const file = new URL(`test/readme-${process.pid}.generated.ts`, packageRoot);
  await writeFile(file, source);
  try {
    const args = ['--conditions=@nats-ts/source', file.pathname];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const promised = [...source.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    expect(stdout.trim().split('\n')).toEqual(promised);
  } finally {
    await rm(file);
  }
});
