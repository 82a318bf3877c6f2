import { describeSameTranscript, type Transcript } from '../src/index.ts';

const JS = ['-js'];

async function publish(t: Transcript, subject: string, payload: string, header: string | null = null): Promise<void> {
  await t.request(subject, payload, header);
}

describeSameTranscript('JetStream streams', JS, {
  'creates, updates, lists and deletes streams': async (t) => {
    await t.api('STREAM.INFO.S');
    await t.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] });
    await t.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] });
    await t.api('STREAM.CREATE.S', { name: 'S', subjects: ['t.>'] });
    await t.api('STREAM.CREATE.T', { name: 'T', subjects: ['s.a'] });
    await t.api('STREAM.CREATE.T', { name: 'U' });
    await t.api('STREAM.CREATE.T', '');
    await t.api('STREAM.CREATE.T', { name: 'T' });
    await t.api('STREAM.NAMES');
    await t.api('STREAM.NAMES', { subject: 's.a' });
    await t.api('STREAM.NAMES', { subject: 'nothing' });
    await t.api('STREAM.LIST');
    await t.api('STREAM.LIST', { offset: 1 });
    await t.api('STREAM.UPDATE.S', { name: 'S', subjects: ['s.>', 'u'], max_msgs: 10, description: 'more' });
    await t.api('STREAM.UPDATE.NOPE', { name: 'NOPE' });
    await t.api('STREAM.UPDATE.S', { name: 'S', subjects: ['s.>'], storage: 'memory' });
    await t.api('STREAM.UPDATE.S', { name: 'S', subjects: ['s.>'], retention: 'workqueue' });
    await t.api('STREAM.INFO.S');
    await t.api('STREAM.DELETE.S', '{"a":1}');
    await t.api('STREAM.DELETE.S', '{}');
    await t.api('STREAM.DELETE.S');
    await t.api('STREAM.NAMES');
  },

  'fills sparse and explicit configurations with the same defaults': async (t) => {
    await t.api('STREAM.CREATE.main-queue', {
      name: 'main-queue',
      retention: 'limits',
      max_consumers: 0,
      max_msgs: 0,
      max_bytes: 0,
      discard: 'old',
      max_age: 0,
      max_msgs_per_subject: 0,
      storage: 'file',
      num_replicas: 0,
      compression: 'none',
      allow_direct: false,
      mirror_direct: false,
      consumer_limits: {},
    });
    await t.api('STREAM.CREATE.A', { name: 'A', max_age: 60_000_000_000 });
    await t.api('STREAM.CREATE.B', {
      name: 'B',
      storage: 'memory',
      duplicate_window: 1_000_000_000,
      metadata: { k: 'v' },
    });
    await t.api('STREAM.CREATE.C', {
      name: 'C',
      discard: 'new',
      max_msgs_per_subject: 1,
      discard_new_per_subject: true,
      first_seq: 100,
    });
    await t.api('STREAM.INFO.C');
    await t.api('STREAM.CREATE.D', {
      name: 'D',
      consumer_limits: { max_ack_pending: 5, inactive_threshold: 1_000_000_000 },
    });
    await t.api('STREAM.CREATE.E', { name: 'E', placement: { cluster: 'x', tags: ['y'] } });
  },

  'refuses wrong configurations with the same words': async (t) => {
    const wrong: Record<string, unknown>[] = [
      { num_replicas: 3 },
      { num_replicas: -1 },
      { num_replicas: 6 },
      { max_age: 5 },
      { duplicate_window: 5 },
      { max_age: 1_000_000_000, duplicate_window: 2_000_000_000 },
      { subjects: ['a', 'a'] },
      { subjects: ['a.*', 'a.b'] },
      { subjects: ['a..b'] },
      { subjects: ['>'] },
      { subjects: ['$JS.>'] },
      { subjects: ['$SYS.x'] },
      { subjects: [''] },
      { sealed: true },
      { mirror_direct: true },
      { discard_new_per_subject: true },
      { discard: 'new', discard_new_per_subject: true },
      { deny_purge: true, allow_rollup_hdrs: true },
      { placement: { preferred: 'x' } },
      { description: 'x'.repeat(5000) },
      { retention: 'bogus' },
      { storage: 'bogus' },
      { discard: 'bogus' },
      { unknown_field: 1 },
      { max_msgs: 'many' },
      { republish: { src: 'x', dest: 'w' }, subjects: ['w'] },
      { subject_transform: { src: 'a..', dest: 'b' } },
      { max_consumers: -5 },
    ];
    for (const config of wrong) await t.api('STREAM.CREATE.W', { name: 'W', subjects: ['w'], ...config });
    await t.api('STREAM.CREATE.a/b', { name: 'a/b' });
    await t.api('STREAM.CREATE.W', '{"name":"W"');
    await t.api('STREAM.CREATE.W', 'nonsense');
    await t.api('STREAM.CREATE.W', '[]');
    await t.api('STREAM.INFO.W', '{"deleted_details":3}');
    await t.api('STREAM.INFO.W', 'x');
    await t.api('STREAM.FOO.W');
    await t.api('STREAM.CREATE.a.b', { name: 'a' });
  },

  'acks publishes with the same bytes and checks what they expect': async (t) => {
    await t.api('STREAM.CREATE.P', { name: 'P', subjects: ['p.*'], allow_rollup_hdrs: true, max_msg_size: 200 });
    await publish(t, 'p.a', 'one');
    await publish(t, 'p.a', 'two', 'NATS/1.0\r\nNats-Msg-Id: x\r\n\r\n');
    await publish(t, 'p.a', 'two again', 'NATS/1.0\r\nNats-Msg-Id: x\r\n\r\n');
    const expectations = [
      'Nats-Expected-Stream: P',
      'Nats-Expected-Stream: Q',
      'Nats-Expected-Last-Sequence: 3',
      'Nats-Expected-Last-Sequence: 1',
      'Nats-Expected-Last-Sequence: zz',
      'Nats-Expected-Last-Msg-Id: x',
      'Nats-Expected-Last-Msg-Id: y',
      'Nats-Expected-Last-Subject-Sequence: 0',
      'Nats-Expected-Last-Subject-Sequence: 99',
      'Nats-Expected-Last-Subject-Sequence: 0\r\nNats-Expected-Last-Subject-Sequence-Subject: p.new',
      'Nats-Expected-Last-Subject-Sequence-Subject: p.new',
      'Nats-Rollup: bogus',
      'Nats-Rollup: sub',
      'Nats-Rollup: ALL',
      'Nats-TTL: 5',
      'Nats-Incr: 5',
      'Nats-Schedule: @every 1s',
      'Nats-Batch-Id: b',
      'Nats-Required-Api-Level: 99',
      'Nats-Required-Api-Level: x',
      'Nats-Stream-Source: O 1 > > x',
    ];
    for (const line of expectations) {
      await publish(t, 'p.a', 'expecting', `NATS/1.0\r\n${line}\r\n\r\n`);
    }
    await publish(t, 'p.b', 'x'.repeat(300));
    await publish(t, 'nobody', 'x');
    await t.api('STREAM.INFO.P', { subjects_filter: '>', deleted_details: true });
    await t.api('STREAM.CREATE.NR', { name: 'NR', subjects: ['nr'] });
    await publish(t, 'nr', 'x', 'NATS/1.0\r\nNats-Rollup: sub\r\n\r\n');
    await t.api('STREAM.CREATE.NA', { name: 'NA', subjects: ['na'], no_ack: true });
    await publish(t, 'na', 'x');
    await t.api('STREAM.INFO.NA');
  },

  'keeps limits: old and new messages discarded alike': async (t) => {
    await t.api('STREAM.CREATE.O', { name: 'O', subjects: ['o.*'], max_msgs: 3 });
    for (let i = 0; i < 5; i++) await publish(t, `o.${i % 2}`, `m${i}`);
    await t.api('STREAM.INFO.O', { subjects_filter: 'o.*' });
    await t.api('STREAM.CREATE.N', { name: 'N', subjects: ['n.*'], max_msgs: 2, discard: 'new' });
    for (let i = 0; i < 3; i++) await publish(t, 'n.a', `m${i}`);
    await t.api('STREAM.CREATE.B', { name: 'B', subjects: ['b.*'], max_bytes: 100, discard: 'new' });
    for (let i = 0; i < 4; i++) await publish(t, 'b.a', `m${i}`);
    await t.api('STREAM.CREATE.PS', { name: 'PS', subjects: ['ps.*'], max_msgs_per_subject: 2 });
    for (let i = 0; i < 5; i++) await publish(t, 'ps.a', `m${i}`);
    await t.api('STREAM.INFO.PS', { subjects_filter: '>' });
    await t.api('STREAM.CREATE.PN', {
      name: 'PN',
      subjects: ['pn.*'],
      max_msgs_per_subject: 1,
      discard: 'new',
      discard_new_per_subject: true,
    });
    for (let i = 0; i < 2; i++) await publish(t, 'pn.a', `m${i}`);
    await t.api('STREAM.CREATE.PR', {
      name: 'PR',
      subjects: ['pr.*'],
      max_msgs_per_subject: 1,
      discard: 'new',
      max_msgs: 2,
    });
    for (const to of ['a', 'b', 'a', 'c']) await publish(t, `pr.${to}`, 'x');
    await t.api('STREAM.INFO.PR', { subjects_filter: '>' });
    await t.api('STREAM.UPDATE.O', { name: 'O', subjects: ['o.*'], max_msgs: 1 });
    await t.api('STREAM.INFO.O');
  },

  'gets, deletes and purges messages': async (t) => {
    await t.api('STREAM.CREATE.G', { name: 'G', subjects: ['g.*'], allow_direct: false });
    for (let i = 0; i < 10; i++)
      await publish(t, `g.${i % 3}`, `m${i}`, i % 2 === 0 ? `NATS/1.0\r\nK: ${i}\r\n\r\n` : null);
    for (const body of [
      { seq: 1 },
      { seq: 2 },
      { seq: 99 },
      { seq: 0 },
      { last_by_subj: 'g.1' },
      { last_by_subj: 'g.*' },
      { last_by_subj: 'nope' },
      { next_by_subj: 'g.2', seq: 4 },
      { next_by_subj: 'g.2' },
      { seq: 1, last_by_subj: 'g.1' },
      { no_hdr: true, seq: 1 },
      { start_time: '2020-01-01T00:00:00Z' },
      { batch: 2, seq: 1 },
      {},
    ]) {
      await t.api('STREAM.MSG.GET.G', body);
    }
    await t.api('STREAM.MSG.GET.G', '');
    await t.api('STREAM.MSG.DELETE.G', { seq: 4 });
    await t.api('STREAM.MSG.DELETE.G', { seq: 4 });
    await t.api('STREAM.MSG.DELETE.G', { seq: 5, no_erase: true });
    await t.api('STREAM.MSG.DELETE.G', { seq: 99 });
    await t.api('STREAM.MSG.DELETE.G', '');
    await t.api('STREAM.MSG.GET.G', { seq: 4 });
    await t.api('STREAM.INFO.G', { deleted_details: true });
    await t.api('STREAM.PURGE.G', { filter: 'g.0', keep: 1 });
    await t.api('STREAM.INFO.G', { deleted_details: true, subjects_filter: 'g.>' });
    await t.api('STREAM.PURGE.G', { seq: 1 });
    await t.api('STREAM.PURGE.G', { seq: 6 });
    await t.api('STREAM.PURGE.G', { seq: 6, keep: 1 });
    await t.api('STREAM.PURGE.G', { filter: 'nothing' });
    await t.api('STREAM.INFO.G', { deleted_details: true });
    await t.api('STREAM.PURGE.G');
    await t.api('STREAM.INFO.G', { deleted_details: true });
    await publish(t, 'g.0', 'after');
    await t.api('STREAM.CREATE.DD', { name: 'DD', subjects: ['dd'], deny_delete: true, deny_purge: true });
    await publish(t, 'dd', 'x');
    await t.api('STREAM.MSG.DELETE.DD', { seq: 1 });
    await t.api('STREAM.PURGE.DD');
    await t.api('STREAM.UPDATE.DD', { name: 'DD', subjects: ['dd'] });
    await t.api('STREAM.UPDATE.DD', {
      name: 'DD',
      subjects: ['dd'],
      deny_delete: true,
      deny_purge: true,
      sealed: true,
    });
    await publish(t, 'dd', 'x');
    await t.api('STREAM.PURGE.DD');
    await t.api('STREAM.MSG.DELETE.DD', { seq: 1 });
  },

  'answers direct gets': async (t) => {
    await t.api('STREAM.CREATE.D', { name: 'D', subjects: ['d.>'], allow_direct: true });
    for (let i = 0; i < 6; i++) await publish(t, `d.${i % 2}.x`, `m${i}`, i === 3 ? 'NATS/1.0\r\nK: v\r\n\r\n' : null);
    for (const body of [
      '{"seq":1}',
      '{"seq":4}',
      '{"seq":77}',
      '{"last_by_subj":"d.1.x"}',
      '{"last_by_subj":"d.*.x"}',
      '{"next_by_subj":"d.1.x","seq":3}',
      '{"next_by_subj":"d.1.x"}',
      '{"seq":4,"no_hdr":true}',
      '{"start_time":"2020-01-01T00:00:00Z"}',
      '',
      '{}',
      'x',
      '{"seq":1,"last_by_subj":"d.1.x"}',
      '{"last_by_subj":"d.1.x","batch":2}',
      '{"unknown":1,"seq":1}',
      '{"multi_last":["nope.>"]}',
    ]) {
      await t.request('$JS.API.DIRECT.GET.D', body);
    }
    await t.request('$JS.API.DIRECT.GET.D.d.0.x');
    await t.request('$JS.API.DIRECT.GET.D.d.nope');
    await t.request('$JS.API.DIRECT.GET.D.d.*.x');
    await t.request('$JS.API.DIRECT.GET.D.d.0.x', '{"seq":1}');
    await t.request('$JS.API.DIRECT.GET.NOPE', '{"seq":1}');
    for (const [body, count] of [
      ['{"batch":3,"seq":2}', 4],
      ['{"batch":10,"next_by_subj":"d.1.x","seq":1}', 4],
      ['{"batch":10,"seq":1,"max_bytes":4}', 2],
      ['{"multi_last":["d.>"]}', 3],
      ['{"multi_last":["d.0.x","d.1.*"],"up_to_seq":3}', 3],
      ['{"multi_last":["d.>"],"batch":1}', 2],
    ] as const) {
      const sid = t.client.subscribe('batch.inbox');
      t.client.publish('$JS.API.DIRECT.GET.D', body, 'batch.inbox');
      t.note(`> ${body}`);
      await t.take(sid, count, 1000);
      await t.expectNothing(sid);
      t.client.unsubscribe(sid);
    }
  },

  'republishes and transforms': async (t) => {
    await t.api('STREAM.CREATE.R', { name: 'R', subjects: ['r.*'], republish: { src: 'r.*', dest: 'out.$1' } });
    await t.api('STREAM.CREATE.RH', {
      name: 'RH',
      subjects: ['rh.*'],
      republish: { src: '>', dest: 'outh.>', headers_only: true },
    });
    await t.api('STREAM.CREATE.X', {
      name: 'X',
      subjects: ['x.*'],
      subject_transform: { src: 'x.*', dest: 'y.{{wildcard(1)}}' },
    });
    const out = t.client.subscribe('out.*');
    const heads = t.client.subscribe('outh.>');
    await publish(t, 'r.a', 'one', 'NATS/1.0\r\nK: v\r\n\r\n');
    await publish(t, 'r.a', 'two');
    await publish(t, 'rh.b', 'three');
    await publish(t, 'x.a', 'four');
    await t.take(out, 2);
    await t.take(heads, 1);
    await t.api('STREAM.MSG.GET.X', { seq: 1 });
    await t.api('STREAM.INFO.X', { subjects_filter: '>' });
  },

  'counts interest: messages nobody wants are acked and not kept': async (t) => {
    await t.api('STREAM.CREATE.I', { name: 'I', subjects: ['i.*'], retention: 'interest' });
    await publish(t, 'i.a', 'lost');
    await t.api('STREAM.INFO.I');
    await t.api('CONSUMER.DURABLE.CREATE.I.C', {
      stream_name: 'I',
      config: { durable_name: 'C', ack_policy: 'explicit', filter_subject: 'i.a' },
    });
    await publish(t, 'i.a', 'kept');
    await publish(t, 'i.b', 'lost too');
    await t.api('STREAM.INFO.I');
    const sid = t.client.subscribe('pull.inbox');
    t.client.publish('$JS.API.CONSUMER.MSG.NEXT.I.C', '1', 'pull.inbox');
    const [message] = await t.take(sid, 1);
    await t.request(message?.reply ?? 'none', '+ACK');
    await t.api('STREAM.INFO.I');
    await publish(t, 'i.a', 'kept');
    await t.api('CONSUMER.DELETE.I.C');
    await t.api('STREAM.INFO.I');
    await t.api('STREAM.CREATE.WQ', { name: 'WQ', subjects: ['wq.*'], retention: 'workqueue' });
    await publish(t, 'wq.a', 'kept');
    await t.api('CONSUMER.DURABLE.CREATE.WQ.C', {
      stream_name: 'WQ',
      config: { durable_name: 'C', ack_policy: 'explicit', filter_subject: 'wq.a' },
    });
    await t.api('CONSUMER.DURABLE.CREATE.WQ.E', {
      stream_name: 'WQ',
      config: { durable_name: 'E', ack_policy: 'explicit', filter_subject: 'wq.a' },
    });
    await t.api('CONSUMER.DURABLE.CREATE.WQ.F', {
      stream_name: 'WQ',
      config: { durable_name: 'F', ack_policy: 'explicit' },
    });
    await t.api('CONSUMER.DURABLE.CREATE.WQ.G', {
      stream_name: 'WQ',
      config: { durable_name: 'G', ack_policy: 'none' },
    });
    await t.api('CONSUMER.DURABLE.CREATE.WQ.H', {
      stream_name: 'WQ',
      config: { durable_name: 'H', ack_policy: 'explicit', filter_subject: 'wq.b', deliver_policy: 'new' },
    });
    t.client.publish('$JS.API.CONSUMER.MSG.NEXT.WQ.C', '1', 'pull.inbox');
    const [work] = await t.take(sid, 1);
    await t.request(work?.reply ?? 'none', '+ACK');
    await t.api('STREAM.INFO.WQ');
  },

  'answers account information': async (t) => {
    await t.api('INFO');
    await t.api('STREAM.CREATE.A', { name: 'A', subjects: ['a'], storage: 'memory' });
    await t.api('INFO');
    await t.api('STREAM.LEADER.STEPDOWN.A');
    await t.api('CONSUMER.LEADER.STEPDOWN.A.C');
    await t.api('STREAM.PEER.REMOVE.A', { peer: 'x' });
    await t.api('META.LEADER.STEPDOWN');
  },

  'emits advisories': async (t) => {
    const sid = t.client.subscribe('$JS.EVENT.ADVISORY.STREAM.>');
    const consumer = t.client.subscribe('$JS.EVENT.ADVISORY.CONSUMER.>');
    await t.client.flush();
    await t.api('STREAM.CREATE.V', { name: 'V', subjects: ['v'] });
    await t.api('STREAM.UPDATE.V', { name: 'V', subjects: ['v', 'w'] });
    await t.api('CONSUMER.DURABLE.CREATE.V.C', {
      stream_name: 'V',
      config: { durable_name: 'C', ack_policy: 'explicit' },
    });
    await t.api('CONSUMER.DELETE.V.C');
    await t.api('STREAM.DELETE.V');
    for (const message of [...(await collect(t, sid, 3)), ...(await collect(t, consumer, 2))]) {
      t.note(message.replace(/"id":"[^"]+"/, '"id":"<id>"'));
    }
  },
});

async function collect(t: Transcript, sid: string, count: number): Promise<string[]> {
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const message = await t.client.next(sid, 2000);
    texts.push(message === null ? 'nothing more' : `${message.subject} ${message.payload}`);
  }
  return texts;
}
