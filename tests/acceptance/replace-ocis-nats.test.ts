// The steps of docs/replace-ocis-nats.md, with nats-server 2.10 for the server that oCIS embeds.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  freePort,
  GoClient,
  type GoMessage,
  oraclePath,
  repositoryRoot,
  ServerProcess,
  TempDir,
  until,
} from '../src/index.ts';

const PROGRAM = join(repositoryRoot, 'apps/events-service/bin/events-service');
// spec/ocis.md 5: what the services send, whether the stream is there or not.
const SPARSE =
  '{"name":"main-queue","retention":"limits","max_consumers":0,"max_msgs":0,"max_bytes":0,"discard":"old","max_age":0,"max_msgs_per_subject":0,"storage":"file","num_replicas":0,"compression":"none","allow_direct":false,"mirror_direct":false,"consumer_limits":{}}';
const GROUP = 'postprocessing';
const BUCKET =
  '{"name":"KV_postprocessing","subjects":["$KV.postprocessing.>"],"max_msgs_per_subject":1,"discard":"new","deny_delete":true,"allow_rollup_hdrs":true,"allow_direct":true,"storage":"file"}';

/** One oCIS installation: where its data is, and on which port its services look for the broker. */
class Installation {
  readonly dir = new TempDir('ocis');
  readonly port: number;
  readonly env: Record<string, string>;

  constructor(port: number, debugPort: number) {
    this.port = port;
    this.env = {
      OCIS_BASE_DATA_PATH: this.dir.path,
      OCIS_CONFIG_DIR: join(this.dir.path, 'config'),
      NATS_NATS_PORT: `${port}`,
      NATS_DEBUG_ADDR: `127.0.0.1:${debugPort}`,
      NATS_LOG_LEVEL: 'info',
    };
  }

  /** The server that oCIS embeds, with its options. */
  async original(): Promise<ServerProcess> {
    const file = join(this.dir.path, 'embedded.conf');
    const store = join(this.dir.path, 'nats');
    writeFileSync(file, `host: 127.0.0.1\nport: ${this.port}\njetstream { store_dir: "${store}" }\n`);
    return ServerProcess.oracle({ args: ['-c', file] }, '2.10');
  }

  async replacement(env: Record<string, string> = {}): Promise<ServerProcess> {
    return ServerProcess.eventsService({ env: { ...this.env, ...env } });
  }

  command(name: string): { status: number | null; stdout: string } {
    return spawnSync(PROGRAM, [name], { encoding: 'utf8', env: { ...process.env, ...this.env } });
  }
}

/** A service of oCIS that publishes, consumes in a group and keeps a bucket. */
class Service implements Disposable {
  readonly client: GoClient;
  readonly seen: number[] = [];
  readonly #confirms: boolean;
  #unconfirmed = 0;

  /** @param confirms waits for the answer to its acknowledgements, which is given when they are on disk */
  constructor(port: number, confirms = false) {
    this.client = new GoClient(port, GROUP);
    this.#confirms = confirms;
  }

