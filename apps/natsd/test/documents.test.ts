import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from '../../../tests/src/index.ts';
import { runExample } from './support/documents.ts';
import { run } from './support/program.ts';

it('has examples that print what they promise', async () => {
  const embedding = await runExample('docs/embedding.md', 'js', {
    '@nats-ts/natsd': 'apps/natsd',
    '@nats-io/jetstream': 'tests/node_modules/@nats-io/jetstream',
    '@nats-io/transport-node': 'tests/node_modules/@nats-io/transport-node',
  });
  expect(embedding.promised).toEqual(['ORDERS 1']);
  expect(embedding.printed).toEqual(embedding.promised);
  const readme = await runExample('apps/natsd/README.md', 'ts', { '@nats-ts/natsd': 'apps/natsd' });
  expect(readme.promised).not.toEqual([]);
  expect(readme.printed).toEqual(readme.promised);
});

it('names every flag of its help in docs/natsd.md', () => {
  const document = readFileSync(join(repositoryRoot, 'docs/natsd.md'), 'utf8');
  const flags = [...run('-h').stdout.matchAll(/(?<=[\s,])(--?[A-Za-z_]+)(?=[\s,])/g)].map(([flag]) => flag);
  expect(flags.length).toBeGreaterThan(30);
  const missing = flags.filter((flag) => !new RegExp(`\`${flag}\``).test(document) && !LONG_NAMES.has(flag));
  expect(missing).toEqual([]);
});

/** Long names of flags whose short name is the known one. */
const LONG_NAMES = new Set(['--debug', '--trace', '--help', '--version']);
