import { describe, expect, test } from 'vitest';
import {
  type ConfMap,
  configDigest,
  MAX_CONFIG_BYTES,
  MAX_CONFIG_DEPTH,
  MAX_INCLUDE_DEPTH,
  parseNatsConfig,
  parseNatsConfigFile,
} from '../src/server.ts';
import { filesOf } from './support/events-inputs.ts';

const parse = (text: string, env: Record<string, string> = {}): ConfMap =>
  parseNatsConfig(text, 'a.conf', { env, readFile: filesOf({}) });

describe('the digest', () => {
  test('is the one nats-server shows', () => {
    expect(configDigest(parse('port: 4555'))).toMatch(/^sha256:3dc51421e0776eda/);
  });

  test('tells an integer from a float and from a text', () => {
    const digests = ['a: 1', 'a: 1.0', 'a: "1"', 'a: true', 'a: "true"'].map((text) => configDigest(parse(text)));
    expect(new Set(digests).size).toBe(4); // 1 and 1.0 are the same in JSON
  });

  test('keeps all 64 bits of an integer', () => {
    const [largest, next] = ['9223372036854775807', '9223372036854775806'].map((text) =>
      configDigest(parse(`a: ${text}`)),
    );
    expect(largest).not.toBe(next);
  });
});

describe('places', () => {
  test('columns count bytes, from 0 on the first line and from 1 on the others', () => {
    const tree = parse('a: "\u00e9", b: 1\n  c: 2\n');
    expect([...tree].map(([key, { place }]) => [key, place.line, place.column])).toEqual([
      ['a', 1, 0],
      ['b', 1, 9],
      ['c', 2, 3],
    ]);
  });

  test('what an included file gives stands in that file', () => {
    const files = {
      'dir/a.conf': 'include "sub/b.conf"\n',
      'dir/sub/b.conf': '\n include c.conf\n',
      'dir/sub/c.conf': 'x: 1\n',
    };
    const tree = parseNatsConfigFile('dir/a.conf', { env: {}, readFile: filesOf(files) });
    expect(tree.get('x')?.place).toEqual({ file: 'dir/sub/c.conf', line: 1, column: 0 });
  });

  test('what a variable of the environment gives stands where it is referred to', () => {
    const node = parse('\n a: $MAP\n', { MAP: '{b: [1 ,{c: 2}]}' }).get('a')!;
    const inner = (node.value as ConfMap).get('b')!;
    expect(node.place).toEqual({ file: 'a.conf', line: 2, column: 2 });
    expect(inner.place).toEqual({ file: 'a.conf', line: 2, column: 6 });
  });
});

test('a variable marks the key it was resolved to, and only that one', () => {
  const tree = parse('a: 1\nb: {a: 2, c: $a}\nd: $a\n');
  expect([...tree].map(([key, node]) => [key, node.usedAsVariable])).toEqual([
    ['a', true],
    ['b', false],
    ['d', false],
  ]);
  const inner = (tree.get('b')!.value as ConfMap).get('c')!;
  expect([inner.value, tree.get('d')!.value]).toEqual([2n, 1n]);
});

test('a variable is not looked for on the prototype of the environment', () => {
  expect(() => parse('a: $constructor')).toThrow("variable reference for 'constructor' on line 1 can not be found");
  expect(parse('__proto__: 1').get('__proto__')?.value).toBe(1n);
});

test('bytes that are no UTF-8 are replaced, and the columns still count them', () => {
  const bytes = Buffer.concat([Buffer.from('a: "'), Buffer.from([0xff, 0xc3]), Buffer.from('", b: 1')]);
  const tree = parseNatsConfig(bytes, 'a.conf', { env: {}, readFile: filesOf({}) });
  expect(tree.get('a')?.value).toBe('\ufffd\ufffd');
  expect(tree.get('b')?.place.column).toBe(9);
});

describe('limits', () => {
  const nested = (depth: number): string => `a: ${'['.repeat(depth)}${']'.repeat(depth)}`;

  test(`maps and arrays nest at most ${MAX_CONFIG_DEPTH} deep`, () => {
    expect(configDigest(parse(nested(MAX_CONFIG_DEPTH)))).toMatch(/^sha256:/);
    expect(() => parse(nested(MAX_CONFIG_DEPTH + 1))).toThrow(`Nested deeper than ${MAX_CONFIG_DEPTH} levels`);
    expect(() => parse('{'.repeat(MAX_CONFIG_DEPTH + 1))).toThrow(`Nested deeper than ${MAX_CONFIG_DEPTH} levels`);
  });

  test(`files include each other at most ${MAX_INCLUDE_DEPTH} deep, so a circle ends`, () => {
    const chain = (length: number): Record<string, string> =>
      Object.fromEntries(
        Array.from({ length }, (_, i) => [`${i}.conf`, i === length - 1 ? 'x: 1' : `include "${i + 1}.conf"`]),
      );
    const read = (length: number): ConfMap =>
      parseNatsConfigFile('0.conf', { env: {}, readFile: filesOf(chain(length)) });
    expect(read(MAX_INCLUDE_DEPTH + 1).get('x')?.value).toBe(1n);
    expect(() => read(MAX_INCLUDE_DEPTH + 2)).toThrow(
      `files include each other more than ${MAX_INCLUDE_DEPTH} levels deep`,
    );
    const circle = filesOf({ 'a.conf': 'include b.conf\n', 'b.conf': 'include a.conf\n' });
    expect(() => parseNatsConfigFile('a.conf', { env: {}, readFile: circle })).toThrow('include each other');
  });

  test(`variables refer to each other at most ${MAX_INCLUDE_DEPTH} deep`, () => {
    const chain = (length: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length }, (_, i) => [`V${i}`, i === length - 1 ? '1' : `$V${i + 1}`]));
    expect(parse('a: $V0', chain(MAX_INCLUDE_DEPTH)).get('a')?.value).toBe(1n);
    expect(() => parse('a: $V0', chain(MAX_INCLUDE_DEPTH + 1))).toThrow(`more than ${MAX_INCLUDE_DEPTH} levels deep`);
  });

  test('a text has a largest size', () => {
    expect(parse(`#${' '.repeat(MAX_CONFIG_BYTES - 1)}`).size).toBe(0);
    expect(() => parse(' '.repeat(MAX_CONFIG_BYTES + 1))).toThrow(`a.conf: larger than ${MAX_CONFIG_BYTES} bytes`);
  });
});
