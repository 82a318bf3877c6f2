import type { ReadableSpan } from './otel-types.ts';
import { LATENCY_BUCKETS_MS, SAMPLES_MAX, type SpanGroup } from './tracez.ts';

// What `ztype` says, with the numbers of OpenTelemetry's own zpages.
export const RUNNING = 0;
export const LATENCY = 1;
export const ERRORS = 2;

/** Spans that somebody wants to see. */
export interface Selection {
  readonly name: string;
  /** `running`, `from 1 ms to 10 ms`, `errors`. */
  readonly what: string;
  /** All of them; of those that ended only the newest are kept. */
  readonly count: number;
  readonly spans: readonly ReadableSpan[];
}

/** What of a group is asked for, or what is wrong with the question. */
export function select(group: SpanGroup, query: URLSearchParams): Selection | string {
  const type = Number(query.get('ztype') ?? LATENCY);
  const { name } = group;
  if (type === RUNNING) {
    const spans = [...group.running].slice(0, SAMPLES_MAX);
    return { name, what: 'running', count: group.runningCount, spans };
  }
  if (type === ERRORS) return { name, what: 'errors', count: group.errors.count, spans: group.errors.list() };
  if (type !== LATENCY) return `ztype is ${JSON.stringify(query.get('ztype'))}, expected 0, 1 or 2`;
  const given = query.get('zlatencybucket');
  if (given === null) {
    const spans = group.latency.flatMap((samples) => samples.list());
    return { name, what: 'ended', count: group.latency.reduce((sum, { count }) => sum + count, 0), spans };
  }
  const samples = /^\d$/.test(given) ? group.latency[Number(given)] : undefined;
  if (samples === undefined) {
    return `zlatencybucket is ${JSON.stringify(given)}, expected 0 to ${LATENCY_BUCKETS_MS.length - 1}`;
  }
  return { name, what: bucketText(Number(given)), count: samples.count, spans: samples.list() };
}

/** A bucket in words. */
function bucketText(at: number): string {
  const next = LATENCY_BUCKETS_MS[at + 1];
  const from = `from ${timeText(LATENCY_BUCKETS_MS[at] ?? 0)}`;
  return next === undefined ? from : `${from} to ${timeText(next)}`;
}

/** Milliseconds in the unit that suits them. */
export function timeText(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1) return `${ms * 1000} µs`;
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}
