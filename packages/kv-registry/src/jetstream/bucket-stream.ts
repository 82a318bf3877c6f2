import { RegistryError } from '../registry-error.ts';
import type { JetStreamLink, LinkMessage } from './link.ts';

/** Name of the bucket; oCIS and OpenCloud services know no other. */
const BUCKET = 'service-registry';
/** The stream that holds it. */
export const STREAM: string = `KV_${BUCKET}`;
/** Every key's subject. */
export const ALL_KEYS: string = `$KV.${BUCKET}.>`;
/** What stands before a key in its subject. */
export const KEY_PREFIX: string = `$KV.${BUCKET}.`;

const NS_PER_MS = 1_000_000;
/** nats.go: two minutes, or max_age if that is less. */
const DUPLICATE_WINDOW_MAX_MS = 120_000;
const STREAM_NOT_FOUND = 10_059;
const STREAM_NAME_IN_USE = 10_058;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const EMPTY = new Uint8Array(0);

/** The bucket as the server has it. */
export interface BucketState {
  /** Tells one bucket from another of the same name. */
  readonly created: string;
  readonly ttlMs: number;
  readonly allowDirect: boolean;
  /** The server's time when it answered, milliseconds since 1970; null: it does not say (before 2.10). */
  readonly serverMs: number | null;
}

/** An error that JetStream answers with. */
export interface ApiError {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

/** Asks for the bucket; makes it as the Go services do if there is none. An existing one is taken as it is. */
export async function openBucket(link: JetStreamLink, ttlMs: number): Promise<BucketState> {
  const found = await apiRequest(link, `STREAM.INFO.${STREAM}`, null);
  if (found.error?.err_code !== STREAM_NOT_FOUND) return stateOf(found);
  const made = await apiRequest(link, `STREAM.CREATE.${STREAM}`, creation(ttlMs));
  // Somebody else was faster, with other settings.
  if (made.error?.err_code === STREAM_NAME_IN_USE)
    return stateOf(await apiRequest(link, `STREAM.INFO.${STREAM}`, null));
  return stateOf(made);
}

/** The request of go-micro's nats-js-kv store, in its field order (spec/ocis.md 4). */
function creation(ttlMs: number): Record<string, unknown> {
  return {
    name: STREAM,
    description: 'KeyValue storage administered by go-micro store plugin',
    subjects: [ALL_KEYS],
    retention: 'limits',
    max_consumers: 0,
    max_msgs: -1,
    max_bytes: -1,
    discard: 'new',
    max_age: ttlMs * NS_PER_MS,
    max_msgs_per_subject: 1,
    max_msg_size: -1,
    storage: 'memory',
    num_replicas: 1,
    duplicate_window: Math.min(ttlMs > 0 ? ttlMs : DUPLICATE_WINDOW_MAX_MS, DUPLICATE_WINDOW_MAX_MS) * NS_PER_MS,
    compression: 'none',
    deny_delete: true,
    allow_rollup_hdrs: true,
    allow_direct: true,
    mirror_direct: false,
    consumer_limits: {},
  };
}

/** What JetStream answered. */
export type ApiAnswer = Readonly<Record<string, unknown>> & { readonly error?: ApiError };

/** A `$JS.API` request. Rejects when there is no JetStream, resolves with errors that JetStream answers. */
export async function apiRequest(link: JetStreamLink, subject: string, body: object | null): Promise<ApiAnswer> {
  const payload = body === null ? EMPTY : encoder.encode(JSON.stringify(body));
  const answer = await link.request(`$JS.API.${subject}`, payload);
  if (answer.status === 503) throw new RegistryError('unavailable', 'the NATS server has no JetStream');
  return parseAnswer(answer);
}

/** The JSON of an answer. */
export function parseAnswer(answer: LinkMessage): ApiAnswer {
  const text = decoder.decode(answer.payload);
  try {
    return JSON.parse(text) as ApiAnswer;
  } catch (cause) {
    throw new RegistryError('unavailable', `JetStream answered ${JSON.stringify(text.slice(0, 100))}, expected JSON`, {
      cause,
    });
  }
}

/** Throws what JetStream answered with, if that is an error. */
export function expectSuccess(answer: ApiAnswer, what: string): void {
  const { error } = answer;
  if (error === undefined) return;
  throw new RegistryError('unavailable', `${what}: JetStream answered ${error.description} (${error.err_code})`);
}

function stateOf(answer: ApiAnswer): BucketState {
  expectSuccess(answer, `bucket ${BUCKET}`);
  const config = (answer['config'] ?? {}) as Record<string, unknown>;
  const serverMs = Date.parse(String(answer['ts'] ?? ''));
  return {
    created: String(answer['created']),
    ttlMs: Number(config['max_age'] ?? 0) / NS_PER_MS,
    allowDirect: config['allow_direct'] === true,
    serverMs: Number.isNaN(serverMs) ? null : serverMs,
  };
}
