import { decodeJson } from '../json/decode.ts';
import type { Integer } from '../json/integer.ts';
import { type ObjectSchema, objectSchema } from '../json/schema.ts';
import { JsonError } from '../json/value.ts';
import type { ConsumerConfig } from './config.ts';
import { ceilMs, formatGoDuration } from './go-duration.ts';
import { status } from './status.ts';

/** What a pull request asks for. */
export interface PullWants {
  /** Messages; 0 and less mean one, but are shown as they came. */
  readonly batch: number;
  /** Bytes of all messages together; ≤ 0 = no limit. */
  readonly maxBytes: number;
  readonly noWait: boolean;
  /** Milliseconds until it ends; infinite without `expires`. */
  readonly expiresMs: number;
  /** 0 = no heartbeats. */
  readonly heartbeatMs: number;
}

const ONE_MESSAGE: PullWants = {
  batch: 1,
  maxBytes: 0,
  noWait: false,
  expiresMs: Number.POSITIVE_INFINITY,
  heartbeatMs: 0,
};

// Without a name: Go's error texts have none here, because a part of the struct is embedded.
const PULL_SCHEMA: ObjectSchema = objectSchema('', {
  expires: 'duration',
  batch: 'int',
  max_bytes: 'int',
  no_wait: 'bool',
  idle_heartbeat: 'duration',
  group: 'string',
  min_pending: 'int64',
  min_ack_pending: 'int64',
  id: 'string',
  priority: 'int',
});

interface PullFields {
  readonly expires?: Integer;
  readonly batch?: Integer;
  readonly max_bytes?: Integer;
  readonly no_wait?: boolean;
  readonly idle_heartbeat?: Integer;
  readonly min_pending?: Integer;
  readonly min_ack_pending?: Integer;
  readonly id?: string;
  readonly priority?: Integer;
}

const OPENING_BRACE = 0x7b;

/**
 * Reads the body of a pull request: empty, a number of messages, or JSON. Anything else asks for one message
 * (spec/jetstream.md 4.3).
 * @returns what it wants, or the status message that refuses it
 */
function readPullRequest(body: Buffer, config: ConsumerConfig): PullWants | Buffer {
  const start = skipBlanks(body);
  if (start === body.length) return limited(ONE_MESSAGE, 0, config);
  if (body[start] === OPENING_BRACE) return readFields(body.subarray(start), config);
  const text = body.toString('latin1', start).trim();
  return limited({ ...ONE_MESSAGE, batch: readNumber(text) ?? 1 }, 0, config);
}

function readFields(body: Buffer, config: ConsumerConfig): PullWants | Buffer {
  let fields: PullFields;
  try {
    fields = decodeJson(trimEnd(body), PULL_SCHEMA, { strict: false });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return status(`400 Bad Request - ${error.message}`);
  }
  const expires = fields.expires ?? 0;
  const heartbeat = fields.idle_heartbeat ?? 0;
  if (heartbeat > 0 && Number(heartbeat) * 2 > Number(expires))
    return status('400 Bad Request - heartbeat value too large');
  const wants: PullWants = {
    batch: countable(fields.batch ?? 0),
    maxBytes: countable(fields.max_bytes ?? 0),
    noWait: fields.no_wait ?? false,
    expiresMs: expires === 0 ? Number.POSITIVE_INFINITY : Math.max(0, ceilMs(expires)),
    heartbeatMs: heartbeat > 0 ? ceilMs(heartbeat) : 0,
  };
  const result = limited(wants, expires, config);
  return Buffer.isBuffer(result) ? result : (refusePriority(fields) ?? result);
}

/** Go's strconv.Atoi; null = no integer of 64 bits. */
function readNumber(text: string): number | null {
  if (!/^[+-]?[0-9]+$/.test(text)) return null;
  const number = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return number === BigInt.asIntN(64, number) ? countable(number) : null;
}

/** As far as it can be counted down exactly: nobody gets to the end of more. */
function countable(value: Integer): number {
  return Math.max(Math.min(Number(value), Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER);
}

function limited(wants: PullWants, expires: Integer, config: ConsumerConfig): PullWants | Buffer {
  if (config.max_batch > 0 && wants.batch > config.max_batch) {
    return status(`409 Exceeded MaxRequestBatch of ${config.max_batch}`);
  }
  if (config.max_expires > 0 && expires > config.max_expires) {
    return status(`409 Exceeded MaxRequestExpires of ${formatGoDuration(config.max_expires)}`);
  }
  if (config.max_bytes > 0 && wants.maxBytes > config.max_bytes) {
    return status(`409 Exceeded MaxRequestMaxBytes of ${config.max_bytes}`);
  }
  return wants;
}

/** A consumer without priority groups refuses their options; a group by itself is ignored. */
function refusePriority(fields: PullFields): Buffer | null {
  if ((fields.min_pending ?? 0) !== 0 || (fields.min_ack_pending ?? 0) !== 0) {
    return status('400 Bad Request - Not a Overflow Priority consumer');
  }
  if ((fields.id ?? '') !== '') return status('400 Bad Request - Not a Pinned Client Priority consumer');
  const priority = fields.priority ?? 0;
  if (priority < 0 || priority > 9) return status('400 Bad Request - Priority must be between 0 and 9');
  return null;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

function skipBlanks(body: Buffer): number {
  let at = 0;
  while (at < body.length && isBlank(body[at])) at++;
  return at;
}

function trimEnd(body: Buffer): Buffer {
  let end = body.length;
  while (end > 0 && isBlank(body[end - 1])) end--;
  return body.subarray(0, end);
}

/** Longest body that is remembered, bytes; a longer one is read each time. */
export const REMEMBERED_BYTES_MAX = 1024;

/** Clients repeat the same request for ever: the last body is remembered with what it means. */
export class PullRequestReader {
  #body: Buffer = Buffer.alloc(0);
  #config: ConsumerConfig | null = null;
  #result: PullWants | Buffer = ONE_MESSAGE;

  read(buffer: Buffer, start: number, end: number, config: ConsumerConfig): PullWants | Buffer {
    const isKnown =
      this.#config === config &&
      this.#body.length === end - start &&
      buffer.compare(this.#body, 0, this.#body.length, start, end) === 0;
    if (isKnown) return this.#result;
    const body = Buffer.from(buffer.subarray(start, end));
    const result = readPullRequest(body, config);
    if (body.length <= REMEMBERED_BYTES_MAX) {
      this.#body = body;
      this.#config = config;
      this.#result = result;
    }
    return result;
  }
}
