import type { PublishArgs } from './publish-args.ts';
import { subjectFromBytes } from './subject-bytes.ts';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const SIZE_DIGITS_MAX = 9;
const TOKENS_MAX = 4;

/** Start of the log line for a PUB or HPUB with unusable arguments, in nats-server's words. Source: spec/core.md 1.1. */
export type ArgumentError =
  | 'processPub Parse Error'
  | 'processPub Bad or Missing Size'
  | 'processHeaderPub Parse Error'
  | 'processHeaderPub Bad or Missing Header Size'
  | 'processHeaderPub Bad or Missing Total Size'
  | 'processHeaderPub Header Size larger then TotalSize';

// Starts and ends of the tokens of the line being read. Reading a line is synchronous, so one pair serves all.
const starts = new Int32Array(TOKENS_MAX);
const ends = new Int32Array(TOKENS_MAX);

/** Fills `starts` and `ends` and returns the number of tokens, `TOKENS_MAX + 1` for more than fit. */
function tokenize(source: Buffer, start: number, end: number, lineEndsSeparate: boolean): number {
  let count = 0;
  let i = start;
  for (;;) {
    while (i < end && isSeparator(source[i]!, lineEndsSeparate)) i++;
    if (i >= end) return count;
    if (count === TOKENS_MAX) return count + 1;
    starts[count] = i;
    while (i < end && !isSeparator(source[i]!, lineEndsSeparate)) i++;
    ends[count++] = i;
  }
}

function isSeparator(byte: number, lineEndsSeparate: boolean): boolean {
  return byte === SPACE || byte === TAB || (lineEndsSeparate && (byte === CR || byte === LF));
}

/** The value of a size token: 1–9 ASCII digits, leading zeros allowed; -1 for anything else. */
export function parseSize(source: Uint8Array, start: number, end: number): number {
  const digits = end - start;
  if (digits < 1 || digits > SIZE_DIGITS_MAX) return -1;
  let size = 0;
  for (let i = start; i < end; i++) {
    const digit = source[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    size = size * 10 + digit;
  }
  return size;
}

/** Reads `<subject> [reply] <size>` into `args`; the size is left in `payloadEnd`, `payloadStart` is 0. */
export function readPublish(args: PublishArgs, source: Buffer, start: number, end: number): ArgumentError | null {
  const count = tokenize(source, start, end, false);
  if (count !== 2 && count !== 3) return 'processPub Parse Error';
  const last = count - 1;
  setSubjects(args, count === 3);
  args.sizeStart = starts[last]!;
  args.sizeEnd = ends[last]!;
  args.headerSizeEnd = -1;
  args.totalSizeStart = args.sizeStart;
  args.headerSize = -1;
  args.payloadStart = 0;
  args.payloadEnd = parseSize(source, args.sizeStart, args.sizeEnd);
  return args.payloadEnd < 0 ? 'processPub Bad or Missing Size' : null;
}

/** Reads `<subject> [reply] <hdrsize> <totalsize>` into `args`; the total is left in `payloadEnd`. */
export function readHeaderPublish(args: PublishArgs, source: Buffer, start: number, end: number): ArgumentError | null {
  const count = tokenize(source, start, end, false);
  if (count !== 3 && count !== 4) return 'processHeaderPub Parse Error';
  const last = count - 1;
  setSubjects(args, count === 4);
  args.sizeStart = starts[last - 1]!;
  args.sizeEnd = ends[last]!;
  args.headerSizeEnd = ends[last - 1]!;
  args.totalSizeStart = starts[last]!;
  args.headerSize = parseSize(source, args.sizeStart, args.headerSizeEnd);
  args.payloadStart = 0;
  args.payloadEnd = parseSize(source, args.totalSizeStart, args.sizeEnd);
  if (args.headerSize < 0) return 'processHeaderPub Bad or Missing Header Size';
  if (args.payloadEnd < 0) return 'processHeaderPub Bad or Missing Total Size';
  return args.headerSize > args.payloadEnd ? 'processHeaderPub Header Size larger then TotalSize' : null;
}

function setSubjects(args: PublishArgs, hasReply: boolean): void {
  args.subjectStart = starts[0]!;
  args.subjectEnd = ends[0]!;
  args.replyStart = hasReply ? starts[1]! : -1;
  args.replyEnd = hasReply ? ends[1]! : -1;
}

/** Arguments of a SUB. */
export interface SubscribeArgs {
  readonly subject: string;
  readonly queue: string | null;
  readonly sid: string;
}

/** Reads `<subject> [queue] <sid>`; null when the number of arguments is wrong. */
export function readSubscribe(source: Buffer, start: number, end: number): SubscribeArgs | null {
  const count = tokenize(source, start, end, true);
  if (count !== 2 && count !== 3) return null;
  return {
    subject: subjectFromBytes(source, starts[0]!, ends[0]!),
    queue: count === 3 ? subjectFromBytes(source, starts[1]!, ends[1]!) : null,
    sid: source.toString('latin1', starts[count - 1], ends[count - 1]),
  };
}

/** Arguments of an UNSUB; `max` 0 = now. */
export interface UnsubscribeArgs {
  readonly sid: string;
  readonly max: number;
}

/** Reads `<sid> [max]`; null when the number of arguments is wrong. A `max` that is no size counts as 0. */
export function readUnsubscribe(source: Buffer, start: number, end: number): UnsubscribeArgs | null {
  const count = tokenize(source, start, end, true);
  if (count !== 1 && count !== 2) return null;
  const max = count === 2 ? parseSize(source, starts[1]!, ends[1]!) : 0;
  return { sid: source.toString('latin1', starts[0], ends[0]), max: Math.max(max, 0) };
}
