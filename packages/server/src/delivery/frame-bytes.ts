import type { PublishArgs } from '@nats-ts/protocol';

export const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;
/** Below this many bytes a loop is faster than a native copy. */
const LOOP_BYTES_MAX = 48;

/** True if the published bytes from the reply or size on are those of a MSG or HMSG too. */
export function isVerbatim(args: PublishArgs): boolean {
  const buffer = args.buffer;
  const sizeEnd = args.sizeEnd;
  if (sizeEnd + 2 !== args.payloadStart || buffer[sizeEnd] !== CR) return false;
  if (args.replyStart >= 0 && (args.replyEnd + 1 !== args.sizeStart || buffer[args.replyEnd] !== SPACE)) return false;
  const headerSize = args.headerSize;
  if (headerSize < 0) return true;
  return headerSize > 0 && args.headerSizeEnd + 1 === args.totalSizeStart && buffer[args.headerSizeEnd] === SPACE;
}

/** Copies `source[start, end)` to `at`; returns the offset behind it. */
export function copyBytes(source: Buffer, start: number, end: number, target: Buffer, at: number): number {
  const length = end - start;
  if (length > LOOP_BYTES_MAX) {
    source.copy(target, at, start, end);
    return at + length;
  }
  while (start < end) target[at++] = source[start++]!;
  return at;
}

export function writeLineEnd(target: Buffer, at: number): number {
  target[at] = CR;
  target[at + 1] = LF;
  return at + 2;
}

/** Writes `[reply ][hdr ]total\r\n` as it was published, with single blanks; returns how many bytes that took. */
export function writePublishedHead(args: PublishArgs, head: Buffer): number {
  const buffer = args.buffer;
  let at = 0;
  if (args.replyStart >= 0) {
    at = copyBytes(buffer, args.replyStart, args.replyEnd, head, at);
    head[at++] = SPACE;
  }
  if (args.headerSize > 0) {
    at = copyBytes(buffer, args.sizeStart, args.headerSizeEnd, head, at);
    head[at++] = SPACE;
  }
  at = copyBytes(buffer, args.totalSizeStart, args.sizeEnd, head, at);
  return writeLineEnd(head, at);
}
