import { collectDefaultMetrics, Gauge, type MetricType, Registry } from 'prom-client';
import { METRICS, type MetricDefinition } from './catalogue.ts';
import { CpuMeter, gather } from './gather.ts';
import { Pace } from './pace.ts';
import type { Series } from './sheet.ts';
import type { MetricSources } from './sources.ts';

/** Someone who scrapes again within this gets what the last one got. */
export const CACHE_MS = 1_000;

/** Values that are rendered at a time. */
const VALUES_AT_ONCE = 500;

/** The text of a scrape, in parts. */
export interface Exposition {
  readonly type: string;
  readonly body: readonly Uint8Array[];
}

/**
 * A metric whose values stand ready: counting sets of labels again in a library would cost a hash each, and thousands of
 * consumers have ten each.
 */
class ReadyMetric extends Gauge {
  readonly definition: MetricDefinition;
  /** The values rendered next. */
  values: Series[] = [];

  constructor(definition: MetricDefinition) {
    super({ name: definition.name, help: definition.help, registers: [] });
    this.definition = definition;
  }

  override async get(): ReturnType<Gauge['get']> {
    const { name, help, type } = this.definition;
    // The enumeration of the library's types stands for these texts.
    return {
      name,
      help,
      type: type as unknown as MetricType,
      aggregator: 'sum',
      collect: () => {},
      values: this.values,
    };
  }
}

/** Renders the metrics in Prometheus' text format, a few values at a time, with pauses. */
export class Exporter {
  readonly #sources: MetricSources;
  readonly #registry = new Registry();
  readonly #own = new Map<string, ReadyMetric>();
  readonly #names: readonly string[];
  readonly #cpu = new CpuMeter();
  #last: Promise<Exposition> | null = null;
  #lastAt = 0;

  constructor(sources: MetricSources) {
    this.#sources = sources;
    for (const definition of METRICS) {
      const metric = new ReadyMetric(definition);
      this.#own.set(definition.name, metric);
      this.#registry.registerMetric(metric);
    }
    collectDefaultMetrics({ register: this.#registry });
    this.#names = this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  /** Who asks while another is being answered, or right after, gets the same answer. */
  scrape(): Promise<Exposition> {
    if (this.#last === null || performance.now() - this.#lastAt > CACHE_MS) {
      const scrape = this.#render();
      this.#last = scrape;
      this.#lastAt = Number.POSITIVE_INFINITY;
      scrape.then(
        () => {
          this.#lastAt = performance.now();
        },
        () => {
          this.#last = null;
        },
      );
    }
    return this.#last;
  }

  async #render(): Promise<Exposition> {
    const pace = new Pace();
    const sheet = await gather(this.#sources, this.#cpu, pace);
    const body: Uint8Array[] = [];
    for (const name of this.#names) {
      if (pace.isDue) await pace.pause();
      const own = this.#own.get(name);
      if (own === undefined) body.push(Buffer.from(`${await this.#registry.getSingleMetricAsString(name)}\n\n`));
      else await this.#renderOwn(own, sheet.of(name), body, pace);
    }
    return { type: this.#registry.contentType, body };
  }

  /** Renders a metric in parts, each but the first without the lines that explain it. */
  async #renderOwn(metric: ReadyMetric, series: Series[], body: Uint8Array[], pace: Pace): Promise<void> {
    for (let at = 0; at === 0 || at < series.length; at += VALUES_AT_ONCE) {
      if (pace.isDue) await pace.pause();
      metric.values = series.slice(at, at + VALUES_AT_ONCE);
      const text = await this.#registry.getSingleMetricAsString(metric.definition.name);
      body.push(Buffer.from(`${at === 0 ? text : afterComments(text)}\n`));
    }
    metric.values = [];
  }
}

/** What follows the lines `# HELP …` and `# TYPE …`. */
function afterComments(text: string): string {
  return text.slice(text.indexOf('\n', text.indexOf('\n') + 1) + 1);
}
