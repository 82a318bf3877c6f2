import { describe, expect, it } from 'vitest';
import { completeConfig } from '../../src/consumer/config.ts';
import { BURST_BYTES_MAX, BURST_MESSAGES_MAX } from '../../src/consumer/delivery.ts';
import { PullRequestReader, REMEMBERED_BYTES_MAX } from '../../src/consumer/pull-request.ts';
import { gist, numbers, statusLine, turns, Workbench } from './workbench.ts';

async function withMessages(count: number, config: object = {}): Promise<Workbench> {
  const bench = await Workbench.create();
  for (let at = 1; at <= count; at++) bench.stream.publish('s.a', `m${at}`);
  await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', ...config });
  return bench;
}

describe('a pull request', () => {
  it('gets messages with their own subject and an ack subject as reply', async () => {
    const bench = await withMessages(0);
    bench.stream.publish('s.x', 'hello', { A: 'b' });
    const inbox = bench.inbox('in');
    bench.pull('in');
    const nowNs = `${bench.stream.host.clock.now()}000042`;
    expect(inbox).toMatchObject([
      { subject: 's.x', reply: `$JS.ACK.S.c.1.1.1.${nowNs}.0`, header: 'NATS/1.0\r\nA: b\r\n\r\n', payload: 'hello' },
    ]);
  });

  it.each([
    ['', 1],
    ['3', 3],
    [' 2 ', 2],
    ['garbage', 1],
    ['-4', 1],
    ['0', 1],
    ['{}', 1],
    ['{"batch":0}', 1],
    ['{"batch":2,"unknown":true}', 2],
    ['{"BATCH":2}', 2],
  ])('with body %j gets %d of four messages', async (body, count) => {
    const bench = await withMessages(4);
    const inbox = bench.inbox('in');
    bench.pull('in', body);
    expect(numbers(inbox)).toHaveLength(count);
    expect(inbox).toHaveLength(count);
  });

  it.each([
    ['{"batch":', '400 Bad Request - unexpected end of JSON input'],
    ['{"batch":"x"}', '400 Bad Request - json: cannot unmarshal string into Go struct field .batch of type int'],
    ['{"expires":1000000000,"idle_heartbeat":600000000}', '400 Bad Request - heartbeat value too large'],
    ['{"idle_heartbeat":1}', '400 Bad Request - heartbeat value too large'],
    ['{"min_pending":1}', '400 Bad Request - Not a Overflow Priority consumer'],
    ['{"min_ack_pending":1}', '400 Bad Request - Not a Overflow Priority consumer'],
    ['{"id":"x"}', '400 Bad Request - Not a Pinned Client Priority consumer'],
    ['{"priority":10}', '400 Bad Request - Priority must be between 0 and 9'],
    ['{"priority":-1}', '400 Bad Request - Priority must be between 0 and 9'],
    ['{"batch":3}', '409 Exceeded MaxRequestBatch of 2'],
    ['3', '409 Exceeded MaxRequestBatch of 2'],
    ['{"expires":1500000001}', '409 Exceeded MaxRequestExpires of 1.5s'],
    ['{"max_bytes":101}', '409 Exceeded MaxRequestMaxBytes of 100'],
  ])('with body %s is refused', async (body, status) => {
    const bench = await withMessages(1, { max_batch: 2, max_expires: 1_500_000_000, max_bytes: 100 });
    const inbox = bench.inbox('in');
    bench.pull('in', body);
    expect(inbox).toMatchObject([{ subject: 'in', reply: null, header: `NATS/1.0 ${status}\r\n\r\n`, payload: '' }]);
  });

  it('ignores a group and a small priority', async () => {
    const bench = await withMessages(1);
    const inbox = bench.inbox('in');
    bench.pull('in', { group: 'A', priority: 3 });
    expect(gist(inbox)).toEqual(['m1']);
  });

  it('that needs a higher API level is refused', async () => {
    const bench = await withMessages(1);
    const inbox = bench.inbox('in');
    bench.pull('in', '', 'c', { 'Nats-Required-Api-Level': '6' });
    bench.pull('in', '', 'c', { 'Nats-Required-Api-Level': 'x' });
    bench.pull('in', '', 'c', { 'Nats-Required-Api-Level': '5' });
    expect(gist(inbox)).toEqual(['412 Required Api Level', '412 Required Api Level', 'm1']);
  });

  it('to a push consumer is refused', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ durable_name: 'c', deliver_subject: 'p' });
    const inbox = bench.inbox('in');
    bench.pull('in');
    expect(inbox).toMatchObject([{ header: 'NATS/1.0 409 Consumer is push based\r\n\r\n' }]);
  });

  it('to a consumer that does not exist reaches nobody', async () => {
    const bench = await withMessages(1);
    expect(bench.pull('in', '', 'other')).toBe(0);
  });

  it('waits for messages', async () => {
    const bench = await withMessages(0);
    const inbox = bench.inbox('in');
    bench.pull('in', '2');
    bench.stream.publish('s.a', 'one');
    bench.stream.publish('s.a', 'two');
    bench.stream.publish('s.a', 'three');
    expect(gist(inbox)).toEqual(['one', 'two']);
  });

  it('does not get what is stored but not committed', async () => {
    const bench = await withMessages(1);
    const inbox = bench.inbox('in');
    bench.stream.append('s.a', 'm2');
    bench.pull('in', { batch: 5, no_wait: true });
    expect(gist(inbox)).toEqual(['m1', '404 No Messages']);
    expect(numbers(inbox)).toEqual(['1/1/1/0']);
    bench.stream.commit();
    bench.pull('in');
    expect(gist(inbox)).toEqual(['m1', '404 No Messages', 'm2']);
  });
});

