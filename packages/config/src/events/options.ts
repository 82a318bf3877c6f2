import type { ConfigProblem } from '../config-error.ts';
import type { GivenText } from './environment.ts';
import type { EventsConfig } from './events-config.ts';
import { SETTINGS, type Setting } from './settings.ts';

/**
 * Settings given by a program, by their names in `EventsConfig`: `{ nats: { port: -1, storeDir: './data' } }`. They count
 * over environment and file and are checked like them.
 */
export type EventsOptions = {
  readonly [Section in Exclude<keyof EventsConfig, 'flavour' | 'tracing'>]?: Partial<EventsConfig[Section]>;
} & { readonly tracing?: TracingOptions };

/** The settings of the section `tracing`, each as its row in the reference says. */
export interface TracingOptions {
  readonly enabled?: boolean;
  readonly type?: string;
  readonly endpoint?: string;
  readonly collector?: string;
  readonly exporter?: string;
  readonly messages?: boolean;
  readonly slowSyncMs?: number;
  readonly otlpEndpoint?: string;
  readonly otlpTracesEndpoint?: string;
  readonly otlpProtocol?: string;
  readonly otlpHeaders?: string;
  readonly serviceName?: string;
  readonly resourceAttributes?: string;
  readonly sampler?: string;
  readonly samplerArg?: string;
  readonly queueSpans?: number;
  readonly batchSpans?: number;
  /** Milliseconds. */
  readonly batchDelay?: number;
  /** Milliseconds. */
  readonly exportTimeout?: number;
}

/** What a program gives, as texts by the keys of the settings. `undefined` and empty lists count as not given. */
export function fromOptions(options: EventsOptions, problems: ConfigProblem[]): Map<string, GivenText> {
  const given = new Map<string, GivenText>();
  const byPath = new Map(SETTINGS.map((setting) => [optionPath(setting), setting]));
  for (const [section, values] of Object.entries(options as Record<string, unknown>)) {
    if (values === undefined) continue;
    if (typeof values !== 'object' || values === null) {
      const place = `option ${section}`;
      problems.push({
        text: `${place} is no section of settings, expected an object such as { port: -1 }`,
        source: place,
      });
      continue;
    }
    for (const [name, value] of Object.entries(values) as [string, unknown][]) {
      if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
      const path = `${section}.${name}`;
      const place = `option ${path}`;
      const setting = byPath.get(path);
      if (setting === undefined) problems.push({ text: `${place}: there is no such setting`, source: place });
      else given.set(setting.key, { text: textOf(setting, value), place });
    }
  }
  return given;
}

/** Where a setting's value is in `EventsConfig`: `nats.store_dir` is `nats.storeDir`. */
export function optionPath(setting: Setting): string {
  if (setting.option !== undefined) return setting.option;
  const camelCase = setting.key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return setting.kind === 'duration' ? `${camelCase}Ms` : camelCase;
}

/** The text that the environment would give; what has none is refused as any other wrong text. */
function textOf(setting: Setting, value: unknown): string {
  if (setting.kind === 'duration' && typeof value === 'number') return `${value}ms`;
  if (setting.kind === 'list' && Array.isArray(value)) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
