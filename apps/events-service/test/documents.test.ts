import { expect, it } from 'vitest';
import { runExample } from '../../natsd/test/support/documents.ts';

it('has an example in its README that prints what it promises', async () => {
  const { printed, promised } = await runExample('apps/events-service/README.md', 'ts', {
    '@nats-ts/config': 'packages/config',
    '@nats-ts/events-service': 'apps/events-service',
  });
  // Two lines of its log are on stderr.
  expect(promised).toEqual(['true []']);
  expect(printed).toEqual(promised);
});