describe('the reader of pull requests', () => {
  const config = completeConfig({});
  const read = (reader: PullRequestReader, text: string, settings = config) =>
    reader.read(Buffer.from(`junk${text}`), 4, 4 + Buffer.byteLength(text), settings);

  it('reads a repeated body once', () => {
    const reader = new PullRequestReader();
    const first = read(reader, '{"batch":7}');
    expect(read(reader, '{"batch":7}')).toBe(first);
    expect(read(reader, '{"batch":8}')).toMatchObject({ batch: 8 });
    expect(read(reader, '{"batch":7}')).toEqual(first);
  });

  it('reads it again for a changed configuration', () => {
    const reader = new PullRequestReader();
    read(reader, '{"batch":7}');
    expect(read(reader, '{"batch":7}', completeConfig({ max_batch: 5 })).toString()).toContain('MaxRequestBatch of 5');
  });

  it(`does not keep a body above ${REMEMBERED_BYTES_MAX} bytes`, () => {
    const reader = new PullRequestReader();
    const long = `{"batch":7}${' '.repeat(REMEMBERED_BYTES_MAX)}`;
    const first = read(reader, long);
    expect(first).toMatchObject({ batch: 7 });
    expect(read(reader, long)).not.toBe(first);
    expect(read(reader, long)).toEqual(first);
  });
});

