const ESCAPED: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

// Not in TypeScript's library yet.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** Integers beyond 2^53 come as BigInt. */
function exact(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(value.toString()) : value;
}

/** JSON as Go's MarshalIndent writes it: `indent` blanks a level, `<`, `>` and `&` escaped. 0 = on one line. */
export function goJson(value: unknown, indent: number): string {
  return JSON.stringify(value, exact, indent).replace(/[<>&\u2028\u2029]/g, (char) => ESCAPED[char]!);
}
