import { describe, expect, it } from 'vitest';
import { ClientParser, type ClientParserLimits, ServerProtocolError } from '../src/index.ts';
import { cut, everyByte, ServerRecorder } from './recorder.ts';

function run(input: string, cuts: readonly number[], limits?: ClientParserLimits): unknown[][] {
  const recorder = new ServerRecorder();
  const parser = new ClientParser(recorder, limits);
  for (const chunk of cut(Buffer.from(input, 'latin1'), cuts)) parser.parse(chunk);
  return recorder.calls;
}

describe('ClientParser', () => {
  it('reads everything a server sends, wherever it is cut', () => {
    const input =
      'INFO {"a":1} \r\n+OK\r\nPING\r\nPONG\r\n-ERR \'Stale Connection\'\r\nMSG a 1 2\r\nhi\r\nMSG a 1 r 0\r\n\r\n' +
      `MSG $SYS.x 1  3\r\n\r\n\0\r\nHMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHMSG ${'s'.repeat(90)} 1 r 12 12\r\nNATS/1.0\r\n\r\n\r\n`;
    const message = (more: object): unknown[] => [
      'message',
      { subject: 'a', sid: '1', reply: null, headerSize: -1, ...more },
    ];
    const expected = [
      ['info', '{"a":1}'],
      ['ok'],
      ['ping'],
      ['pong'],
      ['error', 'Stale Connection'],
      message({ payload: 'hi' }),
      message({ reply: 'r', payload: '' }),
      message({ subject: '$SYS.x', payload: '\r\n\0' }),
      message({ headerSize: 12, payload: 'NATS/1.0\r\n\r\nhi' }),
      message({ subject: 's'.repeat(90), reply: 'r', headerSize: 12, payload: 'NATS/1.0\r\n\r\n' }),
    ];
    expect(run(input, [])).toEqual(expected);
    expect(run(input, everyByte(input))).toEqual(expected);
    for (const at of everyByte(input)) expect(run(input, [at])).toEqual(expected);
  });

  it('throws on bytes that no server sends, and is dead then', () => {
    const cases: [string, string][] = [
      ['HELLO\r\n', 'unknown operation at "HELLO"'],
      ['MSG a 1\r\n', 'wrong number of arguments at "a 1"'],
      ['MSG a 1 r x 2\r\n', 'wrong number of arguments at "a 1 r x 2"'],
      ['MSG a 1 x\r\n', 'bad size at "a 1 x"'],
      ['HMSG a 1 5 2\r\n', 'bad size at "a 1 5 2"'],
      ['MSG a 1 2\r\nhixx', 'payload without line end at "xx"'],
    ];
    for (const [input, what] of cases) {
      expect(() => run(input, [])).toThrow(new ServerProtocolError(`the server broke the protocol: ${what}`));
      expect(() => run(input, everyByte(input))).toThrow(ServerProtocolError);
    }
    const recorder = new ServerRecorder();
    const parser = new ClientParser(recorder);
    expect(() => parser.parse(Buffer.from('X\r\n'))).toThrow(ServerProtocolError);
    parser.parse(Buffer.from('PING\r\n'));
    expect(recorder.calls).toEqual([]);
  });

  it('refuses lines and messages over its limits', () => {
    expect(run('MSG a 1 4\r\nabcd\r\n', [], { maxLine: 10, maxMessage: 4 })).toHaveLength(1);
    expect(() => run('MSG aa 1 4\r\n', [], { maxLine: 10 })).toThrow('line of more than 10 bytes');
    expect(() => run(`INFO ${'x'.repeat(20)}`, everyByte('x'.repeat(25)), { maxLine: 10 })).toThrow(
      'line of more than 10 bytes',
    );
    expect(() => run('MSG a 1 5\r\n', [], { maxMessage: 4 })).toThrow('message of more than 4 bytes');
  });

  it('stops in the middle of a chunk when an operation says so', () => {
    const recorder = new ServerRecorder();
    const parser = new ClientParser(recorder);
    recorder.onMessage = () => parser.stop();
    parser.parse(Buffer.from('PING\r\nMSG a 1 1\r\nx\r\nPING\r\n'));
    expect(recorder.calls).toEqual([['ping']]);
  });
});