describe('the end of a pull request', () => {
  it('no_wait without messages is answered at once', async () => {
    const bench = await withMessages(0);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 2, no_wait: true });
    expect(inbox).toMatchObject([{ subject: 'in', header: 'NATS/1.0 404 No Messages\r\n\r\n' }]);
  });

  it('no_wait gets what is there and then 404', async () => {
    const bench = await withMessages(2);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 5, no_wait: true });
    expect(gist(inbox)).toEqual(['m1', 'm2', '404 No Messages']);
  });

  it('no_wait with expires waits for the first message, gets what comes, and ends with 404', async () => {
    const bench = await withMessages(0);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 5, no_wait: true, expires: 1e9 });
    expect(inbox).toEqual([]);
    bench.stream.publish('s.a', 'one');
    expect(gist(inbox)).toEqual(['one', '404 No Messages']);
  });

  it('no_wait with expires times out when nothing comes', async () => {
    const bench = await withMessages(0);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 5, no_wait: true, expires: 300e6 });
    bench.advance(299);
    expect(inbox).toEqual([]);
    bench.advance(1);
    expect(inbox).toMatchObject([
      { header: 'NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 5\r\nNats-Pending-Bytes: 0\r\n\r\n' },
    ]);
  });

  it('no_wait while others wait for all there is gets 408 Requests Pending', async () => {
    const bench = await withMessages(2, { max_ack_pending: 1 });
    bench.inbox('first');
    const inbox = bench.inbox('in');
    bench.pull('first', '1');
    bench.pull('first', '9');
    bench.pull('in', { batch: 1, no_wait: true });
    expect(inbox).toMatchObject([{ header: 'NATS/1.0 408 Requests Pending\r\n\r\n' }]);
  });

  it('expires tells what is missing', async () => {
    const bench = await withMessages(1);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 3, max_bytes: 1000, expires: 250e6 });
    bench.advance(250);
    const used = 's.a'.length + inbox[0]!.reply!.length + 'm1'.length;
    expect(inbox[1]).toMatchObject({
      subject: 'in',
      header: `NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 2\r\nNats-Pending-Bytes: ${1000 - used}\r\n\r\n`,
    });
    bench.stream.publish('s.a', 'late');
    expect(inbox).toHaveLength(2);
  });

  it('max_bytes ends before a message that does not fit, even the first', async () => {
    const bench = await withMessages(2);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 2, max_bytes: 10 });
    expect(inbox).toMatchObject([
      {
        header:
          'NATS/1.0 409 Message Size Exceeds MaxBytes\r\nNats-Pending-Messages: 2\r\nNats-Pending-Bytes: 10\r\n\r\n',
      },
    ]);
    bench.pull('in', { batch: 1 });
    expect(numbers(inbox)).toEqual(['1/1/1/1']);
  });

  it('max_bytes that are left when the batch is complete are told', async () => {
    const bench = await withMessages(2);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 1, max_bytes: 1000 });
    const used = 's.a'.length + inbox[0]!.reply!.length + 'm1'.length;
    expect(inbox[1]).toMatchObject({
      header: `NATS/1.0 409 Batch Completed\r\nNats-Pending-Messages: 0\r\nNats-Pending-Bytes: ${1000 - used}\r\n\r\n`,
    });
  });

  it('max_bytes used up exactly ends the request without a word', async () => {
    const bench = await withMessages(3);
    const inbox = bench.inbox('in');
    const size = 's.a'.length + `$JS.ACK.S.c.1.1.1.${bench.stream.host.clock.now()}000042.2`.length + 'm1'.length;
    bench.pull('in', { batch: 5, max_bytes: size });
    expect(gist(inbox)).toEqual(['m1']);
    bench.stream.publish('s.a', 'more');
    expect(inbox).toHaveLength(1);
  });

  it('a sender that is gone is noticed at the next message, which goes to the next request', async () => {
    const bench = await withMessages(0);
    const gone = bench.stream.account.listen('gone', () => {});
    const inbox = bench.inbox('in');
    bench.pull('gone', '5');
    bench.pull('in', '1');
    gone.close();
    bench.stream.publish('s.a', 'one');
    expect(numbers(inbox)).toEqual(['1/1/1/0']);
  });

  it('a message nobody took counts as not delivered', async () => {
    const bench = await withMessages(1);
    bench.pull('nobody', '1');
    const inbox = bench.inbox('in');
    bench.pull('in', '1');
    expect(numbers(inbox)).toEqual(['1/1/1/0']);
    expect(bench.store().reports.filter((line) => line.startsWith('delivered'))).toHaveLength(1);
  });

  it('deletion of the consumer is told to every request that waits', async () => {
    const bench = await withMessages(0);
    const inbox = bench.inbox('in');
    bench.pull('in', '2');
    bench.pull('in', { batch: 1, expires: 5e9 });
    bench.stream.consumers.get('c')!.stop('deleted');
    expect(inbox.map(({ header }) => header)).toEqual(Array(2).fill('NATS/1.0 409 Consumer Deleted\r\n\r\n'));
    bench.advance(10_000);
    expect(inbox).toHaveLength(2);
    expect(bench.pull('in')).toBe(0);
  });

  it('a shutdown is told with what is missing', async () => {
    const bench = await withMessages(1);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 3 });
    bench.stream.consumers.get('c')!.stop('shutdown');
    expect(inbox[1]).toMatchObject({
      header: 'NATS/1.0 409 Server Shutdown\r\nNats-Pending-Messages: 2\r\nNats-Pending-Bytes: 0\r\n\r\n',
    });
  });
});

