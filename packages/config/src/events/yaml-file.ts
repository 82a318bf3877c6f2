import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';
import type { ConfigProblem } from '../config-error.ts';
import { goQuote } from '../go/quote.ts';
import { type Environment, type GivenText, mayBeEmpty } from './environment.ts';
import { expandVariables } from './expand.ts';
import { SETTINGS, type Setting } from './settings.ts';

/** The largest nats.yaml that is read. A larger one is an error. */
export const MAX_YAML_BYTES: number = 1024 * 1024;
/** How many mappings merge keys (`<<`) may bring in. More is an error: they could multiply without end. */
export const MAX_YAML_MERGES = 100;

/** What a YAML file gives. */
export interface YamlValues {
  /** By the keys of the settings. */
  readonly given: ReadonlyMap<string, GivenText>;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
}

/** Reads nats.yaml: the settings it gives, as texts with their variables expanded. Keys count in any case. */
export function readYaml(file: string, text: string, env: Environment): YamlValues {
  return new YamlReader(file, env).read(text);
}

class YamlReader {
  readonly given: Map<string, GivenText> = new Map();
  readonly problems: ConfigProblem[] = [];
  readonly warnings: string[] = [];
  readonly #file: string;
  readonly #env: Environment;
  readonly #lines = new LineCounter();
  #document!: Document.Parsed;
  #merges = 0;

  constructor(file: string, env: Environment) {
    this.#file = file;
    this.#env = env;
  }

  read(text: string): YamlValues {
    if (Buffer.byteLength(text) > MAX_YAML_BYTES) {
      this.problems.push({ text: `${this.#file}: larger than ${MAX_YAML_BYTES} bytes`, source: this.#file });
      return this;
    }
    // As in the original only the first document counts.
    const documents = parseAllDocuments(text, { lineCounter: this.#lines, prettyErrors: false });
    const document = Array.isArray(documents) ? documents[0] : undefined;
    if (document === undefined) return this;
    this.#document = document;
    // What follows the first error is often but its consequence.
    for (const { pos, message } of document.errors.slice(0, 1)) this.#problem(this.#at(pos[0]), message);
    for (const { pos, message } of document.warnings) this.warnings.push(`${this.#at(pos[0])}: ${message}`);
    if (document.errors.length === 0) this.#section(document.contents, '');
    return this;
  }

  /** Reads a map of settings and further maps; `path` is that of the map, with a dot behind. */
  #section(node: Node | null | undefined, path: string): void {
    const map = this.#resolve(node);
    if (map === null || (isScalar(map) && map.value === null)) return;
    const name = path === '' ? 'the file' : path.slice(0, -1);
    if (!isMap(map)) {
      this.#problem(this.#placeOf(map), `${name} is no mapping, expected one of keys to values`);
      return;
    }
    for (const { key, pair } of this.#entries(map)) this.#entry(path + key.toLowerCase(), pair);
  }

  #entry(key: string, pair: Pair): void {
    const value = pair.value as Node | null;
    const setting = SETTINGS.find((candidate) => candidate.inYaml && candidate.key === key);
    if (setting !== undefined) this.#setting(setting, pair);
    else if (SETTINGS.some((candidate) => candidate.inYaml && candidate.key.startsWith(`${key}.`))) {
      this.#section(value, `${key}.`);
    } else {
      this.warnings.push(`${this.#placeOf(pair.key as Node)}: unknown key ${goQuote(key)} is ignored`);
    }
  }

  #setting(setting: Setting, pair: Pair): void {
    const node = this.#resolve(pair.value as Node | null);
    const place = this.#placeOf(pair.key as Node);
    if (node === null || (isScalar(node) && node.value === null)) return; // `key:` gives nothing
    if (!isScalar(node)) {
      this.#problem(place, `${setting.key} is a ${isMap(node) ? 'mapping' : 'list'}, expected a single value`);
      return;
    }
    // Numbers and switches count as they are written; the setting's own kind decides what they mean.
    const written = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
    const text = expandVariables(written, this.#env);
    if (text === '' && !mayBeEmpty(setting)) {
      this.warnings.push(`${place}: ${setting.key} is empty, which counts as not set`);
      return;
    }
    this.given.set(setting.key, { text, place });
  }

  /** The entries of a map after those that it merges in. */
  #entries(map: YAMLMap): { key: string; pair: Pair }[] {
    const merged: { key: string; pair: Pair }[] = [];
    const own: { key: string; pair: Pair }[] = [];
    for (const pair of map.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
      if (key === '<<') merged.push(...this.#merged(pair));
      else own.push({ key, pair });
    }
    return [...merged, ...own];
  }

  #merged(pair: Pair): { key: string; pair: Pair }[] {
    const place = this.#placeOf(pair.key as Node);
    const value = this.#resolve(pair.value as Node | null);
    // Of several maps the first counts.
    const sources = isSeq(value) ? (value.items as Node[]).toReversed() : [value];
    return sources.flatMap((source) => {
      const map = this.#resolve(source);
      this.#merges++;
      if (this.#merges === MAX_YAML_MERGES + 1)
        this.#problem(place, `<< brings in more than ${MAX_YAML_MERGES} mappings`);
      if (this.#merges > MAX_YAML_MERGES) return [];
      if (isMap(map)) return this.#entries(map);
      this.#problem(place, '<< takes a mapping, or a list of mappings');
      return [];
    });
  }

  #resolve(node: Node | null | undefined): Node | null {
    if (!isAlias(node)) return node ?? null;
    const target = node.resolve(this.#document);
    if (target === undefined) this.#problem(this.#placeOf(node), `unknown alias ${goQuote(node.source)}`);
    return target ?? null;
  }

  #placeOf(node: Node | null): string {
    return this.#at(node?.range?.[0] ?? 0);
  }

  #at(offset: number): string {
    return `${this.#file}:${this.#lines.linePos(offset).line}`;
  }

  #problem(source: string, text: string): void {
    this.problems.push({ text: `${source}: ${text}`, source });
  }
}
