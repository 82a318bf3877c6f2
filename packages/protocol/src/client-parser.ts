import { ControlLine } from './control-line.ts';
import { goQuoteBytes } from './go-quote.ts';
import { MessageArgs } from './message-args.ts';
import { subjectFromBytes } from './subject-bytes.ts';
import { parseSize, tokenEnds, tokenize, tokenStarts } from './tokens.ts';

const LF = 0x0a;
const CR = 0x0d;

const MSG = Buffer.from('MSG ');
const HMSG = Buffer.from('HMSG ');
const PING = Buffer.from('PING');
const PONG = Buffer.from('PONG');
const OK = Buffer.from('+OK');
const INFO = Buffer.from('INFO ');
const ERR = Buffer.from('-ERR ');

/** Bytes of the input that an error shows. */
const SNIPPET_BYTES = 64;

/** Default for the longest line of a server: INFO with hundreds of connect_urls. */
export const SERVER_LINE_BYTES_MAX: number = 1024 * 1024;
/** Default for the largest message of a server: the highest max_payload nats-server takes, and then some. */
export const SERVER_MESSAGE_BYTES_MAX: number = 128 * 1024 * 1024;

/** What a server sends, called synchronously from `ClientParser.parse` in wire order. */
export interface ServerOperations {
  onInfo(json: string): void;
  /** MSG or HMSG, complete. `args` and its buffer are valid only during the call. */
  onMessage(args: MessageArgs): void;
  onPing(): void;
  onPong(): void;
  onOk(): void;
  /** `-ERR`, without the quotes. */
  onError(text: string): void;
}

/** Bytes that no NATS server sends; the parser is dead. */
export class ServerProtocolError extends Error {
  override readonly name = 'ServerProtocolError';
}

/** Limits of a ClientParser. */
export interface ClientParserLimits {
  /** Bytes of one line; default SERVER_LINE_BYTES_MAX. */
  readonly maxLine?: number;
  /** Bytes of one message, headers included; default SERVER_MESSAGE_BYTES_MAX. */
  readonly maxMessage?: number;
}

/**
 * The other direction: turns the bytes a server sends into operations. Split anywhere, read once, nothing allocated for
 * a message that lies inside one chunk. Lines are taken as nats-server writes them (upper case, CR LF, one or two blanks);
 * anything else, or more than the limits, makes `parse` throw a ServerProtocolError, after which the parser is dead.
 */
export class ClientParser {
  readonly #handler: ServerOperations;
  readonly #maxLine: number;
  readonly #maxMessage: number;
  readonly #args: MessageArgs = new MessageArgs();
  readonly #line: ControlLine = new ControlLine();
  #frame: Buffer | null = null;
  #frameFilled = 0;
  #stopped = false;

  constructor(handler: ServerOperations, limits: ClientParserLimits = {}) {
    this.#handler = handler;
    this.#maxLine = limits.maxLine ?? SERVER_LINE_BYTES_MAX;
    this.#maxMessage = limits.maxMessage ?? SERVER_MESSAGE_BYTES_MAX;
  }

  /** Ends parsing, also from within an operation: the rest of the chunk is not looked at. */
  stop(): void {
    this.#stopped = true;
    this.#frame = null;
    this.#line.clear();
  }

  /** Reads one chunk, which is not kept. @throws ServerProtocolError */
  parse(chunk: Buffer): void {
    let at = this.#frame === null ? 0 : this.#fillFrame(this.#frame, chunk, 0);
    while (at < chunk.length && !this.#stopped) at = this.#readLine(chunk, at);
    this.#args.release();
  }

  /** Reads to the end of the line and, for a message, of the payload; returns where the chunk goes on. */
  #readLine(chunk: Buffer, at: number): number {
    const line = this.#line;
    const found = findLineEnd(chunk, at);
    const stop = found < 0 ? chunk.length : found;
    if (line.length + stop - at > this.#maxLine) {
      throw this.#fail(`line of more than ${this.#maxLine} bytes`, chunk, at, stop);
    }
    if (found < 0) {
      line.append(chunk, at, stop, this.#maxLine);
      return stop;
    }
    if (line.length === 0) return this.#execute(chunk, at, found, chunk, found + 1);
    line.append(chunk, at, found, 0);
    const { bytes, length } = line;
    line.clear();
    return this.#execute(bytes, 0, length, chunk, found + 1);
  }

  /** Runs the operation in `source[start, end)` (CR included); `next` is where the chunk goes on. */
  #execute(source: Buffer, start: number, end: number, chunk: Buffer, next: number): number {
    if (end > start && source[end - 1] === CR) end--;
    if (startsWith(source, start, end, MSG)) return this.#message(source, start + MSG.length, end, -1, chunk, next);
    if (startsWith(source, start, end, HMSG)) return this.#message(source, start + HMSG.length, end, 0, chunk, next);
    const handler = this.#handler;
    if (startsWith(source, start, end, PING)) handler.onPing();
    else if (startsWith(source, start, end, PONG)) handler.onPong();
    else if (startsWith(source, start, end, OK)) handler.onOk();
    else if (startsWith(source, start, end, INFO))
      handler.onInfo(subjectFromBytes(source, start + INFO.length, end).trim());
    else if (startsWith(source, start, end, ERR))
      handler.onError(unquote(subjectFromBytes(source, start + ERR.length, end)));
    else throw this.#fail('unknown operation', source, start, end);
    return next;
  }

