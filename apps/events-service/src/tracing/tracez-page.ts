import { spanRecord } from './console-exporter.ts';
import type { ReadableSpan } from './otel-types.ts';
import { LATENCY_BUCKETS_MS, type SpanGroup } from './tracez.ts';
import { ERRORS, LATENCY, RUNNING, type Selection, timeText } from './tracez-selection.ts';

const STYLE =
  'body{font:14px sans-serif;margin:1.5em}table{border-collapse:collapse}th,td{border:1px solid #ccc;padding:.3em .6em;' +
  'text-align:right}th:first-child,td:first-child{text-align:left}td.text{text-align:left;white-space:pre-wrap;font-family:monospace}';

/** One row for each name. */
export function summaryPage(path: string, groups: readonly SpanGroup[]): string {
  const buckets = LATENCY_BUCKETS_MS.map((ms) => `<th>≥ ${timeText(ms)}</th>`).join('');
  const rows = groups.map((group) => {
    const cells = [
      cell(path, group.name, group.runningCount, `ztype=${RUNNING}`),
      ...group.latency.map(({ count }, at) => cell(path, group.name, count, `ztype=${LATENCY}&zlatencybucket=${at}`)),
      cell(path, group.name, group.errors.count, `ztype=${ERRORS}`),
    ];
    return `<tr><td>${escaped(group.name)}</td>${cells.join('')}</tr>`;
  });
  const none = groups.length === 0 ? '<p>No spans yet.</p>' : '';
  return page(
    'Spans',
    `<table><tr><th>span</th><th>running</th>${buckets}<th>errors</th></tr>${rows.join('')}</table>${none}`,
  );
}

/** The samples of one cell. */
export function detailPage(path: string, { name, what, count, spans }: Selection): string {
  const rows = spans.map(detailRow).join('');
  const head = '<tr><th>start</th><th>duration</th><th>trace</th><th>span</th><th>parent</th><th>more</th></tr>';
  return page(
    `${name}: ${what}`,
    `<p><a href="${escaped(path)}">all spans</a></p><p>${count} in all, ${spans.length} shown.</p><table>${head}${rows}</table>`,
  );
}

function detailRow(span: ReadableSpan): string {
  const { start, duration_ms, trace_id, span_id, parent_span_id, status, message, attributes } = spanRecord(span);
  const duration = typeof duration_ms === 'number' ? `${duration_ms.toFixed(3)} ms` : 'running';
  const values = Object.entries(attributes as object).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const lines = status === 'ERROR' ? [`error: ${message ?? ''}`, ...values] : values;
  const texts = [start, duration, trace_id, span_id, parent_span_id];
  return `<tr>${texts.map((text) => `<td>${escaped(String(text))}</td>`).join('')}<td class="text">${escaped(lines.join('\n'))}</td></tr>`;
}

function cell(path: string, name: string, count: number, query: string): string {
  if (count === 0) return '<td>0</td>';
  const url = `${path}?zspanname=${encodeURIComponent(name)}&${query}`;
  return `<td><a href="${escaped(url)}">${count}</a></td>`;
}

function page(title: string, body: string): string {
  const name = escaped(title);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${name}</title><style>${STYLE}</style></head><body><h1>${name}</h1>${body}</body></html>\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
