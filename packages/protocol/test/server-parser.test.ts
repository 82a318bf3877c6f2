import { describe, expect, it } from 'vitest';
import { type FrameSource, type ParserLimits, type PublishArgs, ServerParser } from '../src/index.ts';
import { everyByte, LIMITS, parseAll, Recorder } from './recorder.ts';

/** Calls for `input` in one piece, after making sure that one byte at a time gives the same. */
function calls(input: string, limits: Partial<ParserLimits> = {}): unknown[][] {
  const whole = parseAll(input, limits).calls;
  expect(parseAll(input, limits, everyByte(input)).calls).toEqual(whole);
  return whole;
}

const PARSE_ERROR = ['violation', 'parse', 'Unknown Protocol Operation', 'Protocol Violation'];
const ARGUMENT_ERROR = ['violation', 'argument', null, 'Protocol Violation'];
const LINE_ERROR = ['violation', 'control-line', 'maximum control line exceeded', 'Maximum Control Line Exceeded'];
const PAYLOAD_ERROR = ['violation', 'max-payload', 'Maximum Payload Violation', 'Maximum Message Payload Exceeded'];

function publish(subject: string, payload: string, more: object = {}): unknown[] {
  const sizes = String(payload.length);
  return ['publish', { subject, reply: null, sizes, headerSize: -1, payload, ...more }];
}

describe('verbs', () => {
  it('reads every verb a client may send', () => {
    const input =
      'CONNECT {"a":1}\r\nINFO {}\r\nPING\r\nPONG\r\n+OK\r\nPUB a 2\r\nhi\r\nHPUB a b 12 14\r\nNATS/1.0\r\n\r\nhi\r\n' +
      "SUB a 1\r\nSUB a q 2\r\nUNSUB 1\r\nUNSUB 2 5\r\n-ERR 'x'\r\n";
    expect(calls(input)).toEqual([
      ['connect', '{"a":1}'],
      ['info', '{}'],
      ['ping'],
      ['pong'],
      ['ok'],
      publish('a', 'hi'),
      publish('a', 'NATS/1.0\r\n\r\nhi', { reply: 'b', sizes: '12 14', headerSize: 12 }),
      ['subscribe', 'a', null, '1'],
      ['subscribe', 'a', 'q', '2'],
      ['unsubscribe', '1', 0],
      ['unsubscribe', '2', 5],
      ['error', "'x'"],
    ]);
  });

  it('takes verbs in any case', () => {
    expect(
      calls('pub a 1\r\nx\r\nPuB a 1\r\nx\r\nhpUB a 0 1\r\nx\r\nSuB a 1\r\nunsub 1\r\nPiNg\r\nConnect {}\r\n'),
    ).toEqual([
      publish('a', 'x'),
      publish('a', 'x'),
      publish('a', 'x', { sizes: '0 1', headerSize: 0 }),
      ['subscribe', 'a', null, '1'],
      ['unsubscribe', '1', 0],
      ['ping'],
      ['connect', '{}'],
    ]);
  });

  it('takes blanks and tabs between, before and behind arguments', () => {
    const input =
      'PUB  a\t b \t2\t \r\nhi\r\nHPUB \ta  12   14 \r\nNATS/1.0\r\n\r\nhi\r\nSUB\ta  q\t1 \r\nUNSUB  1\t2 \r\nCONNECT \t {} \r\n';
    expect(calls(input)).toEqual([
      publish('a', 'hi', { reply: 'b' }),
      publish('a', 'NATS/1.0\r\n\r\nhi', { sizes: '12 14', headerSize: 12 }),
      ['subscribe', 'a', 'q', '1'],
      ['unsubscribe', '1', 2],
      ['connect', '{} '],
    ]);
  });

  it('takes CONNECT and INFO without a blank, but no other verb', () => {
    expect(calls('CONNECT{"a":1}\r\nINFO{}\r\n')).toEqual([
      ['connect', '{"a":1}'],
      ['info', '{}'],
    ]);
    for (const verb of ['PUBa 1', 'HPUBa 1 1', 'SUBa 1', 'UNSUB1', '-ERRx', 'PUB', 'SUB', 'UNSUB', '-ERR']) {
      expect(calls(`${verb}\r\n`), verb).toEqual([PARSE_ERROR]);
    }
  });

  it('ignores what follows PING, PONG and +OK on the line', () => {
    expect(calls('PINGxyz\r\nPING abc\nPONG\tq\r\n+OK fine\r\nping\n')).toEqual([
      ['ping'],
      ['ping'],
      ['pong'],
      ['ok'],
      ['ping'],
    ]);
  });

  it('ends a line at LF with or without CR', () => {
    expect(calls('PING\nSUB a 1\nPUB a 1\nx\r\nCONNECT {}\n')).toEqual([
      ['ping'],
      ['subscribe', 'a', null, '1'],
      publish('a', 'x'),
      ['connect', '{}'],
    ]);
  });

  it('refuses empty lines, leading blanks, unknown verbs and those of servers', () => {
    for (const input of [
      '\r\n',
      '\n',
      ' PING\r\n',
      'X',
      'PANG\r\n',
      'GET / HTTP/1.1\r\n',
      'MSG a 1 1\r\n',
      'HMSG a 1 1 1\r\n',
    ]) {
      expect(calls(input), input).toEqual([PARSE_ERROR]);
    }
    for (const input of [
      'RS+ a\r\n',
      'LS+ a\r\n',
      'A+ a\r\n',
      'RMSG a\r\n',
      '+ERR\r\n',
      '-OK\r\n',
      '\x0bOK\r\n',
      '\rERR x\r\n',
      '\0',
    ]) {
      expect(calls(input), input).toEqual([PARSE_ERROR]);
    }
  });

  it('takes the first byte behind the blanks as part of the arguments, even a line end, as nats-server does', () => {
    expect(calls('PUB \na 1\r\nx\r\nSUB \na 1\r\nSUB \r\n')).toEqual([
      publish('\na', 'x'),
      ['subscribe', 'a', null, '1'],
      ARGUMENT_ERROR,
    ]);
    expect(calls('CONNECT\r\n')).toEqual([['connect', '\r']]);
  });
});

