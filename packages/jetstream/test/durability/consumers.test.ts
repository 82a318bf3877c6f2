import { describe, expect, it } from 'vitest';
import { KIND_EXPORTED } from '../../src/store/file/consumer-log-codec.ts';
import type { Harness } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';
import { Machine } from './machine.ts';

const LOG = '/store/jetstream/$G/streams/S/consumers.log';

/** A stream with five messages, all of them delivered to a consumer; gives what to ack them by. */
async function delivered(machine: Machine): Promise<{ harness: Harness; acks: string[] }> {
  const harness = await machine.start();
  await harness.create({ name: 'S', subjects: ['s.>'] });
  const config = { durable_name: 'c', ack_policy: 'explicit', ack_wait: 3600e9 };
  expect(await harness.outcome('CONSUMER.CREATE.S.c', { stream_name: 'S', config })).toBe('ok');
  for (let at = 0; at < 5; at++) await harness.ask('s.a', 'x');
  const inbox = harness.account.inbox('I');
  harness.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '5', { reply: 'I' });
  return { harness, acks: inbox.map(({ reply }) => reply ?? '') };
}

describe('the position of a consumer', () => {
  it('is told as reset when that is durable', async () => {
    const machine = new Machine();
    const { harness, acks } = await delivered(machine);
    for (const ack of acks) expect(await harness.ask(ack, '+ACK')).toBe('');
    let isSynced = false;
    machine.fs.stall = ({ name, path }) => {
      if (name === 'sync' && path.startsWith(LOG)) isSynced = true;
      return null;
    };
    expect(await harness.outcome('CONSUMER.RESET.S.c', { seq: 2 })).toBe('ok');
    expect(isSynced).toBe(true);
    const again = await machine.powerCut();
    expect((await again.json('CONSUMER.INFO.S.c')).ack_floor.stream_seq).toBe(1);
  });

  it('keeps confirmed acks when the log is damaged where it tells of the last export', async () => {
    const machine = new Machine();
    const { harness, acks } = await delivered(machine);
    expect(await harness.ask(acks[0] ?? '', '+ACK')).toBe('');
    harness.host.clock.advance(200);
    await turns(40);
    for (const ack of acks.slice(1, 4)) expect(await harness.ask(ack, '+ACK')).toBe('');
    machine.fs.offAt = 0;
    const log = Buffer.from(machine.fs.files().get(LOG) ?? []);
    let exported = -1;
    for (let at = 0; at < log.length; at += log.readUInt32LE(at + 2)) if (log[at + 1] === KIND_EXPORTED) exported = at;
    expect(exported).toBeGreaterThan(0);
    log[exported + 8]! ^= 0x55;
    machine.fs.put(LOG, log);
    const again = await machine.kill();
    expect((await again.json('CONSUMER.INFO.S.c')).ack_floor.stream_seq).toBe(4);
  });
});

describe('an o.dat with a wrong byte', () => {
  it('is not taken for one that nats-server wrote, whichever byte it is', async () => {
    const machine = new Machine();
    const harness = await machine.start();
    await harness.create({ name: 'S', subjects: ['s.>'], retention: 'workqueue' });
    const config = { durable_name: 'c', ack_policy: 'explicit', ack_wait: 3600e9 };
    expect(await harness.outcome('CONSUMER.CREATE.S.c', { stream_name: 'S', config })).toBe('ok');
    for (let at = 0; at < 8; at++) await harness.ask('s.a', 'x');
    const inbox = harness.account.inbox('I');
    harness.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '5', { reply: 'I' });
    for (const at of [0, 2]) expect(await harness.ask(inbox[at]?.reply ?? '', '+ACK')).toBe('');
    const { delivered, ack_floor, num_ack_pending } = await harness.json('CONSUMER.INFO.S.c');
    await machine.stop();
    const path = '/store/jetstream/$G/streams/S/obs/c/o.dat';
    const exported = machine.fs.files().get(path) ?? Buffer.alloc(0);
    for (let place = 0; place < exported.length; place++) {
      const damaged = Buffer.from(exported);
      damaged[place]! ^= 1 << (place % 8);
      machine.fs.put(path, damaged);
      const again = await machine.start();
      expect(await again.json('CONSUMER.INFO.S.c')).toMatchObject({ num_ack_pending });
      const info = await again.json('CONSUMER.INFO.S.c');
      expect(info.delivered.stream_seq).toBe(delivered.stream_seq);
      expect(info.ack_floor.stream_seq).toBe(ack_floor.stream_seq);
      expect((await again.json('STREAM.INFO.S')).state.messages).toBe(6);
      await machine.stop();
      expect(machine.fs.files().get(path)?.subarray(0, 6)).toEqual(exported.subarray(0, 6));
    }
  });
});
