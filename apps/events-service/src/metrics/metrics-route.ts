import type { DebugRoute } from '../debug/route.ts';
import type { MetricSources } from './sources.ts';

/** `/metrics` in Prometheus' text format. What renders it is loaded when the first one asks. */
export function metricsRoute(sources: MetricSources): DebugRoute {
  let exporter: Promise<import('./exposition.ts').Exporter> | null = null;
  return {
    path: '/metrics',
    answer: async ({ headers }) => {
      exporter ??= import('./exposition.ts').then(({ Exporter }) => new Exporter(sources));
      const { type, body, gzipped } = await (await exporter).scrape();
      if (!/\bgzip\b/.test(`${headers['accept-encoding']}`)) return { status: 200, type, body };
      return { status: 200, type, body: await gzipped(), headers: { 'Content-Encoding': 'gzip' } };
    },
  };
}
