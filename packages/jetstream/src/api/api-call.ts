import { requiresHigherLevel } from '../consumer/level.ts';
import { ApiError, apiError } from '../errors/api-error.ts';
import type { ClientInfo, HostMessage } from '../host.ts';
import { decodeJson } from '../json/decode.ts';
import { isBlank, JsonReader } from '../json/parse.ts';
import type { ObjectSchema } from '../json/schema.ts';
import { JsonError } from '../json/value.ts';
import type { ApiRequest } from './request.ts';

/** Prefix of every API subject. */
export const API_PREFIX = '$JS.API.';

/** What a call needs of who dispatches it. */
export interface CallSink {
  /** Bodies with unknown fields are refused. */
  readonly isStrict: boolean;
  /** Sends the answer, counts it and tells the audit. */
  answer(call: ApiCall, response: Readonly<Record<string, unknown>>, failed: boolean): void;
  /** The body is not what it should be; `problem` in Go's words. */
  invalid(call: ApiCall, problem: string): void;
}

/** A request on its way through the queue. Holds its own copy of the bytes. */
export class ApiCall implements ApiRequest {
  readonly subject: string;
  readonly tokens: readonly string[];
  readonly header: Buffer | null;
  readonly body: Buffer;
  readonly reply: string | null;
  readonly client: ClientInfo | null;
  /** What the observer of requests gave it; null: nobody watches it. */
  watched: number | null = null;
  readonly #type: string;
  readonly #errorFields: Readonly<Record<string, unknown>> | undefined;
  readonly #sink: CallSink;
  #isAnswered = false;

  /** @param type response type without `io.nats.jetstream.api.v1.` */
  constructor(
    message: HostMessage,
    route: { readonly type: string; readonly errorFields?: Readonly<Record<string, unknown>> },
    sink: CallSink,
  ) {
    const { buffer, headerStart, payloadStart, payloadEnd } = message;
    this.subject = message.subject;
    this.tokens = message.subject.slice(API_PREFIX.length).split('.');
    this.header = payloadStart > headerStart ? Buffer.from(buffer.subarray(headerStart, payloadStart)) : null;
    this.body = Buffer.from(buffer.subarray(payloadStart, payloadEnd));
    this.reply = message.reply;
    this.client = message.clientInfo();
    this.#type = `io.nats.jetstream.api.v1.${route.type}`;
    this.#errorFields = route.errorFields;
    this.#sink = sink;
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  get isBodyEmpty(): boolean {
    return this.body.every(isBlank);
  }

  decode(schema: ObjectSchema): Record<string, unknown> {
    if (this.isBodyEmpty) return {};
    try {
      return decodeJson(this.body, schema, { strict: true });
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      this.#sink.invalid(this, error.message);
      if (this.#sink.isStrict) throw apiError('InvalidJSON', { err: error.message });
      return this.unmarshal(schema);
    }
  }

  unmarshal(schema: ObjectSchema): Record<string, unknown> {
    try {
      return decodeJson(this.body, schema, { strict: false });
    } catch (error) {
      if (error instanceof JsonError) throw apiError('InvalidJSON', { err: error.message });
      throw error;
    }
  }

  decodeOptional(schema: ObjectSchema): Record<string, unknown> | null {
    const first = this.body.find((byte) => !isBlank(byte));
    return first === 0x7b || first === 0x5b ? this.decode(schema) : null;
  }

  /** As nats-server's isEmptyRequest: nothing at all, or an object without members. */
  get isEmptyRequest(): boolean {
    if (this.body.length === 0) return true;
    try {
      const reader = new JsonReader(this.body);
      const value = reader.read();
      reader.expectEnd();
      return value.kind === 'object' && value.members.length === 0;
    } catch (error) {
      if (error instanceof JsonError) return false;
      throw error;
    }
  }

  requireLevel(): void {
    const { header } = this;
    if (header !== null && requiresHigherLevel(header, 0, header.length)) throw apiError('RequiredApiLevel');
  }

  requireEmptyBody(): void {
    if (!this.isEmptyRequest) throw apiError('NotEmptyRequest');
  }

  respond(fields: Readonly<Record<string, unknown>>): void {
    this.#send({ type: this.#type, ...fields }, false);
  }

  /** @param isCounted false = the account's error count stays, as nats-server has it for some. */
  fail(error: ApiError, isCounted = true): void {
    this.#send({ type: this.#type, error, ...this.#errorFields }, isCounted);
  }

  #send(response: Readonly<Record<string, unknown>>, failed: boolean): void {
    if (this.#isAnswered) throw new Error(`request ${this.subject} was answered twice`);
    this.#isAnswered = true;
    this.#sink.answer(this, response, failed);
  }
}

/** Any error as one the API can show: unexpected ones become 10051 with their text. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return apiError('StreamGeneralError', { err: error instanceof Error ? error.message : String(error) });
}
