import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot, TempDir } from '../../../../tests/src/index.ts';

/** What an example printed, and what its comments say that it prints. */
export interface Example {
  readonly printed: string[];
  readonly promised: string[];
}

/**
 * Runs the first code block of a language in a document as its reader would: in a folder of its own, with the packages
 * it imports installed.
 *
 * @param packages name to folder in the repository
 */
export async function runExample(
  document: string,
  language: 'ts' | 'js',
  packages: Record<string, string>,
): Promise<Example> {
  const text = readFileSync(join(repositoryRoot, document), 'utf8');
  const source = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? '';
  using dir = new TempDir('example');
  for (const [name, folder] of Object.entries(packages)) {
    const link = join(dir.path, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(repositoryRoot, folder), link);
  }
  const file = join(dir.path, `example.m${language}`);
  writeFileSync(file, source);
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@nats-ts/source', file], {
    env: { ...process.env, TMPDIR: dir.path },
  });
  const promised = [...source.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said]) => said ?? '');
  return { printed: stdout.trim().split('\n'), promised };
}
