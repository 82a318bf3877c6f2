import fc from 'fast-check';

/** Pieces that mean something to the grammar, or nearly. */
const PIECES: readonly string[] = [
  ...'{}[](),;:=#/\\\'"$-. \n\t\r\0',
  ...['a', 'b', 'port', '"q k"', "'s'", '\n)\n', '//', 'é', '\u00a0', '\u0663', 'true', 'off', 'YES'],
  ...['1', '-1', '1.5', '1k', '2kb', '3kib', '1kbb', '007', '.5', '+1', '1_000', '0x10', '1e3', '3xyz'],
  ...['1.2.3.4', '1.2.3.4:80', '2020-01-01T00:00:00Z', '2020-13-01T00:00:00Z', '9223372036854775808', '5-', '1.'],
  ...['$a', '$NUMBER', '$WORDS', '$MAP', '$EMPTY', '$INDIRECT', '$CYCLE_A', '$DROPPED', '$NOPE', '$2a$11$abc'],
  ...['include ', 'include "debug.conf"', "include 'user.conf'", 'include missing.conf'],
  ...['\\t', '\\q', '"a\\tb"', '"\\x41"', '"\\xzz"', '"<>&"'],
  ...['a: 1\n', 'b = {c: d}\n', 'c [1 ,2 ]\n', 'k: v\n', 'x {\n', '}\n'],
];

/** Texts that look like a configuration and often are none. */
export const confText: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 12 })
  .map((pieces) => pieces.join(''));

/** A value of the format, and texts that mean it. */
export interface Written {
  readonly value: unknown;
  readonly text: string;
}

const word = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/).filter((text) => !isReserved(text));

function isReserved(text: string): boolean {
  return ['true', 'false', 'yes', 'no', 'on', 'off', 'include'].includes(text);
}

const quoted = fc
  .string({ unit: 'binary', maxLength: 12 })
  .map((value): Written => ({ value, text: doubleQuote(value) }));
const raw = fc.stringMatching(/^[^'\0]{0,12}$/).map((value): Written => ({ value, text: `'${value}'` }));
const bare = word.map((value): Written => ({ value, text: value }));
const flag = fc.constantFrom(...['true', 'Yes', 'ON']).map((text): Written => ({ value: true, text }));
const noFlag = fc.constantFrom(...['false', 'No', 'OFF']).map((text): Written => ({ value: false, text }));
const int64 = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .map((value): Written => ({ value, text: `${value}` }));
const float = fc
  .tuple(fc.integer({ min: -999_999, max: 999_999 }), fc.integer({ min: 0, max: 999 }))
  .map(([whole, part]): Written => ({ value: Number(`${whole}.${part}`), text: `${whole}.${part}` }));

function doubleQuote(value: string): string {
  const escaped = value.replace(/[\\"\0]/g, (char) => (char === '\0' ? '\\x00' : `\\${char}`));
  return `"${escaped}"`;
}

const blank = fc.constantFrom(' ', '  ', '\t');
const separator = fc.constantFrom(': ', ' = ', ' ', ':', '=');
const entryEnd = fc.constantFrom('\n', ';', ',', ' # comment\n', ' // comment\n', '\n\n');
const elementEnd = fc.constantFrom(' ,', '\n', ' # c\n', ' ,\n');

/** A map, its entries by their keys, as it is written between its braces. */
export const writtenMap: fc.Arbitrary<Written> = fc.letrec<{ value: Written; map: Written; array: Written }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, quoted, raw, bare, flag, noFlag, int64, float, tie('array'), tie('map')),
  array: fc.array(fc.tuple(tie('value'), elementEnd, blank), { maxLength: 4 }).map((elements) => ({
    value: elements.map(([element]) => element.value),
    text: `[${elements.map(([element, end, space]) => space + element.text + end).join('')}]`.replace(/,\n?\]$/, ']'),
  })),
  map: fc
    .uniqueArray(fc.tuple(word, separator, tie('value'), entryEnd), { maxLength: 4, selector: ([key]) => key })
    .map((entries) => ({
      value: new Map(entries.map(([key, , value]) => [key, value.value])),
      text: `{ ${entries.map(([key, sep, value, end]) => key + sep + value.text + end).join(' ')} }`,
    })),
})).map;
