import { describe, expect, it } from 'vitest';
import { until } from '../../../../tests/src/index.ts';
import { ExportQueue, type ExportQueueOptions, LOST_WARNING_INTERVAL_MS } from '../../src/tracing/export-queue.ts';
import type { ExportResult, ReadableSpan, SpanExporter } from '../../src/tracing/otel-types.ts';
import { KeptLog } from './support.ts';

const span = (name: string, traceFlags = 1): ReadableSpan =>
  ({ name, spanContext: () => ({ traceId: '', spanId: '', traceFlags }) }) as unknown as ReadableSpan;

/** An exporter whose exports end when the test says so. */
class ManualExporter implements SpanExporter {
  readonly exports: string[] = [];
  isShut = false;
  #done: ((result: ExportResult) => void)[] = [];

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exports.push(spans.map(({ name }) => name).join(' '));
    this.#done.push(done);
  }

  /** Ends the export under way; with an error if there is one. */
  async end(error?: string): Promise<void> {
    await until('an export', async () => this.#done.length > 0);
    this.#done.shift()?.(error === undefined ? { code: 0 } : { code: 1, error: new Error(error) });
    await new Promise((resolve) => setImmediate(resolve));
  }

  shutdown(): Promise<void> {
    this.isShut = true;
    return Promise.resolve();
  }
}

function open(options: Partial<ExportQueueOptions> = {}): {
  queue: ExportQueue;
  exporter: ManualExporter;
  log: KeptLog;
  clock: { nowMs: number };
} {
  const exporter = new ManualExporter();
  const log = new KeptLog();
  const clock = { nowMs: 0 };
  const queue = new ExportQueue({
    exporter,
    target: 'there',
    spansMax: 5,
    batchMax: 2,
    delayMs: 3_600_000,
    timeoutMs: 3_600_000,
    log,
    now: () => clock.nowMs,
    ...options,
  });
  return { queue, exporter, log, clock };
}

describe('ended spans', () => {
  it('are sent when a batch is full, one export at a time', async () => {
    const { queue, exporter } = open();
    for (const name of ['a', 'b', 'c', 'd', 'e']) queue.onEnd(span(name));
    expect(exporter.exports).toEqual(['a b']);
    await exporter.end();
    expect(exporter.exports).toEqual(['a b', 'c d']);
    await exporter.end();
    // The last one waits for its time.
    expect(exporter.exports).toEqual(['a b', 'c d']);
    const flushed = queue.forceFlush();
    await exporter.end();
    await flushed;
    expect(exporter.exports).toEqual(['a b', 'c d', 'e']);
  });

  it('are sent after a while when there are fewer', async () => {
    const { queue, exporter } = open({ delayMs: 1 });
    queue.onEnd(span('a'));
    expect(exporter.exports).toEqual([]);
    await exporter.end();
    expect(exporter.exports).toEqual(['a']);
  });

  it('that are not sampled are not sent', async () => {
    const { queue, exporter } = open();
    queue.onEnd(span('a', 0));
    await queue.forceFlush();
    expect(exporter.exports).toEqual([]);
  });

  it('go out at the end, and later ones are not taken', async () => {
    const { queue, exporter } = open();
    queue.onEnd(span('a'));
    const ended = queue.shutdown();
    queue.onEnd(span('b'));
    await exporter.end();
    await ended;
    expect([exporter.exports, exporter.isShut]).toEqual([['a'], true]);
  });
});

describe('spans that find the queue full', () => {
  it('are dropped and counted, and a warning says so once in a while', () => {
    const { queue, exporter, log, clock } = open();
    for (let i = 0; i < 2 + 5; i++) queue.onEnd(span('x'));
    expect([exporter.exports, queue.lost]).toEqual([['x x'], 0]);
    for (let i = 0; i < 10; i++) queue.onEnd(span('x'));
    expect(queue.lost).toBe(10);
    expect(log.lines).toEqual(['warn traces cannot be sent to there: more than 5 wait; 1 spans lost so far']);
    clock.nowMs = LOST_WARNING_INTERVAL_MS;
    queue.onEnd(span('x'));
    expect(log.lines.slice(1)).toEqual(['warn traces cannot be sent to there: more than 5 wait; 11 spans lost so far']);
  });
});

describe('an exporter that fails', () => {
  it('loses the batch, is told of once in a while, and again when it works', async () => {
    const { queue, exporter, log, clock } = open();
    for (const error of ['refused', 'refused again']) {
      queue.onEnd(span('a'));
      queue.onEnd(span('b'));
      await exporter.end(error);
    }
    expect(log.lines).toEqual(['warn traces cannot be sent to there: refused; 2 spans lost so far']);
    clock.nowMs += 10;
    queue.onEnd(span('a'));
    queue.onEnd(span('b'));
    await exporter.end();
    expect(log.lines.slice(1)).toEqual(['info traces are sent to there again']);
    queue.onEnd(span('a'));
    queue.onEnd(span('b'));
    await exporter.end('refused');
    expect(log.lines.slice(2)).toEqual(['warn traces cannot be sent to there: refused; 6 spans lost so far']);
  });

  it('is not asked again at the end', async () => {
    const { queue, exporter } = open();
    for (const name of ['a', 'b', 'c', 'd', 'e']) queue.onEnd(span(name));
    const ended = queue.shutdown();
    await exporter.end('refused');
    await ended;
    expect(exporter.exports).toEqual(['a b']);
  });

  it('is given up on when it does not answer, or throws', async () => {
    const { queue, log } = open({ timeoutMs: 1 });
    queue.onEnd(span('a'));
    await queue.forceFlush();
    expect(log.lines).toEqual(['warn traces cannot be sent to there: no answer within 1 ms; 1 spans lost so far']);
    const exporter = {
      export() {
        throw new Error('broken');
      },
      shutdown: () => Promise.resolve(),
    };
    const broken = open({ exporter });
    broken.queue.onEnd(span('a'));
    await broken.queue.forceFlush();
    expect(broken.log.lines).toEqual(['warn traces cannot be sent to there: broken; 1 spans lost so far']);
  });
});