describe('publishing', () => {
  it('hands over size tokens verbatim', () => {
    expect(calls('PUB a 000000002\r\nhi\r\nHPUB a 00 01\r\nx\r\n')).toEqual([
      publish('a', 'hi', { sizes: '000000002' }),
      publish('a', 'x', { sizes: '00 01', headerSize: 0 }),
    ]);
  });

  it('takes empty payloads, and any bytes in payload and subject', () => {
    expect(calls('PUB a 0\r\n\r\nPUB b\x01\xff 4\r\n\r\n\0\xff\r\nPUB a r 0\r\n\r\n')).toEqual([
      publish('a', ''),
      publish('b\x01\xff', '\r\n\0\xff'),
      publish('a', '', { reply: 'r' }),
    ]);
  });

  it('tells a reply of digits from a size', () => {
    expect(calls('PUB a 1 2\r\nhi\r\nHPUB a 1 0 2\r\nhi\r\nHPUB a 0 2\r\nhi\r\n')).toEqual([
      publish('a', 'hi', { reply: '1' }),
      publish('a', 'hi', { reply: '1', sizes: '0 2', headerSize: 0 }),
      publish('a', 'hi', { sizes: '0 2', headerSize: 0 }),
    ]);
  });

  it('closes without a word on unusable arguments', () => {
    const cases: [string, string][] = [
      ['PUB a', 'processPub Parse Error: "a"'],
      ['PUB a b c 2', 'processPub Parse Error: "a b c 2"'],
      ['PUB a b c d e f 2', 'processPub Parse Error: "a b c d e f 2"'],
      ['PUB a -1', 'processPub Bad or Missing Size: "a -1"'],
      ['PUB a 1234567890', 'processPub Bad or Missing Size: "a 1234567890"'],
      ['PUB a x', 'processPub Bad or Missing Size: "a x"'],
      ['PUB a +1', 'processPub Bad or Missing Size: "a +1"'],
      ['PUB \x01\xff"', 'processPub Parse Error: "\\x01\\xff\\""'],
      ['HPUB a 1', 'processHeaderPub Parse Error: "a 1"'],
      ['HPUB a b c 1 1', 'processHeaderPub Parse Error: "a b c 1 1"'],
      ['HPUB a x 1', 'processHeaderPub Bad or Missing Header Size: "a x 1"'],
      ['HPUB a 1 x', 'processHeaderPub Bad or Missing Total Size: "a 1 x"'],
      ['HPUB a 5 4', 'processHeaderPub Header Size larger then TotalSize: "a 5 4"'],
      ['SUB a', 'processSub Parse Error: "a"'],
      ['SUB a b c d', 'processSub Parse Error: "a b c d"'],
      ['UNSUB 1 2 3', 'processUnsub Parse Error: "1 2 3"'],
    ];
    for (const [line, logText] of cases) {
      expect(calls(`${line}\r\nPING\r\n`), line).toEqual([ARGUMENT_ERROR]);
      expect(parseAll(`${line}\r\n`).violation?.logText).toBe(logText);
    }
  });

  it('wants CR LF behind the payload', () => {
    for (const end of ['\n', 'x', '\r\r\n', '\rx']) {
      expect(calls(`PUB a 2\r\nhi${end}PING\r\n`), JSON.stringify(end)).toEqual([PARSE_ERROR]);
    }
  });

  it('refuses HPUB as long as headers are off, and looks when the HPUB is read', () => {
    const refused = ['violation', 'headers-not-supported', null, 'Protocol Violation'];
    expect(calls('HPUB a 0 0\r\n\r\n', { headers: false })).toEqual([refused]);
    expect(calls('HPUB x\r\n', { headers: false })).toEqual([refused]);
    const limits = { ...LIMITS, headers: false };
    const recorder = new Recorder();
    recorder.onConnect = () => {
      limits.headers = true;
    };
    new ServerParser(recorder, limits).parse(Buffer.from('CONNECT {}\r\nHPUB a 0 0\r\n\r\n'));
    expect(recorder.calls).toEqual([publish('a', '', { sizes: '0 0', headerSize: 0 })]);
  });

  it('lays a message that arrived in pieces out as a message that came in one', () => {
    const wire = 'PUB a r 3\r\nabc\r\n';
    for (const at of everyByte(wire)) {
      const recorder = new Recorder();
      const seen: string[] = [];
      recorder.onPublish = (args: PublishArgs) => {
        seen.push(args.buffer.toString('latin1', args.replyStart, args.payloadEnd + 2));
      };
      const parser = new ServerParser(recorder, { ...LIMITS });
      parser.parse(Buffer.from(wire.slice(0, at)));
      parser.parse(Buffer.from(wire.slice(at)));
      expect(seen).toEqual(['r 3\r\nabc\r\n']);
    }
  });

  it('gives a message that arrived in pieces a buffer that it never touches again', () => {
    const kept: Buffer[] = [];
    const recorder = new Recorder();
    recorder.onPublish = (args: PublishArgs) => {
      kept.push(args.buffer.subarray(args.payloadStart, args.payloadEnd));
    };
    const parser = new ServerParser(recorder, { ...LIMITS });
    for (let i = 0; i < 50; i++) {
      parser.parse(Buffer.from(`PUB subject.${i} 6\r\nab`));
      parser.parse(Buffer.from(`${i}`.padEnd(4, 'x')));
      parser.parse(Buffer.from('\r\n'));
    }
    expect(kept.map(String)).toEqual(Array.from({ length: 50 }, (_, i) => `ab${`${i}`.padEnd(4, 'x')}`));
  });
});

