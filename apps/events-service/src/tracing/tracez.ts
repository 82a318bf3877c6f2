import { SpanStatusCode } from '@opentelemetry/api';
import { durationMs } from './console-exporter.ts';
import type { ReadableSpan, SpanProcessor } from './otel-types.ts';

/** Where the buckets of latency begin, milliseconds: from this to the next. */
export const LATENCY_BUCKETS_MS: readonly number[] = [0, 0.01, 0.1, 1, 10, 100, 1_000, 10_000, 100_000];

/** Names of spans that are told apart; further ones are counted together. */
export const SPAN_NAMES_MAX = 100;
/** The name they are counted under. */
export const OTHER_NAMES = '(other)';
/** Ended spans that are kept of each name and bucket, and of each name with an error: the newest. */
export const SAMPLES_MAX = 10;
/** Running spans that are kept in all; what comes beyond is counted, but not shown. */
export const RUNNING_MAX = 1_000;

/** The newest spans of a kind, and how many there were. */
export class Samples {
  #count = 0;
  readonly #kept: ReadableSpan[] = [];

  get count(): number {
    return this.#count;
  }

  add(span: ReadableSpan): void {
    if (this.#kept.length < SAMPLES_MAX) this.#kept.push(span);
    else this.#kept[this.#count % SAMPLES_MAX] = span;
    this.#count++;
  }

  /** The newest first. */
  list(): ReadableSpan[] {
    const { length } = this.#kept;
    return Array.from({ length }, (_, at) => this.#kept[(this.#count - 1 - at) % length]!);
  }
}

/** What is known of the spans of one name. */
export class SpanGroup {
  readonly name: string;
  /** Running spans, shown or not. */
  runningCount = 0;
  readonly running: Set<ReadableSpan> = new Set();
  /** Ended without an error, by LATENCY_BUCKETS_MS. */
  readonly latency: readonly Samples[] = LATENCY_BUCKETS_MS.map(() => new Samples());
  readonly errors: Samples = new Samples();

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * Keeps spans in this process, for `/debug/tracez`: what runs, how long what has ended took, and what ended with an
 * error. Works without an exporter.
 */
export class Tracez implements SpanProcessor {
  readonly #groups = new Map<string, SpanGroup>();
  #running = 0;

  onStart(span: ReadableSpan): void {
    const group = this.#groupOf(span.name);
    group.runningCount++;
    if (this.#running >= RUNNING_MAX) return;
    this.#running++;
    group.running.add(span);
  }

  onEnd(span: ReadableSpan): void {
    const group = this.#groupOf(span.name);
    group.runningCount--;
    if (group.running.delete(span)) this.#running--;
    if (span.status.code === SpanStatusCode.ERROR) {
      group.errors.add(span);
      return;
    }
    const ms = durationMs(span);
    group.latency[LATENCY_BUCKETS_MS.findLastIndex((fromMs) => ms >= fromMs)]?.add(span);
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  /** By name, sorted. */
  groups(): SpanGroup[] {
    return [...this.#groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  group(name: string): SpanGroup | undefined {
    return this.#groups.get(name);
  }

  #groupOf(name: string): SpanGroup {
    const found = this.#groups.get(name);
    if (found !== undefined) return found;
    if (this.#groups.size >= SPAN_NAMES_MAX) return this.#groups.get(OTHER_NAMES) ?? this.#add(OTHER_NAMES);
    return this.#add(name);
  }

  #add(name: string): SpanGroup {
    const group = new SpanGroup(name);
    this.#groups.set(name, group);
    return group;
  }
}
