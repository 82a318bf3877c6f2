import { describeSameTranscript, type Transcript } from '../src/index.ts';

const FOR_EVER = '9223372036854775807';
/** One nanosecond more than a double can count. */
const ODD = '9007199254740993';

async function update(t: Transcript, config: string): Promise<void> {
  await t.api('STREAM.UPDATE.S', `{"name":"S",${config}}`);
}

describeSameTranscript('JetStream integers beyond 2^53', ['-js'], {
  'streams keep them to the last digit': async (t) => {
    await t.api('STREAM.CREATE.S', `{"name":"S","max_msgs":${FOR_EVER},"max_age":${FOR_EVER}}`);
    await t.api('STREAM.CREATE.S', `{"name":"S","max_msgs":${FOR_EVER},"max_age":${FOR_EVER}}`);
    await t.api('STREAM.CREATE.S', `{"name":"S","max_msgs":9223372036854775806,"max_age":${FOR_EVER}}`);
    await update(t, `"max_msgs_per_subject":${FOR_EVER},"max_consumers":${FOR_EVER}`);
    await update(t, `"max_age":${ODD},"duplicate_window":${ODD}`);
    await update(t, `"max_age":${FOR_EVER},"duplicate_window":${FOR_EVER}`);
    await update(t, `"consumer_limits":{"inactive_threshold":${FOR_EVER},"max_ack_pending":${FOR_EVER}}`);
    await t.api('STREAM.INFO.S');
    await update(t, `"max_msgs":9223372036854775808`);
    await update(t, `"max_age":-${FOR_EVER}`);
    await update(t, `"max_msgs":-${FOR_EVER}`);
    await update(t, `"num_replicas":${FOR_EVER}`);
    await update(t, `"max_msg_size":${FOR_EVER}`);
  },

  'consumers keep them to the last digit and deliver as if there were none': async (t) => {
    await t.api('STREAM.CREATE.S', { name: 'S' });
    for (const payload of ['a', 'b', 'c']) await t.request('S', payload);
    const fields = [
      `"ack_wait":${FOR_EVER}`,
      `"max_deliver":${FOR_EVER}`,
      `"max_ack_pending":${FOR_EVER}`,
      `"inactive_threshold":${FOR_EVER}`,
      `"max_waiting":${FOR_EVER},"max_batch":${FOR_EVER},"max_expires":${FOR_EVER},"max_bytes":${FOR_EVER}`,
      `"backoff":[${FOR_EVER},1000000000]`,
      `"ack_wait":${ODD}`,
    ];
    for (const [index, field] of fields.entries()) {
      const name = `C${index}`;
      const config = `{"durable_name":"${name}","ack_policy":"explicit",${field}}`;
      await t.api(`CONSUMER.CREATE.S.${name}`, `{"stream_name":"S","config":${config}}`);
      await t.api(`CONSUMER.CREATE.S.${name}`, `{"stream_name":"S","action":"create","config":${config}}`);
      const sid = t.client.subscribe(`in.${name}`);
      t.client.publish(`$JS.API.CONSUMER.MSG.NEXT.S.${name}`, `{"batch":3,"expires":${FOR_EVER}}`, `in.${name}`);
      await t.take(sid, 3);
      await t.expectNothing(sid);
      await t.api(`CONSUMER.INFO.S.${name}`);
    }
    await t.api(
      'CONSUMER.CREATE.S.R',
      `{"stream_name":"S","config":{"durable_name":"R","deliver_subject":"d","rate_limit_bps":18446744073709551615}}`,
    );
  },

  'pull requests count from what they were given': async (t) => {
    await t.api('STREAM.CREATE.S', { name: 'S' });
    for (const payload of ['a', 'b', 'c']) await t.request('S', payload);
    const bodies = [
      `{"batch":${FOR_EVER},"no_wait":true}`,
      `{"batch":1,"expires":${FOR_EVER},"idle_heartbeat":4611686018427387903}`,
      '{"batch":1,"expires":9223372036854775808}',
      '{"expires":-5}',
      '{"batch":-5}',
      '{"expires":-9223372036854775808,"batch":7,"max_bytes":-3}',
      FOR_EVER,
      '9223372036854775808',
      '-3',
      '+2',
    ];
    for (const [index, body] of bodies.entries()) {
      const name = `C${index}`;
      await t.api(`CONSUMER.CREATE.S.${name}`, {
        stream_name: 'S',
        config: { durable_name: name, ack_policy: 'explicit' },
      });
      t.note(`> next ${body}`);
      const sid = t.client.subscribe(`in.${name}`);
      t.client.publish(`$JS.API.CONSUMER.MSG.NEXT.S.${name}`, body, `in.${name}`);
      await t.take(sid, 4, 300);
    }
  },
});
