import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { freePort, ServerProcess, TempDir, WireClient } from '../src/index.ts';

// spec/ocis.md 4: the requests of go-micro's nats-js-kv store, in its order.
const BUCKET = 'KV_service-registry';
const STREAM_CREATE = {
  name: BUCKET,
  description: 'KeyValue storage administered by go-micro store plugin',
  subjects: ['$KV.service-registry.>'],
  retention: 'limits',
  max_consumers: 0,
  max_msgs: -1,
  max_bytes: -1,
  discard: 'new',
  max_age: 30_000_000_000,
  max_msgs_per_subject: 1,
  max_msg_size: -1,
  storage: 'memory',
  num_replicas: 1,
  duplicate_window: 30_000_000_000,
  compression: 'none',
  deny_delete: true,
  allow_rollup_hdrs: true,
  allow_direct: true,
  mirror_direct: false,
  consumer_limits: {},
};

function base32(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const byte of Buffer.from(text)) bits += byte.toString(2).padStart(8, '0');
  let out = '';
  for (let i = 0; i < bits.length; i += 5) out += alphabet[Number.parseInt(bits.slice(i, i + 5).padEnd(5, '0'), 2)];
  return out.padEnd(Math.ceil(out.length / 8) * 8, '=');
}

function orderedConsumer(inbox: string, extra: Record<string, unknown>): string {
  return JSON.stringify({
    stream_name: BUCKET,
    config: {
      deliver_policy: 'last_per_subject',
      ack_policy: 'none',
      ack_wait: 79_200_000_000_000,
      max_deliver: 1,
      filter_subject: '$KV.service-registry.>',
      replay_policy: 'instant',
      flow_control: true,
      idle_heartbeat: 5_000_000_000,
      ...extra,
      deliver_subject: inbox,
      num_replicas: 1,
      mem_storage: true,
    },
  });
}

describe('the oCIS registry flow', () => {
  it('registers, lists, reads, watches and deregisters as the Go services do', async () => {
    using dir = new TempDir('registry');
    const env = {
      NATS_NATS_PORT: '-1',
      NATS_NATS_STORE_DIR: dir.path,
      NATS_LOG_LEVEL: 'info',
      // The bucket is for the Go services alone here: this service would register itself there first.
      MICRO_REGISTRY: 'memory',
      NATS_DEBUG_ADDR: `127.0.0.1:${await freePort()}`,
    };
    await using server = await ServerProcess.eventsService({ env });
    await using client = await WireClient.connect(server.port, { name: 'nats-js-kv-registry', lang: 'go' });
    const json = async (subject: string, body: string): Promise<Record<string, unknown>> => {
      const answer = await client.request(`$JS.API.${subject}`, body, null, 5_000);
      if (answer.kind === 'silence') throw new Error(`no answer to ${subject}`);
      return JSON.parse(answer.message.payload) as Record<string, unknown>;
    };

    expect((await json(`STREAM.INFO.${BUCKET}`, ''))['error']).toMatchObject({ code: 404, err_code: 10059 });
    const created = await json(`STREAM.CREATE.${BUCKET}`, JSON.stringify(STREAM_CREATE));
    expect(created['config']).toMatchObject({
      storage: 'memory',
      max_age: 30_000_000_000,
      discard: 'new',
      max_consumers: -1,
    });

    const nodes = [randomUUID(), randomUUID()];
    const keys = nodes.map((id) => base32(`service-registry_com.owncloud.api.gateway@${id}@7.3.0`));
    const put = async (key: string, value: string): Promise<string> => {
      const answer = await client.request(`$KV.service-registry.${key}`, value, null, 5_000);
      return answer.kind === 'silence' ? 'silence' : answer.message.payload;
    };
    for (const [i, key] of keys.entries())
      expect(await put(key, `{"key":"node-${i}","data":"e30=","metadata":null}`)).toBe(
        `{"stream":"${BUCKET}","seq":${i + 1}}`,
      );
    // A heartbeat is a plain put of the same key.
    expect(await put(keys[0] ?? '', '{"key":"node-0","data":"e30=","metadata":null}')).toBe(
      `{"stream":"${BUCKET}","seq":3}`,
    );

    const inbox = client.subscribe('_INBOX.keys');
    const lister = await json(
      `CONSUMER.CREATE.${BUCKET}.abcd1234.$KV.service-registry.>`,
      orderedConsumer('_INBOX.keys', { headers_only: true }).replace('"config":{', '"config":{"name":"abcd1234",'),
    );
    expect(lister).toMatchObject({ num_pending: 2, delivered: { consumer_seq: 0 } });
    const listed = [await client.next(inbox), await client.next(inbox)];
    expect(listed.map((message) => message?.subject)).toEqual([
      `$KV.service-registry.${keys[1]}`,
      `$KV.service-registry.${keys[0]}`,
    ]);
    expect(listed[0]?.header).toContain('Nats-Msg-Size: 46');
    expect(listed[1]?.reply).toMatch(new RegExp(`^\\$JS\\.ACK\\.${BUCKET}\\.abcd1234\\.1\\.3\\.2\\.\\d{19}\\.0$`));
    client.unsubscribe(inbox);
    expect(await json(`CONSUMER.DELETE.${BUCKET}.abcd1234`, '')).toMatchObject({ success: true });

    const direct = await client.request(`$JS.API.DIRECT.GET.${BUCKET}.$KV.service-registry.${keys[1]}`);
    expect(direct.kind === 'message' && direct.message.payload).toBe('{"key":"node-1","data":"e30=","metadata":null}');
    expect(direct.kind === 'message' && direct.message.header).toMatch(/Nats-Sequence: 2\r\nNats-Time-Stamp: /);
    const missing = await client.request(`$JS.API.DIRECT.GET.${BUCKET}.$KV.service-registry.NOPE`);
    expect(missing.kind === 'message' && missing.message.header).toBe('NATS/1.0 404 Message Not Found\r\n\r\n');

    const watch = client.subscribe('_INBOX.watch');
    expect(
      await json(
        `CONSUMER.CREATE.${BUCKET}.watch123.$KV.service-registry.>`,
        orderedConsumer('_INBOX.watch', {}).replace('"config":{', '"config":{"name":"watch123",'),
      ),
    ).not.toHaveProperty('error');
    await client.next(watch);
    await client.next(watch);
    client.publish(`$KV.service-registry.${keys[0]}`, '', null, 'NATS/1.0\r\nKV-Operation: DEL\r\n\r\n');
    const marker = await client.next(watch);
    expect(marker).toMatchObject({ subject: `$KV.service-registry.${keys[0]}`, payload: '' });
    expect(marker?.header).toContain('KV-Operation: DEL');
  });
});
