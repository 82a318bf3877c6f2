import { describeSameTranscript, type Transcript } from '../src/index.ts';

async function stream(t: Transcript, messages: number, config: Record<string, unknown> = {}): Promise<void> {
  await t.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.*'], ...config });
  for (let i = 0; i < messages; i++) await t.request(`s.${i % 3}`, `m${i}`);
}

async function consumer(t: Transcript, config: Record<string, unknown>): Promise<void> {
  await t.api('CONSUMER.CREATE.S.C', { stream_name: 'S', config: { durable_name: 'C', ...config } });
}

/** Sends a direct get and takes all it answers, up to the status that ends it. */
async function directGet(t: Transcript, body: string): Promise<void> {
  t.note(`> direct get ${body}`);
  const sid = t.client.subscribe('direct');
  t.client.publish('$JS.API.DIRECT.GET.S', body, 'direct');
  for (let i = 0; i < 12; i++) {
    const [message] = await t.take(sid, 1);
    if (message === undefined || / (204|404|408|413)/.test(message.header ?? '')) break;
  }
  t.client.unsubscribe(sid);
}

const ODD_TIMES = [
  '9999-12-31T23:59:59Z',
  '2262-04-11T23:47:16.854775807Z',
  '2262-04-11T23:47:16.854775808Z',
  '2300-01-01T00:00:00Z',
  '1970-01-01T00:00:00Z',
  '1600-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
];

for (const retention of ['limits', 'workqueue']) {
  describeSameTranscript(`JetStream acks on a ${retention} stream`, ['-js'], {
    'to sequences nobody was sent': async (t) => {
      await stream(t, 4, { retention });
      await consumer(t, { ack_policy: 'explicit' });
      const sid = t.client.subscribe('in');
      t.client.publish('$JS.API.CONSUMER.MSG.NEXT.S.C', '3', 'in');
      await t.take(sid, 3);
      for (const numbers of [
        '0.0.0.0.0',
        '1.0.0.0.0',
        '1.0.1.0.0',
        '1.9.9.0.0',
        '1.x.y.z.0',
        '1.-1.-1.0.0',
        '1.2.0.0.0',
        '1.2.2.0.0',
      ]) {
        for (const body of ['+WPI', 'garbage', '+TERM', '', '+ACK']) await t.request(`$JS.ACK.S.C.${numbers}`, body);
        await t.api('CONSUMER.INFO.S.C');
      }
      await t.request('$JS.ACK.S.C.1.1.1.0', '+ACK');
      await t.request('$JS.ACK.S.C.1.1.1.0.0.0', '+ACK');
    },
  });
}

