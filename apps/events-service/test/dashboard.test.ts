import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot, TempDir } from '../../../tests/src/index.ts';
import { METRICS } from '../src/metrics/catalogue.ts';
import { inProcess } from './support/in-process.ts';
import { parseScrape } from './support/metrics.ts';
import { ask } from './support/service.ts';

/** Labels that Prometheus adds, and that of a histogram's buckets. */
const OTHER_LABELS = ['instance', 'job', 'le', 'server_id'];

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const dashboard: Dashboard = JSON.parse(readFileSync(join(repositoryRoot, 'deploy/grafana-dashboard.json'), 'utf8'));
const queries = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.templating.list.flatMap(({ definition }) => (definition === undefined ? [] : [definition])),
];

/** Names of metrics in a query: what a selector follows, or what values of labels are asked of. */
function metricsIn(query: string): string[] {
  const found = query.matchAll(/([a-zA-Z_:][\w:]*)\{|label_values\(([a-zA-Z_:][\w:]*),/g);
  return [...found].map(([, selected, asked]) => (selected ?? asked)!);
}

/** Names of labels in it. */
function labelsIn(query: string): string[] {
  const selectors = [...query.matchAll(/[{,](\w+)=~?"/g)].map(([, label]) => label!);
  const groups = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(', '));
  const asked = [...query.matchAll(/label_values\(.*, (\w+)\)/g)].map(([, label]) => label!);
  return [...selectors, ...groups, ...asked];
}

describe('the Grafana dashboard', () => {
  it('asks for metrics that there are, and for their labels', async () => {
    using dir = new TempDir('events');
    const { service } = await inProcess(dir.path);
    await using _ = service;
    await service.start();
    const { types } = parseScrape((await ask(service.debugPort, '/metrics')).body);
    expect(queries.length).toBeGreaterThan(40);
    for (const query of queries) {
      const names = metricsIn(query);
      expect([query, names.length]).not.toEqual([query, 0]);
      for (const name of names) {
        const base = types.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '');
        expect([name, types.get(base)]).toEqual([name, expect.stringMatching(base === name ? /./ : /^histogram$/)]);
        const own = METRICS.find((metric) => metric.name === base)?.labels ?? [];
        const known = [...own, ...OTHER_LABELS];
        expect([query, labelsIn(query).filter((label) => !known.includes(label))]).toEqual([query, []]);
      }
    }
  });

  it('shows in its legends what its queries group by', () => {
    for (const { targets = [] } of dashboard.panels) {
      for (const { expr, legendFormat } of targets) {
        const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
        expect([expr, shown.filter((label) => !labelsIn(expr).includes(label))]).toEqual([expr, []]);
      }
    }
  });

  it('takes counters by their rate and gauges as they are', () => {
    for (const query of queries) {
      for (const name of metricsIn(query)) {
        const isCounter = METRICS.find((metric) => metric.name === name)?.type === 'counter';
        if (isCounter && name !== 'nats_store_lost_messages_total') {
          expect(query).toMatch(new RegExp(`(?:rate|increase)\\(${name}\\{`));
        }
      }
    }
  });

  it('has panels beside each other, not on top', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, taken.get(`${x} ${y}`)]).toEqual([title, undefined]);
          taken.set(`${x} ${y}`, title);
        }
      }
    }
  });
});
