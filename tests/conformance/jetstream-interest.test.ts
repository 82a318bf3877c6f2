import { describeSameTranscript, type Transcript } from '../src/index.ts';

/** Two messages on the stream S, nobody listens yet. */
async function stream(t: Transcript): Promise<void> {
  await t.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.*'] });
  await t.request('s.0', 'm0');
  await t.request('s.1', 'm1');
}

async function push(t: Transcript, config: Record<string, unknown>): Promise<void> {
  await t.api('CONSUMER.CREATE.S.C', { stream_name: 'S', config: { durable_name: 'C', ...config } });
}

async function listen(t: Transcript, subject: string, queue: string | null = null): Promise<string> {
  const sid = t.client.subscribe(subject, queue);
  await t.client.flush();
  return sid;
}

async function leave(t: Transcript, sid: string): Promise<void> {
  t.client.unsubscribe(sid);
  await t.client.flush();
}

/** Polls CONSUMER.INFO until the consumer is bound (or not), then takes it into the transcript. */
async function settle(t: Transcript, name: string, isBound: boolean): Promise<void> {
  const endMs = Date.now() + 5_000;
  while (Date.now() < endMs) {
    const answer = await t.client.request(`$JS.API.CONSUMER.INFO.S.${name}`);
    if (answer.kind === 'message' && answer.message.payload.includes('"push_bound":true') === isBound) break;
  }
  await t.api(`CONSUMER.INFO.S.${name}`);
}

describeSameTranscript('JetStream interest in deliver subjects', ['-js'], {
  'a pattern does not bind a push consumer, but gets what the literal subscriber gets': async (t) => {
    await stream(t);
    const pattern = await listen(t, 'd.*');
    await push(t, { deliver_subject: 'd.1', ack_policy: 'explicit' });
    await t.expectNothing(pattern);
    await settle(t, 'C', false);
    const literal = await listen(t, 'd.1');
    await t.take(literal, 2);
    await t.take(pattern, 2);
    await settle(t, 'C', true);
    await leave(t, literal);
    await settle(t, 'C', false);
    await t.request('s.1', 'm2');
    await t.expectNothing(pattern);
    await settle(t, 'C', false);
  },

  'a queue subscriber does not bind a push consumer without a group': async (t) => {
    await stream(t);
    const queue = await listen(t, 'd.1', 'g');
    await push(t, { deliver_subject: 'd.1' });
    await t.expectNothing(queue);
    await settle(t, 'C', false);
    const plain = await listen(t, 'd.1');
    await t.take(plain, 2);
    await t.take(queue, 2);
    await settle(t, 'C', true);
    await leave(t, plain);
    await settle(t, 'C', false);
  },

  'a deliver group is bound by exactly its queue subscribers': async (t) => {
    await stream(t);
    const plain = await listen(t, 'd.1');
    const pattern = await listen(t, 'd.*', 'g');
    const other = await listen(t, 'd.1', 'h');
    await push(t, { deliver_subject: 'd.1', deliver_group: 'g' });
    await t.expectNothing(plain);
    await t.expectNothing(other);
    await settle(t, 'C', false);
    await leave(t, pattern);
    const member = await listen(t, 'd.1', 'g');
    await t.take(member, 2);
    await settle(t, 'C', true);
    await leave(t, member);
    await settle(t, 'C', false);
  },

  'the deliver subject may change only while nobody listens, by a pattern or in a queue': async (t) => {
    await stream(t);
    const pattern = await listen(t, 'd.*');
    await push(t, { deliver_subject: 'd.1' });
    await push(t, { deliver_subject: 'd.2' });
    await leave(t, pattern);
    const queue = await listen(t, 'd.1', 'q');
    await push(t, { deliver_subject: 'd.2' });
    await leave(t, queue);
    await push(t, { deliver_subject: 'd.2' });
    const literal = await listen(t, 'd.2');
    await t.take(literal, 2);
    await settle(t, 'C', true);
  },

  'an inactive threshold runs on while only a pattern listens': async (t) => {
    await stream(t);
    await listen(t, 'd.*');
    await push(t, { deliver_subject: 'd.1', inactive_threshold: 200_000_000 });
    const deleted = t.client.subscribe('$JS.EVENT.ADVISORY.CONSUMER.DELETED.S.C');
    t.note(`deleted: ${(await t.client.next(deleted, 5_000)) !== null}`);
    await t.api('CONSUMER.INFO.S.C');
  },

  'a stream that captures the deliver subject literally binds the consumer, one that does by a pattern does not':
    async (t) => {
      await stream(t);
      await t.api('STREAM.CREATE.CAP', { name: 'CAP', subjects: ['d.1', 'e.*'] });
      await push(t, { deliver_subject: 'd.1', ack_policy: 'explicit' });
      await settle(t, 'C', true);
      await t.api('CONSUMER.CREATE.S.E', { stream_name: 'S', config: { durable_name: 'E', deliver_subject: 'e.1' } });
      await settle(t, 'E', false);
      await t.api('STREAM.MSG.GET.CAP', { seq: 1 });
      await t.api('STREAM.MSG.GET.CAP', { seq: 2 });
      await t.api('STREAM.DELETE.CAP');
      await settle(t, 'C', false);
    },
});
