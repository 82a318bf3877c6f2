import { describe, expect, it } from 'vitest';
import { Machine, sequences } from './machine.ts';

const BLOCK = '/store/jetstream/$G/streams/S/msgs/1.blk';

/** Damages the payload of a message, beyond what its hash can put right. */
function damage(machine: Machine, payload: string): void {
  const block = Buffer.from(machine.fs.files().get(BLOCK) ?? []);
  const at = block.indexOf(payload);
  expect(at).toBeGreaterThan(0);
  block[at + 300]! ^= 0x10;
  machine.fs.put(BLOCK, block);
}

const payload = (at: number): string => `number ${at}. ${'x'.repeat(400)}`;

describe('what a limit evicted', () => {
  it.each([
    ['of the last ones', { max_msgs: 3 }, ['s.a', 's.b', 's.c', 's.d', 's.e', 's.f'], 5, [4, 6]],
    ['of one long evicted', { max_msgs: 3 }, ['s.a', 's.b', 's.c', 's.d', 's.e', 's.f'], 2, [4, 5, 6]],
    ['of its successor', { max_msgs_per_subject: 1 }, ['s.a', 's.b', 's.a', 's.c'], 3, [2, 4]],
    ['of its predecessor', { max_msgs_per_subject: 1 }, ['s.a', 's.b', 's.a', 's.c'], 1, [2, 3, 4]],
    ['of one of two', { max_msgs_per_subject: 2 }, ['s.a', 's.a', 's.a', 's.b', 's.a'], 3, [4, 5]],
  ])('does not come back when a bad byte costs the message %s', async (_what, limits, subjects, lost, left) => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'], ...limits });
    for (const [at, subject] of subjects.entries()) await first.ask(subject, payload(at + 1));
    const again = await machine.kill(() => damage(machine, `number ${lost}.`));
    expect(await sequences(again, 'S')).toEqual(left);
    expect(await sequences(await machine.kill(), 'S')).toEqual(left);
    await machine.stop();
    expect(await sequences(await machine.start(), 'S')).toEqual(left);
  });
});
