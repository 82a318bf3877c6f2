import { createHash } from 'node:crypto';
import type { ConfMap, ConfValue } from './tree.ts';

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** The digest nats-server shows for a configuration: SHA-256 over the tree as Go writes it in JSON, and a line feed. */
export function configDigest(root: ConfMap): string {
  return `sha256:${createHash('sha256')
    .update(`${goJson(root)}\n`)
    .digest('hex')}`;
}

/** Compact JSON as Go's encoder writes it: keys sorted by bytes, `<`, `>` and `&` escaped. */
function goJson(value: ConfValue): string {
  if (typeof value === 'string') return goJsonString(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Date) return `"${value.toISOString().slice(0, 19)}Z"`;
  if (Array.isArray(value)) return `[${value.map((node) => goJson(node.value)).join(',')}]`;
  if (!(value instanceof Map)) return String(value);
  const keys = [...value.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${keys.map((key) => `${goJsonString(key)}:${goJson(value.get(key)!.value)}`).join(',')}}`;
}

function goJsonString(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => HTML_ESCAPES[char]!);
}
