import { describe, expect, it } from 'vitest';
import { goQuote, goQuoteBytes, subjectFromBytes } from '../src/index.ts';

describe('goQuote', () => {
  it('prints what Go prints for %q', () => {
    const cases: [string, string][] = [
      ['foo', '"foo"'],
      ['', '""'],
      ['a"b\\c', '"a\\"b\\\\c"'],
      ["it's `x`", '"it\'s `x`"'],
      ['\x07\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
      ['\0\x01\x1f\x7f', '"\\x00\\x01\\x1f\\x7f"'],
      ['é日😀', '"é日😀"'],
      ['\u00a0\u00ad\u200b\u2028\ufeff', '"\\u00a0\\u00ad\\u200b\\u2028\\ufeff"'],
      ['\u{e0001}\u{10ffff}', '"\\U000e0001\\U0010ffff"'],
      ['\ufffd', '"\ufffd"'],
    ];
    for (const [text, expected] of cases) {
      expect(goQuote(text)).toBe(expected);
      const bytes = Buffer.from(text);
      expect(goQuoteBytes(bytes, 0, bytes.length)).toBe(expected);
    }
  });

  it('prints bytes that are not UTF-8 one by one, from bytes and from the string made of them', () => {
    const bytes = Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80]);
    const expected = '"a\\xff\\xc3(\\xed\\xa0\\x80"';
    expect(goQuoteBytes(bytes, 0, bytes.length)).toBe(expected);
    expect(goQuote(subjectFromBytes(bytes, 0, bytes.length))).toBe(expected);
  });
});
