import { type ArgumentError, readHeaderPublish, readPublish, readSubscribe, readUnsubscribe } from './arguments.ts';
import { ControlLine } from './control-line.ts';
import { type FrameSource, NO_FRAMES } from './frame-source.ts';
import type { ClientOperations, ParserLimits } from './operations.ts';
import { PublishArgs } from './publish-args.ts';
import { straightPublish } from './straight-publish.ts';
import { subjectFromBytes } from './subject-bytes.ts';
import {
  NEXT_STATE,
  STATE_CONNECT,
  STATE_ERR,
  STATE_HPUB,
  STATE_INFO,
  STATE_MSG_END_N,
  STATE_MSG_END_R,
  STATE_OK,
  STATE_PING,
  STATE_PONG,
  STATE_PUB,
  STATE_START,
  STATE_SUB,
  STATE_UNSUB,
} from './verb-states.ts';
import type { ProtocolViolation } from './violation.ts';
import {
  argumentViolation,
  authorizationViolation,
  controlLineViolation,
  headersViolation,
  maxPayloadViolation,
  parseViolation,
} from './violations.ts';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

// Where in an operation the last chunk ended.
const IN_VERB = 0;
const IN_BLANKS = 1;
const IN_LINE = 2;
const IN_TAIL = 3;
const IN_PAYLOAD = 4;
const DEAD = 5;

/**
 * Turns the bytes a client sends into operations (spec/core.md 1.1, 1.2). Give it every chunk as it was read, split
 * anywhere: the result does not depend on the splits. A chunk is read once, operations are called synchronously, and
 * nothing is allocated for a PUB or HPUB that lies inside one chunk.
 *
 * Memory it holds between chunks: a control line of at most `limits.maxControlLine` bytes, or one buffer of exactly the
 * size of the message that is arriving (at most `limits.maxPayload`); nothing between operations.
 *
 * After a violation, or `stop`, it is `failed` and ignores the rest.
 */
export class ServerParser {
  readonly #handler: ClientOperations;
  readonly #limits: ParserLimits;
  readonly #frames: FrameSource;
  readonly #args: PublishArgs = new PublishArgs();
  readonly #line: ControlLine = new ControlLine();
  #phase = IN_VERB;
  /** State in the verb table: which verb, or how much of it. */
  #state = STATE_START;
  /** The message that is arriving in pieces: arguments, CR LF, payload, CR LF; null when none is. */
  #frame: Buffer | null = null;
  /** It came from `#frames`. */
  #isFrameTaken = false;
  #frameFilled = 0;
  #isPaused = false;

  /** @param frames memory for messages that arrive in pieces; without it each gets a buffer of its own. */
  constructor(handler: ClientOperations, limits: ParserLimits, frames: FrameSource = NO_FRAMES) {
    this.#frames = frames;
    this.#handler = handler;
    this.#limits = limits;
  }

  /** True after a violation or `stop`. */
  get failed(): boolean {
    return this.#phase === DEAD;
  }

  /** Bytes of memory held for an operation that has not arrived completely; 0 between operations. */
  get heldBytes(): number {
    return this.#line.capacity + (this.#frame === null ? 0 : this.#frame.length);
  }

