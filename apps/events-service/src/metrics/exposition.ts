import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
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
  /** The same, compressed. */
  gzipped(): Promise<Uint8Array>;
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

/** Figures of the process and of Node: they are watched once, however many services run in the process. */
let processRegistry: Registry | null = null;

function processMetrics(): Registry {
  if (processRegistry === null) {
    processRegistry = new Registry();
    collectDefaultMetrics({ register: processRegistry });
  }
  return processRegistry;
}

/** Renders the metrics in Prometheus' text format, a few values at a time, with pauses. */
export class Exporter {
  readonly #sources: MetricSources;
  readonly #registry = new Registry();
  readonly #metrics: readonly ReadyMetric[];
  readonly #cpu = new CpuMeter();
  #last: Promise<Exposition> | null = null;

  constructor(sources: MetricSources) {
    this.#sources = sources;
    this.#metrics = METRICS.map((definition) => new ReadyMetric(definition));
    for (const metric of this.#metrics) this.#registry.registerMetric(metric);
  }

  /** Who asks while another is being answered, or right after, gets the same answer. */
  scrape(): Promise<Exposition> {
    if (this.#last !== null) return this.#last;
    const scrape = this.#render();
    this.#last = scrape;
    const forget = (): void => {
      if (this.#last === scrape) this.#last = null;
    };
    scrape.then(() => setTimeout(forget, CACHE_MS).unref(), forget);
    return scrape;
  }

  async #render(): Promise<Exposition> {
    const pace = new Pace();
    const sheet = await gather(this.#sources, this.#cpu, pace);
    const body: Uint8Array[] = [];
    for (const metric of this.#metrics) await this.#renderOwn(metric, sheet.of(metric.definition.name), body, pace);
    if (pace.isDue) await pace.pause();
    body.push(Buffer.from(await processMetrics().metrics()));
    let compressed: Promise<Uint8Array> | null = null;
    const gzipped = (): Promise<Uint8Array> => {
      compressed ??= promisify(gzip)(Buffer.concat(body), { level: constants.Z_BEST_SPEED });
      return compressed;
    };
    return { type: this.#registry.contentType, body, gzipped };
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
