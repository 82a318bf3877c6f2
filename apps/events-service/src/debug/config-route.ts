import type { EffectiveSetting } from '@nats-ts/config';
import { type DebugRoute, jsonAnswer } from './route.ts';

/** `/config`: every setting in effect with where it came from. Secrets are masked already. */
export function configRoute(settings: readonly EffectiveSetting[]): DebugRoute {
  return {
    path: '/config',
    answer: () =>
      jsonAnswer(
        200,
        Object.fromEntries(settings.map(({ key, value, source }) => [key, { value, source: source.place }])),
      ),
  };
}
