import { describe, expect, it } from 'vitest';
import { Harness } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';

async function openWith(config: Record<string, unknown> = {}): Promise<Harness> {
  const harness = await Harness.open();
  await harness.create({ name: 'S', subjects: ['s.>'], allow_direct: true, ...config });
  return harness;
}

/** Header block and payload of a stored message. */
async function stored(harness: Harness, seq: number): Promise<{ hdrs: string; data: string; subject: string }> {
  const { message } = await harness.json('STREAM.MSG.GET.S', { seq });
  const text = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString();
  return { hdrs: text(message.hdrs), data: text(message.data), subject: message.subject };
}

describe('what is stored', () => {
  it('has no status line and no Nats-Request-Info', async () => {
    const harness = await openWith();
    const publish = (headers: string): Promise<string> => harness.ask('s.a', 'x', { headers });
    await publish('NATS/1.0 100 Hi\r\nA: b\r\nNats-Request-Info: {}\r\nC: d\r\nNats-Request-Info: 2\r\n\r\n');
    await publish('NATS/1.0 503\r\n\r\n');
    await publish('NATS/1.0\r\nNats-Request-Info: {}\r\n\r\n');
    await publish('NATS/1.0\r\n\r\n');
    expect(await stored(harness, 1)).toEqual({ hdrs: 'NATS/1.0\r\nA: b\r\nC: d\r\n\r\n', data: 'x', subject: 's.a' });
    expect(await stored(harness, 2)).toEqual({ hdrs: '', data: 'x', subject: 's.a' });
    expect(await stored(harness, 3)).toEqual({ hdrs: '', data: 'x', subject: 's.a' });
    expect((await stored(harness, 4)).hdrs).toBe('NATS/1.0\r\n\r\n');
  });

  it('has the subject that the transform makes of it', async () => {
    const harness = await openWith({ subject_transform: { src: 's.*.x', dest: 't.{{wildcard(1)}}' } });
    await harness.ask('s.1.x');
    await harness.ask('s.1.y');
    expect([(await stored(harness, 1)).subject, (await stored(harness, 2)).subject]).toEqual(['t.1', 's.1.y']);
  });

  it('begins with first_seq', async () => {
    const harness = await openWith({ first_seq: 50 });
    expect(await harness.ask('s.a')).toBe('{"stream":"S","seq":50}');
  });
});

describe('headers', () => {
  it('count in exact case, and only the first of a name', async () => {
    const harness = await openWith();
    const publish = (headers: string): Promise<string> => harness.ask('s.a', '', { headers });
    expect(await publish('NATS/1.0\r\nnats-expected-stream: T\r\n\r\n')).toBe('{"stream":"S","seq":1}');
    expect(await publish('NATS/1.0\r\nX-Nats-Expected-Stream: T\r\n\r\n')).toBe('{"stream":"S","seq":2}');
    expect(await publish('NATS/1.0\r\nNats-Expected-Stream:S\r\nNats-Expected-Stream: T\r\n\r\n')).toBe(
      '{"stream":"S","seq":3}',
    );
    expect(await publish('NATS/1.0\r\nNats-Expected-Stream:    T\r\n\r\n')).toContain('10060');
  });

  it('may name another subject, wildcards included, for the expected sequence', async () => {
    const harness = await openWith();
    await harness.ask('s.a.1');
    await harness.ask('s.b.1');
    await harness.ask('s.a.2');
    const publish = (subject: string, seq: number): Promise<string> =>
      harness.ask('s.c', '', {
        headers: {
          'Nats-Expected-Last-Subject-Sequence': String(seq),
          'Nats-Expected-Last-Subject-Sequence-Subject': subject,
        },
      });
    expect(await publish('s.b.1', 1)).toContain('wrong last sequence: 2');
    expect(await publish('s.a.*', 1)).toContain('wrong last sequence: 3');
    expect(await publish('s.none', 1)).toContain('wrong last sequence: 0');
    expect(await publish('s.a.*', 3)).toBe('{"stream":"S","seq":4}');
  });

  it('refuse fast batches by their reply', async () => {
    const harness = await openWith();
    const replies = harness.account.inbox('R.>');
    harness.account.publish('s.a', '', { reply: 'R.id.10.ok.1.0.$FI' });
    await turns();
    expect(replies[0]!.payload).toContain('10205');
  });

  it('of more than 65535 bytes are refused', async () => {
    const harness = await openWith();
    expect(await harness.ask('s.a', '', { headers: { A: 'x'.repeat(65_535) } })).toContain('"err_code":10097');
  });
});

