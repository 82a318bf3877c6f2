import { stringifyGoJson } from './go-json-text.ts';
import type { PublishArgs } from './publish-args.ts';
import type { ServerInfo } from './server-info.ts';
import { subjectByteLength, writeSubject } from './subject-bytes.ts';

/** Constant lines. Shared: never write into them. */
export const CRLF: Buffer = Buffer.from('\r\n');
export const OK: Buffer = Buffer.from('+OK\r\n');
export const PING: Buffer = Buffer.from('PING\r\n');
export const PONG: Buffer = Buffer.from('PONG\r\n');

const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;
const M = 0x4d;
const H = 0x48;
const S = 0x53;
const G = 0x47;

/** Fields of INFO in the order of nats-server. The ones in `INFO_ALWAYS` stand there whatever their value. */
const INFO_ORDER: readonly (keyof ServerInfo)[] = [
  'server_id',
  'server_name',
  'version',
  'proto',
  'git_commit',
  'go',
  'host',
  'port',
  'headers',
  'auth_required',
  'tls_required',
  'tls_verify',
  'tls_available',
  'max_payload',
  'jetstream',
  'client_id',
  'client_ip',
  'nonce',
  'cluster',
  'domain',
  'connect_urls',
  'ws_connect_urls',
  'ldm',
  'connect_info',
  'remote_account',
  'acc_is_sys',
  'api_lvl',
  'xkey',
];
const INFO_ALWAYS: ReadonlySet<keyof ServerInfo> = new Set([
  'server_id',
  'server_name',
  'version',
  'proto',
  'go',
  'host',
  'port',
  'headers',
  'max_payload',
]);

/** `INFO {json} \r\n`, with the blank before the line end. Optional fields are left out when false, 0 or empty. */
export function encodeInfo(info: ServerInfo): Buffer {
  const fields: Record<string, unknown> = {};
  for (const key of INFO_ORDER) {
    const value = info[key];
    if (INFO_ALWAYS.has(key) || !isEmpty(value)) fields[key] = value;
  }
  return Buffer.from(`INFO ${stringifyGoJson(fields)} \r\n`);
}

function isEmpty(value: ServerInfo[keyof ServerInfo]): boolean {
  return !value || (Array.isArray(value) && value.length === 0);
}

/** `-ERR 'text'\r\n`. A subject in the text may hold the lone surrogates of `subjectFromBytes`. */
export function encodeError(text: string): Buffer {
  const line = Buffer.allocUnsafe(subjectByteLength(text) + 9);
  let at = line.write("-ERR '", 0, 'latin1');
  at = writeSubject(text, line, at);
  line.write("'\r\n", at, 'latin1');
  return line;
}

/** Most bytes `writeMsgHead` writes for this message and a sid of `sidBytes` bytes. */
export function msgHeadBytesMax(args: PublishArgs, sidBytes: number): number {
  return (
    10 +
    args.subjectEnd -
    args.subjectStart +
    sidBytes +
    (args.replyEnd - args.replyStart) +
    (args.sizeEnd - args.sizeStart)
  );
}

/**
 * Writes `MSG <subject> <sid> [reply] <size>\r\n`, or `HMSG … <hdrsize> <totalsize>\r\n` when the message has a header
 * block and `headers` says that the receiver takes one, into `target` at `offset`; returns the offset behind it. Size
 * tokens are copied verbatim; a receiver without headers gets the size without the header block, which the caller leaves
 * out of what follows. The caller has made room (`msgHeadBytesMax`). Source: spec/core.md 1.2.
 */
export function writeMsgHead(
  target: Buffer,
  offset: number,
  args: PublishArgs,
  sid: Uint8Array,
  headers: boolean,
): number {
  const source = args.buffer;
  const withHeaders = headers && args.headerSize > 0;
  if (withHeaders) target[offset++] = H;
  target[offset] = M;
  target[offset + 1] = S;
  target[offset + 2] = G;
  target[offset + 3] = SPACE;
  offset = copyShort(source, args.subjectStart, args.subjectEnd, target, offset + 4);
  target[offset++] = SPACE;
  for (let i = 0; i < sid.length; i++) target[offset++] = sid[i]!;
  target[offset++] = SPACE;
  if (args.replyStart >= 0) {
    offset = copyShort(source, args.replyStart, args.replyEnd, target, offset);
    target[offset++] = SPACE;
  }
  if (withHeaders) {
    offset = copyShort(source, args.sizeStart, args.headerSizeEnd, target, offset);
    target[offset++] = SPACE;
  }
  if (args.headerSize > 0 && !headers) {
    offset = writeDecimal(args.payloadEnd - args.payloadStart - args.headerSize, target, offset);
  } else {
    offset = copyShort(source, args.totalSizeStart, args.sizeEnd, target, offset);
  }
  target[offset] = CR;
  target[offset + 1] = LF;
  return offset + 2;
}

/** Bytes `writeMsgHeadOf` writes at most. */
export function msgHeadOfBytesMax(subject: string, sidBytes: number, reply: string | null): number {
  return 33 + subjectByteLength(subject) + sidBytes + (reply === null ? 0 : subjectByteLength(reply));
}

/**
 * `writeMsgHead` for a message the server itself sends. `headerSize` 0 = MSG. `totalSize` counts the header block.
 */
export function writeMsgHeadOf(
  target: Buffer,
  offset: number,
  subject: string,
  sid: Uint8Array,
  reply: string | null,
  headerSize: number,
  totalSize: number,
): number {
  if (headerSize > 0) target[offset++] = H;
  target[offset] = M;
  target[offset + 1] = S;
  target[offset + 2] = G;
  target[offset + 3] = SPACE;
  offset = writeSubject(subject, target, offset + 4);
  target[offset++] = SPACE;
  for (let i = 0; i < sid.length; i++) target[offset++] = sid[i]!;
  target[offset++] = SPACE;
  if (reply !== null) {
    offset = writeSubject(reply, target, offset);
    target[offset++] = SPACE;
  }
  if (headerSize > 0) {
    offset = writeDecimal(headerSize, target, offset);
    target[offset++] = SPACE;
  }
  offset = writeDecimal(totalSize, target, offset);
  target[offset] = CR;
  target[offset + 1] = LF;
  return offset + 2;
}

/** Writes a non-negative integer below 2^53 in decimal and returns the offset behind it. */
export function writeDecimal(value: number, target: Buffer, offset: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  for (let i = offset + digits - 1; i >= offset; i--) {
    const rest = Math.floor(value / 10);
    target[i] = 0x30 + (value - rest * 10);
    value = rest;
  }
  return offset + digits;
}

/** Copies a few bytes; a native call costs more than the loop below about 32 of them. */
function copyShort(source: Buffer, start: number, end: number, target: Buffer, offset: number): number {
  if (end - start > 32) {
    source.copy(target, offset, start, end);
    return offset + end - start;
  }
  for (let i = start; i < end; i++) target[offset++] = source[i]!;
  return offset;
}
