import type { IncomingHttpHeaders } from 'node:http';

/** A request to the debug server. */
export interface DebugRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when whoever asked has gone, or the server stops. */
  readonly signal: AbortSignal;
}

/** What it is answered with. */
export interface DebugAnswer {
  readonly status: number;
  readonly type: string;
  /** In one piece, or in several that are sent one after the other. */
  readonly body: string | Uint8Array | readonly Uint8Array[];
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One path of the debug server. */
export interface DebugRoute {
  /** The exact path. */
  readonly path: string;
  /** Answered without the token. Default false. */
  readonly isOpen?: boolean;
  /** What it throws is answered with 500 and logged. */
  answer(request: DebugRequest): DebugAnswer | Promise<DebugAnswer>;
}

export const PLAIN_TEXT = 'text/plain; charset=utf-8';

export function textAnswer(status: number, body: string): DebugAnswer {
  return { status, type: PLAIN_TEXT, body };
}

export function jsonAnswer(status: number, value: unknown): DebugAnswer {
  return { status, type: 'application/json', body: `${JSON.stringify(value, null, 2)}\n` };
}
