import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type OracleVersion, oraclePath, ServerProcess, TempDir, WireClient } from '../src/index.ts';

type Start = (storeDir: string) => Promise<ServerProcess>;
type Json = Record<string, unknown>;

const flags = (storeDir: string): string[] => ['-a', '127.0.0.1', '-p', '-1', '-js', '-sd', storeDir];
const ours: Start = (storeDir) => ServerProcess.natsd({ args: flags(storeDir) });
const oracle =
  (version: OracleVersion): Start =>
  (storeDir) =>
    ServerProcess.oracle({ args: flags(storeDir) }, version);

async function api(client: WireClient, subject: string, body: unknown = ''): Promise<Json> {
  const answer = await client.request(
    `$JS.API.${subject}`,
    typeof body === 'string' ? body : JSON.stringify(body),
    null,
    10_000,
  );
  if (answer.kind === 'silence') throw new Error(`no answer to ${subject}`);
  return JSON.parse(answer.message.payload) as Json;
}

async function must(client: WireClient, subject: string, body: unknown = ''): Promise<Json> {
  const answer = await api(client, subject, body);
  expect(answer['error'], `${subject} ${JSON.stringify(body)}`).toBeUndefined();
  return answer;
}

async function publish(
  client: WireClient,
  subject: string,
  payload: string,
  header: string | null = null,
): Promise<void> {
  const answer = await client.request(subject, payload, header, 10_000);
  expect(answer.kind === 'message' && answer.message.payload).toMatch(/"seq":\d+/);
}

async function deliver(client: WireClient, stream: string, consumer: string, count: number): Promise<string[]> {
  const sid = client.subscribe(`pull.${stream}.${consumer}`);
  client.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, `${count}`, `pull.${stream}.${consumer}`);
  const replies: string[] = [];
  for (let i = 0; i < count; i++) replies.push((await client.next(sid))?.reply ?? '');
  client.unsubscribe(sid);
  return replies;
}

async function ack(client: WireClient, reply: string | undefined, body = '+ACK'): Promise<void> {
  const answer = await client.request(reply ?? 'none', body, null, 5_000);
  expect(answer.kind).toBe('message');
}

/** Streams of every kind of history: deletes, purges, evictions, key-value, consumers with acks outstanding. */
async function fill(client: WireClient, round: string): Promise<void> {
  const first = round === 'a';
  if (first) {
    await must(client, 'STREAM.CREATE.EVENTS', { name: 'EVENTS', subjects: ['ev.>'], max_msgs: 200 });
    await must(client, 'STREAM.CREATE.KV_b', {
      name: 'KV_b',
      subjects: ['$KV.b.>'],
      max_msgs_per_subject: 3,
      discard: 'new',
      deny_delete: true,
      allow_rollup_hdrs: true,
      allow_direct: true,
    });
    await must(client, 'STREAM.CREATE.JOBS', { name: 'JOBS', subjects: ['jobs.*'], retention: 'workqueue' });
    await must(client, 'STREAM.CREATE.EMPTY', { name: 'EMPTY', subjects: ['empty'] });
    const consumer = (name: string, extra: Json): Json => ({
      stream_name: 'EVENTS',
      config: { durable_name: name, ack_policy: 'explicit', ack_wait: 3600e9, ...extra },
    });
    await must(client, 'CONSUMER.CREATE.EVENTS.pending', consumer('pending', {}));
    await must(client, 'CONSUMER.CREATE.EVENTS.filtered', consumer('filtered', { filter_subject: 'ev.1.>' }));
    await must(
      client,
      'CONSUMER.CREATE.EVENTS.push',
      consumer('push', { deliver_subject: 'push.to', deliver_group: 'g' }),
    );
    await must(client, 'CONSUMER.DURABLE.CREATE.JOBS.worker', {
      stream_name: 'JOBS',
      config: { durable_name: 'worker', ack_policy: 'explicit', ack_wait: 3600e9 },
    });
  }
  for (let i = 0; i < 60; i++)
    await publish(
      client,
      `ev.${i % 3}.${round}`,
      `event ${round} ${i} ${'x'.repeat(i * 7)}`,
      i % 4 === 0 ? `NATS/1.0\r\nNats-Msg-Id: ${round}${i}\r\n\r\n` : null,
    );
  for (const key of ['k1', 'k2', 'k1', 'k1', 'k1']) await publish(client, `$KV.b.${key}`, `${key} ${round}`);
  await publish(client, '$KV.b.k2', '', 'NATS/1.0\r\nKV-Operation: PURGE\r\nNats-Rollup: sub\r\n\r\n');
  for (let i = 0; i < 6; i++) await publish(client, 'jobs.a', `job ${round} ${i}`);
  await publish(client, 'empty', 'soon gone');

  const state = (await must(client, 'STREAM.INFO.EVENTS'))['state'] as { last_seq: number };
  await must(client, 'STREAM.MSG.DELETE.EVENTS', { seq: state.last_seq - 5 });
  await must(client, 'STREAM.MSG.DELETE.EVENTS', { seq: state.last_seq - 7, no_erase: true });
  await must(client, 'STREAM.MSG.DELETE.EVENTS', { seq: state.last_seq });
  await must(client, 'STREAM.PURGE.EVENTS', { filter: `ev.2.${round}`, keep: 4 });
  await must(client, 'STREAM.PURGE.EMPTY');

  const replies = await deliver(client, 'EVENTS', 'pending', 10);
  for (const i of [0, 1, 2, 5, 7]) await ack(client, replies[i]);
  await ack(client, replies[6], '-NAK {"delay":3600000000000}');
  for (const reply of await deliver(client, 'EVENTS', 'filtered', 3)) await ack(client, reply);
  const jobs = await deliver(client, 'JOBS', 'worker', 4);
  await ack(client, jobs[1]);
  await ack(client, jobs[2], '+TERM');
}

