import type { ApiError } from '../errors/api-error.ts';
import type { ClientInfo } from '../host.ts';
import type { ObjectSchema } from '../json/schema.ts';

/** One request to `$JS.API.…`; its bytes are the request's own. */
export interface ApiRequest {
  /** Full subject. */
  readonly subject: string;
  /** Tokens of the subject after `$JS.API.`, e.g. `['CONSUMER', 'INFO', 'orders', 'worker']`. */
  readonly tokens: readonly string[];
  /** Header block, or null. */
  readonly header: Buffer | null;
  readonly body: Buffer;
  /** Where the answer goes; null = nobody waits (the action still runs). */
  readonly reply: string | null;
  /** Who asks; null when unknown. */
  readonly client: ClientInfo | null;
  /** True once it was answered. */
  readonly isAnswered: boolean;

  /** True if the body, spaces aside, is empty. */
  readonly isBodyEmpty: boolean;
  /**
   * Decodes the body as Go's json.Unmarshal, whatever the server's strictness: unknown fields are ignored, nothing at all is an error.
   * Throws ApiError 10025 with Go's text.
   */
  unmarshal(schema: ObjectSchema): Record<string, unknown>;
  /**
   * Decodes the body strictly or leniently as the server is set, and logs what is wrong with it. An empty body gives an empty object.
   * Throws ApiError 10025 with Go's text.
   */
  decode(schema: ObjectSchema): Record<string, unknown>;
  /** The same if the body is JSON at all (its first non-space byte is `{` or `[`), else null (spec/jetstream.md 1.1 "optional body"). */
  decodeOptional(schema: ObjectSchema): Record<string, unknown> | null;
  /** Throws ApiError 10185 if the request demands an API level that this server does not have. */
  requireLevel(): void;
  /** Throws ApiError 10038 unless the body is empty or `{}`. */
  requireEmptyBody(): void;

  /** Success: `{type, …fields}`. Keys in the order given; undefined ones are left out. Counts and audits the call. */
  respond(fields: Readonly<Record<string, unknown>>): void;
  /** Failure: `{type, error, …errorFields of the route}`. */
  fail(error: ApiError): void;
}
