/** One line of a scrape. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A scrape in Prometheus' text format, taken apart. */
export interface Scrape {
  readonly samples: readonly Sample[];
  /** By metric. */
  readonly types: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n' };

/** @throws Error for a line that is not of the format, a second explanation of a metric and a sample that comes twice. */
export function parseScrape(text: string): Scrape {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, about, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (about !== undefined) {
      const known = about === 'HELP' ? helps : types;
      if (known.has(name)) throw new Error(`two lines # ${about} ${name}`);
      known.set(name, rest);
      continue;
    }
    const match = LINE.exec(line);
    if (match === null) throw new Error(`not a sample: ${line}`);
    const key = line.slice(0, line.lastIndexOf(' '));
    if (seen.has(key)) throw new Error(`twice: ${key}`);
    seen.add(key);
    samples.push({ name: match[1]!, labels: parseLabels(match[2] ?? ''), value: numberOf(match[3]!) });
  }
  return { samples, types, helps };
}

/** The value of the one sample with the name and, among others, these labels. */
export function sampleValue(scrape: Scrape, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const found = scrape.samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  if (found.length !== 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`);
  return found[0]!.value;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length; ) {
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`not labels: ${text}`);
    labels[match[1]!] = match[2]!.replace(/\\(.)/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
  }
  return labels;
}

function numberOf(text: string): number {
  if (text === '+Inf' || text === 'Nan') return text === '+Inf' ? Number.POSITIVE_INFINITY : Number.NaN;
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`not a number: ${text}`);
  return value;
}
