import { LABEL_CHARACTERS_MAX, METRICS } from './catalogue.ts';

export type Labels = Readonly<Record<string, string>>;

/** One value of a metric. */
export interface Series {
  readonly value: number;
  readonly labels: Labels;
  /** Only where it is not the metric's: the parts of a histogram. */
  readonly metricName?: string;
}

/** The values of one scrape, by metric. */
export class Sheet {
  /** Labels of values that have no others. */
  readonly common: Labels;
  readonly #series = new Map<string, Series[]>(METRICS.map(({ name }) => [name, []]));

  constructor(common: Labels = {}) {
    this.common = common;
  }

  /**
   * Adds a value; the caller sees to it that no labels come twice.
   * @param labels with those of `common` among them
   * @param part of a histogram
   * @throws Error if the catalogue has no such metric
   */
  set(name: string, value: number, labels: Labels = this.common, part?: '_bucket' | '_sum' | '_count'): void {
    const series = this.#series.get(name);
    if (series === undefined) throw new Error(`no metric is called ${name}`);
    series.push(part === undefined ? { value, labels } : { value, labels, metricName: name + part });
  }

  of(name: string): Series[] {
    return this.#series.get(name) ?? [];
  }
}

/** A text as a label's value: well-formed, and not longer than LABEL_CHARACTERS_MAX. */
export function labelText(text: string): string {
  const shown = text.toWellFormed();
  return shown.length <= LABEL_CHARACTERS_MAX ? shown : `${shown.slice(0, LABEL_CHARACTERS_MAX - 1)}…`;
}
