const NEEDS_CARE = /[<>&\u2028\u2029]|\\u/;
const CARE = /[<>&\u2028\u2029]|\\u(?:d[89a-f][0-9a-f]{2})|\\./g;

/** A piece of JSON that was put together before. */
export class EncodedJson {
  text = 'null';
}

/**
 * JSON as Go's encoding/json writes it: keys in the order of the object, undefined members left out, integers with all their digits
 * (also BigInt), `<`, `>`, `&`, U+2028 and U+2029 escaped, lone surrogates as U+FFFD. Source: spec/jetstream.md, head.
 */
export function encodeJson(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  switch (typeof value) {
    case 'string':
      return encodeString(value);
    case 'number':
      return Number.isSafeInteger(value) || !Number.isInteger(value) ? String(value) : BigInt(value).toString();
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      if (value instanceof EncodedJson) return value.text;
      return Array.isArray(value) ? encodeArray(value) : encodeObject(value);
  }
}

function encodeArray(items: readonly unknown[]): string {
  let text = '[';
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ',';
    text += encodeJson(items[i]);
  }
  return `${text}]`;
}

function encodeObject(value: object): string {
  if ('toJSON' in value && typeof value.toJSON === 'function') return encodeJson(value.toJSON());
  let text = '{';
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${encodeString(key)}:${encodeJson(member)}`;
  }
  return `${text}}`;
}

/** A string as `encodeJson` writes it. */
export function encodeString(value: string): string {
  const text = JSON.stringify(value);
  return NEEDS_CARE.test(text) ? text.replace(CARE, careFor) : text;
}

function careFor(found: string): string {
  if (found.startsWith('\\ud')) return '\\ufffd';
  if (found.startsWith('\\')) return found;
  return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