  /** What a service does when it starts. */
  async start(): Promise<void> {
    await this.client.connected();
    const made = await this.client.api('STREAM.CREATE.main-queue', SPARSE);
    expect(made['error']).toBeUndefined();
    const info = await this.client.api(`CONSUMER.INFO.main-queue.${GROUP}`, '');
    const deliver = (info['config'] as { deliver_subject?: string } | undefined)?.deliver_subject ?? '_INBOX.deliver';
    this.client.subscribe(deliver, GROUP, (message) => this.#take(message));
    if (info['error'] === undefined) return;
    const config = `"durable_name":"${GROUP}","deliver_policy":"new","ack_policy":"explicit","ack_wait":30000000000,"filter_subject":"main-queue","replay_policy":"instant","deliver_subject":"${deliver}","deliver_group":"${GROUP}","num_replicas":0`;
    const created = await this.client.api(
      `CONSUMER.CREATE.main-queue.${GROUP}.main-queue`,
      `{"stream_name":"main-queue","config":{${config}},"action":""}`,
    );
    expect(created['error']).toBeUndefined();
  }

  async publish(count: number): Promise<number> {
    let seq = 0;
    for (let i = 0; i < count; i++) {
      seq = Number(JSON.parse((await this.client.request('main-queue', `event ${i}`)).payload).seq);
    }
    await until('all of them have come', () => this.seen.at(-1) === seq);
    await until('all of them are acknowledged', async () => (await this.state())['floor'] === seq);
    await until('that is confirmed', () => this.#unconfirmed === 0);
    return seq;
  }

  async bucket(): Promise<void> {
    expect((await this.client.api('STREAM.CREATE.KV_postprocessing', BUCKET))['error']).toBeUndefined();
    await this.client.request('$KV.postprocessing.upload-1', 'state');
  }

  async state(): Promise<Record<string, unknown>> {
    const stream = await this.client.api('STREAM.INFO.main-queue', '');
    const consumer = await this.client.api(`CONSUMER.INFO.main-queue.${GROUP}`, '');
    const value = await this.client.request('$JS.API.DIRECT.GET.KV_postprocessing.$KV.postprocessing.upload-1', '');
    return {
      messages: (stream['state'] as { messages: number }).messages,
      maxAge: (stream['config'] as { max_age: number }).max_age,
      floor: (consumer['ack_floor'] as { stream_seq: number }).stream_seq,
      value: value.payload,
    };
  }

  #take(message: GoMessage): void {
    this.seen.push(Number(message.reply?.split('.')[5]));
    if (message.reply === null) return;
    if (!this.#confirms) {
      this.client.publish(message.reply, null, '+ACK');
      return;
    }
    this.#unconfirmed++;
    this.client.request(message.reply, '+ACK').then(
      () => this.#unconfirmed--,
      () => {
        // The connection is closed at the end.
      },
    );
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }
}

describe.skipIf(oraclePath('2.10') === null)('replacing the nats service of oCIS', () => {
  it('keeps every event, position and bucket, there and back', { timeout: 120_000 }, async () => {
    const ocis = new Installation(await freePort(), await freePort());
    using _ = ocis.dir;
    let last: number;
    {
      await using server = await ocis.original();
      using service = new Service(ocis.port);
      await service.start();
      await service.bucket();
      last = await service.publish(50);
      expect(await service.state()).toEqual({ messages: 50, maxAge: 0, floor: 50, value: 'state' });
      await server.stop('SIGTERM');
    }

    // "Look first", "Keep a copy".
    expect(ocis.command('config').stdout).toMatch(/store_dir: \S+\/nats +# env OCIS_BASE_DATA_PATH/);
    expect(ocis.command('health').status).toBe(1);
    cpSync(join(ocis.dir.path, 'nats'), join(ocis.dir.path, 'nats.before'), { recursive: true });

    {
      await using server = await ocis.replacement({ NATS_MAIN_QUEUE_MAX_AGE: '168h' });
      expect(ocis.command('health')).toMatchObject({ status: 0, stdout: 'healthy\n' });
      using service = new Service(ocis.port);
      await service.start();
      expect(await service.state()).toEqual({ messages: 50, maxAge: 168 * 3600e9, floor: 50, value: 'state' });
      last = await service.publish(20);
      // Nothing that was acknowledged before comes again.
      expect(service.seen[0]).toBe(51);
      expect(await server.stop('SIGTERM')).toBe(0);
    }

    // The way back after a stop: as if nothing had been.
    {
      await using server = await ocis.original();
      using service = new Service(ocis.port);
      await service.start();
      expect(await service.state()).toEqual({ messages: 70, maxAge: 0, floor: last, value: 'state' });
      last = await service.publish(10);
      expect(service.seen[0]).toBe(71);
      await server.stop('SIGTERM');
    }

    // After a kill: started and stopped once more in between, nothing is behind.
    const kill = async (): Promise<void> => {
      await using server = await ocis.replacement();
      using service = new Service(ocis.port, true);
      await service.start();
      last = await service.publish(20);
      await server.kill();
    };
    await kill();
    {
      await using server = await ocis.replacement();
      expect(await server.stop('SIGTERM')).toBe(0);
    }
    {
      await using server = await ocis.original();
      using service = new Service(ocis.port);
      await service.start();
      expect(await service.state()).toEqual({ messages: last, maxAge: 0, floor: last, value: 'state' });
      await server.stop('SIGTERM');
    }

    // Without that: every event, positions at most a moment behind.
    const before = last;
    await kill();
    await using server = await ocis.original();
    using service = new Service(ocis.port);
    await service.start();
    const { messages, floor } = (await service.state()) as { messages: number; floor: number };
    expect(messages).toBe(last);
    expect(floor).toBeLessThanOrEqual(last);
    expect(floor).toBeGreaterThanOrEqual(before);
    // "What is left behind" is not in the way.
    expect(existsSync(join(ocis.dir.path, 'nats/jetstream/$G/streams/main-queue/consumers.log'))).toBe(true);
    expect(server.output).not.toMatch(/\[ERR\]/);
  });
});