  /** Ends parsing, also from within an operation: the rest of the chunk is not looked at. */
  stop(): void {
    this.#phase = DEAD;
    if (this.#frame !== null && this.#isFrameTaken) this.#frames.give(this.#frame);
    this.#frame = null;
    this.#line.clear();
  }

  /**
   * Called from within an operation: `parse` returns behind it. Nothing is to be parsed until `resume`. For operations
   * whose outcome, on which the next ones depend, takes a while (a CONNECT with a hashed password).
   */
  pause(): void {
    this.#isPaused = true;
  }

  /** Ends a pause. */
  resume(): void {
    this.#isPaused = false;
  }

  /**
   * Reads one chunk. The chunk is not kept: what is needed of an unfinished operation is copied.
   * @returns how many of its bytes were used: all, unless an operation called `pause` or ended the parser.
   */
  parse(chunk: Buffer): number {
    let at = 0;
    const end = chunk.length;
    if (this.#phase !== IN_VERB || this.#state !== STATE_START) at = this.#step(chunk, 0);
    const args = this.#args;
    while (at < end && this.#phase !== DEAD && !this.#isPaused) {
      const next = straightPublish(chunk, at, this.#limits, args);
      if (next < 0) {
        at = this.#step(chunk, at);
      } else {
        at = next;
        this.#handler.onPublish(args);
      }
    }
    args.release();
    return at;
  }

  /** Reads on from wherever the operation stands until it is complete or the chunk ends; returns where it stopped. */
  #step(chunk: Buffer, at: number): number {
    const end = chunk.length;
    while (at < end) {
      switch (this.#phase) {
        case IN_VERB:
          at = this.#verb(chunk, at);
          break;
        case IN_BLANKS:
          while (at < end && isBlank(chunk[at]!)) at++;
          if (at < end) this.#phase = IN_LINE;
          break;
        case IN_LINE:
          return this.#controlLine(chunk, at);
        case IN_TAIL: {
          const lineEnd = chunk.indexOf(LF, at);
          if (lineEnd < 0) return end;
          this.#finishTail();
          return lineEnd + 1;
        }
        case IN_PAYLOAD:
          return this.#fillFrame(chunk, at);
        default:
          return end;
      }
    }
    return at;
  }

  #verb(chunk: Buffer, at: number): number {
    const end = chunk.length;
    let state = this.#state;
    while (at < end) {
      const byte = chunk[at]!;
      if (state === STATE_START && this.#limits.connectRequired && (byte | 0x20) !== 0x63 /* c */) {
        return this.#fail(authorizationViolation(), end);
      }
      if ((state === STATE_PUB || state === STATE_HPUB || state === STATE_SUB) && isBlank(byte)) break;
      if ((state === STATE_UNSUB || state === STATE_ERR) && isBlank(byte)) break;
      const next = NEXT_STATE[(state << 8) | byte]!;
      if (next === 0) return this.#fail(parseViolation(state, at, chunk), end);
      state = next;
      at++;
      if (state === STATE_PING || state === STATE_PONG || state === STATE_OK) {
        this.#state = state;
        this.#phase = IN_TAIL;
        return at;
      }
      if (state === STATE_CONNECT || state === STATE_INFO) break;
    }
    this.#state = state;
    if (at < end || state === STATE_CONNECT || state === STATE_INFO) this.#phase = IN_BLANKS;
    return at;
  }

  #finishTail(): void {
    const state = this.#state;
    this.#begin();
    if (state === STATE_PING) this.#handler.onPing();
    else if (state === STATE_PONG) this.#handler.onPong();
    else this.#handler.onOk();
  }

