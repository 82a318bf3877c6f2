import { expect, it } from 'vitest';
import { runExample } from '../../natsd/test/support/documents.ts';

const PACKAGES = { '@nats-ts/config': 'packages/config', '@nats-ts/events-service': 'apps/events-service' };

// Two lines of their log are on stderr.
it.each([
  ['apps/events-service/README.md', ['true []']],
  ['docs/events-service.md', ['true 0']],
])('has an example in %s that prints what it promises', async (document, lines) => {
  const { printed, promised } = await runExample(document, 'ts', PACKAGES);
  expect(promised).toEqual(lines);
  expect(printed).toEqual(promised);
});
