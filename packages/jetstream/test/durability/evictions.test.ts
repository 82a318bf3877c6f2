import { describe, expect, it } from 'vitest';
import { Machine, sequences } from './machine.ts';

describe('messages that a limit evicted, through a crash', () => {
  it('do not come back when the message that pushed them out is deleted', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'], max_msgs_per_subject: 1 });
    for (const subject of ['s.a', 's.b', 's.a', 's.b']) await first.ask(subject, 'x');
    expect(await first.outcome('STREAM.MSG.DELETE.S', { seq: 3 })).toBe('ok');
    expect(await sequences(first, 'S')).toEqual([4]);
    expect(await sequences(await machine.kill(), 'S')).toEqual([4]);
    expect(await sequences(await machine.powerCut(), 'S')).toEqual([4]);
  });

  it('do not come back when their subject is purged', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'], max_msgs_per_subject: 1 });
    for (const subject of ['s.a', 's.b', 's.a']) await first.ask(subject, 'x');
    expect(await first.outcome('STREAM.PURGE.S', { filter: 's.a' })).toBe('ok');
    expect(await sequences(await machine.powerCut(), 'S')).toEqual([2]);
  });

  it('do not come back when deletes make room below max_msgs', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'], max_msgs: 3 });
    for (let i = 0; i < 6; i++) await first.ask(`s.${i}`, 'x');
    expect(await first.outcome('STREAM.MSG.DELETE.S', { seq: 5 })).toBe('ok');
    expect(await sequences(await machine.kill(), 'S')).toEqual([4, 6]);
  });

  it('do not come back when the limit is raised', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'], max_msgs: 2 });
    for (let i = 0; i < 6; i++) await first.ask(`s.${i}`, 'x');
    expect(await first.outcome('STREAM.UPDATE.S', { name: 'S', subjects: ['s.>'], max_msgs: 10 })).toBe('ok');
    expect(await sequences(await machine.powerCut(), 'S')).toEqual([5, 6]);
  });

  it('do not come back when max_age is raised', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'], max_age: 10e9 });
    await first.ask('s.old', 'x');
    first.host.clock.advance(20_000);
    await first.ask('s.new', 'x');
    expect(await sequences(first, 'S')).toEqual([2]);
    expect(await first.outcome('STREAM.UPDATE.S', { name: 'S', subjects: ['s.>'], max_age: 1000e9 })).toBe('ok');
    expect(await sequences(await machine.powerCut(), 'S')).toEqual([2]);
  });

  it('do not come back when workers make room below max_msgs', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'], max_msgs: 2, retention: 'workqueue' });
    for (let i = 0; i < 4; i++) await first.ask(`s.${i}`, 'x');
    await first.json('CONSUMER.CREATE.S.c', {
      stream_name: 'S',
      config: { durable_name: 'c', ack_policy: 'explicit' },
    });
    const inbox = first.account.inbox('I');
    await first.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '2', { reply: 'I' });
    expect(await first.ask(inbox[1]!.reply!, '+ACK')).toBe('');
    expect(await sequences(first, 'S')).toEqual([3]);
    expect(await sequences(await machine.kill(), 'S')).toEqual([3]);
  });

  it('do not come back by a delete after a clean restart', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'], max_msgs_per_subject: 1 });
    for (const subject of ['s.a', 's.b', 's.a']) await first.ask(subject, 'x');
    await machine.stop();
    const second = await machine.start();
    expect(await sequences(second, 'S')).toEqual([2, 3]);
    expect(await second.outcome('STREAM.MSG.DELETE.S', { seq: 3 })).toBe('ok');
    expect(await sequences(await machine.kill(), 'S')).toEqual([2]);
  });

  it('do not come back when a small message takes the place of a large one', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'], max_msgs_per_subject: 1, max_bytes: 1000 });
    for (const [subject, bytes] of [
      ['s.a', 1],
      ['s.b', 1],
      ['s.c', 950],
      ['s.c', 1],
    ] as const)
      await first.ask(subject, 'x'.repeat(bytes));
    expect(await sequences(first, 'S')).toEqual([4]);
    expect(await sequences(await machine.powerCut(), 'S')).toEqual([4]);
  });
});
