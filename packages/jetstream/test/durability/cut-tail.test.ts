import { describe, expect, it } from 'vitest';
import { Machine, sequences } from './machine.ts';

const BLOCK = '/store/jetstream/$G/streams/S/msgs/1.blk';

describe('messages at the end of a block that is cut short', () => {
  it('are reported and their sequences not used again as far as a consumer got them', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'] });
    const config = { durable_name: 'c', ack_policy: 'explicit', ack_wait: 3600e9 };
    expect(await first.outcome('CONSUMER.CREATE.S.c', { stream_name: 'S', config })).toBe('ok');
    for (let at = 0; at < 5; at++) await first.ask('s.a', `payload ${at}`);
    const inbox = first.account.inbox('I');
    first.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '4', { reply: 'I' });
    expect(await first.ask(inbox[3]?.reply ?? '', '+ACK')).toBe('');

    const again = await machine.kill(() => {
      const block = machine.fs.files().get(BLOCK) ?? Buffer.alloc(0);
      machine.fs.put(BLOCK, block.subarray(0, block.indexOf('payload 2')));
    });
    expect(await sequences(again, 'S')).toEqual([1, 2]);
    expect((await again.json('STREAM.INFO.S')).state).toMatchObject({ last_seq: 4, lost: { msgs: [3, 4] } });
    expect(await again.ask('s.a', 'new')).toContain('"seq":5');
    const next = again.account.inbox('N');
    again.account.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '1', { reply: 'N' });
    expect(next.map(({ payload }) => payload)).toEqual(['new']);
    expect(await sequences(await machine.kill(), 'S')).toEqual([1, 2, 5]);
  });

  it('leave a consumer that waits for a sequence to come where it is', async () => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'] });
    const config = { durable_name: 'c', ack_policy: 'explicit', deliver_policy: 'by_start_sequence', opt_start_seq: 9 };
    expect(await first.outcome('CONSUMER.CREATE.S.c', { stream_name: 'S', config })).toBe('ok');
    await first.ask('s.a', 'x');
    const again = await machine.kill();
    expect(await again.ask('s.a', 'x')).toContain('"seq":2');
  });
});
