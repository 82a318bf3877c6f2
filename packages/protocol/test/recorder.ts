import type {
  ClientOperations,
  MessageArgs,
  ParserLimits,
  ProtocolViolation,
  PublishArgs,
  ServerOperations,
} from '../src/index.ts';
import { ServerParser } from '../src/index.ts';

/** The text between two offsets, null for "none". */
function text(buffer: Buffer, start: number, end: number): string | null {
  return start < 0 ? null : buffer.toString('latin1', start, end);
}

/** A PUB or HPUB as it was handed over, copied. */
export interface RecordedPublish {
  readonly subject: string | null;
  readonly reply: string | null;
  readonly sizes: string | null;
  readonly headerSize: number;
  readonly payload: string | null;
}

export function recordPublish(args: PublishArgs): RecordedPublish {
  const { buffer } = args;
  return {
    subject: text(buffer, args.subjectStart, args.subjectEnd),
    reply: text(buffer, args.replyStart, args.replyEnd),
    sizes:
      args.headerSize < 0
        ? text(buffer, args.sizeStart, args.sizeEnd)
        : `${text(buffer, args.sizeStart, args.headerSizeEnd)} ${text(buffer, args.totalSizeStart, args.sizeEnd)}`,
    headerSize: args.headerSize,
    payload: text(buffer, args.payloadStart, args.payloadEnd),
  };
}

/** Writes down every operation; the first word is the name of the call. */
export class Recorder implements ClientOperations {
  readonly calls: unknown[][] = [];
  violation: ProtocolViolation | null = null;
  onConnect(json: string): void {
    this.calls.push(['connect', json]);
  }
  onInfo(json: string): void {
    this.calls.push(['info', json]);
  }
  onPing(): void {
    this.calls.push(['ping']);
  }
  onPong(): void {
    this.calls.push(['pong']);
  }
  onPublish(args: PublishArgs): void {
    this.calls.push(['publish', recordPublish(args)]);
  }
  onSubscribe(subject: string, queue: string | null, sid: string): void {
    this.calls.push(['subscribe', subject, queue, sid]);
  }
  onUnsubscribe(sid: string, max: number): void {
    this.calls.push(['unsubscribe', sid, max]);
  }
  onClientError(message: string): void {
    this.calls.push(['error', message]);
  }
  onOk(): void {
    this.calls.push(['ok']);
  }
  onViolation(violation: ProtocolViolation): void {
    this.violation = violation;
    this.calls.push(['violation', violation.kind, violation.wireText, violation.closeReason]);
  }
}

export const LIMITS: Readonly<ParserLimits> = {
  maxControlLine: 4096,
  maxPayload: 1024 * 1024,
  headers: true,
  connectRequired: false,
};

/** Parses `input`, cut at the given offsets, and returns what was recorded. */
export function parseAll(
  input: Buffer | string,
  limits: Partial<ParserLimits> = {},
  cuts: readonly number[] = [],
): Recorder {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
  const recorder = new Recorder();
  const parser = new ServerParser(recorder, { ...LIMITS, ...limits });
  for (const chunk of cut(bytes, cuts)) parser.parse(chunk);
  return recorder;
}

/** Copies of the pieces, each with foreign bytes around it, so that reading outside of a piece shows. */
export function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  const pieces: Buffer[] = [];
  for (let i = 1; i < edges.length; i++) {
    const piece = bytes.subarray(edges[i - 1], edges[i]);
    const padded = Buffer.concat([Buffer.from('PUB \r\n'), piece, Buffer.from('5\r\nPING\r\n')]);
    pieces.push(padded.subarray(6, 6 + piece.length));
  }
  return pieces;
}

/** Every offset: one byte at a time. */
export function everyByte(bytes: Buffer | string): number[] {
  return Array.from({ length: Math.max(bytes.length - 1, 0) }, (_, i) => i + 1);
}

/** What a server sent, written down. */
export class ServerRecorder implements ServerOperations {
  readonly calls: unknown[][] = [];
  onInfo(json: string): void {
    this.calls.push(['info', json]);
  }
  onMessage(args: MessageArgs): void {
    const { buffer } = args;
    this.calls.push([
      'message',
      {
        subject: text(buffer, args.subjectStart, args.subjectEnd),
        sid: text(buffer, args.sidStart, args.sidEnd),
        reply: text(buffer, args.replyStart, args.replyEnd),
        headerSize: args.headerSize,
        payload: text(buffer, args.payloadStart, args.payloadEnd),
      },
    ]);
  }
  onPing(): void {
    this.calls.push(['ping']);
  }
  onPong(): void {
    this.calls.push(['pong']);
  }
  onOk(): void {
    this.calls.push(['ok']);
  }
  onError(message: string): void {
    this.calls.push(['error', message]);
  }
}
