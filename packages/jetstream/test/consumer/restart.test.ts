import { describe, expect, it } from 'vitest';
import { JetStream } from '../../src/jetstream.ts';
import { FileStorage } from '../../src/store/index.ts';
import { type FakeAccount, FakeHost, type Received } from '../fake-host.ts';
import { turns } from '../manual-clock.ts';
import { testDependencies } from '../store/dependencies.ts';
import { SimulatedFileSystem } from '../store/simulated-fs.ts';

type Json = Record<string, unknown>;

/** A machine with JetStream on a disk that can be killed or lose power. */
class Machine {
  readonly fs = new SimulatedFileSystem();
  host = new FakeHost();
  jetstream!: JetStream;

  static async boot(): Promise<Machine> {
    const machine = new Machine();
    await machine.#start();
    return machine;
  }

  get account(): FakeAccount {
    return this.host.account();
  }

  async #start(): Promise<void> {
    const storage = await FileStorage.open('/store', testDependencies({ clock: this.host.clock }, this.fs));
    this.jetstream = await JetStream.open(this.host, storage);
  }

  /** The process ends without warning (or the power goes) and starts again. */
  async crash(how: 'kill' | 'power cut' | 'clean stop'): Promise<void> {
    if (how === 'clean stop') await this.jetstream.shutdown();
    else if (how === 'kill') this.fs.kill();
    else this.fs.powerCut();
    await this.fs.removeTree('/store/.nats-ts.lock');
    const nowMs = this.host.clock.now();
    this.host = new FakeHost();
    this.host.clock.advance(nowMs - this.host.clock.now());
    await this.#start();
  }

  async api(subject: string, body: Json | '' = ''): Promise<Json> {
    const payload = body === '' ? '' : JSON.stringify(body);
    const answer = await this.account.request(`$JS.API.${subject}`, payload, {}, 2000);
    return JSON.parse(answer!.payload) as Json;
  }

  async create(config: Json, stream: Json = {}): Promise<Json> {
    await this.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], ...stream });
    return this.api('CONSUMER.CREATE.S.c', { stream_name: 'S', config: { durable_name: 'c', ...config } });
  }

  async publish(...payloads: string[]): Promise<void> {
    for (const payload of payloads) await this.account.request('s.a', payload, {}, 2000);
  }

  pull(batch: number): Received[] {
    const inbox = this.account.inbox('in');
    this.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', JSON.stringify({ batch, no_wait: true }), { reply: 'in' });
    return inbox;
  }

  /** INFO without what passes with the process. */
  async info(): Promise<Json> {
    const info = await this.api('CONSUMER.INFO.S.c');
    for (const position of ['delivered', 'ack_floor']) delete (info[position] as Json)['last_active'];
    delete info['ts'];
    return info;
  }
}

const gist = (messages: Received[]): string[] =>
  messages.filter(({ reply }) => reply !== null).map(({ payload }) => payload);

