import { expect, it } from 'vitest';
import { ApiSpans, REQUESTS_MAX } from '../../src/tracing/jetstream-spans.ts';
import { MESSAGES_IN_FLIGHT_MAX, MessageSpans } from '../../src/tracing/message-spans.ts';
import { event, keptTracer } from './support.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const EVENT = Buffer.from(event(`00-${TRACE_ID}-${SPAN_ID}-01`));
const NO_HEADER = Buffer.alloc(0);

function taken(spans: MessageSpans, seq: number, payload: Buffer = EVENT): void {
  spans.taken('$G', 'S', seq, 's', NO_HEADER, 0, 0, payload, 0, payload.length);
}

function delivered(spans: MessageSpans, seq: number, deliveries = 1, awaitsAck = true, payload: Buffer = EVENT): void {
  const message = { seq, subject: 's', buffer: payload, headerStart: 0, payloadStart: 0, payloadEnd: payload.length };
  spans.delivered('$G', 'S', 'C', deliveries, awaitsAck, message);
}

it('follows a message from its publisher to the ack', async () => {
  await using kept = await keptTracer();
  const messages = new MessageSpans(kept.tracer, true);
  taken(messages, 1);
  expect(kept.spans.take()).toEqual([]);
  messages.stored('$G', 'S', 1);
  expect(kept.spans.take()).toEqual(['store S', 'publish S']);
  delivered(messages, 1);
  messages.settled('$G', 'S', 'C', 1, 'ack');
  expect(kept.spans.take()).toEqual(['ack S', 'deliver S']);
  expect(kept.spans.started.every((span) => span.spanContext().traceId === TRACE_ID)).toBe(true);
});

it('ends a delivery that nobody settles when the message goes out again, or not any more', async () => {
  await using kept = await keptTracer();
  const messages = new MessageSpans(kept.tracer, true);
  delivered(messages, 1);
  delivered(messages, 1, 2);
  delivered(messages, 2);
  messages.settled('$G', 'S', 'C', 1, 'exhausted');
  messages.settled('$G', 'S', 'C', 2, 'gone');
  messages.settled('$G', 'S', 'C', 2, 'ack');
  expect(
    kept.spans.ended.map(({ name, attributes, status }) => [name, attributes['nats.settlement'], status.code]),
  ).toEqual([
    ['deliver S', 'expired', 0],
    ['deliver S', 'exhausted', 2],
    ['deliver S', 'gone', 0],
  ]);
});

it('ends a delivery at once when no ack is asked for', async () => {
  await using kept = await keptTracer();
  delivered(new MessageSpans(kept.tracer, true), 1, 1, false);
  expect(kept.spans.ended[0]?.attributes['nats.settlement']).toBe('none');
});

it('begins no trace with a delivery', async () => {
  await using kept = await keptTracer();
  delivered(new MessageSpans(kept.tracer, true), 1, 1, true, Buffer.from('text'));
  expect(kept.spans.started).toEqual([]);
});

it('follows nothing that is not sampled', async () => {
  await using kept = await keptTracer({ OTEL_TRACES_SAMPLER: 'always_off' });
  const messages = new MessageSpans(kept.tracer, true);
  taken(messages, 1);
  messages.stored('$G', 'S', 1);
  delivered(messages, 1);
  messages.settled('$G', 'S', 'C', 1, 'ack');
  expect(kept.spans.started).toEqual([]);
});

it('follows a message whose sender is not sampled only where the sampler does not follow the sender', async () => {
  await using kept = await keptTracer({ OTEL_TRACES_SAMPLER: 'always_on' });
  const unsampled = Buffer.from(event(`00-${TRACE_ID}-${SPAN_ID}-00`));
  for (const followsSender of [true, false]) {
    const messages = new MessageSpans(kept.tracer, followsSender);
    taken(messages, 1, unsampled);
    messages.stored('$G', 'S', 1);
    delivered(messages, 1, 1, false, unsampled);
    expect(kept.spans.take()).toEqual(followsSender ? [] : ['store S', 'publish S', 'deliver S']);
  }
});

