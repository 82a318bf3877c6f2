import {
  type ClientOperations,
  type ConnectOptions,
  checkClientInfo,
  DEFAULT_CONNECT_OPTIONS,
  type ParserLimits,
  type ProtocolViolation,
  parseConnect,
  ServerParser,
  WIRE_ERRORS,
} from '@nats-ts/protocol';
import { describe, expect, it } from 'vitest';
import { type CorpusFile, type CorpusScript, escapeBytes, formatResult, loadCorpus, unescapeBytes } from './load.ts';

/** Reasons of a close that the parser alone decides on; with the others it must not have failed. */
const PARSER_REASONS = new Set([
  'Protocol Violation',
  'Parse Error',
  'Maximum Control Line Exceeded',
  'Maximum Message Payload Exceeded',
]);

/** HMSG from a client: nats-server notices behind the line, we at the M. Nothing but the log differs. */
const OTHER_LOG = new Set(['refuses HMSG with a payload from a client']);

/** Just enough of a connection to judge what the parser accepts. */
class Judge implements ClientOperations {
  readonly limits: ParserLimits;
  readonly #supportsHeaders: boolean;
  #options: Readonly<ConnectOptions> = DEFAULT_CONNECT_OPTIONS;
  parser: ServerParser | null = null;
  pings = 0;
  closed: { reason: string; log: string; wire: string | null } | null = null;

  constructor(config: string) {
    const setting = (key: string, standard: number): number =>
      Number(new RegExp(`${key}: (\\d+)`).exec(config)?.[1] ?? standard);
    this.#supportsHeaders = !config.includes('no_header_support');
    this.limits = {
      maxControlLine: setting('max_control_line', 4096),
      maxPayload: setting('max_payload', 1024 * 1024),
      headers: false,
      connectRequired: config.includes('authorization'),
    };
  }
  #close(reason: string, log: string, wire: string | null): void {
    this.closed = { reason, log, wire };
    this.parser?.stop();
  }
  onConnect(json: string): void {
    const { options, error } = parseConnect(json, this.#options);
    if (error !== null) return this.#close('Protocol Violation', error, null);
    this.#options = options;
    this.limits.headers = options.headers && this.#supportsHeaders;
    this.limits.connectRequired = false;
  }
  onInfo(json: string): void {
    const error = checkClientInfo(json);
    if (error !== null) this.#close('Protocol Violation', error, null);
  }
  onClientError(text: string): void {
    this.#close('Parse Error', `Client Error ${text}`, null);
  }
  onViolation(violation: ProtocolViolation): void {
    this.#close(violation.closeReason, violation.logText, violation.wireText);
  }
  onPing(): void {
    this.pings++;
  }
  onPong(): void {}
  onPublish(): void {}
  onSubscribe(): void {}
  onUnsubscribe(): void {}
  onOk(): void {}
}

function judge(file: CorpusFile, script: CorpusScript, bytewise: boolean): Judge {
  const judged = new Judge(file.config);
  const parser = new ServerParser(judged, judged.limits);
  judged.parser = parser;
  for (const step of script.steps) {
    if (step.do !== 'send') continue;
    if (!bytewise) parser.parse(step.bytes);
    else for (const byte of step.bytes) parser.parse(Buffer.from([byte]));
  }
  return judged;
}

describe.each(loadCorpus())('what nats-server recorded in $name', (file) => {
  it.each(file.scripts)('$name', (script) => {
    const expected = script.expected;
    if (expected === null) throw new Error(`${file.path}:${script.line}: not recorded`);
    const judged = judge(file, script, false);
    const lastLine = expected.received.toString('latin1').split('\r\n').at(-2) ?? '';
    if (expected.closed !== null && PARSER_REASONS.has(expected.closed)) {
      const saysWhy = Object.values(WIRE_ERRORS).find((text) => lastLine === `-ERR '${text}'`) ?? null;
      const log = OTHER_LOG.has(script.name) ? expect.any(String) : expected.log.at(-1);
      expect(judged.closed).toEqual({ reason: expected.closed, log, wire: saysWhy });
    } else if (judged.closed !== null) {
      // Only a first operation that is not CONNECT can have been refused by the parser.
      expect(judged.closed.reason).toBe('Authentication Failure');
      expect(expected.closed).toBe('Authentication Failure');
    }
    if (expected.closed === null) {
      const pongs = expected.received.toString('latin1').split('PONG\r\n').length - 1;
      expect(judged.pings).toBe(pongs);
    }
    const bytewise = judge(file, script, true);
    expect({ ...bytewise.closed, log: '' }).toEqual({ ...judged.closed, log: '' });
    expect(bytewise.pings).toBe(judged.pings);
  });
});

describe('the format of the corpus', () => {
  it('gives back any bytes', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(unescapeBytes(escapeBytes(all))).toEqual(all);
    expect(escapeBytes(Buffer.from('a\\b ' + 'x'.repeat(40) + ' '))).toBe('a\\\\b \\[x*40]\\x20');
    expect(unescapeBytes('\\[\\x00*3]\\[.*2]')).toEqual(Buffer.from('\0\0\0..'));
    expect(() => unescapeBytes('\\q')).toThrow('unknown escape \\q');
  });

  it('writes results the way the files hold them', () => {
    const result = { received: Buffer.from('+OK\r\nMSG a 1 1\r\nx'), log: ['why'], closed: 'Parse Error' };
    expect(formatResult(result)).toEqual(['< +OK\\r\\n', '< MSG a 1 1\\r\\n', '< x', 'log why', 'closed Parse Error']);
  });
});
