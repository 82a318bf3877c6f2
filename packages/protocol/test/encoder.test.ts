import { describe, expect, it } from 'vitest';
import {
  CRLF,
  encodeError,
  encodeInfo,
  msgHeadOfBytesMax,
  OK,
  PING,
  PONG,
  type PublishArgs,
  type ServerInfo,
  ServerParser,
  stringifyGoJson,
  subjectFromBytes,
  WIRE_ERRORS,
  writeDecimal,
  writeMsgHead,
  writeMsgHeadOf,
} from '../src/index.ts';
import { LIMITS, Recorder } from './recorder.ts';

const INFO: ServerInfo = {
  server_id: 'NABC',
  server_name: 'a<b',
  version: '2.15.1',
  proto: 1,
  go: 'go1.27.2',
  host: '0.0.0.0',
  port: 4222,
  headers: true,
  max_payload: 1048576,
};

describe('encodeInfo', () => {
  it('writes the fields in the order of nats-server, with the blank before the line end', () => {
    const info = { xkey: 'X', api_lvl: 5, domain: 'D', client_ip: '127.0.0.1', client_id: 5, jetstream: true, ...INFO };
    expect(encodeInfo(info).toString()).toBe(
      'INFO {"server_id":"NABC","server_name":"a\\u003cb","version":"2.15.1","proto":1,"go":"go1.27.2","host":"0.0.0.0",' +
        '"port":4222,"headers":true,"max_payload":1048576,"jetstream":true,"client_id":5,"client_ip":"127.0.0.1",' +
        '"domain":"D","api_lvl":5,"xkey":"X"} \r\n',
    );
  });

  it('leaves out optional fields that are false, 0 or empty, and keeps the others whatever they hold', () => {
    const info = { ...INFO, auth_required: false, client_id: 0, cluster: '', connect_urls: [], ldm: false };
    expect(encodeInfo(info).equals(encodeInfo(INFO))).toBe(true);
    expect(encodeInfo({ ...INFO, port: 0, headers: false, max_payload: -1, host: '' }).toString()).toContain(
      '"host":"","port":0,"headers":false,"max_payload":-1}',
    );
  });
});

describe('stringifyGoJson', () => {
  it('escapes what Go escapes', () => {
    expect(stringifyGoJson({ a: '<&>\u2028\u2029' })).toBe('{"a":"\\u003c\\u0026\\u003e\\u2028\\u2029"}');
    expect(stringifyGoJson('\ud800\\ud800\\\\"é😀\x07')).toBe('"\\ufffd\\\\ud800\\\\\\\\\\"é😀\\u0007"');
    expect(stringifyGoJson([1, null, true])).toBe('[1,null,true]');
  });
});

describe('lines', () => {
  it('writes constants and errors', () => {
    expect([CRLF, OK, PING, PONG].map(String)).toEqual(['\r\n', '+OK\r\n', 'PING\r\n', 'PONG\r\n']);
    expect(encodeError(WIRE_ERRORS.staleConnection).toString()).toBe("-ERR 'Stale Connection'\r\n");
    expect(encodeError('é "x"').toString()).toBe('-ERR \'é "x"\'\r\n');
  });

  it('writes decimals of any length', () => {
    const target = Buffer.alloc(20);
    for (const value of [0, 9, 10, 99, 100, 12345, 999_999_999, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const end = writeDecimal(value, target, 1);
      expect(target.toString('latin1', 1, end)).toBe(String(value));
    }
  });
});

describe('message heads', () => {
  /** The head that a subscriber with sid 7 gets for the message in `input`. */
  function head(input: string, headers: boolean): string {
    let written = '';
    const recorder = new Recorder();
    recorder.onPublish = (args: PublishArgs) => {
      const target = Buffer.alloc(300);
      written = target.toString('latin1', 0, writeMsgHead(target, 0, args, Buffer.from('7'), headers));
    };
    new ServerParser(recorder, { ...LIMITS }).parse(Buffer.from(input));
    return written;
  }

  it('echoes size tokens verbatim with single blanks', () => {
    expect(head('PUB a 000000002\r\nhi\r\n', true)).toBe('MSG a 7 000000002\r\n');
    expect(head('PUB  a \t r  2 \r\nhi\r\n', true)).toBe('MSG a 7 r 2\r\n');
    expect(head('HPUB a  012   0014\r\nNATS/1.0\r\n\r\nhi\r\n', true)).toBe('HMSG a 7 012 0014\r\n');
    const long = 's'.repeat(100);
    expect(head(`PUB ${long} r.${long} 2\r\nhi\r\n`, true)).toBe(`MSG ${long} 7 r.${long} 2\r\n`);
  });

  it('sends MSG when there are no headers, or none that the receiver takes', () => {
    expect(head('HPUB a 0 02\r\nhi\r\n', true)).toBe('MSG a 7 02\r\n');
    expect(head('HPUB a r 12 0014\r\nNATS/1.0\r\n\r\nhi\r\n', false)).toBe('MSG a 7 r 2\r\n');
    expect(head('HPUB a 0 02\r\nhi\r\n', false)).toBe('MSG a 7 02\r\n');
  });

  it('writes heads for messages of the server itself within the announced room', () => {
    const binary = subjectFromBytes(Buffer.from([0x61, 0xff]), 0, 2);
    const cases: [string, string | null, number, number, string][] = [
      ['foo', null, 0, 5, 'MSG foo 7 5\r\n'],
      ['foo', 'r.é', 0, 5, 'MSG foo 7 r.é 5\r\n'],
      ['foo', 'r', 12, 999_999_999, 'HMSG foo 7 r 12 999999999\r\n'],
      [binary, null, 0, 0, 'MSG a\xff 7 0\r\n'],
    ];
    for (const [subject, reply, headerSize, size, expected] of cases) {
      const target = Buffer.alloc(100);
      const end = writeMsgHeadOf(target, 0, subject, Buffer.from('7'), reply, headerSize, size);
      const bytes = Buffer.from(expected, subject === binary ? 'latin1' : 'utf8');
      expect(target.subarray(0, end)).toEqual(bytes);
      expect(end).toBeLessThanOrEqual(msgHeadOfBytesMax(subject, 1, reply));
    }
  });
});
