const NEEDS_CARE = /[<>&\u2028\u2029]|\\/;
const CARE = /[<>&\u2028\u2029]|\\(?:u(d[89ab][0-9a-f]{2}|d[c-f][0-9a-f]{2})|.)/g;

/**
 * JSON as Go's encoding/json writes it: like `JSON.stringify`, with `<`, `>`, `&`, U+2028 and U+2029 escaped and lone
 * surrogates as `\ufffd`. Keys come in the order of the object. Source: spec/core.md, head.
 */
export function stringifyGoJson(value: unknown): string {
  const text = JSON.stringify(value);
  return NEEDS_CARE.test(text) ? text.replace(CARE, careFor) : text;
}

function careFor(match: string, surrogate: string | undefined): string {
  if (surrogate !== undefined) return '\\ufffd';
  if (match.startsWith('\\')) return match;
  return `\\u${match.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