describe('the duplicate window', () => {
  it('answers with the first sequence until it is over', async () => {
    const harness = await openWith({ duplicate_window: 1_000_000_000 });
    const publish = (): Promise<string> => harness.ask('s.a', '', { headers: { 'Nats-Msg-Id': 'é' } });
    expect(await publish()).toBe('{"stream":"S","seq":1}');
    harness.host.clock.advance(999);
    expect(await publish()).toBe('{"stream":"S","seq":1,"duplicate": true}');
    harness.host.clock.advance(1);
    expect(await publish()).toBe('{"stream":"S","seq":2}');
  });
});

describe('roll-ups', () => {
  it('replace what came before on the subject, or in the stream', async () => {
    const harness = await openWith({ allow_rollup_hdrs: true });
    for (const subject of ['s.a', 's.b', 's.a']) await harness.ask(subject);
    await harness.ask('s.a', '', { headers: { 'Nats-Rollup': 'SUB' } });
    expect(await harness.state('S')).toMatchObject({ messages: 2, first_seq: 2, last_seq: 4, num_deleted: 1 });
    await harness.ask('s.c', '', { headers: { 'Nats-Rollup': 'all' } });
    expect(await harness.state('S')).toMatchObject({ messages: 1, first_seq: 5, last_seq: 5 });
  });

  it('happen without the message too, on an interest stream nobody listens to', async () => {
    const harness = await openWith({ allow_rollup_hdrs: true });
    await harness.ask('s.a');
    await harness.outcome('STREAM.UPDATE.S', {
      name: 'S',
      subjects: ['s.>'],
      allow_rollup_hdrs: true,
      retention: 'interest',
    });
    expect(await harness.ask('s.a', '', { headers: { 'Nats-Rollup': 'all' } })).toBe('{"stream":"S","seq":2}');
    expect(await harness.state('S')).toMatchObject({ messages: 0, first_seq: 3, last_seq: 2 });
  });
});

describe('streams without acks', () => {
  it('answer neither a message nor a refusal', async () => {
    const harness = await openWith({ no_ack: true, max_msg_size: 5 });
    expect(await harness.ask('s.a', 'x')).toBe('silence');
    expect(await harness.ask('s.a', '123456')).toBe('silence');
    expect((await harness.state('S')).messages).toBe(1);
  });
});

describe('republish', () => {
  it('adds what a light-weight client needs to see gaps', async () => {
    const harness = await openWith({ republish: { src: 's.>', dest: 'copy.>' } });
    const copies = harness.account.inbox('copy.>');
    await harness.ask('s.a', '1');
    await harness.ask('s.a', '2', { headers: { A: 'b' } });
    expect(copies.map(({ header, payload }) => header + payload)).toEqual([
      'NATS/1.0\r\nNats-Stream: S\r\nNats-Subject: s.a\r\nNats-Sequence: 1\r\nNats-Time-Stamp: 2026-01-02T03:04:05Z\r\nNats-Last-Sequence: 0\r\n\r\n1',
      'NATS/1.0\r\nA: b\r\nNats-Stream: S\r\nNats-Subject: s.a\r\nNats-Sequence: 2\r\nNats-Time-Stamp: 2026-01-02T03:04:05.000000001Z\r\nNats-Last-Sequence: 1\r\n\r\n2',
    ]);
  });

  it('may leave the body out', async () => {
    const harness = await openWith({ republish: { src: 's.>', dest: 'copy.>', headers_only: true } });
    const copies = harness.account.inbox('copy.>');
    await harness.ask('s.a', '12345');
    expect(copies[0]!.header).toContain('Nats-Last-Sequence: 0\r\nNats-Msg-Size: 5\r\n\r\n');
    expect(copies[0]!.payload).toBe('');
  });
});

describe('updates', () => {
  it('move the subjects of a stream', async () => {
    const harness = await openWith();
    expect(await harness.outcome('STREAM.UPDATE.S', { name: 'S', subjects: ['t.>'] })).toBe('ok');
    expect(await harness.ask('s.a')).toBe('503');
    expect(await harness.ask('t.a')).toBe('{"stream":"S","seq":1}');
    expect(await harness.ask('$JS.API.DIRECT.GET.S', '{"seq":1}')).toBe('503');
  });
});

describe('a deleted stream', () => {
  it('takes nothing any more, and its name can be used again', async () => {
    const harness = await openWith();
    await harness.ask('s.a');
    expect(await harness.outcome('STREAM.DELETE.S')).toBe('ok');
    expect(await harness.ask('s.a')).toBe('503');
    await harness.create({ name: 'S', subjects: ['s.>'] });
    expect(await harness.ask('s.a')).toBe('{"stream":"S","seq":1}');
    expect((await harness.json('INFO')).storage).toBe(19);
  });
});