describe.each(['kill', 'clean stop'] as const)('after a %s', (how) => {
  it('a consumer is as it was: configuration, positions, pending acks, redeliveries', async () => {
    const machine = await Machine.boot();
    await machine.create({
      ack_policy: 'explicit',
      ack_wait: 60e9,
      deliver_subject: 'push.here',
      deliver_group: 'workers',
      filter_subject: 's.a',
      description: 'all of it',
      metadata: { owner: 'me' },
    });
    const got: Received[] = [];
    machine.account.listen('push.here', (message) => got.push(message), 'workers');
    await machine.publish('m1', 'm2', 'm3', 'm4', 'm5');
    machine.account.publish(got[0]!.reply!, '+ACK');
    machine.account.publish(got[2]!.reply!, '+ACK');
    machine.account.publish(got[1]!.reply!, '-NAK');
    await turns(60);
    const before = await machine.info();
    expect(before).toMatchObject({ num_ack_pending: 3, num_redelivered: 1, push_bound: true });
    await machine.crash(how);
    const { push_bound: _bound, ...expected } = before;
    expect(await machine.info()).toEqual(expected);
    // Nothing goes out until somebody listens on the stored subject again; then what is due, and new messages.
    const again: Received[] = [];
    machine.account.listen('push.here', (message) => again.push(message), 'workers');
    await machine.publish('m6');
    expect(gist(again)).toEqual(['m6']);
    machine.host.clock.advance(60_001);
    expect(gist(again).sort()).toEqual(['m2', 'm4', 'm5', 'm6', 'm6'].sort());
  });

  it('a work queue keeps what ran out of deliveries, and nothing that was acked', async () => {
    const machine = await Machine.boot();
    await machine.create({ ack_policy: 'explicit', ack_wait: 1e9, max_deliver: 1 }, { retention: 'workqueue' });
    await machine.publish('poison', 'good', 'later');
    const got = machine.pull(2);
    await turns(60);
    machine.host.clock.advance(1100);
    machine.account.publish(got[1]!.reply!, '+ACK');
    await turns(60);
    machine.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '', { reply: 'in' });
    machine.account.publish(got.at(-1)!.reply!, '+ACK');
    await turns(60);
    const messages = async () => ((await machine.api('STREAM.INFO.S'))['state'] as Json)['messages'];
    expect(await messages()).toBe(1);
    await machine.crash(how);
    await turns(60);
    expect(await messages()).toBe(1);
    expect((await machine.api('STREAM.MSG.GET.S', { seq: 1 }))['message']).toBeDefined();
    expect(gist(machine.pull(5))).toEqual([]);
  });

  it('a consumer for new messages does not get old ones', async () => {
    const machine = await Machine.boot();
    await machine.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] });
    await machine.publish('old');
    await machine.create({ ack_policy: 'explicit', deliver_policy: 'new' });
    await machine.publish('new');
    await machine.crash(how);
    expect(gist(machine.pull(5))).toEqual(['new']);
  });

  it('a delayed NAK keeps its delay', async () => {
    const machine = await Machine.boot();
    await machine.create({ ack_policy: 'explicit', ack_wait: 30e9 });
    await machine.publish('m1');
    machine.account.publish(machine.pull(1)[0]!.reply!, '-NAK 10s');
    await turns(60);
    await machine.crash(how);
    const inbox = machine.account.inbox('in2');
    machine.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '1', { reply: 'in2' });
    machine.host.clock.advance(9_000);
    expect(inbox).toEqual([]);
    machine.host.clock.advance(1_002);
    expect(gist(inbox)).toEqual(['m1']);
  });

  it('a pause lasts', async () => {
    const machine = await Machine.boot();
    await machine.create({ ack_policy: 'explicit' });
    await machine.api('CONSUMER.PAUSE.S.c', { pause_until: '2999-01-01T00:00:00Z' });
    await machine.crash(how);
    expect(await machine.info()).toMatchObject({ paused: true });
  });
});

describe('a confirmed ack', () => {
  it('holds through a loss of power: the message does not come again', async () => {
    const machine = await Machine.boot();
    await machine.create({ ack_policy: 'explicit', ack_wait: 1e9 });
    await machine.publish('m1', 'm2', 'm3');
    const got = machine.pull(3);
    for (const message of got.slice(0, 2))
      expect(await machine.account.request(message.reply!, '+ACK', {}, 2000)).toBeDefined();
    await machine.crash('power cut');
    machine.host.clock.advance(10_000);
    expect(gist(machine.pull(5))).toEqual(['m3']);
  });
});

describe('an ephemeral consumer', () => {
  it('survives a restart for as long as its threshold', async () => {
    const machine = await Machine.boot();
    await machine.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] });
    await machine.api('CONSUMER.CREATE.S.e', { stream_name: 'S', config: { name: 'e', ack_policy: 'explicit' } });
    await machine.crash('kill');
    expect(await machine.api('CONSUMER.INFO.S.e')).toMatchObject({ name: 'e' });
    machine.host.clock.advance(6_000);
    await turns(60);
    expect(await machine.api('CONSUMER.INFO.S.e')).toMatchObject({ error: { err_code: 10014 } });
  });

  it('in memory does not', async () => {
    const machine = await Machine.boot();
    await machine.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] });
    const config = { name: 'e', ack_policy: 'none', mem_storage: true };
    await machine.api('CONSUMER.CREATE.S.e', { stream_name: 'S', config });
    await machine.crash('kill');
    expect(await machine.api('CONSUMER.INFO.S.e')).toMatchObject({ error: { err_code: 10014 } });
  });
});
