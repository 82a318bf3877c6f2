import { describe, expect, it } from 'vitest';
import { LAZY_SYNC_MS } from '../../src/store/file/consumer-log.ts';
import type { Harness } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';
import { Machine, sequences } from './machine.ts';

const STREAM = '/store/jetstream/$G/streams/S';

/** An interest stream whose limits and consumers decide what it keeps: two messages that one consumer has not seen. */
async function filled(machine: Machine): Promise<Harness> {
  const harness = await machine.start();
  await harness.create({ name: 'S', subjects: ['s.>'], retention: 'interest', max_msgs: 100 });
  for (const name of ['a', 'b']) {
    const config = { durable_name: name, ack_policy: 'explicit', ack_wait: 3600e9 };
    expect(await harness.outcome(`CONSUMER.CREATE.S.${name}`, { stream_name: 'S', config })).toBe('ok');
  }
  for (let at = 0; at < 2; at++) await harness.ask('s.x', 'payload');
  const inbox = harness.account.inbox('I');
  harness.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.b', '2', { reply: 'I' });
  for (const { reply } of inbox) expect(await harness.ask(reply ?? '', '+ACK')).toBe('');
  return harness;
}

async function expectAllThere(harness: Harness): Promise<void> {
  expect((await harness.json('STREAM.INFO.S')).config).toMatchObject({ max_msgs: 100, retention: 'interest' });
  expect((await harness.json('CONSUMER.NAMES.S')).consumers).toEqual(['a', 'b']);
  expect((await harness.json('CONSUMER.INFO.S.a')).config).toMatchObject({ ack_policy: 'explicit', ack_wait: 3600e9 });
  expect(await sequences(harness, 'S')).toEqual([1, 2]);
}

function damage(machine: Machine, path: string, change: (bytes: Buffer) => Buffer): void {
  const bytes = Buffer.from(machine.fs.files().get(path) ?? []);
  expect(bytes.length).toBeGreaterThan(0);
  machine.fs.put(path, change(bytes));
}

describe.each(['meta.inf', 'obs/a/meta.inf'])('damage to %s', (file) => {
  const path = `${STREAM}/${file}`;

  it('of one byte is put right, whichever it is', async () => {
    const machine = new Machine();
    await filled(machine);
    await machine.stop();
    const files = machine.fs.files();
    const original = files.get(path) ?? Buffer.alloc(0);
    // Digits are the worst: what a wrong one leaves can be read, and limits messages away.
    const digits = [original.indexOf('"max_msgs":100'), original.indexOf('3600000000000')].filter((at) => at >= 0);
    const places = [0, original.length - 1, ...digits.map((at) => at + 11)];
    for (const place of places) {
      for (const copy of [`${STREAM}/meta.copy`, `${STREAM}/consumers.log`]) await machine.fs.removeTree(copy);
      damage(machine, path, (bytes) => {
        bytes[place]! ^= 1;
        return bytes;
      });
      const harness = await machine.start();
      await expectAllThere(harness);
      expect(machine.fs.files().get(path)).toEqual(original);
      await machine.stop();
    }
  });

  it.each([
    ['all of it', (bytes: Buffer): Buffer => Buffer.alloc(bytes.length)],
    ['its end', (bytes: Buffer): Buffer => bytes.subarray(0, 40)],
    ['several digits', (bytes: Buffer): Buffer => Buffer.from(bytes.toString().replaceAll('0', '1'))],
  ])('that hits %s is made good from the copy', async (_what, change) => {
    const machine = new Machine();
    await filled(machine);
    await machine.stop();
    const original = machine.fs.files().get(path);
    damage(machine, path, change);
    const harness = await machine.start();
    await expectAllThere(harness);
    expect(machine.fs.files().get(path)).toEqual(original);
    // Whoever comes next finds nothing wrong.
    const again = await machine.kill();
    await expectAllThere(again);
    expect(machine.deps.log.of('WRN')).toEqual([]);
  });
});

describe('the copy of a configuration', () => {
  it('makes good what a power cut leaves: files without content', async () => {
    const machine = new Machine();
    await filled(machine);
    await machine.stop();
    for (const path of ['meta.inf', 'meta.sum', 'obs/a/meta.inf', 'obs/a/meta.sum']) {
      damage(machine, `${STREAM}/${path}`, () => Buffer.alloc(0));
    }
    await expectAllThere(await machine.start());
  });

  it('is that of the last update', async () => {
    const machine = new Machine();
    const harness = await filled(machine);
    const config = { name: 'S', subjects: ['s.>'], retention: 'interest', max_msgs: 50 };
    expect(await harness.outcome('STREAM.UPDATE.S', config)).toBe('ok');
    const consumer = { durable_name: 'a', ack_policy: 'explicit', ack_wait: 7200e9 };
    expect(await harness.outcome('CONSUMER.CREATE.S.a', { stream_name: 'S', config: consumer })).toBe('ok');
    await turns(20);
    const damaged = await machine.kill(() => {
      for (const file of ['meta.inf', 'obs/a/meta.inf']) damage(machine, `${STREAM}/${file}`, () => Buffer.alloc(9));
    });
    expect((await damaged.json('STREAM.INFO.S')).config.max_msgs).toBe(50);
    expect((await damaged.json('CONSUMER.INFO.S.a')).config.ack_wait).toBe(7200e9);
  });

  it('is made for what was stored without one', async () => {
    const machine = new Machine();
    await filled(machine);
    await machine.stop();
    for (const copy of ['meta.copy', 'consumers.log']) await machine.fs.removeTree(`${STREAM}/${copy}`);
    const harness = await machine.start();
    harness.host.clock.advance(LAZY_SYNC_MS);
    await turns(20);
    const damaged = await machine.kill(() => {
      for (const file of ['meta.inf', 'obs/a/meta.inf']) damage(machine, `${STREAM}/${file}`, () => Buffer.alloc(9));
    });
    await expectAllThere(damaged);
  });

  it('of a consumer that was deleted does not bring it back', async () => {
    const machine = new Machine();
    const harness = await filled(machine);
    expect(await harness.outcome('CONSUMER.DELETE.S.a')).toBe('ok');
    const again = await machine.kill();
    expect((await again.json('CONSUMER.NAMES.S')).consumers).toEqual(['b']);
  });
});
