import { expect, it } from 'vitest';
import { ARENA_BYTES, Arena } from '../src/connection/arena.ts';
import { FramePool } from '../src/connection/frame-pool.ts';
import { ORIGIN_OWNED, REFERENCE_BYTES_MIN } from '../src/delivery/message-frame.ts';
import { FRAMES_MAX } from '../src/limits.ts';
import { login, startServer } from './support.ts';

function makeArena(): Arena {
  const arena = Arena.create();
  if (arena === null) throw new Error('there is no WebAssembly here');
  return arena;
}

it('gives blocks of the arena that do not meet, up to its limit, and uses them again', () => {
  const arena = makeArena();
  const pool = new FramePool(arena);
  const frames = Array.from({ length: FRAMES_MAX }, () => pool.take(REFERENCE_BYTES_MIN)!);
  for (const [i, frame] of frames.entries()) frame.fill(i);
  for (const [i, frame] of frames.entries()) expect(frame.every((byte) => byte === i)).toBe(true);
  expect(pool.take(REFERENCE_BYTES_MIN)).toBeNull();
  for (const frame of frames) pool.give(frame);
  expect(pool.freeCount).toBe(FRAMES_MAX);
  const again = pool.take(5000)!;
  expect(again.length).toBe(5000);
  expect(pool.originOf(again)).toBe(again.byteOffset);
  expect(arena.bytes[pool.originOf(again)]).toBe(again[0]);
});

it('gives none for small and large messages, nor without an arena or room in it', () => {
  const arena = makeArena();
  const pool = new FramePool(arena);
  expect(pool.take(4095)).toBeNull();
  expect(pool.take(REFERENCE_BYTES_MIN + 1)).toBeNull();
  expect(pool.originOf(Buffer.allocUnsafeSlow(5000))).toBe(ORIGIN_OWNED);
  expect(new FramePool(null).take(5000)).toBeNull();
  expect(new FramePool(null).originOf(Buffer.alloc(10))).toBe(ORIGIN_OWNED);
  arena.take(ARENA_BYTES - 20_000);
  expect(pool.take(5000)).toBeNull();
});

it('serves more connections in the middle of a message than there are blocks, and mixes nothing up', async () => {
  const { server, port } = await startServer();
  try {
    const subscriber = await login(port);
    subscriber.send('SUB s 1\r\nSUB s 2\r\n');
    await subscriber.flush();
    const bytes = 16_384;
    const publishers = await Promise.all(Array.from({ length: FRAMES_MAX + 8 }, () => login(port)));
    for (const [i, publisher] of publishers.entries()) {
      publisher.send(
        `PING\r\nPUB s ${bytes}\r\n${String(i)
          .padStart(8, '.')
          .repeat(bytes / 16)}`,
      );
      await publisher.take('PONG\r\n');
    }
    publishers[3]!.close();
    for (const [i, publisher] of publishers.entries()) {
      if (i === 3) continue;
      publisher.send(
        `${String(i)
          .padStart(8, '.')
          .repeat(bytes / 16)}\r\n`,
      );
      await publisher.flush();
    }
    const received = await subscriber.flush();
    const expected = publishers.flatMap((_, i) => {
      const payload = String(i)
        .padStart(8, '.')
        .repeat(bytes / 8);
      return i === 3 ? [] : [`MSG s 1 ${bytes}\r\n${payload}\r\n`, `MSG s 2 ${bytes}\r\n${payload}\r\n`];
    });
    expect(received.length).toBe(expected.join('').length);
    expect(expected.every((message) => received.includes(message))).toBe(true);
  } finally {
    await server.shutdown();
  }
});
