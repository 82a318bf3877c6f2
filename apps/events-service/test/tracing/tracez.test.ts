import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import type { DebugAnswer } from '../../src/debug/route.ts';
import { startSdk } from '../../src/tracing/sdk.ts';
import { OTHER_NAMES, RUNNING_MAX, SAMPLES_MAX, SPAN_NAMES_MAX, Tracez } from '../../src/tracing/tracez.ts';
import { tracezRoutes } from '../../src/tracing/tracez-routes.ts';
import { KeptLog, tracingConfig } from './support.ts';

interface Opened extends AsyncDisposable {
  readonly tracer: Tracer;
  readonly tracez: Tracez;
  ask(query: string, accept?: string): DebugAnswer;
}

async function open(): Promise<Opened> {
  const tracez = new Tracez();
  const { tracer, stop } = await startSdk(tracingConfig({}), '1.2.3', new KeptLog(), [tracez]);
  const [, route] = tracezRoutes(tracez);
  return {
    tracer,
    tracez,
    ask: (query, accept = '') =>
      route?.answer({
        path: '/debug/tracez',
        query: new URLSearchParams(query),
        headers: { accept },
        signal: new AbortController().signal,
      }) as DebugAnswer,
    [Symbol.asyncDispose]: stop,
  };
}

const START = 1_000_000_000_000;

function ended(tracer: Tracer, name: string, ms: number, error?: string): void {
  const span = tracer.startSpan(name, { startTime: START });
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
  span.end(START + ms);
}

describe('spans', () => {
  it('are counted by name: running, by how long they took, and those that failed', async () => {
    await using opened = await open();
    const { tracer, ask } = opened;
    for (const ms of [0, 0.005, 0.5, 5, 5, 250_000]) ended(tracer, 'a', ms);
    ended(tracer, 'a', 5, 'broken');
    const running = tracer.startSpan('b');
    const answer = ask('format=json');
    expect(answer.type).toBe('application/json');
    const { spans } = JSON.parse(String(answer.body));
    const counts = (at: number): number[] => spans[at].latency.map(({ count }: { count: number }) => count);
    expect(spans.map(({ name, running, errors }: Record<string, unknown>) => [name, running, errors])).toEqual([
      ['a', 0, 1],
      ['b', 1, 0],
    ]);
    expect(counts(0)).toEqual([2, 0, 1, 2, 0, 0, 0, 0, 1]);
    running.end();
    expect(JSON.parse(String(ask('format=json').body)).spans[1]).toMatchObject({ running: 0 });
  });

  it('can be looked at one by one, the newest first', async () => {
    await using opened = await open();
    const { tracer, ask } = opened;
    for (let i = 0; i < SAMPLES_MAX + 3; i++) ended(tracer, 'a', 5, `error ${i}`);
    const { count, what, spans } = JSON.parse(String(ask('zspanname=a&ztype=2', 'application/json').body));
    expect([count, what, spans.length]).toEqual([SAMPLES_MAX + 3, 'errors', SAMPLES_MAX]);
    expect(spans.map(({ message }: { message: string }) => message)).toEqual(
      Array.from({ length: SAMPLES_MAX }, (_, at) => `error ${SAMPLES_MAX + 2 - at}`),
    );
    expect(spans[0]).toMatchObject({ name: 'a', duration_ms: 5, start: '2001-09-09T01:46:40.000Z', status: 'ERROR' });
  });

  it('are shown as a page, with nothing of theirs taken for HTML', async () => {
    await using opened = await open();
    const { tracer, ask } = opened;
    ended(tracer, '<b>&"', 5);
    tracer.startSpan('<b>&"', { attributes: { key: '<script>' } });
    const summary = ask('');
    expect([summary.status, summary.type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(summary.body).toContain('<td>&#60;b&#62;&#38;&#34;</td>');
    expect(summary.body).toContain('href="/debug/tracez?zspanname=%3Cb%3E%26%22&#38;ztype=0"');
    const detail = ask('zspanname=%3Cb%3E%26%22&ztype=0');
    expect(detail.body).toContain('key=&#34;&#60;script&#62;&#34;');
    expect(detail.body).toContain('<td>running</td>');
    const bucket = ask('zspanname=%3Cb%3E%26%22&ztype=1&zlatencybucket=3');
    expect(bucket.body).toContain('from 1 ms to 10 ms');
    expect(bucket.body).toContain('<td>5.000 ms</td>');
  });

  it('that are asked for in the wrong way are not found', async () => {
    await using opened = await open();
    const { tracer, ask } = opened;
    expect(ask('zspanname=a')).toMatchObject({ status: 404, body: 'no span has the name "a"\n' });
    ended(tracer, 'a', 5);
    expect(ask('zspanname=a&ztype=7')).toMatchObject({ status: 400, body: 'ztype is "7", expected 0, 1 or 2\n' });
    expect(ask('zspanname=a&zlatencybucket=9')).toMatchObject({
      status: 400,
      body: 'zlatencybucket is "9", expected 0 to 8\n',
    });
  });
});

describe('limits', () => {
  it(`tell ${SPAN_NAMES_MAX} names apart and count the others together`, async () => {
    await using opened = await open();
    const { tracer, tracez } = opened;
    for (let i = 0; i < SPAN_NAMES_MAX + 5; i++) ended(tracer, `name ${i}`, 5);
    expect(tracez.groups()).toHaveLength(SPAN_NAMES_MAX + 1);
    expect(tracez.group(OTHER_NAMES)?.latency[3]?.count).toBe(5);
    expect(tracez.group(OTHER_NAMES)?.runningCount).toBe(0);
  });

  it(`keep ${RUNNING_MAX} running spans and count the others`, async () => {
    await using opened = await open();
    const { tracer, tracez } = opened;
    const spans = Array.from({ length: RUNNING_MAX + 5 }, () => tracer.startSpan('a'));
    expect(tracez.group('a')?.running.size).toBe(RUNNING_MAX);
    expect(tracez.group('a')?.runningCount).toBe(RUNNING_MAX + 5);
    for (const span of spans) span.end();
    expect(tracez.group('a')).toMatchObject({ runningCount: 0, running: new Set() });
    tracer.startSpan('a');
    expect(tracez.group('a')?.running.size).toBe(1);
  });
});
