import type { EffectiveSetting } from '@nats-ts/config';
import { metricsRoute } from '../metrics/metrics-route.ts';
import type { MetricSources } from '../metrics/sources.ts';
import { configRoute } from './config-route.ts';
import { type HealthSource, healthRoutes } from './health-routes.ts';
import type { DebugRoute } from './route.ts';

/** What the debug server shows. */
export interface DebugParts {
  readonly health: HealthSource;
  readonly metrics: MetricSources;
  /** Absent: they are not shown. */
  readonly settings?: readonly EffectiveSetting[] | undefined;
  /** The pages about spans; none unless they are asked for. */
  readonly traces: readonly DebugRoute[];
}

/** Every path of the debug server. */
export function debugRoutes(parts: DebugParts): DebugRoute[] {
  const { health, metrics, settings, traces } = parts;
  return [
    ...healthRoutes(health),
    metricsRoute(metrics),
    ...(settings === undefined ? [] : [configRoute(settings)]),
    ...traces,
  ];
}
