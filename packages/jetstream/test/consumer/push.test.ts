import { describe, expect, it } from 'vitest';
import { FLOW_WINDOW_MAX_BYTES, FLOW_WINDOW_START_BYTES, FlowWindow } from '../../src/consumer/flow-control.ts';
import { gist, isStatus, numbers, statusLine, turns, Workbench } from './workbench.ts';

describe('a push consumer', () => {
  it('delivers only while somebody listens, and goes on where it stopped', async () => {
    const bench = await Workbench.create();
    const consumer = await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', deliver_subject: 'p' });
    bench.stream.publish('s.a', 'm1');
    expect(bench.stream.account.sent).toEqual([]);
    expect(consumer.info()).not.toHaveProperty('push_bound', true);
    const got: string[] = [];
    const listener = bench.stream.account.listen('p', ({ payload }) => got.push(payload));
    expect(got).toEqual(['m1']);
    expect(consumer.info()['push_bound']).toBe(true);
    bench.stream.publish('s.a', 'm2');
    listener.close();
    bench.stream.publish('s.a', 'm3');
    expect(got).toEqual(['m1', 'm2']);
    expect(consumer.info()['push_bound']).toBeUndefined();
    bench.inbox('p');
    expect(consumer.info()).toMatchObject({ delivered: { stream_seq: 3 } });
  });

  it('is not bound by a pattern or a queue subscriber, though they get what is sent', async () => {
    const bench = await Workbench.create();
    const pattern = bench.inbox('>');
    const queue = bench.inbox('p.x', 'q');
    const consumer = await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', deliver_subject: 'p.x' });
    bench.stream.publish('s.a', 'm1');
    expect(consumer.info()['push_bound']).toBeUndefined();
    expect([...pattern, ...queue]).toEqual([]);
    const listener = bench.stream.account.listen('p.x', () => {});
    expect(consumer.info()['push_bound']).toBe(true);
    expect([pattern.length, queue.length]).toEqual([1, 1]);
    listener.close();
    bench.stream.publish('s.a', 'm2');
    expect([pattern.length, queue.length]).toEqual([1, 1]);
  });

  it('delivers to one member of its group, and only while the group listens', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', deliver_subject: 'p', deliver_group: 'g' });
    bench.stream.publish('s.a', 'm1');
    const other = bench.inbox('p', 'other');
    expect(other).toEqual([]);
    const first = bench.inbox('p', 'g');
    const second = bench.inbox('p', 'g');
    bench.stream.publish('s.a', 'm2');
    expect(first.length + second.length).toBe(2);
  });

  it('sends messages with their own subject and an ack subject', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', deliver_subject: 'p' });
    const inbox = bench.inbox('p');
    bench.stream.publish('s.x', 'hello', { A: 'b' });
    expect(inbox).toMatchObject([{ subject: 's.x', header: 'NATS/1.0\r\nA: b\r\n\r\n', payload: 'hello' }]);
    expect(numbers(inbox)).toEqual(['1/1/1/0']);
  });

  it('redelivers only to a listener', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', ack_wait: 500e6, deliver_subject: 'p' });
    const got: string[] = [];
    const listener = bench.stream.account.listen('p', ({ payload }) => got.push(payload));
    bench.stream.publish('s.a', 'm1');
    listener.close();
    bench.advance(5000);
    expect(got).toEqual(['m1']);
    const inbox = bench.inbox('p');
    expect(numbers(inbox)).toEqual(['2/1/2/0']);
  });

  it('counts a message that nobody took as not delivered, and tries again a little later', async () => {
    const bench = await Workbench.create();
    const consumer = await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', deliver_subject: 'p' });
    const inbox = bench.inbox('p');
    const { account } = bench.stream;
    const deliver = account.deliver.bind(account);
    account.deliver = () => 0;
    bench.stream.publish('s.a', 'm1');
    expect(consumer.info()).toMatchObject({ delivered: { stream_seq: 0 }, num_pending: 1 });
    account.deliver = deliver;
    bench.advance(99);
    expect(inbox).toEqual([]);
    bench.advance(1);
    expect(numbers(inbox)).toEqual(['1/1/1/0']);
  });

  it('stops for good', async () => {
    const bench = await Workbench.create();
    const consumer = await bench.consumer({
      durable_name: 'c',
      deliver_subject: 'p',
      idle_heartbeat: 1e9,
      flow_control: true,
    });
    const inbox = bench.inbox('p');
    consumer.stop('shutdown');
    bench.stream.publish('s.a', 'm1');
    bench.advance(10_000);
    expect(inbox).toEqual([]);
    expect(bench.stream.account.publish('$JS.FC.S.c.x')).toBe(0);
  });
});

describe('idle heartbeats', () => {
  it('come when nothing was sent for the interval, to a listener only', async () => {
    const bench = await Workbench.create();
    await bench.consumer({ durable_name: 'c', deliver_subject: 'p', idle_heartbeat: 1e9 });
    bench.advance(5000);
    expect(bench.stream.account.sent).toEqual([]);
    const inbox = bench.inbox('p');
    bench.stream.publish('s.a', 'm1');
    bench.advance(999);
    expect(inbox).toHaveLength(1);
    bench.advance(1);
    expect(inbox[1]).toMatchObject({
      subject: 'p',
      reply: null,
      header: 'NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 1\r\nNats-Last-Stream: 1\r\n\r\n',
      payload: '',
    });
    bench.advance(2000);
    expect(inbox).toHaveLength(4);
  });
});