it('fails what the disk did not take, of that stream', async () => {
  await using kept = await keptTracer();
  const messages = new MessageSpans(kept.tracer, true);
  taken(messages, 1);
  messages.taken('$G', 'S2', 1, 's', NO_HEADER, 0, 0, EVENT, 0, EVENT.length);
  messages.notStored('$G', 'S', new Error('no space left'));
  expect(kept.spans.ended.map(({ name, status }) => [name, status.message])).toEqual([
    ['store S', 'no space left'],
    ['publish S', 'no space left'],
  ]);
});

it('does not take a message for one of the same name and number in a stream that is gone', async () => {
  await using kept = await keptTracer();
  const messages = new MessageSpans(kept.tracer, true);
  taken(messages, 1);
  messages.stored('$G', 'S', 1);
  messages.notStored('$G', 'S', new Error('stream is deleted'));
  kept.spans.take();
  delivered(messages, 1, 1, false, Buffer.from('text'));
  expect(kept.spans.take()).toEqual([]);
});

it(`lets the oldest of more than ${MESSAGES_IN_FLIGHT_MAX} messages go, at every station`, async () => {
  await using kept = await keptTracer();
  const messages = new MessageSpans(kept.tracer, true);
  for (let seq = 1; seq <= MESSAGES_IN_FLIGHT_MAX; seq++) taken(messages, seq);
  expect(kept.spans.take()).toEqual([]);
  taken(messages, MESSAGES_IN_FLIGHT_MAX + 1);
  expect(kept.spans.ended.map(({ name, attributes }) => [name, attributes['nats.stream_sequence']])).toEqual([
    ['store S', 1],
    ['publish S', 1],
  ]);
  for (let seq = 1; seq <= MESSAGES_IN_FLIGHT_MAX + 1; seq++) messages.stored('$G', 'S', seq);
  // One more: the publish span of the oldest that was stored is forgotten, and its deliveries join the sender's.
  taken(messages, MESSAGES_IN_FLIGHT_MAX + 2);
  messages.stored('$G', 'S', MESSAGES_IN_FLIGHT_MAX + 2);
  kept.spans.take();
  kept.spans.started.splice(0);
  for (let seq = 2; seq <= MESSAGES_IN_FLIGHT_MAX + 1; seq++) delivered(messages, seq);
  const parents = kept.spans.started.map((span) => span.parentSpanContext?.spanId);
  expect(parents[0]).toBe(SPAN_ID);
  expect(parents.slice(1)).not.toContain(SPAN_ID);
  expect(kept.spans.ended).toEqual([]);
  delivered(messages, MESSAGES_IN_FLIGHT_MAX + 2);
  expect(
    kept.spans.ended.map(({ attributes }) => [attributes['nats.stream_sequence'], attributes['nats.settlement']]),
  ).toEqual([[2, 'unknown']]);
  messages.stop();
  expect(kept.spans.take()).toHaveLength(1 + MESSAGES_IN_FLIGHT_MAX);
});

it(`watches ${REQUESTS_MAX} requests at a time`, async () => {
  await using kept = await keptTracer();
  const requests = new ApiSpans(kept.tracer);
  const request = { account: '$G', name: 'INFO', stream: '', consumer: '', header: null };
  const began = Array.from({ length: REQUESTS_MAX + 1 }, () => requests.apiBegan(request, Date.now()));
  expect(kept.spans.started).toHaveLength(REQUESTS_MAX);
  for (const number of began) requests.apiEnded(number, null);
  expect(kept.spans.ended).toHaveLength(REQUESTS_MAX);
});

it('a request joins the trace of its header', async () => {
  await using kept = await keptTracer();
  const requests = new ApiSpans(kept.tracer);
  const header = Buffer.from(`NATS/1.0\r\ntraceparent: 00-${TRACE_ID}-${SPAN_ID}-01\r\n\r\n`);
  requests.apiEnded(
    requests.apiBegan({ account: '$G', name: 'INFO', stream: '', consumer: '', header }, Date.now() - 50),
    null,
  );
  const [span] = kept.spans.ended;
  expect(span?.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID });
  // It waited for its turn.
  expect(span!.duration[0] * 1000 + span!.duration[1] / 1e6).toBeGreaterThanOrEqual(50);
});
