import { createTraceState, isSpanContextValid, type SpanContext } from '@opentelemetry/api';

/** Bytes at the start of a payload that are looked at for an event's envelope. */
export const ENVELOPE_PREFIX_BYTES = 2_048;

const OPENING_BRACE = 0x7b;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const HEADER_NAMES = { traceparent: '\r\ntraceparent:', tracestate: '\r\ntracestate:' } as const;

/** What a message says of the trace it belongs to. */
export interface MessageContext {
  /** The span that sent it; null if it names none. */
  readonly parent: SpanContext | null;
  /** Of an event: its id and type; '' if there is none. */
  readonly eventId: string;
  readonly eventType: string;
}

const NOTHING: MessageContext = { parent: null, eventId: '', eventType: '' };

/**
 * The trace a message belongs to: as its `traceparent` header says, else `Metadata.traceparent` of the event in its payload
 * (spec/ocis.md 5). Of the payload only a prefix is looked at, without reading it as JSON: Go writes the envelope's metadata
 * before what the event carries, its keys sorted.
 */
export function messageContext(
  header: Buffer,
  headerStart: number,
  headerEnd: number,
  payload: Buffer,
  payloadStart: number,
  payloadEnd: number,
): MessageContext {
  const inHeader = headerEnd > headerStart ? headerContext(header, headerStart, headerEnd) : null;
  const envelope =
    payload[payloadStart] === OPENING_BRACE ? envelopeContext(payload, payloadStart, payloadEnd) : NOTHING;
  return inHeader === null ? envelope : { ...envelope, parent: inHeader };
}

/** The trace that a header block names, or null. */
export function headerContext(header: Buffer, start: number, end: number): SpanContext | null {
  const text = header.toString('latin1', start, end);
  const traceparent = headerValue(text, HEADER_NAMES.traceparent);
  return traceparent === '' ? null : parseTraceparent(traceparent, headerValue(text, HEADER_NAMES.tracestate));
}

/** Reads a `traceparent` of W3C Trace Context; null if it is none. A version above 00 may say more behind it. */
export function parseTraceparent(text: string, tracestate = ''): SpanContext | null {
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  const context: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(tracestate === '' ? {} : { traceState: createTraceState(tracestate) }),
  };
  return isSpanContextValid(context) ? context : null;
}

/** The value of a header, its name in any case; '' if it is not there. */
function headerValue(block: string, name: string): string {
  let at = block.indexOf(name);
  if (at < 0) at = block.toLowerCase().indexOf(name);
  if (at < 0) return '';
  const end = block.indexOf('\r\n', at + name.length);
  return block.slice(at + name.length, end < 0 ? undefined : end).trim();
}

function envelopeContext(payload: Buffer, start: number, end: number): MessageContext {
  const text = payload.toString('latin1', start, Math.min(end, start + ENVELOPE_PREFIX_BYTES));
  const metadata = text.indexOf('"Metadata":{');
  if (metadata < 0) return NOTHING;
  const close = text.indexOf('}', metadata);
  const inside = text.slice(metadata, close < 0 ? undefined : close);
  return {
    parent: parseTraceparent(jsonText(inside, '"traceparent":"')),
    eventId: jsonText(inside, '"eventid":"'),
    eventType: jsonText(inside, '"eventtype":"'),
  };
}

/** The text behind a key, up to its quote; '' if it is not there whole. */
function jsonText(text: string, key: string): string {
  const at = text.indexOf(key);
  if (at < 0) return '';
  const start = at + key.length;
  const end = text.indexOf('"', start);
  return end < 0 ? '' : text.slice(start, end);
}
