import { describe, expect, it } from 'vitest';
import { checkClientInfo, DEFAULT_CONNECT_OPTIONS, parseConnect, subjectFromBytes } from '../src/index.ts';

function parse(json: string): object | null {
  return parseConnect(json, DEFAULT_CONNECT_OPTIONS).options;
}

function errorOf(json: string): string | null {
  return parseConnect(json, DEFAULT_CONNECT_OPTIONS).error;
}

describe('parseConnect', () => {
  it('reads every field', () => {
    const options = {
      verbose: false,
      pedantic: false,
      echo: false,
      tls_required: true,
      nkey: 'U',
      jwt: 'j',
      sig: 's',
      auth_token: 't',
      user: 'u',
      pass: 'p',
      name: 'n',
      lang: 'ts',
      version: '1',
      protocol: 1,
      headers: true,
      no_responders: true,
      account: 'A',
      new_account: true,
      remote_account: 'R',
      proxy_sig: 'x',
    };
    expect(parse(JSON.stringify(options))).toEqual(options);
  });

  it('leaves absent fields and null as they were, and does not touch what it was given', () => {
    expect(parse('{}')).toEqual(DEFAULT_CONNECT_OPTIONS);
    expect(parse(' null\t')).toEqual(DEFAULT_CONNECT_OPTIONS);
    expect(parse('{"verbose":null,"user":null}')).toEqual(DEFAULT_CONNECT_OPTIONS);
    const first = parseConnect('{"verbose":false,"user":"u"}', DEFAULT_CONNECT_OPTIONS).options!;
    expect(parseConnect('{"echo":false}', first).options).toEqual({ ...first, echo: false });
    expect(first.echo).toBe(true);
  });

  it('takes key names in any case, the last of several, and ignores unknown keys', () => {
    expect(parse('{"VERBOSE":false,"Auth_Token":"x","Pass":"ß"}')).toMatchObject({
      verbose: false,
      auth_token: 'x',
      pass: 'ß',
    });
    expect(parse('{"verbose":true,"VERBOSE":false}')).toMatchObject({ verbose: false });
    expect(parse('{"verbose":false,"VERBOSE":false,"verbose":true}')).toMatchObject({ verbose: true });
    expect(parse('{"verbo\u017fe":false}')).toMatchObject({ verbose: false });
    expect(parse('{"\\u0076erbose":false}')).toMatchObject({ verbose: false });
    expect(parse('{"x":{"verbose":false,"y":[{"user":"no"},[]]},"z":[],"w":{},"name":"n"}')).toEqual({
      ...DEFAULT_CONNECT_OPTIONS,
      name: 'n',
    });
    expect(parse('{"__proto__":{"verbose":1},"constructor":1}')).toEqual(DEFAULT_CONNECT_OPTIONS);
  });

  it('reads strings as Go does, with what is not Unicode replaced', () => {
    expect(parse('{"name":"a\\u00e9\\n\\ud83d\\ude00"}')).toMatchObject({ name: 'aé\n😀' });
    expect(parse('{"name":"\\ud800"}')).toMatchObject({ name: '\ufffd' });
    const bytes = Buffer.from('{"name":"\xff"}', 'latin1');
    expect(parse(subjectFromBytes(bytes, 0, bytes.length))).toMatchObject({ name: '\ufffd' });
  });

  it('refuses wrong types in the words of Go', () => {
    const cases: [string, string][] = [
      ['{"verbose":"x"}', 'string into Go struct field ClientOpts.verbose of type bool'],
      ['{"verbose":1,"user":2}', 'number into Go struct field ClientOpts.verbose of type bool'],
      ['{"user":{}}', 'object into Go struct field ClientOpts.user of type string'],
      ['{"user":[1]}', 'array into Go struct field ClientOpts.user of type string'],
      ['{"user":true}', 'bool into Go struct field ClientOpts.user of type string'],
      ['{"protocol":1.0}', 'number 1.0 into Go struct field ClientOpts.protocol of type int'],
      ['{"protocol":1e0}', 'number 1e0 into Go struct field ClientOpts.protocol of type int'],
      ['{"protocol":"1"}', 'string into Go struct field ClientOpts.protocol of type int'],
      [
        '{"protocol":99999999999999999999}',
        'number 99999999999999999999 into Go struct field ClientOpts.protocol of type int',
      ],
      ['{"import":3}', 'number into Go struct field ClientOpts.import of type server.SubjectPermission'],
      ['{"import":{"allow":"x"}}', 'string into Go struct field ClientOpts.import.allow of type []string'],
      ['{"import":{"allow":["a",{}]}}', 'object into ClientOpts.import.allow.1 of type string'],
      ['[]', 'array into Go value of type server.ClientOpts'],
      ['5', 'number into Go value of type server.ClientOpts'],
      ['"x"', 'string into Go value of type server.ClientOpts'],
      ['true', 'bool into Go value of type server.ClientOpts'],
    ];
    for (const [json, error] of cases) expect(errorOf(json), json).toBe(`json: cannot unmarshal ${error}`);
    expect(errorOf('{"protocol":-0,"import":{"allow":["x",null],"deny":null},"export":null}')).toBeNull();
  });

  it('refuses bad JSON in the words of Go, before it looks at types', () => {
    const cases: [string, string][] = [
      ['', 'unexpected end of JSON input'],
      ['\r', 'unexpected end of JSON input'],
      ['{', 'unexpected end of JSON input'],
      ['{"a"', 'unexpected end of JSON input'],
      ['{"a":tr', 'unexpected end of JSON input'],
      ['{"a":-', 'unexpected end of JSON input'],
      ['{"a":"x', 'unexpected end of JSON input'],
      ['{"a":"x\\', 'unexpected end of JSON input'],
      ['X', "invalid character 'X' looking for beginning of value"],
      ['}', "invalid character '}' looking for beginning of value"],
      ['{} x', "invalid character 'x' after top-level value"],
      ['{"a":1}}', "invalid character '}' after top-level value"],
      ['{"a" 1}', "invalid character '1' after object key"],
      ['{"a":1 x}', "invalid character 'x' after object key:value pair"],
      ['{"a":01}', "invalid character '1' after object key:value pair"],
      ['{"a":{"b":1 "c"}}', "invalid character '\"' after object key:value pair"],
      ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
      ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
      ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
      ['{\0}', "invalid character '\\x00' looking for beginning of object key string"],
      ['{"a":[1 2]}', "invalid character '2' after array element"],
      ['{"a":[1,]}', "invalid character ']' looking for beginning of value"],
      ['{"a":+1}', "invalid character '+' looking for beginning of value"],
      ['{"a":\\}', "invalid character '\\\\' looking for beginning of value"],
      ['\ufeff{}', "invalid character '\\ufeff' looking for beginning of value"],
      ['{"a":\udcff}', "invalid character '\\xff' looking for beginning of value"],
      ['{"a":"\t"}', "invalid character '\\t' in string"],
      ['{"a":"\\q"}', 'invalid escape sequence `\\q` in string'],
      ['{"a":"\\u1Z"}', 'invalid escape sequence `\\u1Z"}` in string'],
      ['{"a":1.x}', "invalid character 'x' in numeric literal"],
      ['{"a":1e+}', "invalid character '}' in numeric literal"],
      ['{"a":trux}', "invalid character 'x' in literal true (expecting 'e')"],
      ['{"a":nulx}', "invalid character 'x' in literal null (expecting 'l')"],
      ['{"verbose":"x", }', "invalid character '}' looking for beginning of object key string"],
    ];
    for (const [json, error] of cases) expect(errorOf(json), json).toBe(error);
  });

  it('accepts what JSON.parse accepts and refuses what it refuses', () => {
    const texts = [
      '1',
      '-1.5e+3',
      '[]',
      '[[],{}]',
      '{"a":{"b":[1,2,{"c":null}]}}',
      '[1,2',
      '{"a":}',
      '-',
      '01',
      '1.',
      '"\\u12"',
      'nul',
      '[,]',
    ];
    for (const text of texts) {
      const wrapped = `{"x":${text}}`;
      let isJson = true;
      try {
        JSON.parse(wrapped);
      } catch {
        isJson = false;
      }
      expect(errorOf(wrapped) === null, text).toBe(isJson);
    }
  });

  it('survives deep nesting up to the depth Go takes and refuses more', () => {
    const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(errorOf(nested(9_999))).toBeNull();
    expect(errorOf(nested(10_000))).toBe('exceeded max depth');
  });
});

describe('checkClientInfo', () => {
  it('accepts an INFO of the right types and names a wrong one', () => {
    expect(
      checkClientInfo('{"server_id":"x","port":1,"connect_urls":["a"],"client_id":18446744073709551615}'),
    ).toBeNull();
    expect(checkClientInfo('null')).toBeNull();
    const cases: [string, string][] = [
      ['{"port":"x"}', 'string into Go struct field Info.port of type int'],
      ['{"gossip_mode":300}', 'number 300 into Go struct field Info.gossip_mode of type uint8'],
      ['{"max_payload":3000000000}', 'number 3000000000 into Go struct field Info.max_payload of type int32'],
      ['{"client_id":-1}', 'number -1 into Go struct field Info.client_id of type uint64'],
      ['{"connect_urls":[1]}', 'number into Info.connect_urls.0 of type string'],
    ];
    for (const [json, error] of cases) expect(checkClientInfo(json)).toBe(`json: cannot unmarshal ${error}`);
    expect(checkClientInfo('{')).toBe('unexpected end of JSON input');
  });
});
