import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ConfInputs,
  ConfigError,
  type ConfMap,
  type ConfValue,
  configDigest,
  parseNatsConfig,
} from '../src/server.ts';
import { ENV } from './corpus/cases.ts';
import { confText, writtenMap } from './support/conf-arbitraries.ts';
import { filesOf } from './support/events-inputs.ts';

const inputs: ConfInputs = { env: ENV, readFile: filesOf({ 'debug.conf': 'debug: true\n', 'user.conf': 'user: a\n' }) };
const parse = (text: string | Uint8Array): ConfMap => parseNatsConfig(text, 'random.conf', inputs);

/** The value without its places. */
function plain(value: ConfValue): unknown {
  if (Array.isArray(value)) return value.map((node) => plain(node.value));
  if (value instanceof Map) return new Map([...value].map(([key, node]) => [key, plain(node.value)]));
  return value;
}

function readsOrExplains(text: string | Uint8Array): void {
  try {
    expect(configDigest(parse(text))).toMatch(/^sha256:[0-9a-f]{64}$/);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).not.toBe('');
  }
}

test('any bytes are read or explained', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), readsOrExplains), { numRuns: 1500 });
});

test('any pieces of the grammar are read or explained', () => {
  fc.assert(fc.property(confText, readsOrExplains), { numRuns: 3000 });
});

test('what is written is what is read, however it is written', () => {
  const property = fc.property(writtenMap, ({ value, text }) => {
    expect(plain(parse(text))).toEqual(value);
    expect(plain(parse(`x ${text}`).get('x')!.value)).toEqual(value);
  });
  fc.assert(property, { numRuns: 400 });
});

test('the digest does not depend on the order and the places of the keys', () => {
  const entries = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,6}$/), fc.integer()), {
    selector: ([key]) => key,
  });
  const write = (list: readonly (readonly [string, number])[], end: string): string =>
    list.map(([key, value]) => `"${key}": ${value}`).join(end);
  const property = fc.property(entries, (list) => {
    const digest = configDigest(parse(write(list, '\n')));
    expect(configDigest(parse(write(list.toReversed(), ',\n\n')))).toBe(digest);
    expect(configDigest(parse(`{${write(list, ', ')}}`))).toBe(digest);
  });
  fc.assert(property, { numRuns: 200 });
});

test('every place lies in the text, and its key stands there', () => {
  const property = fc.property(
    fc.uniqueArray(
      fc.stringMatching(/^[a-z]{1,6}$/).filter((key) => key !== 'include'),
      { minLength: 1 },
    ),
    fc.constantFrom('', ' ', '\t\t'),
    (keys, indent) => {
      const text = keys.map((key) => `${indent}${key}: 1`).join('\n');
      for (const [key, { place }] of parse(text)) {
        const line = text.split('\n')[place.line - 1]!;
        const column = place.line === 1 ? place.column : place.column - 1;
        expect(line.slice(column, column + key.length)).toBe(key);
      }
    },
  );
  fc.assert(property, { numRuns: 200 });
});