describeSameTranscript('JetStream at the edges', ['-js'], {
  'times that 64 bits of nanoseconds do not hold wrap around': async (t) => {
    await stream(t, 4, { allow_direct: true });
    for (const time of ODD_TIMES) {
      t.note(`time ${time.replace('Z', '')}`);
      await consumer(t, { deliver_policy: 'by_start_time', opt_start_time: time, ack_policy: 'explicit' });
      await t.api('CONSUMER.RESET.S.C', { seq: 2 });
      await t.api('CONSUMER.DELETE.S.C');
      await t.api('STREAM.MSG.GET.S', { start_time: time });
      await directGet(t, JSON.stringify({ multi_last: ['s.*'], up_to_time: time }));
      await directGet(t, JSON.stringify({ batch: 2, start_time: time }));
    }
  },

  'a pause without an end lasts as long as can be told': async (t) => {
    await stream(t, 1);
    await consumer(t, { ack_policy: 'explicit' });
    await t.api('CONSUMER.PAUSE.S.C', { pause_until: '9999-12-31T23:59:59Z' });
    await t.api('CONSUMER.PAUSE.S.C', { pause_until: '2020-01-01T00:00:00Z' });
    await t.api('CONSUMER.PAUSE.S.C', '');
  },

  'sequences at the end of 64 bits': async (t) => {
    await stream(t, 6, { allow_direct: true });
    for (const seq of ['18446744073709551615', '18446744073709551614', '9007199254740993']) {
      await directGet(t, `{"multi_last":["s.*"],"up_to_seq":${seq}}`);
      await directGet(t, `{"seq":${seq}}`);
      await directGet(t, `{"seq":${seq},"batch":2}`);
      await t.api('STREAM.MSG.GET.S', `{"seq":${seq}}`);
      await t.api('STREAM.MSG.DELETE.S', `{"seq":${seq}}`);
    }
    await t.api('STREAM.PURGE.S', '{"keep":18446744073709551615}');
    await t.api('STREAM.PURGE.S', '{"seq":18446744073709551615,"filter":"s.1"}');
    await t.api('STREAM.INFO.S', '{"subjects_filter":">"}');
  },

  'offsets out of range': async (t) => {
    await stream(t, 6);
    for (const offset of ['-5', '1', '100', '9223372036854775807', '9223372036854775808']) {
      await t.api('STREAM.INFO.S', `{"offset":${offset}}`);
      await t.api('STREAM.INFO.S', `{"offset":${offset},"subjects_filter":"s.*"}`);
      await t.api('STREAM.NAMES', `{"offset":${offset}}`);
      await t.api('CONSUMER.LIST.S', `{"offset":${offset}}`);
    }
  },

  'a level that is not there is told after what comes first': async (t) => {
    await stream(t, 1);
    await consumer(t, { ack_policy: 'explicit' });
    for (const level of ['6', 'x', '5']) {
      const header = `NATS/1.0\r\nNats-Required-Api-Level: ${level}\r\n\r\n`;
      for (const subject of [
        'STREAM.CREATE.S',
        'STREAM.INFO.S',
        'STREAM.PURGE.S',
        'STREAM.LEADER.STEPDOWN.S',
        'STREAM.CANCEL_MOVE.S',
        'CONSUMER.CREATE.S.C',
        'CONSUMER.INFO.S.C',
        'CONSUMER.PAUSE.S.C',
        'CONSUMER.NAMES.S',
        'CONSUMER.DELETE.S.NOPE',
      ])
        for (const body of ['{"x', '{}']) await t.api(subject, body, header);
    }
  },

  'a pause that fails says that there is none': async (t) => {
    await stream(t, 1);
    await consumer(t, { ack_policy: 'explicit' });
    await t.api('CONSUMER.PAUSE.S.NOPE', { pause_until: '2035-01-01T00:00:00Z' });
    await t.api('CONSUMER.PAUSE.S.C', { pause_until: 'x' });
    await t.api('CONSUMER.PAUSE.S.C', { x: 1 });
  },

  'consumers need the level of what they were asked for, even where it comes to nothing': async (t) => {
    await stream(t, 1);
    for (const config of [
      { priority_timeout: -1 },
      { pause_until: '0001-01-01T00:00:00Z' },
      { pause_until: '2020-01-01T00:00:00Z' },
    ]) {
      await consumer(t, { ack_policy: 'explicit', ...config });
      await t.api('CONSUMER.DELETE.S.C');
    }
  },

  'a roll-up finds what the limits have left': async (t) => {
    await stream(t, 0, { max_msgs: 2, allow_rollup_hdrs: true });
    for (const subject of ['s.0', 's.1']) await t.request(subject, 'old');
    await t.request('s.1', 'new', 'NATS/1.0\r\nNats-Rollup: sub\r\n\r\n');
    await t.api('STREAM.INFO.S', '{"subjects_filter":">"}');
  },

  'a stream may republish to nowhere': async (t) => {
    await stream(t, 0, { subjects: ['s.*', '*'], republish: { src: 's.*', dest: '' } });
    const sid = t.client.subscribe('>');
    await t.request('s.0', 'x');
    await t.take(sid, 2);
    await t.expectNothing(sid);
  },

  'an empty placement is kept if it lists tags': async (t) => {
    for (const placement of ['{}', '{"tags":[]}', '{"tags":null}', '{"cluster":"","tags":[]}', '{"cluster":"c"}']) {
      await t.api('STREAM.CREATE.P', `{"name":"P","placement":${placement}}`);
      await t.api('STREAM.DELETE.P');
    }
  },

  'CONSUMER.UNPIN checks what it is given before it looks for the consumer': async (t) => {
    await stream(t, 1);
    await consumer(t, { ack_policy: 'explicit' });
    for (const body of [
      '',
      '{}',
      '{"group":"a"}',
      '{"group":""}',
      '{"group":"a b"}',
      'x',
      '{"x":1}',
      '[]',
      '{"group":7}',
    ]) {
      await t.api('CONSUMER.UNPIN.S.C', body);
      await t.api('CONSUMER.UNPIN.S.NOPE', body);
      await t.api('CONSUMER.UNPIN.NOPE.C', body);
    }
  },

  'CONSUMER.RESET reads its body as loosely as it is written': async (t) => {
    await stream(t, 4);
    await consumer(t, { deliver_policy: 'by_start_sequence', opt_start_seq: 2, ack_policy: 'explicit' });
    for (const body of [
      '',
      ' ',
      '{}',
      '{"x":1}',
      '{"seq":1}',
      '{"seq":3}',
      '{"seq":"3"}',
      '{"seq":-1}',
      '[]',
      'x',
      '3',
    ])
      await t.api('CONSUMER.RESET.S.C', body);
    await t.api('CONSUMER.RESET.S.NOPE', '{"seq":1}');
  },

  'requests that are not what they should be leave a line in the log': async (t) => {
    await stream(t, 1);
    const wrong = [
      ['STREAM.CREATE.X', '{"name":"X","foo":1}'],
      ['STREAM.CREATE.X', '{'],
      ['STREAM.CREATE.X', '{"name":"X","max_age":-1}'],
      ['STREAM.INFO.S', '{"foo":1}'],
      ['STREAM.PURGE.S', '{"foo":1}'],
      ['STREAM.DELETE.S', '{"foo":1}'],
      ['STREAM.MSG.GET.S', '{"seq":"1"}'],
      ['CONSUMER.CREATE.S.C', 'x'],
      ['CONSUMER.CREATE.S.C', 'x'],
      ['CONSUMER.LIST.S', '{"offset":"1"}'],
      ['CONSUMER.UNPIN.S.C', 'x'],
    ] as const;
    for (const [subject, body] of wrong) await t.api(subject, body);
    await t.server.line(/CONSUMER.LIST.S': /);
    for (const line of t.server.output.split('\n'))
      if (/\[(WRN|ERR)\]/.test(line)) t.note(line.replace(/^.*\[(WRN|ERR)\]/, '[$1]'));
  },
});
