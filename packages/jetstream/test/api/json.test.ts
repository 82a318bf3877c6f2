import { describe, expect, it } from 'vitest';
import { decodeJson } from '../../src/json/decode.ts';
import { encodeJson } from '../../src/json/encode.ts';
import { formatTime, parseTime } from '../../src/json/go-time.ts';
import { enumSchema, listSchema, objectSchema } from '../../src/json/schema.ts';

const source = objectSchema('StreamSource', { name: 'string', filter_subject: 'string', opt_start_time: 'time' });
const schema = objectSchema('StreamConfigRequest', {
  name: 'string',
  subjects: 'strings',
  retention: enumSchema(['limits', 'interest']),
  max_msgs: 'int64',
  max_msg_size: 'int32',
  max_age: 'duration',
  first_seq: 'uint64',
  seq: 'sequence',
  no_ack: 'bool',
  placement: objectSchema('Placement', { cluster: 'string', tags: 'strings' }),
  sources: listSchema(source),
  metadata: 'metadata',
});

function decode(text: string, strict = true): unknown {
  return decodeJson(Buffer.from(text), schema, { strict });
}

function problem(text: string, strict = true): string {
  try {
    decode(text, strict);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

describe('decodeJson, strict', () => {
  // Texts as nats-server 2.15.1 gave them for the same bodies.
  it.each([
    ['{"name":"A","bogus":1}', 'json: unknown field "bogus"'],
    ['{"name":"A"', 'unexpected EOF'],
    [
      '{"name":"A","subjects":["a.>"],}',
      "invalid character '}' looking for beginning of object key string at offset 32",
    ],
    [
      '{"max_msgs":"x"}',
      'json: cannot unmarshal string into Go struct field StreamConfigRequest.max_msgs of type int64',
    ],
    [
      '{"max_msgs":1.5}',
      'json: cannot unmarshal number 1.5 into Go struct field StreamConfigRequest.max_msgs of type int64',
    ],
    [
      '{"max_msgs":99999999999999999999}',
      'json: cannot unmarshal number 99999999999999999999 into Go struct field StreamConfigRequest.max_msgs of type int64',
    ],
    [
      '{"max_msg_size":9999999999}',
      'json: cannot unmarshal number 9999999999 into Go struct field StreamConfigRequest.max_msg_size of type int32',
    ],
    [
      '{"first_seq":-1}',
      'json: cannot unmarshal number -1 into Go struct field StreamConfigRequest.first_seq of type uint64',
    ],
    [
      '{"max_age":"1s"}',
      'json: cannot unmarshal string into Go struct field StreamConfigRequest.max_age of type time.Duration',
    ],
    [
      '{"subjects":"a"}',
      'json: cannot unmarshal string into Go struct field StreamConfigRequest.subjects of type []string',
    ],
    ['{"subjects":[1]}', 'json: cannot unmarshal number into StreamConfigRequest.subjects.0 of type string'],
    ['{"sources":[5]}', 'json: cannot unmarshal number into StreamConfigRequest.sources.0 of type server.StreamSource'],
    [
      '{"sources":{}}',
      'json: cannot unmarshal object into Go struct field StreamConfigRequest.sources of type []*server.StreamSource',
    ],
    [
      '{"sources":[{"filter_subject":5}]}',
      'json: cannot unmarshal number into Go struct field StreamConfigRequest.sources.0.filter_subject of type string',
    ],
    [
      '{"placement":[]}',
      'json: cannot unmarshal array into Go struct field StreamConfigRequest.placement of type server.Placement',
    ],
    [
      '{"metadata":{"a":5}}',
      'json: cannot unmarshal number into Go struct field StreamConfigRequest.metadata.a of type string',
    ],
    [
      '{"metadata":[]}',
      'json: cannot unmarshal array into Go struct field StreamConfigRequest.metadata of type map[string]string',
    ],
    ['{"retention":"bogus"}', String.raw`can not unmarshal "\"bogus\""`],
    ['{"retention":{"a":1}}', String.raw`can not unmarshal "{\"a\":1}"`],
    ['{"retention":null}', 'can not unmarshal "null"'],
    ['{"bogus":1,"max_msgs":"x","retention":"b"}', 'json: unknown field "bogus"'],
    ['5', 'json: cannot unmarshal number into Go value of type server.StreamConfigRequest'],
    ['nul', 'unexpected EOF'],
    ['hello', "invalid character 'h' looking for beginning of value at offset 1"],
    ['{"name":"A"} x', "invalid character 'x' looking for beginning of value at offset 14"],
    ['{"name":"A\\x"}', 'invalid escape sequence `\\x` in string at offset 12'],
    ['{"name":"A","x":"\\u12G4"}', 'invalid escape sequence `\\u12G4` in string at offset 23'],
    ['{"name":"A","x":"\\u12"}', 'invalid escape sequence `\\u12"}` in string at offset 23'],
    ['{"name":"A","x":"ab\tc"}', "invalid character '\\t' in string at offset 20"],
    ['{"name":"A" "b"}', `invalid character '"' after object key:value pair at offset 13`],
    ['{"name" "b"}', `invalid character '"' after object key at offset 9`],
    ['{5:5}', "invalid character '5' looking for beginning of object key string at offset 2"],
    ['{"name":01}', "invalid character '1' after object key:value pair at offset 10"],
    ['{"name":-}', "invalid character '}' in numeric literal at offset 10"],
    ['{"name":1.}', "invalid character '}' in numeric literal at offset 11"],
    ['{"name":"Ä","x":é}', "invalid character 'é' looking for beginning of value at offset 19"],
    ['{"name":tru}', "invalid character '}' in literal true (expecting 'e') at offset 12"],
  ])('refuses %s', (text, expected) => {
    expect(problem(text)).toBe(expected);
  });

  it('takes keys in any case, the last value of a key, and null as absent', () => {
    expect(decode('{"NAME":"A","Max_Msgs":7,"max_msgs":8,"subjects":null}')).toEqual({ name: 'A', max_msgs: 8 });
  });

  it('takes several values one after the other, as a decoder of a stream does', () => {
    expect(decode('{"name":"A","max_msgs":1} {"name":"B"}')).toEqual({ name: 'B', max_msgs: 1 });
  });

  it('takes an empty body as an empty object', () => {
    expect(decode('  ')).toEqual({});
  });

  it('keeps every digit of an integer', () => {
    expect(decode('{"max_age":9007199254740991}')).toEqual({ max_age: 9_007_199_254_740_991 });
    expect(decode('{"max_age":31536000000000000}')).toEqual({ max_age: 31_536_000_000_000_000n });
    expect(decode('{"max_msgs":9223372036854775807}')).toEqual({ max_msgs: 2n ** 63n - 1n });
    expect(decode('{"max_msgs":-9223372036854775808}')).toEqual({ max_msgs: -(2n ** 63n) });
    expect(decode('{"seq":18446744073709551615}')).toEqual({ seq: Number.MAX_SAFE_INTEGER });
  });

  it('keeps odd keys of metadata as they are', () => {
    const { metadata } = decode('{"metadata":{"__proto__":"x","b":"y"}}') as { metadata: object };
    expect(Object.entries(metadata)).toEqual([
      ['__proto__', 'x'],
      ['b', 'y'],
    ]);
  });

  it('survives nesting that a recursive parser would not, and refuses what Go refuses', () => {
    expect(problem(`{"x":${'['.repeat(9_000)}${']'.repeat(9_000)}}`)).toBe('json: unknown field "x"');
    expect(problem('['.repeat(10_001))).toBe('exceeded max depth at offset 10001');
  });
});

describe('decodeJson, lenient', () => {
  it('ignores unknown fields', () => {
    expect(decode('{"name":"A","bogus":1}', false)).toEqual({ name: 'A' });
  });

  it.each([
    ['{"name":"A"', 'unexpected end of JSON input'],
    ['{"name":"A"} x', "invalid character 'x' after top-level value"],
  ])('reports %s as json.Unmarshal does', (text, expected) => {
    expect(problem(text, false)).toBe(expected);
  });
});

describe('encodeJson', () => {
  it('escapes as Go does', () => {
    expect(encodeJson({ a: '<&>\u2028', b: 'x\ud800y', c: undefined, d: '\u0001"\\' })).toBe(
      String.raw`{"a":"\u003c\u0026\u003e\u2028","b":"x\ufffdy","d":"\u0001\"\\"}`,
    );
  });

  it('prints every digit of large integers', () => {
    expect(encodeJson([2 ** 60, 18446744073709551615n, -1, 0])).toBe('[1152921504606846976,18446744073709551615,-1,0]');
  });
});

describe('times', () => {
  it('cuts the zeros off the fraction', () => {
    expect(formatTime(1_700_000_000_000, 0)).toBe('2023-11-14T22:13:20Z');
    expect(formatTime(1_700_000_000_120, 30)).toBe('2023-11-14T22:13:20.12000003Z');
  });

  it('keeps nanoseconds and the zone of a parsed time', () => {
    expect(parseTime('2024-02-20T20:00:00.100000200+02:00')).toEqual({
      ms: Date.UTC(2024, 1, 20, 18, 0, 0, 100),
      ns: 200,
      text: '2024-02-20T20:00:00.1000002+02:00',
    });
    expect(parseTime('2024-02-20T20:00:00-00:00').text).toBe('2024-02-20T20:00:00Z');
  });

  it.each([
    ['bad', 'parsing time "bad" as "2006-01-02T15:04:05Z07:00": cannot parse "bad" as "2006"'],
    ['2024-01-01', 'parsing time "2024-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
    [
      '2024-02-20T20:00:00',
      'parsing time "2024-02-20T20:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"',
    ],
    ['2024-13-01T00:00:00Z', 'parsing time "2024-13-01T00:00:00Z": month out of range'],
    ['2024-02-30T00:00:00Z', 'parsing time "2024-02-30T00:00:00Z": day out of range'],
    ['2024-02-20T25:00:00Z', 'parsing time "2024-02-20T25:00:00Z": hour out of range'],
    ['2024-02-20T20:00:00Zx', 'parsing time "2024-02-20T20:00:00Zx": extra text: "x"'],
  ])('refuses %s', (text, expected) => {
    expect(() => parseTime(text)).toThrow(expected);
  });
});
