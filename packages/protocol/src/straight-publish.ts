import type { ParserLimits } from './operations.ts';
import type { PublishArgs } from './publish-args.ts';
import { parseSize } from './tokens.ts';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** The shortest PUB, `PUB a 0` with its line ends, and what the checks below read without looking at the end. */
const SHORTEST_BYTES = 11;

/**
 * The hottest code of the server. If the operation at `at` is a PUB or HPUB, complete in the chunk, within the limits and
 * written the way clients write it (single blanks, CR LF), fills `args` and returns the offset behind it. Returns -1 for
 * anything else, which the parser then reads the slow way and judges. Nothing is allocated.
 */
export function straightPublish(chunk: Buffer, at: number, limits: ParserLimits, args: PublishArgs): number {
  if (at + SHORTEST_BYTES > chunk.length || limits.connectRequired) return -1;
  const letter = chunk[at]! | 0x20;
  if (letter === 0x70 /* p */) return isVerb(chunk, at) ? straightPub(chunk, at + 4, limits, args) : -1;
  if (letter === 0x68 /* h */ && limits.headers) {
    return isVerb(chunk, at + 1) ? straightHpub(chunk, at + 5, limits, args) : -1;
  }
  return -1;
}

function isVerb(chunk: Buffer, at: number): boolean {
  return (
    (chunk[at]! | 0x20) === 0x70 /* p */ &&
    (chunk[at + 1]! | 0x20) === 0x75 /* u */ &&
    (chunk[at + 2]! | 0x20) === 0x62 /* b */ &&
    chunk[at + 3] === SPACE
  );
}

/** `<subject> [reply] <size>`. */
function straightPub(chunk: Buffer, lineStart: number, limits: ParserLimits, args: PublishArgs): number {
  const end = chunk.length;
  const subjectEnd = tokenEnd(chunk, lineStart, end);
  let sizeStart = subjectEnd + 1;
  let lineEnd = tokenEnd(chunk, sizeStart, end);
  let replyStart = -1;
  let replyEnd = -1;
  if (lineEnd < end && chunk[lineEnd] === SPACE) {
    replyStart = sizeStart;
    replyEnd = lineEnd;
    sizeStart = lineEnd + 1;
    lineEnd = tokenEnd(chunk, sizeStart, end);
    if (replyStart === replyEnd) return -1;
  }
  const size = parseSize(chunk, sizeStart, lineEnd);
  if (
    size < 0 ||
    subjectEnd === lineStart ||
    chunk[subjectEnd] !== SPACE ||
    !isComplete(chunk, lineStart, lineEnd, size, limits)
  ) {
    return -1;
  }
  args.sizeStart = sizeStart;
  args.totalSizeStart = sizeStart;
  args.headerSize = -1;
  args.headerSizeEnd = -1;
  args.replyStart = replyStart;
  args.replyEnd = replyEnd;
  return fill(args, chunk, lineStart, subjectEnd, lineEnd, size);
}

/** `<subject> [reply] <hdrsize> <totalsize>`. */
function straightHpub(chunk: Buffer, lineStart: number, limits: ParserLimits, args: PublishArgs): number {
  const end = chunk.length;
  const subjectEnd = tokenEnd(chunk, lineStart, end);
  let sizeStart = subjectEnd + 1;
  let headerSizeEnd = tokenEnd(chunk, sizeStart, end);
  let totalStart = headerSizeEnd + 1;
  let lineEnd = tokenEnd(chunk, totalStart, end);
  let replyStart = -1;
  let replyEnd = -1;
  if (lineEnd < end && chunk[lineEnd] === SPACE) {
    replyStart = sizeStart;
    replyEnd = headerSizeEnd;
    sizeStart = totalStart;
    headerSizeEnd = lineEnd;
    totalStart = lineEnd + 1;
    lineEnd = tokenEnd(chunk, totalStart, end);
    if (replyStart === replyEnd || chunk[replyEnd] !== SPACE) return -1;
  }
  const headerSize = parseSize(chunk, sizeStart, headerSizeEnd);
  const size = parseSize(chunk, totalStart, lineEnd);
  if (
    headerSize < 0 ||
    size < headerSize ||
    subjectEnd === lineStart ||
    chunk[subjectEnd] !== SPACE ||
    chunk[headerSizeEnd] !== SPACE ||
    !isComplete(chunk, lineStart, lineEnd, size, limits)
  ) {
    return -1;
  }
  args.sizeStart = sizeStart;
  args.totalSizeStart = totalStart;
  args.headerSize = headerSize;
  args.headerSizeEnd = headerSizeEnd;
  args.replyStart = replyStart;
  args.replyEnd = replyEnd;
  return fill(args, chunk, lineStart, subjectEnd, lineEnd, size);
}

/** End of the token at `at`: the next byte that is no larger than a blank, or `end`. */
function tokenEnd(chunk: Buffer, at: number, end: number): number {
  while (at < end && chunk[at]! > SPACE) at++;
  return at;
}

/** Line end where the line ends, payload and its line end in the chunk, both limits kept. */
function isComplete(chunk: Buffer, lineStart: number, lineEnd: number, size: number, limits: ParserLimits): boolean {
  const payloadEnd = lineEnd + 2 + size;
  return (
    payloadEnd + 2 <= chunk.length &&
    chunk[lineEnd] === CR &&
    chunk[lineEnd + 1] === LF &&
    chunk[payloadEnd] === CR &&
    chunk[payloadEnd + 1] === LF &&
    lineEnd - lineStart <= limits.maxControlLine &&
    (size <= limits.maxPayload || limits.maxPayload < 0)
  );
}

function fill(
  args: PublishArgs,
  chunk: Buffer,
  lineStart: number,
  subjectEnd: number,
  lineEnd: number,
  size: number,
): number {
  const payloadEnd = lineEnd + 2 + size;
  args.buffer = chunk;
  args.subjectStart = lineStart;
  args.subjectEnd = subjectEnd;
  args.sizeEnd = lineEnd;
  args.payloadStart = lineEnd + 2;
  args.payloadEnd = payloadEnd;
  return payloadEnd + 2;
}