describe('flow control', () => {
  async function flowing(): Promise<{ bench: Workbench; inbox: ReturnType<Workbench['inbox']> }> {
    const bench = await Workbench.create();
    await bench.consumer({ durable_name: 'c', deliver_subject: 'p', idle_heartbeat: 1e9, flow_control: true });
    return { bench, inbox: bench.inbox('p') };
  }

  it('asks at half of the window, stalls when it is exceeded, and goes on with the answer', async () => {
    const { bench, inbox } = await flowing();
    for (let at = 1; at <= 8; at++) bench.stream.append('s.a', String(at).repeat(500_000));
    bench.stream.commit();
    await turns();
    const got = () => inbox.map((message) => (isStatus(message) ? statusLine(message) : message.payload[0]));
    // As seen on nats-server: the request after 3 messages of 500 kB, the stall after 5.
    expect(got()).toEqual(['1', '2', '3', '100 FlowControl Request', '4', '5']);
    const request = inbox[3]!;
    expect(request).toMatchObject({ subject: 'p', header: 'NATS/1.0 100 FlowControl Request\r\n\r\n' });
    expect(request.reply).toMatch(/^\$JS\.FC\.S\.c\..{4}$/);
    bench.advance(1000);
    expect(inbox.at(-1)!.header).toBe(
      `NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 5\r\nNats-Last-Stream: 5\r\nNats-Consumer-Stalled: ${request.reply}\r\n\r\n`,
    );
    bench.stream.account.publish('$JS.FC.S.c.nope');
    await turns();
    expect(inbox).toHaveLength(7);
    bench.stream.account.publish(request.reply!);
    await turns();
    expect(got().slice(7)).toEqual(['6', '7', '8', '100 FlowControl Request']);
  });

  it('has a window that doubles with each answer up to its limit', () => {
    const window = new FlowWindow();
    let bytes = FLOW_WINDOW_START_BYTES;
    for (let answers = 0; answers < 6; answers++) {
      expect(window.sent(bytes)).toBe(true);
      expect(window.isStalled).toBe(false);
      window.requested('x');
      expect(window.sent(1)).toBe(false);
      expect(window.isStalled).toBe(true);
      expect(window.answered('x')).toBe(true);
      window.requested('y');
      window.answered('y');
      bytes = Math.min(bytes * 4, FLOW_WINDOW_MAX_BYTES);
    }
    expect(bytes).toBe(FLOW_WINDOW_MAX_BYTES);
  });
});

describe('pacing', () => {
  it('rate_limit_bps lets a burst through and then only what the rate allows', async () => {
    const bench = await Workbench.create({ max_msg_size: 1000 });
    await bench.consumer({ durable_name: 'c', deliver_subject: 'p', rate_limit_bps: 8000 });
    const inbox = bench.inbox('p');
    for (let at = 0; at < 4; at++) bench.stream.append('s.a', 'x'.repeat(900));
    bench.stream.commit();
    const size = 900 + 's.a'.length + inbox[0]!.reply!.length;
    expect(inbox).toHaveLength(1);
    bench.advance(2 * size - 1000 - 1);
    expect(inbox).toHaveLength(1);
    bench.advance(1);
    expect(inbox).toHaveLength(2);
    bench.advance(size - 1);
    expect(inbox).toHaveLength(2);
    bench.advance(1);
    expect(inbox).toHaveLength(3);
  });

  it('a message larger than the burst waits for a full bucket, not for ever', async () => {
    const bench = await Workbench.create({ max_msg_size: 100 });
    await bench.consumer({ durable_name: 'c', deliver_subject: 'p', rate_limit_bps: 800 });
    const inbox = bench.inbox('p');
    bench.stream.append('s.a', 'x'.repeat(200));
    bench.stream.append('s.a', 'x'.repeat(200));
    bench.stream.commit();
    bench.advance(1000);
    expect(inbox).toHaveLength(2);
  });

  it('an update of the rate counts at once', async () => {
    const bench = await Workbench.create({ max_msg_size: 1000 });
    const config = { durable_name: 'c', deliver_subject: 'p' } as const;
    await bench.consumer({ ...config, rate_limit_bps: 8 });
    const inbox = bench.inbox('p');
    for (let at = 0; at < 3; at++) bench.stream.append('s.a', 'x'.repeat(900));
    bench.stream.commit();
    expect(inbox).toHaveLength(1);
    await bench.consumer(config);
    expect(inbox).toHaveLength(3);
  });

  it('replay original keeps the recorded gaps until the end of what was there, then delivers at once', async () => {
    const bench = await Workbench.create();
    for (const gapMs of [0, 100, 250]) {
      bench.advance(gapMs);
      bench.stream.publish('s.a', `after ${gapMs}`);
    }
    bench.advance(10_000);
    await bench.consumer({ durable_name: 'c', deliver_subject: 'p', replay_policy: 'original' });
    const inbox = bench.inbox('p');
    expect(inbox).toHaveLength(1);
    bench.advance(99);
    expect(inbox).toHaveLength(1);
    bench.advance(1);
    expect(inbox).toHaveLength(2);
    bench.advance(249);
    expect(inbox).toHaveLength(2);
    bench.advance(1);
    expect(gist(inbox)).toEqual(['after 0', 'after 100', 'after 250']);
    bench.advance(500);
    bench.stream.publish('s.a', 'new');
    expect(inbox).toHaveLength(4);
  });
});