describe('heartbeats of a pull request', () => {
  it('come every interval without messages and end with the request', async () => {
    const bench = await withMessages(1);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 5, expires: 1000e6, idle_heartbeat: 300e6 });
    bench.advance(1000);
    expect(gist(inbox)).toEqual([
      'm1',
      '100 Idle Heartbeat',
      '100 Idle Heartbeat',
      '100 Idle Heartbeat',
      '408 Request Timeout',
    ]);
    expect(inbox[1]!.header).toBe(
      'NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 1\r\nNats-Last-Stream: 1\r\n\r\n',
    );
  });

  it('begin again with each message', async () => {
    const bench = await withMessages(0);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 5, expires: 10e9, idle_heartbeat: 300e6 });
    for (let round = 0; round < 4; round++) {
      bench.advance(299);
      bench.stream.publish('s.a', 'm');
    }
    expect(gist(inbox)).toEqual(['m', 'm', 'm', 'm']);
    bench.advance(300);
    expect(statusLine(inbox[4]!)).toBe('100 Idle Heartbeat');
  });

  it('to a sender that is gone end the request', async () => {
    const bench = await withMessages(0);
    bench.stream.account.listen('in', () => {}).close();
    bench.pull('in', { batch: 5, expires: 10e9, idle_heartbeat: 300e6 });
    bench.advance(300);
    const sent = bench.stream.account.sent.length;
    bench.advance(20_000);
    expect(bench.stream.account.sent).toHaveLength(sent);
  });
});

describe('several pull requests', () => {
  it('are served one message each in turn', async () => {
    const bench = await withMessages(0);
    const a = bench.inbox('a');
    const b = bench.inbox('b');
    bench.pull('a', '3');
    bench.pull('b', '2');
    for (let at = 1; at <= 5; at++) bench.stream.append('s.a', `m${at}`);
    bench.stream.commit();
    expect(gist(a)).toEqual(['m1', 'm3', 'm5']);
    expect(gist(b)).toEqual(['m2', 'm4']);
  });

  it('above max_waiting are refused, silently if they have heartbeats', async () => {
    const bench = await withMessages(0, { max_waiting: 2 });
    const inbox = bench.inbox('in');
    bench.pull('in', '1');
    bench.pull('in', '1');
    bench.pull('in', '1');
    bench.pull('in', { batch: 1, expires: 10e9, idle_heartbeat: 1e9 });
    expect(inbox.map(({ header }) => header)).toEqual(['NATS/1.0 409 Exceeded MaxWaiting\r\n\r\n']);
    expect(bench.stream.consumers.get('c')!.info()['num_waiting']).toBe(2);
  });

  it('above max_waiting take the place of those whose sender is gone', async () => {
    const bench = await withMessages(0, { max_waiting: 1 });
    const gone = bench.stream.account.listen('gone', () => {});
    const inbox = bench.inbox('in');
    bench.pull('gone', '1');
    gone.close();
    bench.pull('in', '1');
    bench.stream.publish('s.a', 'one');
    expect(gist(inbox)).toEqual(['one']);
  });

  it('with no_wait take the place of those whose sender is gone at once, when there are messages', async () => {
    const bench = await withMessages(0, { max_waiting: 1, max_ack_pending: 1 });
    const first = bench.inbox('first');
    bench.pull('first', '1');
    bench.stream.publish('s.a', 'one');
    bench.stream.publish('s.a', 'two');
    expect(first).toHaveLength(1);
    const gone = bench.stream.account.listen('gone', () => {});
    bench.pull('gone', '1');
    // The queue has just been looked through.
    expect(bench.stream.consumers.get('c')!.info()['num_waiting']).toBe(1);
    gone.close();
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 1, no_wait: true });
    expect(inbox).toEqual([]);
    expect(bench.stream.consumers.get('c')!.info()['num_waiting']).toBe(1);
  });

  it('whose sender is gone are not counted as waiting', async () => {
    const bench = await withMessages(0);
    const gone = bench.stream.account.listen('gone', () => {});
    bench.inbox('in');
    bench.pull('gone', '1');
    bench.pull('in', '1');
    expect(bench.stream.consumers.get('c')!.info()['num_waiting']).toBe(2);
    gone.close();
    expect(bench.stream.consumers.get('c')!.info()['num_waiting']).toBe(1);
  });
});