interface Snapshot {
  streams: Record<string, { state: unknown; config: unknown; messages: unknown[] }>;
  consumers: Record<string, { positions: unknown; config: unknown }>;
}

/** Everything that must be the same whoever opens the directory. */
async function snapshot(client: WireClient): Promise<Snapshot> {
  const result: Snapshot = { streams: {}, consumers: {} };
  const names = (await must(client, 'STREAM.NAMES'))['streams'] as string[];
  for (const name of names) {
    const info = await must(client, `STREAM.INFO.${name}`, { deleted_details: true, subjects_filter: '>' });
    const state = info['state'] as { first_seq: number; last_seq: number };
    const messages: unknown[] = [];
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
      const got = await api(client, `STREAM.MSG.GET.${name}`, { seq });
      messages.push(got['message'] ?? `${seq}: ${(got['error'] as Json | undefined)?.['err_code']}`);
    }
    result.streams[name] = { state, config: withoutVersions(info['config']), messages };
    for (const consumer of ((await must(client, `CONSUMER.NAMES.${name}`))['consumers'] as string[]) ?? []) {
      const details = await must(client, `CONSUMER.INFO.${name}.${consumer}`);
      result.consumers[`${name}/${consumer}`] = {
        positions: {
          delivered: withoutActivity(details['delivered']),
          floor: withoutActivity(details['ack_floor']),
          ackPending: details['num_ack_pending'],
          pending: details['num_pending'],
          redelivered: details['num_redelivered'],
        },
        config: withoutVersions(details['config']),
      };
    }
  }
  return result;
}

// Releases before 2.11 know neither the metadata they are given back nor the newer fields.
function withoutVersions(config: unknown): Json {
  const { metadata: _metadata, allow_msg_ttl: _ttl, ...rest } = config as Json;
  return rest;
}

function withoutActivity(position: unknown): Json {
  const { last_active: _active, ...rest } = position as Json;
  return rest;
}

async function visit<T>(
  start: Start,
  storeDir: string,
  work: (client: WireClient) => Promise<T>,
  end: 'stop' | 'kill' = 'stop',
): Promise<T> {
  await using server = await start(storeDir);
  const result = await (async () => {
    await using client = await WireClient.connect(server.port);
    return await work(client);
  })();
  if (end === 'kill') await server.kill();
  else await server.stop();
  return result;
}

async function fillAndSnapshot(client: WireClient, round: string): Promise<Snapshot> {
  await fill(client, round);
  return snapshot(client);
}

/** Releases before 2.11 miscount num_pending by the messages that were deleted meanwhile: not compared with them. */
function countable(taken: Snapshot, version: OracleVersion): Snapshot {
  if (version === '2.10')
    for (const consumer of Object.values(taken.consumers)) delete (consumer.positions as Json)['pending'];
  return taken;
}

/** nats-server forgets the time of a last message that was erased when it has to read the blocks again. */
function withoutLastTime(streams: Snapshot['streams']): unknown {
  return Object.fromEntries(
    Object.entries(streams).map(([name, stream]) => [
      name,
      { ...stream, state: { ...(stream.state as Json), last_ts: '' } },
    ]),
  );
}

