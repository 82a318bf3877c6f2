import { TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter, SpanProcessor } from './otel-types.ts';

/** What the queue is told and may do. */
export interface ExportQueueOptions {
  readonly exporter: SpanExporter;
  /** Where the exporter sends to, for the log. */
  readonly target: string;
  /** Spans that may wait; what comes beyond is dropped and counted. */
  readonly spansMax: number;
  /** Spans in one export. */
  readonly batchMax: number;
  /** Milliseconds until fewer than that are sent. */
  readonly delayMs: number;
  /** Milliseconds until an export counts as failed. */
  readonly timeoutMs: number;
  readonly log: { warn(text: string): void; info(text: string): void };
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** Time between two warnings that spans are lost. */
export const LOST_WARNING_INTERVAL_MS = 60_000;

/**
 * Sends ended spans in batches, one export at a time. Whatever the exporter does, nobody waits for it: what it cannot
 * send is lost, and so is what finds the queue full; a warning once in a while says how much.
 */
export class ExportQueue implements SpanProcessor {
  readonly #options: ExportQueueOptions;
  #spans: ReadableSpan[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** The export under way, and those that follow it without a pause. */
  #sending: Promise<void> | null = null;
  #isFailing = false;
  #isStopped = false;
  #warnedMs = Number.NEGATIVE_INFINITY;
  #lost = 0;

  constructor(options: ExportQueueOptions) {
    this.#options = options;
  }

  /** Spans that were lost so far. */
  get lost(): number {
    return this.#lost;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#isStopped || (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.#spans.length >= this.#options.spansMax) {
      this.#lose(1, `more than ${this.#options.spansMax} wait`);
      return;
    }
    this.#spans.push(span);
    if (this.#spans.length >= this.#options.batchMax) this.#send();
    else this.#sendLater();
  }

  /** Resolves when everything so far was sent, or the exporter has failed. */
  async forceFlush(): Promise<void> {
    this.#send();
    while (this.#sending !== null) {
      await this.#sending;
      if (this.#isFailing) return;
      this.#send();
    }
  }

  /** The last spans go out; further ones are not taken. */
  async shutdown(): Promise<void> {
    this.#isStopped = true;
    await this.forceFlush();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#options.exporter.shutdown();
  }

  #sendLater(): void {
    if (this.#timer !== null || this.#sending !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#send();
    }, this.#options.delayMs);
    this.#timer.unref();
  }

  #send(): void {
    if (this.#sending !== null || this.#spans.length === 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { batchMax } = this.#options;
    const batch = this.#spans.length <= batchMax ? this.#spans : this.#spans.slice(0, batchMax);
    this.#spans = this.#spans.length <= batchMax ? [] : this.#spans.slice(batchMax);
    this.#sending = this.#export(batch).then((error) => {
      this.#sending = null;
      if (error === null) this.#sent();
      else this.#lose(batch.length, error);
      this.#isFailing = error !== null;
      if (this.#spans.length >= batchMax && !this.#isFailing) this.#send();
      else if (this.#spans.length > 0) this.#sendLater();
    });
  }

  /** Resolves with why it failed, or null. */
  #export(batch: ReadableSpan[]): Promise<string | null> {
    const { exporter, timeoutMs } = this.#options;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(`no answer within ${timeoutMs} ms`), timeoutMs);
      timer.unref();
      const done = (error: string | null): void => {
        clearTimeout(timer);
        resolve(error);
      };
      try {
        exporter.export(batch, ({ code, error }) => done(code === 0 ? null : (error?.message ?? 'export failed')));
      } catch (error) {
        done((error as Error).message);
      }
    });
  }

  #sent(): void {
    if (!this.#isFailing) return;
    this.#options.log.info(`traces are sent to ${this.#options.target} again`);
    this.#warnedMs = Number.NEGATIVE_INFINITY;
  }

  #lose(spans: number, reason: string): void {
    this.#lost += spans;
    const nowMs = this.#options.now();
    if (nowMs - this.#warnedMs < LOST_WARNING_INTERVAL_MS) return;
    this.#warnedMs = nowMs;
    this.#options.log.warn(
      `traces cannot be sent to ${this.#options.target}: ${reason}; ${this.#lost} spans lost so far`,
    );
  }
}
