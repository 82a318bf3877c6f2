import type { JetStreamAccount } from '../account.ts';
import type { ApiCall } from './api-call.ts';

/** One API subject. A ConsumerRoute of the consumer part is one too. */
export interface ApiRoute {
  /** Response type without `io.nats.jetstream.api.v1.`. */
  readonly type: string;
  readonly queue: 'main' | 'info';
  /**
   * When Nats-Required-Api-Level is looked at: absent = before anything else, `later` = the handler does it (requireLevel), `never` =
   * what the answer is does not depend on it.
   */
  readonly levelCheck?: 'later' | 'never';
  /** Fields that an error reply of this type keeps. */
  readonly errorFields?: Readonly<Record<string, unknown>>;
  /** Lane of a request to these tokens, `S` or `S/C` (RequestQueue). Absent = it runs beside no other. */
  lane?(tokens: readonly string[]): string;
  /** Answers the call, or throws the ApiError to answer with. */
  handle(call: ApiCall, account: JetStreamAccount): void | Promise<void>;
}

/** Routes by subject pattern below `$JS.API.`. */
export type ApiRoutes = Readonly<Record<string, ApiRoute>>;