describe('limits', () => {
  it('takes a control line of exactly the limit and no more, counted without verb, blanks and line end', () => {
    const limits = { maxControlLine: 20 };
    const subject = 's'.repeat(18);
    expect(calls(`SUB   ${subject} 1\r\nPUB ${subject} 1\r\nx\r\nPING\r\n`, limits)).toEqual([
      ['subscribe', subject, null, '1'],
      publish(subject, 'x'),
      ['ping'],
    ]);
    for (const line of [
      `SUB s${subject} 1`,
      `PUB s${subject} 1`,
      `HPUB ${subject} 1 1`,
      `CONNECT {"aaaaaaaaaaaa":12}xy`,
    ]) {
      expect(calls(`${line}\r\nPING\r\n`, limits), line).toEqual([LINE_ERROR]);
      expect(calls(`${line}\nPING\r\n`, limits), line).toEqual([LINE_ERROR]);
    }
  });

  it('does not wait for the end of a line that is too long already', () => {
    const limits = { maxControlLine: 20 };
    expect(calls(`SUB ${'s'.repeat(20)}`, limits)).toEqual([]);
    expect(calls(`SUB ${'s'.repeat(20)}\r`, limits)).toEqual([]);
    expect(calls(`SUB ${'s'.repeat(21)}`, limits)).toEqual([LINE_ERROR]);
    expect(calls(`CONNECT${'{'.repeat(21)}`, limits)).toEqual([LINE_ERROR]);
  });

  it('does not count what PING, PONG and +OK ignore, nor blanks before arguments, and holds no memory for them', () => {
    const recorder = new Recorder();
    const parser = new ServerParser(recorder, { ...LIMITS, maxControlLine: 20 });
    parser.parse(Buffer.from('PING'));
    for (let i = 0; i < 10; i++) parser.parse(Buffer.alloc(1000, 'x'));
    expect(parser.heldBytes).toBe(0);
    parser.parse(Buffer.from('\r\nSUB'));
    for (let i = 0; i < 10; i++) parser.parse(Buffer.alloc(1000, ' '));
    expect(parser.heldBytes).toBe(0);
    parser.parse(Buffer.from('a 1\r\n'));
    expect(recorder.calls).toEqual([['ping'], ['subscribe', 'a', null, '1']]);
  });

  it('never holds more of a control line than the limit allows', () => {
    const parser = new ServerParser(new Recorder(), { ...LIMITS });
    parser.parse(Buffer.from('SUB '));
    let peak = 0;
    for (let i = 0; i < 5000 && !parser.failed; i++) {
      parser.parse(Buffer.from('s'));
      peak = Math.max(peak, parser.heldBytes);
    }
    expect(parser.failed).toBe(true);
    expect(peak).toBeGreaterThanOrEqual(LIMITS.maxControlLine);
    expect(peak).toBeLessThanOrEqual(LIMITS.maxControlLine + 1);
    expect(parser.heldBytes).toBe(0);
  });

  it('takes a message of exactly max_payload and refuses a larger one on its line, before any payload', () => {
    const limits = { maxPayload: 4 };
    expect(calls('PUB a 4\r\nabcd\r\nHPUB a 2 4\r\nabcd\r\n', limits)).toHaveLength(2);
    for (const line of ['PUB a 5', 'HPUB a 5 5', 'HPUB a 0 5', 'PUB a 999999999', 'PUB a b 5']) {
      expect(calls(`${line}\r\n`, limits), line).toEqual([PAYLOAD_ERROR]);
      expect(calls(`${line}\r\nabcde\r\n`, limits), line).toEqual([PAYLOAD_ERROR]);
    }
    expect(parseAll('PUB a 5\r\n', limits).violation?.logText).toBe('maximum payload exceeded: 5 vs 4');
  });

  it('takes a message of any size when max_payload is -1', () => {
    expect(calls(`PUB a 2000\r\n${'x'.repeat(2000)}\r\n`, { maxPayload: -1 })).toEqual([
      publish('a', 'x'.repeat(2000)),
    ]);
  });

  it('holds exactly the message while its payload arrives, and nothing afterwards', () => {
    const parser = new ServerParser(new Recorder(), { ...LIMITS });
    parser.parse(Buffer.from('PUB abc 1000\r\nx'));
    expect(parser.heldBytes).toBe('abc 1000\r\n'.length + 1000 + 2);
    parser.parse(Buffer.alloc(999, 'x'));
    parser.parse(Buffer.from('\r\n'));
    expect(parser.heldBytes).toBe(0);
  });

  it('gives every frame back once, when its message is through, when it fails and when the parser is stopped', () => {
    const out = new Set<Buffer>();
    const frames: FrameSource = {
      take: (bytes) => {
        const frame = Buffer.alloc(bytes);
        out.add(frame);
        return frame;
      },
      give: (frame) => {
        if (!out.delete(frame)) throw new Error('given back twice');
      },
    };
    const outDuring: number[] = [];
    const recorder = new Recorder();
    recorder.onPublish = (args) => {
      outDuring.push(out.size);
      if (args.payloadEnd - args.payloadStart === 4) throw new Error('of the receiver');
    };
    const parser = new ServerParser(recorder, { ...LIMITS }, frames);
    parser.parse(Buffer.from('PUB a 5\r\nhel'));
    expect(out.size).toBe(1);
    parser.parse(Buffer.from('lo\r\nPUB a 2\r\nhi\r\nPUB a 4\r\nfo'));
    expect(outDuring).toEqual([1, 0]);
    expect(() => parser.parse(Buffer.from('ur\r\n'))).toThrow('of the receiver');
    expect(out.size).toBe(0);
    parser.parse(Buffer.from('PUB a 3\r\nx'));
    expect(out.size).toBe(1);
    parser.stop();
    parser.stop();
    expect(out.size).toBe(0);
    const other = new ServerParser(new Recorder(), { ...LIMITS }, frames);
    other.parse(Buffer.from('PUB a 3\r\nx'));
    other.parse(Buffer.from('xxx\r\n'));
    expect(other.failed).toBe(true);
    expect(out.size).toBe(0);
  });

  it('obeys limits that change in the middle of a chunk', () => {
    const limits = { ...LIMITS };
    const recorder = new Recorder();
    recorder.onPing = () => {
      limits.maxPayload = 1;
    };
    new ServerParser(recorder, limits).parse(Buffer.from('PUB a 2\r\nhi\r\nPING\r\nPUB a 2\r\nhi\r\n'));
    expect(recorder.calls).toEqual([publish('a', 'hi'), PAYLOAD_ERROR]);
  });
});

