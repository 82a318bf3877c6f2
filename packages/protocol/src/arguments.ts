import type { PublishArgs } from './publish-args.ts';
import { subjectFromBytes } from './subject-bytes.ts';
import { parseSize, tokenEnds, tokenize, tokenStarts } from './tokens.ts';

/** Start of the log line for a PUB or HPUB with unusable arguments, in nats-server's words. Source: spec/core.md 1.1. */
export type ArgumentError =
  | 'processPub Parse Error'
  | 'processPub Bad or Missing Size'
  | 'processHeaderPub Parse Error'
  | 'processHeaderPub Bad or Missing Header Size'
  | 'processHeaderPub Bad or Missing Total Size'
  | 'processHeaderPub Header Size larger then TotalSize';

/** Reads `<subject> [reply] <size>` into `args`; the size is left in `payloadEnd`, `payloadStart` is 0. */
export function readPublish(args: PublishArgs, source: Buffer, start: number, end: number): ArgumentError | null {
  const count = tokenize(source, start, end, false);
  if (count !== 2 && count !== 3) return 'processPub Parse Error';
  const last = count - 1;
  setSubjects(args, count === 3);
  args.sizeStart = tokenStarts[last]!;
  args.sizeEnd = tokenEnds[last]!;
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
  args.sizeStart = tokenStarts[last - 1]!;
  args.sizeEnd = tokenEnds[last]!;
  args.headerSizeEnd = tokenEnds[last - 1]!;
  args.totalSizeStart = tokenStarts[last]!;
  args.headerSize = parseSize(source, args.sizeStart, args.headerSizeEnd);
  args.payloadStart = 0;
  args.payloadEnd = parseSize(source, args.totalSizeStart, args.sizeEnd);
  if (args.headerSize < 0) return 'processHeaderPub Bad or Missing Header Size';
  if (args.payloadEnd < 0) return 'processHeaderPub Bad or Missing Total Size';
  return args.headerSize > args.payloadEnd ? 'processHeaderPub Header Size larger then TotalSize' : null;
}

function setSubjects(args: PublishArgs, hasReply: boolean): void {
  args.subjectStart = tokenStarts[0]!;
  args.subjectEnd = tokenEnds[0]!;
  args.replyStart = hasReply ? tokenStarts[1]! : -1;
  args.replyEnd = hasReply ? tokenEnds[1]! : -1;
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
    subject: subjectFromBytes(source, tokenStarts[0]!, tokenEnds[0]!),
    queue: count === 3 ? subjectFromBytes(source, tokenStarts[1]!, tokenEnds[1]!) : null,
    sid: source.toString('latin1', tokenStarts[count - 1], tokenEnds[count - 1]),
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
  const max = count === 2 ? parseSize(source, tokenStarts[1]!, tokenEnds[1]!) : 0;
  return { sid: source.toString('latin1', tokenStarts[0], tokenEnds[0]), max: Math.max(max, 0) };
}
