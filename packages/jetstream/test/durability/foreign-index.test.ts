import { describe, expect, it } from 'vitest';
import { decodeIndex, encodeIndex } from '../../src/store/file/messages/index-db.ts';
import { hh64, sha256key } from '../../src/store/hash/highwayhash.ts';
import { Machine, sequences } from './machine.ts';

const INDEX = '/store/jetstream/$G/streams/S/msgs/index.db';
const MESSAGES = 6;

/** The index.db that nats-server leaves after it purged up to 2 and evicted 4: nothing else says that they are gone. */
function asNatsServerLeavesIt(file: Buffer): Buffer {
  const index = decodeIndex('S', file);
  const block = index?.blocks[0];
  const subject = index?.subjects[0];
  if (index === null || block === undefined || subject === undefined) throw new Error('no index');
  const left = (index.bytes / MESSAGES) * 3;
  Object.assign(index, { messages: 3, bytes: left, firstSeq: 3 });
  Object.assign(block, { bytes: left, firstSeq: 3 });
  block.removed.add(4);
  subject.count = 3;
  const own = encodeIndex('S', index);
  const body = own.subarray(0, own.indexOf('nats-ts1'));
  return Buffer.concat([body, hh64(sha256key('S'), body)]);
}

describe('messages that only the index.db of nats-server knows to be gone', () => {
  it.each([
    ['at once', null],
    ['when another is deleted', '{"seq":6}'],
  ])('do not come back after a kill %s', async (_when, deleted) => {
    const machine = new Machine();
    const first = await machine.start();
    await first.create({ name: 'S', subjects: ['s.>'] });
    for (let at = 0; at < MESSAGES; at++) await first.ask('s.a', 'x');
    await machine.stop();
    machine.fs.put(INDEX, asNatsServerLeavesIt(machine.fs.files().get(INDEX) ?? Buffer.alloc(0)));

    const second = await machine.start();
    expect(await sequences(second, 'S')).toEqual([3, 5, 6]);
    await second.ask('s.a', 'x');
    if (deleted !== null) expect(await second.outcome('STREAM.MSG.DELETE.S', deleted)).toBe('ok');
    const left = deleted === null ? [3, 5, 6, 7] : [3, 5, 7];
    expect(await sequences(second, 'S')).toEqual(left);
    expect(await sequences(await machine.kill(), 'S')).toEqual(left);
    await machine.stop();
    expect(await sequences(await machine.start(), 'S')).toEqual(left);
  });
});
