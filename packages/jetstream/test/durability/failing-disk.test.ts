import { describe, expect, it } from 'vitest';
import { DELETION_RETRY_MS } from '../../src/consumer/deletions.ts';
import { READ_RETRY_MAX_MS } from '../../src/consumer/delivery.ts';
import { REFUSED_MAX } from '../../src/stream/retention.ts';
import type { Harness } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';
import { Machine, sequences, until } from './machine.ts';

/** A stream of several blocks, and a start of which none but the last is in memory. */
async function coldStream(machine: Machine): Promise<Harness> {
  const first = await machine.start();
  await first.create({ name: 'S', subjects: ['s.>'], allow_direct: true, max_bytes: 127_000 });
  for (let at = 0; at < 100; at++) await first.ask(`s.${at}`, 'x'.repeat(1_000));
  await machine.stop();
  return machine.start();
}

async function createConsumer(harness: Harness, stream: string, name: string): Promise<void> {
  const config = { durable_name: name, ack_policy: 'explicit', ack_wait: 3600e9 };
  expect(await harness.outcome(`CONSUMER.CREATE.${stream}.${name}`, { stream_name: stream, config })).toBe('ok');
}

/** Takes messages and gives what to ack them by. */
function pull(harness: Harness, stream: string, name: string, batch: number): string[] {
  const inbox = harness.account.inbox(`pull.${name}`);
  harness.account.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`, `${batch}`, { reply: `pull.${name}` });
  return inbox.filter(({ header }) => !header.startsWith('NATS/1.0 4')).map(({ reply }) => reply ?? '');
}

describe('a disk that cannot be read', () => {
  it('is told as that, not as a message that is not there', async () => {
    const machine = new Machine(1);
    const harness = await coldStream(machine);
    machine.fs.fault = ({ name, path }) => (name === 'read' && path.endsWith('1.blk') ? 'EIO' : null);
    expect(await harness.outcome('STREAM.MSG.GET.S', { seq: 1 })).toMatch(/^503 10077 .*EIO/);
    expect(await harness.outcome('STREAM.MSG.GET.S', { last_by_subj: 's.0' })).toMatch(/^503 10077 .*EIO/);
    expect(await harness.ask('$JS.API.DIRECT.GET.S', '{"seq":1}')).toMatch(/^NATS\/1.0 500 .*EIO/);
    expect(await harness.ask('$JS.API.DIRECT.GET.S.s.0')).toMatch(/^NATS\/1.0 500 .*EIO/);
    expect(await harness.ask('$JS.API.DIRECT.GET.S', '{"seq":1,"batch":3}')).toMatch(/^NATS\/1.0 500 .*EIO/);
    expect(await harness.ask('$JS.API.DIRECT.GET.S', '{"multi_last":["s.0","s.99"]}')).toMatch(/^NATS\/1.0 500 .*EIO/);
    machine.fs.fault = () => null;
    expect(await harness.ask('$JS.API.DIRECT.GET.S', '{"seq":1,"no_hdr":true}')).toBe('x'.repeat(1_000));
  });

  it('delays its consumers until it can be read again, asked less and less often, and is told of in the log', async () => {
    const machine = new Machine(1);
    const harness = await coldStream(machine);
    await createConsumer(harness, 'S', 'c');
    let reads = 0;
    machine.fs.fault = ({ name, path }) => {
      if (name !== 'read' || !path.endsWith('1.blk')) return null;
      reads++;
      return 'EIO';
    };
    const inbox = harness.account.inbox('I');
    harness.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '{"batch":1,"expires":3600000000000}', { reply: 'I' });
    const pass = async (seconds: number): Promise<void> => {
      for (let ms = 0; ms < seconds * 1_000; ms += 250) {
        harness.host.clock.advance(250);
        await turns(8);
      }
    };
    await turns(20);
    expect(reads).toBe(1);
    // After 1, 2, 4 … seconds, 30 at most.
    await pass(8);
    expect(reads).toBe(4);
    await pass(120);
    const later = reads;
    expect(later).toBeLessThan(11);
    await pass(READ_RETRY_MAX_MS / 1_000 + 1);
    expect(reads).toBe(later + 1);
    expect(inbox).toEqual([]);
    expect(machine.deps.log.of('ERR')).toEqual([
      expect.stringMatching(/^ERR Filestore \[S\] block 1\.blk cannot be read, \d+ messages of it wait: .*EIO/),
    ]);
    machine.fs.fault = () => null;
    await pass(READ_RETRY_MAX_MS / 1_000 + 1);
    expect(inbox.map(({ subject }) => subject)).toEqual(['s.0']);
    expect(machine.deps.log.of('INF')).toContain('INF Filestore [S] block 1.blk can be read again');
  });
});

describe('a disk that cannot be written', () => {
  it('is named by a stop that could not keep everything, with what failed', async () => {
    const machine = new Machine();
    const harness = await machine.start();
    for (const name of ['S', 'T', 'U']) {
      await harness.create({ name, subjects: [`${name}.>`] });
      await createConsumer(harness, name, 'c');
      await harness.ask(`${name}.x`, 'x');
    }
    machine.fs.fault = ({ name, path }) => (name === 'write' && /[ST]\/consumers\.log/.test(path) ? 'EIO' : null);
    for (const name of ['S', 'T', 'U']) pull(harness, name, 'c', 1);
    const failure = await harness.jetstream.shutdown().catch((error: AggregateError) => error);
    expect(failure).toBeInstanceOf(AggregateError);
    const reason = (name: string): string =>
      `stream '$G > ${name}': EIO: '/store/jetstream/$G/streams/${name}/consumers.log.tmp'`;
    expect((failure as AggregateError).message).toBe(
      `JetStream could not be closed properly: ${reason('S')}; ${reason('T')}`,
    );
    expect((failure as AggregateError).errors.map(({ cause }) => cause.code)).toEqual(['EIO', 'EIO']);
  });

  it('shows what is committed, not what it may yet lose', async () => {
    const machine = new Machine();
    const harness = await machine.start();
    await harness.create({ name: 'S', subjects: ['s.>'] });
    for (let at = 0; at < 3; at++) await harness.ask(`s.${at}`, 'x', { headers: { a: 'b' } });
    await harness.json('STREAM.MSG.DELETE.S', { seq: 2 });
    const before = (await harness.json('STREAM.INFO.S', { deleted_details: true })).state;
    machine.fs.fault = ({ name, path }) => (name === 'write' && path.endsWith('.blk') ? 'ENOSPC' : null);
    for (let at = 0; at < 20; at++) harness.account.publish(`s.${at}`, 'y');
    expect(await harness.ask('s.0', 'x')).toContain('"err_code":10077');
    expect((await harness.json('STREAM.INFO.S', { deleted_details: true })).state).toEqual(before);
    machine.fs.fault = () => null;
    harness.host.clock.advance(1_000);
    await turns(40);
    const { state } = await harness.json('STREAM.INFO.S');
    expect(state.messages).toBe((await sequences(harness, 'S')).length);
  });

  it('leaves nothing on a work queue that was acked meanwhile', async () => {
    const machine = new Machine();
    const harness = await machine.start();
    await harness.create({ name: 'S', subjects: ['s.>'], retention: 'workqueue' });
    await createConsumer(harness, 'S', 'c');
    for (let at = 0; at < 3; at++) await harness.ask('s.a', 'x');
    const [first] = pull(harness, 'S', 'c', 2);
    machine.fs.fault = ({ name, path }) => (name === 'write' && path.endsWith('.blk') ? 'ENOSPC' : null);
    expect(await harness.ask('s.a', 'x')).toContain('"err_code":10077');
    expect(await harness.ask(first ?? '', '+ACK')).toBe('');
    machine.fs.fault = () => null;
    harness.host.clock.advance(1_000);
    await turns(40);
    expect((await sequences(harness, 'S')).slice(0, 2)).toEqual([2, 3]);
    expect((await sequences(await machine.kill(), 'S')).slice(0, 2)).toEqual([2, 3]);
  });

  it('leaves nothing behind either of more acks than are remembered one by one', async () => {
    const machine = new Machine();
    const harness = await machine.start();
    await harness.create({ name: 'S', subjects: ['s.>'], retention: 'interest' });
    const config = { durable_name: 'c', ack_policy: 'all', ack_wait: 3600e9, max_ack_pending: 20_000 };
    expect(await harness.outcome('CONSUMER.CREATE.S.c', { stream_name: 'S', config })).toBe('ok');
    const count = REFUSED_MAX + 2;
    for (let at = 1; at < count; at++) harness.account.publish('s.a');
    await harness.ask('s.a');
    const inbox = harness.account.inbox('I');
    harness.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', `${count}`, { reply: 'I' });
    await until('every message is delivered', () => inbox.length === count);
    machine.fs.fault = ({ name, path }) => (name === 'write' && path.endsWith('.blk') ? 'ENOSPC' : null);
    expect(await harness.ask('s.b', 'x')).toContain('"err_code":10077');
    expect(await harness.ask(inbox.at(-1)?.reply ?? '', '+ACK')).toBe('');
    machine.fs.fault = () => null;
    harness.host.clock.advance(1_000);
    await turns(40);
    expect((await harness.json('STREAM.INFO.S')).state).toMatchObject({ messages: 1, first_seq: count + 1 });
  });

  it('does not bring an acked message back because its consumer was deleted', async () => {
    const machine = new Machine();
    const harness = await machine.start();
    await harness.create({ name: 'S', subjects: ['s.>'], retention: 'workqueue' });
    await createConsumer(harness, 'S', 'c');
    for (let at = 0; at < 2; at++) await harness.ask('s.a', 'x');
    const [first] = pull(harness, 'S', 'c', 1);
    // The messages' disk stands still.
    machine.fs.stall = ({ name, path }) => (name === 'write' && path.endsWith('.blk') ? new Promise(() => {}) : null);
    expect(await harness.ask(first ?? '', '+ACK')).toBe('');
    void harness.api('CONSUMER.DELETE.S.c');
    await turns(40);
    expect(await sequences(await machine.kill(), 'S')).toEqual([2]);
  });

  it('lets a stream be deleted when it works again', async () => {
    const machine = new Machine();
    const harness = await machine.start();
    await harness.create({ name: 'S', subjects: ['s.>'] });
    await harness.ask('s.a', 'x');
    machine.fs.fault = ({ name, path }) => (name === 'rename' && path.endsWith('/S') ? 'EIO' : null);
    expect(await harness.outcome('STREAM.DELETE.S')).toMatch(/^500 10050/);
    machine.fs.fault = () => null;
    expect(await harness.outcome('STREAM.DELETE.S')).toBe('ok');
    await harness.create({ name: 'S', subjects: ['s.>'] });
    expect(await sequences(harness, 'S')).toEqual([]);
    expect(await sequences(await machine.kill(), 'S')).toEqual([]);
  });

  it.each([
    ['rename', 'meta.sum.tmp'],
    ['syncDir', ''],
  ] as const)('leaves a refused configuration out of force after the next start too (%s)', async (operation, file) => {
    const machine = new Machine();
    const harness = await machine.start();
    await harness.create({ name: 'S', subjects: ['s.>'] });
    await createConsumer(harness, 'S', 'c');
    for (let at = 0; at < 3; at++) await harness.ask('s.a', 'x');
    const refuse = async (path: string, ask: () => Promise<string>): Promise<void> => {
      let isRefused = false;
      machine.fs.fault = (one) => {
        if (isRefused || one.name !== operation || one.path !== path) return null;
        isRefused = true;
        return 'EIO';
      };
      expect(await ask()).toMatch(/EIO/);
      expect(isRefused).toBe(true);
    };
    const directory = '/store/jetstream/$G/streams/S';
    const at = (path: string): string => (file === '' ? path : `${path}/${file}`);
    await refuse(at(directory), () =>
      harness.outcome('STREAM.UPDATE.S', { name: 'S', subjects: ['s.>'], max_msgs: 1 }),
    );
    await refuse(at(`${directory}/obs/c`), () =>
      harness.outcome('CONSUMER.CREATE.S.c', {
        stream_name: 'S',
        config: { durable_name: 'c', ack_policy: 'explicit', ack_wait: 1e9 },
      }),
    );
    const again = await machine.kill();
    expect(await sequences(again, 'S')).toEqual([1, 2, 3]);
    expect((await again.json('CONSUMER.INFO.S.c')).config.ack_wait).toBe(3600e9);
  });

  it.each([
    ['refused to create', 'CONSUMER.CREATE.S.d', { stream_name: 'S', config: { durable_name: 'd' } }],
    ['refused to delete', 'CONSUMER.DELETE.S.c', ''],
  ])('does not leave a consumer it %s to the next start, once it works again', async (_what, subject, body) => {
    const machine = new Machine();
    const harness = await machine.start();
    await harness.create({ name: 'S', subjects: ['s.>'] });
    await createConsumer(harness, 'S', 'c');
    const isNew = body !== '';
    // A new one is placed, and cannot be taken away again when its first export fails.
    machine.fs.fault = ({ name, path }) =>
      (isNew && path.endsWith('/obs/d') && name !== 'mkdir') || (name === 'rename' && path.endsWith('/obs/c'))
        ? 'EIO'
        : null;
    expect(await harness.outcome(subject, body)).not.toBe('ok');
    machine.fs.fault = () => null;
    harness.host.clock.advance(DELETION_RETRY_MS);
    await turns(40);
    const again = await machine.kill();
    expect((await again.json('CONSUMER.NAMES.S')).consumers).toEqual(isNew ? ['c'] : []);
  });

  it('lets a consumer be deleted when it works again', async () => {
    const machine = new Machine();
    const harness = await machine.start();
    await harness.create({ name: 'S', subjects: ['s.>'] });
    await createConsumer(harness, 'S', 'c');
    machine.fs.fault = ({ name, path }) => (name === 'rename' && path.endsWith('/obs/c') ? 'EIO' : null);
    expect(await harness.outcome('CONSUMER.DELETE.S.c')).not.toBe('ok');
    machine.fs.fault = () => null;
    expect(await harness.outcome('CONSUMER.DELETE.S.c')).toBe('ok');
    await createConsumer(harness, 'S', 'c');
    const again = await machine.kill();
    expect((await again.json('CONSUMER.NAMES.S')).consumers).toEqual(['c']);
  });
});

describe('what a stop leaves', () => {
  it('is an index that agrees with a last block that was found damaged', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'] });
    for (let at = 0; at < 5; at++) await first.ask('s.a', `payload ${at} ${'x'.repeat(400)}`);
    await machine.stop();
    const path = '/store/jetstream/$G/streams/S/msgs/1.blk';
    const block = Buffer.from(machine.fs.files().get(path) ?? []);
    block.fill(0, block.indexOf('payload 1') + 20, block.indexOf('payload 1') + 30);
    machine.fs.put(path, block);
    const second = await machine.start();
    expect(await sequences(second, 'S')).toEqual([1, 3, 4, 5]);
    await machine.stop();
    const third = await machine.start();
    const { state } = await third.json('STREAM.INFO.S');
    expect(state).toMatchObject({ messages: 4, num_deleted: 1, last_seq: 5 });
    expect(state.lost).toBeUndefined();
  });
});
