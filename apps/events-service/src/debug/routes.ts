import type { EffectiveSetting } from '@nats-ts/config';
import { metricsRoute } from '../metrics/metrics-route.ts';
import type { MetricSources } from '../metrics/sources.ts';
import { profileRoutes } from '../profiles/profile-routes.ts';
import type { Profiler } from '../profiles/profiler.ts';
import { configRoute } from './config-route.ts';
import { type HealthSource, healthRoutes } from './health-routes.ts';
import type { DebugRoute } from './route.ts';

/** What the debug server shows. */
export interface DebugParts {
  readonly health: HealthSource;
  readonly metrics: MetricSources;
  /** null: no profiles. */
  readonly profiler: Profiler | null;
  /** Absent: they are not shown. */
  readonly settings?: readonly EffectiveSetting[] | undefined;
  /** The pages about spans; none unless they are asked for. */
  readonly traces: readonly DebugRoute[];
}

/** Every path of the debug server. */
export function debugRoutes({ health, metrics, profiler, settings, traces }: DebugParts): DebugRoute[] {
  return [
    ...healthRoutes(health),
    metricsRoute(metrics),
    ...(settings === undefined ? [] : [configRoute(settings)]),
    ...(profiler === null ? [] : profileRoutes(profiler)),
    ...traces,
  ];
}