describe('the delivery loop', () => {
  it(`lets the event loop turn after ${BURST_MESSAGES_MAX} messages`, async () => {
    const bench = await withMessages(0, { max_ack_pending: -1 });
    for (let at = 0; at < BURST_MESSAGES_MAX + 10; at++) bench.stream.append('s.a', 'm');
    bench.stream.commit();
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 5000, no_wait: true });
    expect(inbox).toHaveLength(BURST_MESSAGES_MAX);
    await turns();
    expect(inbox).toHaveLength(BURST_MESSAGES_MAX + 11);
    expect(statusLine(inbox.at(-1)!)).toBe('404 No Messages');
  });

  it('lets the event loop turn after its share of bytes', async () => {
    const bench = await withMessages(0);
    const payload = 'x'.repeat(BURST_BYTES_MAX / 4);
    for (let at = 0; at < 10; at++) bench.stream.append('s.a', payload);
    bench.stream.commit();
    const inbox = bench.inbox('in');
    bench.pull('in', '10');
    expect(inbox).toHaveLength(4);
    await turns();
    expect(inbox).toHaveLength(10);
  });

  it('waits for a block that is not in memory and goes on when it is', async () => {
    const bench = await withMessages(3);
    bench.stream.cold.add(2);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 3, no_wait: true });
    expect(gist(inbox)).toEqual(['m1']);
    expect(bench.stream.warming).toEqual([2]);
    bench.stream.publish('s.a', 'm4');
    expect(bench.stream.warming).toEqual([2]);
    bench.stream.finishWarming();
    expect(gist(inbox)).toEqual(['m1', 'm2', 'm3']);
  });

  it('asks again a second later for a block that could not be read', async () => {
    const bench = await withMessages(1);
    bench.stream.cold.add(1);
    const inbox = bench.inbox('in');
    bench.pull('in');
    bench.stream.finishWarming(new Error('EIO'));
    bench.advance(999);
    expect(bench.stream.warming).toEqual([]);
    bench.advance(1);
    expect(bench.stream.warming).toEqual([1]);
    bench.stream.finishWarming();
    expect(gist(inbox)).toEqual(['m1']);
  });

  it('delivers nothing after the consumer stopped while a block was read', async () => {
    const bench = await withMessages(1);
    bench.stream.cold.add(1);
    const inbox = bench.inbox('in');
    bench.pull('in');
    bench.stream.consumers.get('c')!.stop('deleted');
    bench.stream.finishWarming();
    expect(gist(inbox)).toEqual(['409 Consumer Deleted']);
  });

  it('survives a receiver that stops the consumer in the middle', async () => {
    const bench = await withMessages(3);
    const got: string[] = [];
    bench.stream.account.listen('in', ({ payload }) => {
      got.push(payload);
      bench.stream.consumers.get('c')?.stop('deleted');
    });
    bench.pull('in', '3');
    expect(got).toEqual(['m1', '']);
  });

  it('takes requests and acks that come from inside of a delivery', async () => {
    const bench = await withMessages(3);
    const got: string[] = [];
    bench.stream.account.listen('in', (message) => {
      got.push(message.payload);
      bench.ack(message);
      bench.pull('in', '1');
    });
    bench.pull('in', '1');
    expect(got).toEqual(['m1', 'm2', 'm3']);
    await turns();
    expect(bench.stream.consumers.get('c')!.info()).toMatchObject({ num_ack_pending: 0, ack_floor: { stream_seq: 3 } });
  });

  it('skips messages that do not pass the filter and those that are gone', async () => {
    const bench = await withMessages(0, { filter_subjects: ['s.a', 's.c.*'] });
    for (const subject of ['s.a', 's.b', 's.c.1', 's.a', 's.d', 's.c.2']) bench.stream.publish(subject, subject);
    bench.stream.remove(4);
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 9, no_wait: true });
    expect(gist(inbox)).toEqual(['s.a', 's.c.1', 's.c.2', '404 No Messages']);
    expect(numbers(inbox)).toEqual(['1/1/1/2', '1/3/2/1', '1/6/3/0']);
  });

  it('headers_only sends the size instead of the payload', async () => {
    const bench = await withMessages(0, { headers_only: true });
    bench.stream.publish('s.a', 'hello');
    bench.stream.publish('s.a', '', { A: 'b' });
    const inbox = bench.inbox('in');
    bench.pull('in', '2');
    expect(inbox).toMatchObject([
      { header: 'NATS/1.0\r\nNats-Msg-Size: 5\r\n\r\n', payload: '' },
      { header: 'NATS/1.0\r\nA: b\r\nNats-Msg-Size: 0\r\n\r\n', payload: '' },
    ]);
  });
});
