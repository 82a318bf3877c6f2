import type { ArgumentError } from './arguments.ts';
import { CLOSE_REASONS, WIRE_ERRORS } from './errors.ts';
import { goQuoteBytes } from './go-quote.ts';
import type { ProtocolViolation } from './violation.ts';

/** Bytes of the input that a parse error shows in the log. Equivalent to PROTO_SNIPPET_SIZE in nats-server. */
const PARSE_SNIPPET_BYTES = 32;

/** Bytes that are no operation: `at` is the offset in the chunk of the first byte that does not fit. */
export function parseViolation(state: number, at: number, chunk: Buffer): ProtocolViolation {
  return {
    kind: 'parse',
    wireText: WIRE_ERRORS.unknownProtocolOperation,
    closeReason: CLOSE_REASONS.protocolViolation,
    logText: `Client parser ERROR, state=${state}, i=${at}: proto='${snippet(chunk, at)}...'`,
  };
}

/** As nats-server cuts it: one byte less than there is when the input ends before the snippet does. */
function snippet(source: Buffer, start: number): string {
  const end = start + PARSE_SNIPPET_BYTES > source.length ? source.length - 1 : start + PARSE_SNIPPET_BYTES;
  return goQuoteBytes(source, start, Math.max(start, end));
}

/** Arguments that cannot be used: nothing is sent (spec/core.md 1.1). */
export function argumentViolation(
  error: ArgumentError | 'processSub Parse Error' | 'processUnsub Parse Error',
  source: Buffer,
  start: number,
  end: number,
): ProtocolViolation {
  return {
    kind: 'argument',
    wireText: null,
    closeReason: CLOSE_REASONS.protocolViolation,
    logText: `${error}: ${goQuoteBytes(source, start, end)}`,
  };
}

/** A control line over the limit. */
export function controlLineViolation(): ProtocolViolation {
  return {
    kind: 'control-line',
    wireText: WIRE_ERRORS.maxControlLine,
    closeReason: CLOSE_REASONS.maxControlLine,
    logText: WIRE_ERRORS.maxControlLine,
  };
}

/** A message over the limit, known from its control line. */
export function maxPayloadViolation(size: number, limit: number): ProtocolViolation {
  return {
    kind: 'max-payload',
    wireText: WIRE_ERRORS.maxPayload,
    closeReason: CLOSE_REASONS.maxPayload,
    logText: `maximum payload exceeded: ${size} vs ${limit}`,
  };
}

/** HPUB from a client that did not ask for headers, or on a server without them. */
export function headersViolation(): ProtocolViolation {
  return {
    kind: 'headers-not-supported',
    wireText: null,
    closeReason: CLOSE_REASONS.protocolViolation,
    logText: 'message headers not supported',
  };
}

/** Anything but CONNECT from a client that has yet to authenticate. */
export function authorizationViolation(): ProtocolViolation {
  return {
    kind: 'authorization',
    wireText: WIRE_ERRORS.authorization,
    closeReason: CLOSE_REASONS.authenticationFailure,
    logText: 'authentication error',
  };
}
