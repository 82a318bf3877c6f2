import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENVELOPE_PREFIX_BYTES, messageContext, parseTraceparent } from '../../src/tracing/trace-context.ts';
import { event } from './support.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;
const PARENT = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1, isRemote: true };

/** The context of a message that stands somewhere in a larger buffer. */
function contextOf(payload: string, headers = ''): ReturnType<typeof messageContext> {
  const block = headers === '' ? '' : `NATS/1.0\r\n${headers}\r\n\r\n`;
  const before = '{"Metadata":{"traceparent":"before';
  const buffer = Buffer.from(`${before}${block}${payload}"}}`, 'latin1');
  const payloadStart = before.length + block.length;
  return messageContext(buffer, before.length, payloadStart, buffer, payloadStart, payloadStart + payload.length);
}

describe('a traceparent', () => {
  it.each([
    [TRACEPARENT, PARENT],
    [`00-${TRACE_ID}-${SPAN_ID}-00`, { ...PARENT, traceFlags: 0 }],
    [`00-${TRACE_ID}-${SPAN_ID}-03`, PARENT],
    [`01-${TRACE_ID}-${SPAN_ID}-01-more`, PARENT],
    [`00-${TRACE_ID}-${SPAN_ID}-01-more`, null],
    [`ff-${TRACE_ID}-${SPAN_ID}-01`, null],
    [`00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`, null],
    [`00-${'0'.repeat(32)}-${SPAN_ID}-01`, null],
    [`00-${TRACE_ID}-${'0'.repeat(16)}-01`, null],
    [`00-${TRACE_ID}-${SPAN_ID}`, null],
    ['', null],
  ])('%j is read by the rules of W3C Trace Context', (text, context) => {
    expect(parseTraceparent(text)).toEqual(context);
  });
});

describe('a message', () => {
  it("names its trace in an event's envelope", () => {
    expect(contextOf(event(TRACEPARENT))).toEqual({ parent: PARENT, eventId: 'e-1', eventType: 'events.UploadReady' });
    expect(contextOf(event(''))).toEqual({ parent: null, eventId: 'e-1', eventType: 'events.UploadReady' });
  });

  it('names its trace in a header, whose name may be in any case, and which counts over the envelope', () => {
    for (const name of ['traceparent', 'Traceparent', 'TRACEPARENT']) {
      expect(contextOf('text', `X: 1\r\n${name}: ${TRACEPARENT}`).parent).toEqual(PARENT);
    }
    expect(contextOf(event(`00-${'1'.repeat(32)}-${SPAN_ID}-01`), `traceparent:${TRACEPARENT}`)).toEqual({
      parent: PARENT,
      eventId: 'e-1',
      eventType: 'events.UploadReady',
    });
    const { parent } = contextOf('', `traceparent: ${TRACEPARENT}\r\ntracestate: a=1,b=2`);
    expect(parent?.traceState?.serialize()).toBe('a=1,b=2');
  });

  it('falls back to its envelope when the header is no traceparent', () => {
    expect(contextOf(event(TRACEPARENT), 'traceparent: nonsense').parent).toEqual(PARENT);
  });

  it.each([
    'text',
    '',
    '{',
    '{}',
    '{"Metadata":{',
    '{"Metadata":{"traceparent":"',
    `{"Metadata":{},"traceparent":"${TRACEPARENT}"}`,
    `["Metadata":{"traceparent":"${TRACEPARENT}"}]`,
  ])('%j names none', (payload) => {
    expect(contextOf(payload)).toEqual({ parent: null, eventId: '', eventType: '' });
  });

  it('is looked at no further than its prefix', () => {
    const withPadding = (bytes: number): string =>
      `{"Timestamp":"${' '.repeat(bytes)}","Metadata":{"traceparent":"${TRACEPARENT}"}}`;
    const fits = ENVELOPE_PREFIX_BYTES - withPadding(0).length;
    expect(contextOf(withPadding(fits)).parent).toEqual(PARENT);
    expect(contextOf(withPadding(fits + 10)).parent).toBeNull();
  });

  it('of any bytes is read without an error', () => {
    const pieces = fc.constantFrom(
      '{',
      '"Metadata":{',
      '"traceparent":"',
      TRACEPARENT,
      '"',
      '}',
      '\r\n',
      'traceparent:',
      'é',
    );
    const text = fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, (payload, headers) => {
        const { parent } = contextOf(payload, headers);
        expect(parent === null || /^[0-9a-f]{32}$/.test(parent.traceId)).toBe(true);
      }),
    );
  });
});
