import { metricsRoute } from '../metrics/metrics-route.ts';
import type { MetricSources } from '../metrics/sources.ts';
import { type HealthSource, healthRoutes } from './health-routes.ts';
import type { DebugRoute } from './route.ts';

/** What the debug server shows. */
export interface DebugParts {
  readonly health: HealthSource;
  readonly metrics: MetricSources;
}

/** Every path of the debug server. */
export function debugRoutes(parts: DebugParts): DebugRoute[] {
  return [...healthRoutes(parts.health), metricsRoute(parts.metrics)];
}
