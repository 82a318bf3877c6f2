/**
 * Header blocks as they stand on the wire: `NATS/1.0[ status[ description]]` CR LF, then `Name: value` CR LF each, then
 * CR LF. The server relays them unread and unchecked (spec/core.md 1.2), so everything here copes with any bytes, and
 * finds what nats-server finds: exact case, first match, a name that stands at the start of a line behind the first one
 * and is followed by a colon at once.
 */

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** The first line of a block without status, with its line end. */
export const HEADER_LINE = 'NATS/1.0\r\n';
/** Bytes of a block without status and headers. */
const EMPTY_BLOCK_BYTES = HEADER_LINE.length + 2;

/** Where something stands: [start, end). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The value of the first header called `name` in the block `source[start, end)`, without the blanks before it; null when
 * there is none. Nothing is decoded or copied.
 */
export function findHeader(source: Buffer, start: number, end: number, name: Uint8Array): ByteRange | null {
  const line = findHeaderLine(source, start, end, name);
  if (line < 0) return null;
  let at = line + name.length + 1;
  while (at < end && source[at] === SPACE) at++;
  return { start: at, end: lineEnd(source, at, end) };
}

/**
 * The block with the first header called `name` set to `value`, or with the header added at the end. An empty `block` (no
 * headers yet) becomes one with this header. The input is not changed.
 */
export function setHeader(block: Buffer, name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name);
  if (block.length === 0) return Buffer.from(`${HEADER_LINE}${name}: ${value}\r\n\r\n`);
  const found = findHeader(block, 0, block.length, nameBytes);
  if (found !== null) {
    return Buffer.concat([block.subarray(0, found.start), Buffer.from(value), block.subarray(found.end)]);
  }
  const isClosed = block[block.length - 2] === CR && block[block.length - 1] === LF;
  const head = isClosed ? block.subarray(0, block.length - 2) : block;
  return Buffer.concat([head, Buffer.from(`${name}: ${value}\r\n${isClosed ? '\r\n' : ''}`)]);
}

/** The block without any header called `name`; null when nothing but the first line is left. The input is not changed. */
export function removeHeader(block: Buffer, name: string): Buffer | null {
  const nameBytes = Buffer.from(name);
  const kept: Buffer[] = [];
  let from = 0;
  let left = block.length;
  for (;;) {
    // The line end before the next candidate belongs to what was kept, so the search starts with it.
    const line = findHeaderLine(block, Math.max(from - 2, 0), block.length, nameBytes);
    if (line < 0) break;
    const next = lineEnd(block, line, block.length) + 2;
    kept.push(block.subarray(from, line));
    left -= Math.min(next, block.length) - line;
    from = Math.min(next, block.length);
  }
  if (left <= EMPTY_BLOCK_BYTES) return null;
  if (from === 0) return block;
  kept.push(block.subarray(from));
  return Buffer.concat(kept);
}

/**
 * A block that carries a status, as the server sends them: `NATS/1.0 404 No Messages` and headers.
 *
 * @param headers names and values, written in this order.
 */
export function encodeStatus(
  code: number,
  description: string,
  headers: readonly (readonly [name: string, value: string])[] = [],
): Buffer {
  let text = description === '' ? `NATS/1.0 ${code}\r\n` : `NATS/1.0 ${code} ${description}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  return Buffer.from(`${text}\r\n`);
}

/**
 * Walks over the header lines of a block without allocating: for who looks for several names in one message. Reset it,
 * then read the offsets after every `next` that returned true. Lines without a colon are passed over.
 */
export class HeaderCursor {
  nameStart = 0;
  nameEnd = 0;
  /** Value without the blanks before it. */
  valueStart = 0;
  valueEnd = 0;
  #source: Buffer | null = null;
  #at = 0;
  #end = 0;

  /** Begins with the block `source[start, end)`. */
  reset(source: Buffer, start: number, end: number): void {
    this.#source = source;
    this.#end = end;
    this.#at = lineEnd(source, start, end) + 2;
  }

  /** Goes to the next header; false (and the block is let go of) when there is none. */
  next(): boolean {
    const source = this.#source;
    const end = this.#end;
    while (source !== null && this.#at < end) {
      const start = this.#at;
      let colon = start;
      while (colon < end && source[colon] !== COLON && source[colon] !== LF) colon++;
      const stop = lineEnd(source, start, end);
      this.#at = stop + 2;
      if (colon >= stop) continue;
      let value = colon + 1;
      while (value < stop && source[value] === SPACE) value++;
      this.nameStart = start;
      this.nameEnd = colon;
      this.valueStart = value;
      this.valueEnd = stop;
      return true;
    }
    this.#source = null;
    return false;
  }
}

/** Start of the first line behind a CR LF in `source[start, end)` that begins with `name` and a colon; -1 if none. */
function findHeaderLine(source: Buffer, start: number, end: number, name: Uint8Array): number {
  const first = name[0];
  const length = name.length;
  let at = lineEnd(source, start, end) + 2;
  while (at + length < end) {
    if (source[at] === first && source[at + length] === COLON) {
      let k = 1;
      while (k < length && source[at + k] === name[k]) k++;
      if (k >= length) return at;
    }
    at = lineEnd(source, at, end) + 2;
  }
  return -1;
}

/** Offset of the first CR LF at or behind `at`, or `end`. */
function lineEnd(source: Buffer, at: number, end: number): number {
  for (; at + 1 < end; at++) {
    if (source[at] === CR && source[at + 1] === LF) return at;
  }
  return end;
}
