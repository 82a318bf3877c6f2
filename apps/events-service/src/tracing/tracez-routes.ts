import { type DebugAnswer, type DebugRequest, type DebugRoute, jsonAnswer, textAnswer } from '../debug/route.ts';
import { spanRecord } from './console-exporter.ts';
import { LATENCY_BUCKETS_MS, type SpanGroup, type Tracez } from './tracez.ts';
import { detailPage, summaryPage } from './tracez-page.ts';
import { select } from './tracez-selection.ts';

/**
 * `/debug/tracez`, and the same as `/debug`, where the original has it: the spans of this process by name, and with
 * `?zspanname=…&ztype=0|1|2[&zlatencybucket=0…8]` samples of them. As JSON with `?format=json` or `Accept: application/json`.
 */
export function tracezRoutes(tracez: Tracez): DebugRoute[] {
  return ['/debug', '/debug/tracez'].map((path) => ({ path, answer: (request) => answer(tracez, request) }));
}

function answer(tracez: Tracez, request: DebugRequest): DebugAnswer {
  const { query, path } = request;
  const name = query.get('zspanname');
  if (name === null) {
    const groups = tracez.groups();
    return wantsJson(request) ? jsonAnswer(200, { spans: groups.map(summary) }) : html(summaryPage(path, groups));
  }
  const group = tracez.group(name);
  if (group === undefined) return textAnswer(404, `no span has the name ${JSON.stringify(name)}\n`);
  const selection = select(group, query);
  if (typeof selection === 'string') return textAnswer(400, `${selection}\n`);
  if (!wantsJson(request)) return html(detailPage(path, selection));
  const { what, count, spans } = selection;
  return jsonAnswer(200, { name, what, count, spans: spans.map(spanRecord) });
}

function summary(group: SpanGroup): Record<string, unknown> {
  return {
    name: group.name,
    running: group.runningCount,
    latency: group.latency.map(({ count }, at) => ({ from_ms: LATENCY_BUCKETS_MS[at], count })),
    errors: group.errors.count,
  };
}

function wantsJson({ query, headers }: DebugRequest): boolean {
  const format = query.get('format');
  if (format !== null) return format === 'json';
  return headers.accept?.includes('application/json') ?? false;
}

function html(body: string): DebugAnswer {
  return { status: 200, type: 'text/html; charset=utf-8', body };
}