describe('the end of a connection', () => {
  it('wants CONNECT first when told so, and judges by the first byte', () => {
    const refused = ['violation', 'authorization', 'Authorization Violation', 'Authentication Failure'];
    for (const input of ['P', 'PUB a 1\r\nx\r\n', 'SUB a 1\r\n', 'x', '\r\n']) {
      expect(calls(input, { connectRequired: true }), input).toEqual([refused]);
    }
    const limits = { ...LIMITS, connectRequired: true };
    const recorder = new Recorder();
    recorder.onConnect = () => {
      limits.connectRequired = false;
    };
    new ServerParser(recorder, limits).parse(Buffer.from('connect {}\r\nPING\r\n'));
    expect(recorder.calls).toEqual([['ping']]);
  });

  it('ignores everything after a violation', () => {
    const recorder = new Recorder();
    const parser = new ServerParser(recorder, { ...LIMITS });
    parser.parse(Buffer.from('X\r\nPING\r\n'));
    parser.parse(Buffer.from('PING\r\n'));
    expect(parser.failed).toBe(true);
    expect(recorder.calls).toEqual([PARSE_ERROR]);
  });

  it('stops in the middle of a chunk when an operation says so', () => {
    for (const first of [
      'PUB a 1\r\nx\r\n',
      'PING\r\n',
      'SUB a 1\r\n',
      'UNSUB 1\r\n',
      'CONNECT {}\r\n',
      "-ERR 'x'\r\n",
    ]) {
      const recorder = new Recorder();
      const parser = new ServerParser(recorder, { ...LIMITS });
      const stop = (): void => parser.stop();
      Object.assign(recorder, { onPublish: stop, onPing: stop, onSubscribe: stop, onUnsubscribe: stop });
      Object.assign(recorder, { onConnect: stop, onClientError: stop });
      parser.parse(Buffer.from(`${first}PONG\r\n`));
      parser.parse(Buffer.from('PONG\r\n'));
      expect(recorder.calls, first).toEqual([]);
      expect(parser.failed).toBe(true);
    }
  });

  it('pauses behind the operation that says so and tells how far it came', () => {
    const recorder = new Recorder();
    const parser = new ServerParser(recorder, { ...LIMITS });
    recorder.onConnect = () => parser.pause();
    const chunk = Buffer.from('PONG\r\nCONNECT {}\r\nPING\r\nPUB a 1\r\nx\r\n');
    const used = parser.parse(chunk);
    expect(chunk.toString('latin1', used)).toBe('PING\r\nPUB a 1\r\nx\r\n');
    expect(recorder.calls).toEqual([['pong']]);
    parser.resume();
    expect(parser.parse(chunk.subarray(used))).toBe(chunk.length - used);
    expect(recorder.calls).toEqual([['pong'], ['ping'], publish('a', 'x')]);
  });

  it('logs a parse error in the words of nats-server', () => {
    const cases: [string, string][] = [
      ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', `state=0, i=0: proto='"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r"...'`],
      ['PING\r\nPANG', `state=29, i=7: proto='"AN"...'`],
      ['PING\r\nX', `state=0, i=6: proto='""...'`],
      ['PUBx', `state=31, i=3: proto='""...'`],
      ['PIxx', `state=34, i=2: proto='"x"...'`],
      ['PUB a 2\r\nhixx', `state=41, i=11: proto='"x"...'`],
      ['PUB a 2\r\nhi\rxy', `state=42, i=12: proto='"x"...'`],
      [`PUB a 2\r\nhi${'x'.repeat(40)}`, `state=41, i=11: proto='"${'x'.repeat(32)}"...'`],
      ['HPUBx', `state=21, i=4: proto='""...'`],
      ['UNSUBx', `state=63, i=5: proto='""...'`],
      ['-ERRx', `state=7, i=4: proto='""...'`],
      ['INFX', `state=73, i=3: proto='""...'`],
      ['CONNECX', `state=15, i=6: proto='""...'`],
    ];
    for (const [input, expected] of cases) {
      expect(parseAll(input).violation?.logText, input).toBe(`Client parser ERROR, ${expected}`);
    }
  });

  it('names the place of a wrong payload end in the chunk that brought it', () => {
    expect(parseAll('PUB a 2\r\nhixx', {}, [10]).violation?.logText).toContain(`state=41, i=1: proto='"x"`);
    expect(parseAll('PUB a 2\r\nhi\rxy', {}, [12]).violation?.logText).toContain(`state=42, i=0: proto='"x"`);
  });
});
