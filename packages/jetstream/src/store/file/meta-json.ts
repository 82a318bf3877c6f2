import type { AssetMeta } from '../store.ts';

/** Go's zero time: what an asset without a creation time has. */
const ZERO_TIME = '0001-01-01T00:00:00Z';

type JsonApi = {
  rawJSON(text: string): object;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
};
// ES2026 JSON source text access, which the type definitions do not have yet.
const json = JSON as unknown as JsonApi;

/**
 * meta.inf as Go's encoder writes it (spec/jetstream.md 7.1): creation time, for consumers the name, then the
 * configuration, in the order it is given; `<`, `>` and `&` escaped; the keys of maps sorted.
 */
export function encodeMeta(meta: AssetMeta, consumerName: string | null): Buffer {
  const flat = { Created: meta.created, ...(consumerName === null ? {} : { Name: consumerName }), ...meta.config };
  const text = JSON.stringify(flat, (key, value: unknown) => {
    if (typeof value === 'bigint') return json.rawJSON(`${value}`);
    return key === 'metadata' && isObject(value) ? sorted(value) : value;
  });
  return Buffer.from(text.replace(/[<>&\u2028\u2029]/g, escaped));
}

/**
 * Reads a meta.inf. Integers that no double holds become BigInt.
 *
 * @throws Error that says why it cannot be read.
 */
export function decodeMeta(bytes: Buffer): AssetMeta {
  if (bytes.length === 0) throw new Error('meta.inf is empty');
  let parsed: unknown;
  try {
    parsed = json.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), exact);
  } catch (error) {
    throw new Error(`meta.inf is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!isObject(parsed)) throw new Error('meta.inf is not a JSON object');
  const { Created: created = ZERO_TIME, Name: _name, ...config } = parsed;
  if (typeof created !== 'string') throw new Error('meta.inf has a creation time that is not a string');
  return { created, config };
}

function exact(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value;
  return /^-?[0-9]+$/.test(source) ? BigInt(source) : value;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function sorted(map: Record<string, unknown>): object {
  const keys = Object.keys(map).sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  return Object.fromEntries(keys.map((key) => [key, map[key]]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
