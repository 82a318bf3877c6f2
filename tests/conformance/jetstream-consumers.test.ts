import { describeSameTranscript, type Transcript } from '../src/index.ts';

const JS = ['-js'];

async function stream(t: Transcript, messages: number, config: Record<string, unknown> = {}): Promise<void> {
  await t.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.*'], ...config });
  for (let i = 0; i < messages; i++) await t.request(`s.${i % 2}`, `m${i}`);
}

async function pullConsumer(t: Transcript, config: Record<string, unknown> = {}): Promise<void> {
  await t.api('CONSUMER.CREATE.S.C', {
    stream_name: 'S',
    action: 'create',
    config: { durable_name: 'C', ack_policy: 'explicit', ...config },
  });
}

function pull(t: Transcript, body: string): void {
  t.note(`> next ${body}`);
  t.client.publish('$JS.API.CONSUMER.MSG.NEXT.S.C', body, 'pull.inbox');
}

describeSameTranscript('JetStream consumers', JS, {
  'fills configurations with the same defaults': async (t) => {
    await stream(t, 3);
    await t.api('CONSUMER.CREATE.S.C1', { stream_name: 'S', config: { durable_name: 'C1' } });
    await t.api('CONSUMER.CREATE.S.C2', { stream_name: 'S', config: { durable_name: 'C2', ack_policy: 'explicit' } });
    await t.api('CONSUMER.CREATE.S.C3', {
      stream_name: 'S',
      config: { name: 'C3', ack_policy: 'all', deliver_subject: 'd.3' },
    });
    await t.api('CONSUMER.CREATE.S.C4.s.0', {
      stream_name: 'S',
      config: { durable_name: 'C4', filter_subject: 's.0', ack_policy: 'explicit' },
    });
    await t.api('CONSUMER.CREATE.S.C5', {
      stream_name: 'S',
      config: { durable_name: 'C5', filter_subjects: ['s.0', 's.1'], ack_policy: 'explicit' },
    });
    await t.api('CONSUMER.CREATE.S.C6', {
      stream_name: 'S',
      config: { durable_name: 'C6', ack_policy: 'explicit', backoff: [1e9, 2e9], max_deliver: 5 },
    });
    await t.api('CONSUMER.CREATE.S.C7', {
      stream_name: 'S',
      config: {
        durable_name: 'C7',
        ack_policy: 'explicit',
        deliver_policy: 'new',
        deliver_subject: 'd.7',
        deliver_group: 'g',
        replay_policy: 'instant',
        num_replicas: 0,
      },
    });
    await t.api('CONSUMER.INFO.S.C1');
    await t.api('CONSUMER.INFO.S.NOPE');
    await t.api('CONSUMER.INFO.NOPE.C');
    await t.api('CONSUMER.NAMES.S');
    await t.api('CONSUMER.LIST.S', { offset: 5 });
    await t.api('CONSUMER.DELETE.S.C1');
    await t.api('CONSUMER.DELETE.S.C1');
    await t.api('CONSUMER.DELETE.S.C2', '{"x":1}');
  },

  'refuses wrong configurations with the same words': async (t) => {
    await stream(t, 1);
    const wrong: Record<string, unknown>[] = [
      { ack_policy: 'bogus' },
      { deliver_policy: 'bogus' },
      { replay_policy: 'bogus' },
      { deliver_policy: 'by_start_sequence' },
      { deliver_policy: 'by_start_time' },
      { deliver_policy: 'last_per_subject' },
      { deliver_policy: 'all', opt_start_seq: 4 },
      { deliver_policy: 'last', opt_start_time: '2020-01-01T00:00:00Z' },
      { ack_wait: -1 },
      { backoff: [1e9, 1e9], max_deliver: 1 },
      { backoff: [-1] },
      { filter_subject: 'a', filter_subjects: ['b'] },
      { filter_subjects: ['a', ''] },
      { filter_subjects: ['a.*', 'a.b'] },
      { filter_subject: 'a..b' },
      { rate_limit_bps: 5 },
      { sample_freq: 'x' },
      { max_waiting: -5 },
      { deliver_subject: 'd', max_waiting: 5 },
      { deliver_subject: 'd.*' },
      { deliver_subject: 's.0' },
      { deliver_subject: 'd', flow_control: true },
      { deliver_subject: 'd', idle_heartbeat: 5 },
      { flow_control: true },
      { idle_heartbeat: 1e9 },
      { num_replicas: 3 },
      { direct: true },
      { max_batch: -1 },
      { description: 'x'.repeat(5000) },
      { unknown: 1 },
      { durable_name: 'W', name: 'V' },
      { deliver_subject: 'd', ack_policy: 'none', max_ack_pending: 4 },
      { priority_timeout: 5 },
    ];
    for (const config of wrong) {
      await t.api('CONSUMER.CREATE.S.W', {
        stream_name: 'S',
        action: 'create',
        config: { durable_name: 'W', ack_policy: 'explicit', ...config },
      });
      await t.client.request('$JS.API.CONSUMER.DELETE.S.W');
    }
    await t.api('CONSUMER.CREATE.S.W', { stream_name: 'T', config: { durable_name: 'W' } });
    await t.api('CONSUMER.CREATE.S.W', { stream_name: 'S', config: { durable_name: 'V' } });
    await t.api('CONSUMER.CREATE.S.W.s.0', { stream_name: 'S', config: { durable_name: 'W', filter_subject: 's.1' } });
    await t.api('CONSUMER.CREATE.S', { stream_name: 'S', config: { durable_name: 'W' } });
    await t.api('CONSUMER.DURABLE.CREATE.S.W', { stream_name: 'S', config: {} });
    await t.api('CONSUMER.DURABLE.CREATE.S.W', { stream_name: 'S', config: { durable_name: 'X' } });
    await t.api('CONSUMER.CREATE.NOPE.W', { stream_name: 'NOPE', config: { durable_name: 'W' } });
    await t.api('CONSUMER.CREATE.S.W', '');
    await t.api('CONSUMER.CREATE.S.W', 'x');
  },

  'creates, upserts and updates': async (t) => {
    await stream(t, 1);
    const base = { durable_name: 'U', ack_policy: 'explicit' };
    await t.api('CONSUMER.CREATE.S.U', { stream_name: 'S', action: 'update', config: base });
    await t.api('CONSUMER.CREATE.S.U', { stream_name: 'S', action: 'create', config: base });
    await t.api('CONSUMER.CREATE.S.U', { stream_name: 'S', action: 'create', config: base });
    await t.api('CONSUMER.CREATE.S.U', {
      stream_name: 'S',
      action: 'create',
      config: { ...base, description: 'other' },
    });
    await t.api('CONSUMER.CREATE.S.U', {
      stream_name: 'S',
      config: { ...base, description: 'other', ack_wait: 5e9, max_ack_pending: 7 },
    });
    await t.api('CONSUMER.CREATE.S.U', { stream_name: 'S', config: { ...base, ack_policy: 'none' } });
    await t.api('CONSUMER.CREATE.S.U', { stream_name: 'S', config: { ...base, deliver_policy: 'new' } });
    await t.api('CONSUMER.CREATE.S.U', { stream_name: 'S', config: { ...base, replay_policy: 'original' } });
    await t.api('CONSUMER.CREATE.S.U', { stream_name: 'S', config: { ...base, deliver_subject: 'd' } });
    await t.api('CONSUMER.CREATE.S.U', { stream_name: 'S', config: { ...base, filter_subject: 's.1' } });
    await t.api('CONSUMER.CREATE.S.U', { stream_name: 'S', action: 'bogus', config: base });
  },

  'answers pulls and their ends with the same statuses': async (t) => {
    await stream(t, 5);
    await pullConsumer(t, { max_waiting: 2, max_batch: 3, max_expires: 2e9 });
    const sid = t.client.subscribe('pull.inbox');
    pull(t, '');
    await t.take(sid, 1);
    pull(t, '2');
    await t.take(sid, 2);
    pull(t, '{"batch":3,"no_wait":true}');
    await t.take(sid, 3);
    pull(t, '{"batch":1,"no_wait":true}');
    await t.take(sid, 1);
    pull(t, '{"batch":1,"expires":100000000}');
    await t.take(sid, 1);
    pull(t, '{"batch":1,"expires":100000000,"no_wait":true}');
    await t.take(sid, 1);
    pull(t, '{"batch":5}');
    await t.take(sid, 1);
    pull(t, '{"batch":1,"expires":5000000000}');
    await t.take(sid, 1);
    pull(t, '{"batch":1,"expires":1000000000,"idle_heartbeat":900000000}');
    await t.take(sid, 1);
    pull(t, '{"batch":');
    await t.take(sid, 1);
    pull(t, '{"batch":1,"expires":400000000,"idle_heartbeat":100000000}');
    await t.take(sid, 1);
    await t.take(sid, 1);
    await t.expectNothing(sid, 10);
  },

  'queues pulls up to max_waiting and tells them when the consumer goes': async (t) => {
    await stream(t, 0);
    await pullConsumer(t, { max_waiting: 2 });
    const sid = t.client.subscribe('pull.inbox');
    for (let i = 0; i < 3; i++) pull(t, '{"batch":1,"expires":20000000000}');
    await t.take(sid, 1);
    await t.api('CONSUMER.INFO.S.C');
    await t.api('CONSUMER.DELETE.S.C');
    await t.take(sid, 2);
    await t.request('$JS.API.CONSUMER.MSG.NEXT.S.C', '1');
  },

  'ends pulls by bytes': async (t) => {
    await stream(t, 5);
    await pullConsumer(t);
    const sid = t.client.subscribe('pull.inbox');
    pull(t, '{"batch":10,"max_bytes":10,"expires":1000000000}');
    await t.take(sid, 1);
    pull(t, '{"batch":2,"max_bytes":1000,"expires":1000000000}');
    await t.take(sid, 3);
    pull(t, '{"batch":10,"max_bytes":150,"expires":1000000000}');
    await t.take(sid, 3);
    await t.expectNothing(sid);
  },

  'takes every kind of ack': async (t) => {
    await stream(t, 8);
    await pullConsumer(t, { ack_wait: 60e9 });
    const sid = t.client.subscribe('pull.inbox');
    pull(t, '6');
    const messages = await t.take(sid, 6);
    const bodies = ['', '+ACK', '-NAK', '+WPI', '+TERM with a reason', 'bogus'];
    for (const [i, body] of bodies.entries()) await t.request(messages[i]?.reply ?? 'none', body);
    await t.api('CONSUMER.INFO.S.C');
    pull(t, '{"batch":1,"no_wait":true}');
    const [again] = await t.take(sid, 1);
    await t.request(again?.reply ?? 'none', '+ACK');
    await t.request(again?.reply ?? 'none', '+ACK');
    await t.request((again?.reply ?? '').replace(/\.\d+\.(\d+)\.(\d{19})/, '.77.$1.$2'), '+ACK');
    const next = t.client.subscribe('next.inbox');
    t.client.publish(messages[3]?.reply ?? 'none', '+NXT 2', 'next.inbox');
    await t.take(next, 2);
    t.client.publish(messages[5]?.reply ?? 'none', '+NXT {"batch":1,"no_wait":true}', 'next.inbox');
    await t.take(next, 1);
    await t.api('CONSUMER.INFO.S.C');
    await t.request('$JS.ACK.S.NOPE.1.1.1.1234567890123456789.0', '+ACK');
  },

  'redelivers after NAK delays, ack_wait and backoff, up to max_deliver': async (t) => {
    await stream(t, 2);
    const advisories = t.client.subscribe('$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>');
    await pullConsumer(t, { ack_wait: 100e6, max_deliver: 3 });
    const sid = t.client.subscribe('pull.inbox');
    // One more than there are deliveries: nats-server looks for exhausted messages only while a pull is waiting.
    pull(t, '{"batch":7,"expires":2000000000}');
    await t.take(sid, 2);
    await t.take(sid, 4);
    const message = await t.client.next(advisories, 2000);
    t.note(message?.payload.replace(/"id":"[^"]+"/, '"id":"<id>"') ?? 'no advisory');
    await t.api('STREAM.CREATE.B', { name: 'B', subjects: ['b'] });
    await t.request('b', 'x');
    await t.api('CONSUMER.CREATE.B.N', { stream_name: 'B', config: { durable_name: 'N', ack_policy: 'explicit' } });
    t.client.publish('$JS.API.CONSUMER.MSG.NEXT.B.N', '{"batch":3,"expires":3000000000}', 'pull.inbox');
    const [first] = await t.take(sid, 1);
    t.client.publish(first?.reply ?? 'none', '-NAK {"delay":100000000}');
    const [second] = await t.take(sid, 1);
    t.client.publish(second?.reply ?? 'none', '-NAK 50ms');
    await t.take(sid, 1);
  },

  'stops at max_ack_pending': async (t) => {
    await stream(t, 5);
    await pullConsumer(t, { max_ack_pending: 2 });
    const sid = t.client.subscribe('pull.inbox');
    pull(t, '{"batch":5,"expires":1000000000}');
    const messages = await t.take(sid, 2);
    await t.expectNothing(sid);
    await t.api('CONSUMER.INFO.S.C');
    await t.request(messages[0]?.reply ?? 'none', '+ACK');
    await t.take(sid, 1);
  },

  'pushes to a deliver subject, group and headers only': async (t) => {
    await stream(t, 3);
    const sid = t.client.subscribe('deliver.a');
    await t.client.flush();
    await t.api('CONSUMER.CREATE.S.P', {
      stream_name: 'S',
      config: { durable_name: 'P', ack_policy: 'explicit', deliver_subject: 'deliver.a' },
    });
    const messages = await t.take(sid, 3);
    await t.api('CONSUMER.INFO.S.P');
    await t.request(messages[0]?.reply ?? 'none', '+ACK');
    await t.api('CONSUMER.CREATE.S.P', {
      stream_name: 'S',
      config: { durable_name: 'P', ack_policy: 'explicit', deliver_subject: 'deliver.b' },
    });
    await t.request('$JS.API.CONSUMER.MSG.NEXT.S.P', '1');
    const heads = t.client.subscribe('deliver.h', 'grp');
    await t.client.flush();
    await t.api('CONSUMER.CREATE.S.H', {
      stream_name: 'S',
      config: {
        durable_name: 'H',
        ack_policy: 'none',
        deliver_subject: 'deliver.h',
        deliver_group: 'grp',
        headers_only: true,
      },
    });
    await t.take(heads, 3);
    await t.api('CONSUMER.INFO.S.H');
    t.client.unsubscribe(heads);
    await t.client.flush();
    await t.request('s.0', 'later');
    await t.api('CONSUMER.INFO.S.H');
    const again = t.client.subscribe('deliver.h', 'grp');
    await t.take(again, 1);
  },

  'starts where the deliver policy says': async (t) => {
    await stream(t, 6);
    const sid = t.client.subscribe('policy.inbox');
    await t.client.flush();
    for (const config of [
      { deliver_policy: 'last' },
      { deliver_policy: 'last', filter_subject: 's.0' },
      { deliver_policy: 'new' },
      { deliver_policy: 'by_start_sequence', opt_start_seq: 4 },
      { deliver_policy: 'by_start_sequence', opt_start_seq: 90 },
      { deliver_policy: 'by_start_time', opt_start_time: '2020-01-01T00:00:00Z' },
      { deliver_policy: 'last_per_subject', filter_subject: 's.*' },
      { deliver_policy: 'last_per_subject', filter_subjects: ['s.0', 's.1'] },
      { filter_subject: 's.1' },
      { filter_subject: 'other' },
    ]) {
      await t.api('CONSUMER.CREATE.S.DP', {
        stream_name: 'S',
        config: { name: 'DP', ack_policy: 'none', deliver_subject: 'policy.inbox', mem_storage: true, ...config },
      });
      await t.take(sid, 6, 150);
      await t.api('CONSUMER.DELETE.S.DP');
    }
  },

  'sends idle heartbeats': async (t) => {
    await stream(t, 1);
    const sid = t.client.subscribe('hb.inbox');
    await t.client.flush();
    await t.api('CONSUMER.CREATE.S.HB', {
      stream_name: 'S',
      config: {
        durable_name: 'HB',
        ack_policy: 'none',
        deliver_subject: 'hb.inbox',
        idle_heartbeat: 150e6,
        flow_control: true,
      },
    });
    await t.take(sid, 2);
  },

  'acks everything below with ack policy all': async (t) => {
    await stream(t, 5);
    await pullConsumer(t, { ack_policy: 'all' });
    const sid = t.client.subscribe('pull.inbox');
    pull(t, '5');
    const messages = await t.take(sid, 5);
    await t.request(messages[2]?.reply ?? 'none', '+ACK');
    await t.api('CONSUMER.INFO.S.C');
    await t.request(messages[0]?.reply ?? 'none', '+ACK');
    await t.api('CONSUMER.INFO.S.C');
  },

  'counts pending as messages are deleted and purged': async (t) => {
    await stream(t, 8);
    await pullConsumer(t, { filter_subject: 's.0' });
    await t.api('CONSUMER.INFO.S.C');
    const sid = t.client.subscribe('pull.inbox');
    pull(t, '2');
    await t.take(sid, 2);
    await t.api('STREAM.MSG.DELETE.S', { seq: 3 });
    await t.api('STREAM.MSG.DELETE.S', { seq: 7 });
    await t.api('CONSUMER.INFO.S.C');
    await t.api('STREAM.PURGE.S', { filter: 's.0' });
    await t.api('CONSUMER.INFO.S.C');
    await t.request('s.0', 'new');
    await t.api('CONSUMER.INFO.S.C');
    await t.api('STREAM.PURGE.S');
    await t.api('CONSUMER.INFO.S.C');
  },
});