for (const version of ['2.15', '2.10'] as const) {
  describe.runIf(oraclePath(version) !== null)(
    `a store directory shared with nats-server ${version}`,
    { timeout: 120_000 },
    () => {
      it('opens here with the same streams, messages and consumer positions, and there again', async () => {
        using dir = new TempDir('swap');
        const theirs = oracle(version);
        const written = await visit(theirs, dir.path, (client) => fillAndSnapshot(client, 'a'));
        expect(await visit(ours, dir.path, snapshot)).toEqual(written);
        const more = await visit(ours, dir.path, (client) => fillAndSnapshot(client, 'b'));
        expect(await visit(theirs, dir.path, snapshot)).toEqual(more);
        const evenMore = await visit(theirs, dir.path, (client) => fillAndSnapshot(client, 'c'));
        expect(await visit(ours, dir.path, snapshot)).toEqual(evenMore);
      });

      it('that was written here opens there', async () => {
        using dir = new TempDir('swap');
        const written = await visit(ours, dir.path, (client) => fillAndSnapshot(client, 'a'));
        expect(await visit(ours, dir.path, snapshot)).toEqual(written);
        expect(countable(await visit(oracle(version), dir.path, snapshot), version)).toEqual(
          countable(written, version),
        );
      });

      it('after a kill here has the same messages, deletes and purges there, and no position that is ahead', async () => {
        using dir = new TempDir('swap');
        const written = await visit(ours, dir.path, (client) => fillAndSnapshot(client, 'a'), 'kill');
        const opened = await visit(oracle(version), dir.path, snapshot, 'kill');
        expect(withoutLastTime(opened.streams)).toEqual(withoutLastTime(written.streams));
        for (const [name, { positions }] of Object.entries(opened.consumers)) {
          const before = written.consumers[name]?.positions as Record<string, { stream_seq: number }>;
          const after = positions as Record<string, { stream_seq: number }>;
          expect(after['delivered']?.stream_seq, name).toBeLessThanOrEqual(before['delivered']?.stream_seq ?? 0);
          expect(after['floor']?.stream_seq, name).toBeLessThanOrEqual(before['floor']?.stream_seq ?? 0);
        }
      });
    },
  );
}

const FOR_EVER = '9223372036854775807';

/** What a stream and its consumer say and store of limits that no double holds. */
async function forEver(client: WireClient, dir: string): Promise<{ shown: string[]; stored: string[] }> {
  const shown: string[] = [];
  for (const subject of ['STREAM.INFO.F', 'CONSUMER.INFO.F.c', 'CONSUMER.INFO.F.late']) {
    const answer = await client.request(`$JS.API.${subject}`);
    const text = answer.kind === 'message' ? answer.message.payload : 'silence';
    shown.push(/"config":\{.*?"metadata":/s.exec(text)?.[0] ?? text);
  }
  const files = ['meta.inf', 'obs/c/meta.inf', 'obs/late/meta.inf'];
  return { shown, stored: files.map((file) => readFileSync(join(dir, 'jetstream/$G/streams/F', file), 'utf8')) };
}

describe.runIf(oraclePath() !== null)('limits beyond what a double holds', { timeout: 60_000 }, () => {
  it('are the same to the last digit whoever opens the directory, and unchanged on disk', async () => {
    using dir = new TempDir('for-ever');
    const written = await visit(oracle('2.15'), dir.path, async (client) => {
      const limits = `"max_msgs":${FOR_EVER},"max_age":31536000000000001,"max_consumers":${FOR_EVER}`;
      const consumerLimits = `"consumer_limits":{"inactive_threshold":${FOR_EVER},"max_ack_pending":${FOR_EVER}}`;
      await must(
        client,
        'STREAM.CREATE.F',
        `{"name":"F",${limits},"duplicate_window":31536000000000001,${consumerLimits}}`,
      );
      const config = `"ack_policy":"explicit","ack_wait":${FOR_EVER},"max_deliver":${FOR_EVER},"max_expires":${FOR_EVER}`;
      await must(client, 'CONSUMER.CREATE.F.c', `{"stream_name":"F","config":{"durable_name":"c",${config}}}`);
      const start = '"deliver_policy":"by_start_sequence","opt_start_seq":18446744073709551615';
      await must(client, 'CONSUMER.CREATE.F.late', `{"stream_name":"F","config":{"durable_name":"late",${start}}}`);
      await publish(client, 'F', 'm');
      return forEver(client, dir.path);
    });
    expect(written.shown.join()).toContain('"opt_start_seq":18446744073709551615');
    expect(
      await visit(ours, dir.path, async (client) => {
        expect(await deliver(client, 'F', 'c', 1)).toEqual([expect.stringContaining('$JS.ACK.F.c.1.1.1.')]);
        return forEver(client, dir.path);
      }),
    ).toEqual(written);
    const updated = await visit(ours, dir.path, async (client) => {
      await must(client, 'STREAM.UPDATE.F', `{"name":"F","max_msgs":${FOR_EVER},"max_age":${FOR_EVER}}`);
      return forEver(client, dir.path);
    });
    expect(updated.shown[0]).toContain(`"max_age":${FOR_EVER}`);
    expect(await visit(oracle('2.15'), dir.path, (client) => forEver(client, dir.path))).toEqual(updated);
  });
});

describe('a store directory of ours', { timeout: 120_000 }, () => {
  it('comes back after SIGKILL with every stream, message and confirmed consumer position', async () => {
    using dir = new TempDir('kill');
    const written = await visit(ours, dir.path, (client) => fillAndSnapshot(client, 'a'), 'kill');
    expect(await visit(ours, dir.path, snapshot, 'kill')).toEqual(written);
    const more = await visit(ours, dir.path, (client) => fillAndSnapshot(client, 'b'), 'kill');
    expect(await visit(ours, dir.path, snapshot)).toEqual(more);
  });
});
