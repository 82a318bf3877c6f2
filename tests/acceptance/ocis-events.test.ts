import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { freePort, GoClient, type GoMessage, ServerProcess, TempDir, until } from '../src/index.ts';

// spec/ocis.md 5: exactly what go-micro's natsjs plugin sends, sparse on purpose.
const STREAM_CREATE =
  '{"name":"main-queue","retention":"limits","max_consumers":0,"max_msgs":0,"max_bytes":0,"discard":"old","max_age":0,"max_msgs_per_subject":0,"storage":"file","num_replicas":0,"compression":"none","allow_direct":false,"mirror_direct":false,"consumer_limits":{}}';
const EVENTS = 20_000;
const KILLS = 3;
const PUBLISHERS = 4;

interface Delivery {
  run: number;
  streamSeq: number;
}

/** One group of consumers (one oCIS service with two instances) and what it saw. */
class Group {
  readonly name: string;
  readonly confirms: boolean;
  readonly deliveries = new Map<string, Delivery[]>();
  /** Events whose ack the server has confirmed, with the run in which it did. */
  readonly confirmed = new Set<string>();
  readonly violations: string[] = [];
  deliverSubject = '';

  constructor(name: string, confirms: boolean) {
    this.name = name;
    this.confirms = confirms;
  }

  /** What nats.go's QueueSubscribe does for a service instance. */
  async join(client: GoClient, currentRun: () => number): Promise<void> {
    const names = await client.api('STREAM.NAMES', '{"subject":"main-queue"}');
    expect(names['streams']).toEqual(['main-queue']);
    const info = await client.api(`CONSUMER.INFO.main-queue.${this.name}`, '');
    if (info['error']) {
      this.deliverSubject = `_INBOX.${this.name}.deliver`;
      client.subscribe(this.deliverSubject, this.name, (message) => this.#onMessage(client, message, currentRun()));
      const created = await client.api(
        `CONSUMER.CREATE.main-queue.${this.name}.main-queue`,
        `{"stream_name":"main-queue","config":{"durable_name":"${this.name}","name":"${this.name}","deliver_policy":"new","ack_policy":"explicit","ack_wait":2000000000,"filter_subject":"main-queue","replay_policy":"instant","deliver_subject":"${this.deliverSubject}","deliver_group":"${this.name}","num_replicas":0},"action":""}`,
      );
      expect(created['error']).toBeUndefined();
      return;
    }
    const config = info['config'] as Record<string, unknown>;
    expect(config['deliver_group']).toBe(this.name);
    client.subscribe(String(config['deliver_subject']), this.name, (message) =>
      this.#onMessage(client, message, currentRun()),
    );
  }

  #onMessage(client: GoClient, message: GoMessage, run: number): void {
    const id = (JSON.parse(message.payload) as { ID: string }).ID;
    const streamSeq = Number(message.reply?.split('.')[5]);
    const before = this.deliveries.get(id);
    if (this.confirmed.has(id)) this.violations.push(`${this.name}: ${id} came again after its ack was confirmed`);
    if (before?.some((delivery) => delivery.run === run))
      this.violations.push(`${this.name}: ${id} came twice in run ${run}`);
    if (before) before.push({ run, streamSeq });
    else this.deliveries.set(id, [{ run, streamSeq }]);
    if (message.reply === null) return;
    if (!this.confirms) {
      client.publish(message.reply, null, '+ACK');
      return;
    }
    client.request(message.reply, '+ACK').then(
      () => this.confirmed.add(id),
      () => {
        // The connection went before the confirmation: the event may come again.
      },
    );
  }
}

function envelope(id: string): string {
  const payload = Buffer.from(
    JSON.stringify({ ExecutingUser: { id: 'marie' }, UploadID: id, Filename: 'report.odt' }),
  ).toString('base64');
  return JSON.stringify({
    Timestamp: '2026-11-20T23:37:51.123456789Z',
    Metadata: { eventid: id, eventtype: 'events.UploadReady', initiatorid: '', traceparent: '' },
    ID: id,
    Topic: 'main-queue',
    Payload: payload,
  });
}

describe('the oCIS event flow', () => {
  it(`brings ${EVENTS} events to both groups although the server is killed ${KILLS} times`, {
    timeout: 180_000,
  }, async () => {
    using dir = new TempDir('ocis');
    const port = await freePort();
    const env = {
      NATS_NATS_PORT: `${port}`,
      NATS_NATS_STORE_DIR: dir.path,
      NATS_LOG_LEVEL: 'info',
      NATS_DEBUG_ADDR: `127.0.0.1:${await freePort()}`,
    };
    let server = await ServerProcess.eventsService({ env });
    let run = 0;
    using cleanUp = new DisposableStack();
    const open = async (name: string): Promise<GoClient> => {
      const client = cleanUp.use(new GoClient(port, name));
      await client.connected();
      return client;
    };
    try {
      const admin = await open('initial');
      expect((await admin.api('STREAM.INFO.main-queue', ''))['error']).toMatchObject({ err_code: 10059 });
      expect((await admin.api('STREAM.CREATE.main-queue', STREAM_CREATE))['did_create']).toBe(true);
      expect((await admin.api('STREAM.CREATE.main-queue', STREAM_CREATE))['did_create']).toBe(true);

      const groups = [new Group('postprocessing', false), new Group('search', true)];
      for (const group of groups) {
        for (const member of [1, 2]) await group.join(await open(`${group.name}-${member}`), () => run);
      }

      const acknowledged = new Set<string>();
      let attempted = 0;
      const publish = async (client: GoClient): Promise<void> => {
        while (acknowledged.size < EVENTS) {
          const id = randomUUID();
          attempted++;
          try {
            const answer = await client.request('main-queue', envelope(id));
            if (answer.payload.startsWith('{"stream":"main-queue"')) acknowledged.add(id);
          } catch {
            await client.connected();
          }
        }
      };
      const publishing = Promise.all(
        (await Promise.all(Array.from({ length: PUBLISHERS }, (_, i) => open(`publisher-${i}`)))).map(publish),
      );
      for (let kill = 1; kill <= KILLS; kill++) {
        await until(
          `${kill} of ${KILLS + 1} parts are published`,
          () => acknowledged.size > (EVENTS * kill) / (KILLS + 1),
          60_000,
        );
        await server.kill();
        run++;
        server = await ServerProcess.eventsService({ env });
      }
      await publishing;

      for (const group of groups) {
        await until(
          `group ${group.name} has every acknowledged event`,
          () => [...acknowledged].every((id) => group.deliveries.has(id)),
          60_000,
        );
        expect(group.violations).toEqual([]);
        const info = await admin.api(`CONSUMER.INFO.main-queue.${group.name}`, '');
        expect((info['config'] as Record<string, unknown>)['deliver_subject']).toBe(group.deliverSubject);
        const again = [...group.deliveries.values()].filter((deliveries) => deliveries.length > 1).length;
        process.stderr.write(
          `${group.name}: ${group.deliveries.size} of ${attempted} events, ${again} came again after a kill\n`,
        );
      }
      const state = (await admin.api('STREAM.INFO.main-queue', ''))['state'] as { messages: number };
      expect(state.messages).toBeGreaterThanOrEqual(acknowledged.size);
      expect(state.messages).toBeLessThanOrEqual(attempted);
      expect(await server.stop('SIGTERM')).toBe(0);
    } finally {
      await server.kill();
    }
  });
});