  /** `<subject> <sid> [reply] <size>`, with a header size before the size if `headerSize` is not -1. */
  #message(source: Buffer, start: number, end: number, headerSize: number, chunk: Buffer, next: number): number {
    const args = this.#args;
    const count = tokenize(source, start, end, false);
    const sizes = headerSize < 0 ? 1 : 2;
    if (count !== 2 + sizes && count !== 3 + sizes) throw this.#fail('wrong number of arguments', source, start, end);
    const hasReply = count === 3 + sizes;
    const last = count - 1;
    args.subjectStart = tokenStarts[0]!;
    args.subjectEnd = tokenEnds[0]!;
    args.sidStart = tokenStarts[1]!;
    args.sidEnd = tokenEnds[1]!;
    args.replyStart = hasReply ? tokenStarts[2]! : -1;
    args.replyEnd = hasReply ? tokenEnds[2]! : -1;
    args.headerSize = headerSize < 0 ? -1 : parseSize(source, tokenStarts[last - 1]!, tokenEnds[last - 1]!);
    const size = parseSize(source, tokenStarts[last]!, tokenEnds[last]!);
    if (size < 0 || (headerSize === 0 && (args.headerSize < 0 || args.headerSize > size))) {
      throw this.#fail('bad size', source, start, end);
    }
    if (size > this.#maxMessage) throw this.#fail(`message of more than ${this.#maxMessage} bytes`, source, start, end);
    if (source === chunk && next + size + 2 <= chunk.length) {
      args.payloadStart = next;
      args.payloadEnd = next + size;
      return this.#deliver(chunk, next + size + 2);
    }
    // Arguments, payload and line end side by side, so that one buffer carries the message.
    const frame = Buffer.allocUnsafe(end - start + size + 2);
    source.copy(frame, 0, start, end);
    args.moveBy(-start);
    args.payloadStart = end - start;
    args.payloadEnd = end - start + size;
    this.#frame = frame;
    this.#frameFilled = end - start;
    return this.#fillFrame(frame, chunk, next);
  }

  #fillFrame(frame: Buffer, chunk: Buffer, at: number): number {
    const take = Math.min(frame.length - this.#frameFilled, chunk.length - at);
    chunk.copy(frame, this.#frameFilled, at, at + take);
    this.#frameFilled += take;
    if (this.#frameFilled < frame.length) return at + take;
    this.#frame = null;
    this.#deliver(frame, frame.length);
    return at + take;
  }

  /** Delivers the message whose CR LF ends at `end` in `buffer`. */
  #deliver(buffer: Buffer, end: number): number {
    if (buffer[end - 2] !== CR || buffer[end - 1] !== LF) {
      throw this.#fail('payload without line end', buffer, end - 2, buffer.length);
    }
    this.#args.buffer = buffer;
    this.#handler.onMessage(this.#args);
    return end;
  }

  #fail(what: string, source: Buffer, start: number, end: number): ServerProtocolError {
    this.stop();
    const shown = goQuoteBytes(source, start, Math.min(end, start + SNIPPET_BYTES));
    return new ServerProtocolError(`the server broke the protocol: ${what} at ${shown}`);
  }
}

/** Offset of the next LF, -1 if none; a loop beats the native search for the short lines of messages. */
function findLineEnd(chunk: Buffer, at: number): number {
  const near = Math.min(at + 64, chunk.length);
  for (let i = at; i < near; i++) {
    if (chunk[i] === LF) return i;
  }
  return near < chunk.length ? chunk.indexOf(LF, near) : -1;
}

function startsWith(source: Buffer, start: number, end: number, verb: Buffer): boolean {
  if (end - start < verb.length) return false;
  for (let i = 0; i < verb.length; i++) {
    if (source[start + i] !== verb[i]) return false;
  }
  return true;
}

function unquote(text: string): string {
  const trimmed = text.trim();
  return trimmed.length > 1 && trimmed.startsWith("'") && trimmed.endsWith("'") ? trimmed.slice(1, -1) : trimmed;
}