  /** Ready for the next operation. */
  #begin(): void {
    this.#phase = IN_VERB;
    this.#state = STATE_START;
  }

  /**
   * The arguments, from their first byte (which is not a blank, and which nats-server takes as an argument byte even if
   * it is CR or LF) to LF. The limit is checked before anything is copied.
   */
  #controlLine(chunk: Buffer, at: number): number {
    const line = this.#line;
    const end = chunk.length;
    const found = chunk.indexOf(LF, line.length === 0 ? at + 1 : at);
    const stop = found < 0 ? end : found;
    const last = stop > at ? chunk[stop - 1]! : line.lastByte;
    let length = line.length + stop - at;
    if (last === CR && length > 1) length -= 1;
    if (length > this.#limits.maxControlLine) return this.#fail(controlLineViolation(), end);
    if (found < 0) {
      line.append(chunk, at, end, this.#limits.maxControlLine + 1);
      return end;
    }
    if (line.length === 0) return this.#execute(chunk, at, at + length, chunk, found + 1);
    line.append(chunk, at, found, 0);
    const bytes = line.bytes;
    line.clear();
    return this.#execute(bytes, 0, length, chunk, found + 1);
  }

  /** Runs the operation whose arguments are `source[start, end)`; `next` is where the chunk goes on. */
  #execute(source: Buffer, start: number, end: number, chunk: Buffer, next: number): number {
    const handler = this.#handler;
    const state = this.#state;
    if (state === STATE_PUB || state === STATE_HPUB) return this.#publish(source, start, end, chunk, next);
    this.#begin();
    if (state === STATE_SUB) {
      const sub = readSubscribe(source, start, end);
      if (sub === null) return this.#fail(argumentViolation('processSub Parse Error', source, start, end), next);
      handler.onSubscribe(sub.subject, sub.queue, sub.sid);
    } else if (state === STATE_UNSUB) {
      const unsub = readUnsubscribe(source, start, end);
      if (unsub === null) return this.#fail(argumentViolation('processUnsub Parse Error', source, start, end), next);
      handler.onUnsubscribe(unsub.sid, unsub.max);
    } else {
      const text = subjectFromBytes(source, start, end);
      if (state === STATE_CONNECT) handler.onConnect(text);
      else if (state === STATE_INFO) handler.onInfo(text);
      else handler.onClientError(text);
    }
    return next;
  }

  #publish(source: Buffer, start: number, end: number, chunk: Buffer, next: number): number {
    const args = this.#args;
    const limits = this.#limits;
    let error: ArgumentError | null;
    if (this.#state === STATE_PUB) error = readPublish(args, source, start, end);
    else if (limits.headers) error = readHeaderPublish(args, source, start, end);
    else return this.#fail(headersViolation(), next);
    if (error !== null) return this.#fail(argumentViolation(error, source, start, end), next);
    const size = args.payloadEnd;
    if (limits.maxPayload >= 0 && size > limits.maxPayload) {
      return this.#fail(maxPayloadViolation(size, limits.maxPayload), next);
    }
    if (source === chunk && next + size + 2 <= chunk.length) {
      args.payloadStart = next;
      args.payloadEnd = next + size;
      return this.#deliver(chunk, next + size);
    }
    // The message as it came: line and payload side by side, so that a slice of it can be relayed as it is.
    const payloadStart = end - start + 2;
    const taken = this.#frames.take(payloadStart + size + 2);
    const frame = taken ?? Buffer.allocUnsafe(payloadStart + size + 2);
    this.#isFrameTaken = taken !== null;
    source.copy(frame, 0, start, end);
    frame[payloadStart - 2] = CR;
    frame[payloadStart - 1] = LF;
    args.moveBy(-start);
    args.buffer = frame;
    args.payloadStart = payloadStart;
    args.payloadEnd = payloadStart + size;
    this.#frame = frame;
    this.#frameFilled = payloadStart;
    this.#phase = IN_PAYLOAD;
    return next < chunk.length ? this.#fillFrame(chunk, next) : next;
  }

  /** Delivers the message whose payload ends at `at` in `buffer`, where CR LF must stand; both bytes are there. */
  #deliver(buffer: Buffer, at: number): number {
    if (buffer[at] !== CR) return this.#fail(parseViolation(STATE_MSG_END_R, at, buffer), at);
    if (buffer[at + 1] !== LF) return this.#fail(parseViolation(STATE_MSG_END_N, at + 1, buffer), at);
    this.#begin();
    this.#args.buffer = buffer;
    this.#handler.onPublish(this.#args);
    return at + 2;
  }

  #fillFrame(chunk: Buffer, at: number): number {
    const frame = this.#frame!;
    const args = this.#args;
    const filledBefore = this.#frameFilled;
    const take = Math.min(frame.length - filledBefore, chunk.length - at);
    chunk.copy(frame, filledBefore, at, at + take);
    const filled = filledBefore + take;
    this.#frameFilled = filled;
    const next = at + take;
    const lineEnd = args.payloadEnd;
    // Wrong line ends are reported by their place in this chunk, as soon as they arrive.
    if (filled > lineEnd && frame[lineEnd] !== CR && filledBefore <= lineEnd) {
      return this.#fail(parseViolation(STATE_MSG_END_R, at + lineEnd - filledBefore, chunk), next);
    }
    if (filled < frame.length) return next;
    if (frame[lineEnd + 1] !== LF) return this.#fail(parseViolation(STATE_MSG_END_N, next - 1, chunk), next);
    this.#frame = null;
    this.#begin();
    args.buffer = frame;
    try {
      this.#handler.onPublish(args);
    } finally {
      if (this.#isFrameTaken) this.#frames.give(frame);
    }
    return next;
  }

  #fail(violation: ProtocolViolation, at: number): number {
    this.stop();
    this.#handler.onViolation(violation);
    return at;
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}
