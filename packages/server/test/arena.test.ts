import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { assembleArena } from '../scripts/assemble-arena.ts';
import { ARENA_BYTES, Arena, COPY_SLACK_BYTES } from '../src/connection/arena.ts';
import { HEAD_CELLS, HeadCells } from '../src/connection/head-cells.ts';
import { SlabPool } from '../src/connection/slabs.ts';
import { encodeHead, Subscription } from '../src/delivery/subscription.ts';
import { login, startServer } from './support.ts';

function makeArena(): Arena {
  const arena = Arena.create();
  if (arena === null) throw new Error('there is no WebAssembly here');
  return arena;
}

const subscription = (): Subscription => new Subscription('a', null, '1', 'client', null, null);

describe('the arena', () => {
  it('copies heads and bodies of any size, and nothing outside of them but the slack', () => {
    const arena = makeArena();
    const room = 8 * 1024;
    const source = arena.take(room);
    const target = arena.take(room);
    for (let i = 0; i < room; i++) arena.bytes[source + i] = (i * 131) & 0xff;
    const size = fc.oneof(
      fc.integer({ min: 0, max: 70 }),
      fc.integer({ min: 200, max: 300 }),
      fc.integer({ max: 2000, min: 0 }),
    );
    fc.assert(
      fc.property(
        size,
        size,
        fc.integer({ min: 0, max: 99 }),
        fc.integer({ min: 0, max: 99 }),
        (head, body, at, offset) => {
          const headBytes = Math.max(1, head);
          arena.bytes.fill(0xee, target, target + room);
          const end = arena.append(target + offset, source + at, headBytes, source + 2 * at, body);
          expect(end).toBe(target + offset + headBytes + body);
          const expected = Buffer.concat([
            arena.bytes.subarray(source + at, source + at + headBytes),
            arena.bytes.subarray(source + 2 * at, source + 2 * at + body),
          ]);
          expect(arena.bytes.subarray(target + offset, end).equals(expected)).toBe(true);
          const untouched = Buffer.alloc(offset, 0xee);
          expect(arena.bytes.subarray(target, target + offset).equals(untouched)).toBe(true);
          const behind = arena.bytes.subarray(end + COPY_SLACK_BYTES, target + room);
          expect(behind.equals(Buffer.alloc(behind.length, 0xee))).toBe(true);
        },
      ),
    );
  });

  it('gives blocks that do not overlap until it is full', () => {
    const arena = makeArena();
    let last = -1;
    let count = 0;
    for (;;) {
      const address = arena.take(100_000);
      if (address < 0) break;
      expect(address).toBeGreaterThan(last);
      last = address + 100_000 - 1;
      expect(last).toBeLessThan(ARENA_BYTES);
      count++;
    }
    expect(count).toBeGreaterThan(150);
  });

  it('is what its committed bytes were assembled from', async () => {
    const committed = await readFile(new URL('../src/connection/arena.generated.ts', import.meta.url), 'utf8');
    expect(committed).toBe(await assembleArena());
  });
});

describe('a server without WebAssembly', () => {
  it('delivers all the same', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(Arena.create()).toBe(null);
    const { server, port } = await startServer();
    vi.unstubAllGlobals();
    const client = await login(port);
    client.send('SUB a 1\r\nSUB * q 2\r\n');
    let expected = '';
    for (const size of [0, 1, 30, 5_000, 40_000, 200_000]) {
      const payload = 'x'.repeat(size);
      client.send(`PUB a r ${size}\r\n${payload}\r\n`);
      for (const sid of [1, 2]) expected += `MSG a ${sid} r ${size}\r\n${payload}\r\n`;
    }
    expect((await client.flush()) === expected).toBe(true);
    await server.shutdown();
  });
});

describe('slabs', () => {
  it('come from the heap when the arena is full, and those of the arena are never lost', () => {
    const pool = new SlabPool(makeArena());
    const all = Array.from({ length: 200 }, () => pool.take(true));
    const inside = all.filter((slab) => slab.address >= 0);
    expect(inside.length).toBeGreaterThan(100);
    expect(inside.length).toBeLessThan(128);
    for (const slab of all) pool.give(slab);
    const again = Array.from({ length: 200 }, () => pool.take(true));
    for (const slab of inside) expect(again).toContain(slab);
  });
});

describe('head cells', () => {
  it('keep a head until it is the oldest one', () => {
    const arena = makeArena();
    const cells = new HeadCells(arena);
    const first = subscription();
    const head = encodeHead('a.b', '12');
    const address = cells.place(first, head);
    expect(arena.bytes.toString('latin1', address, address + head.length)).toBe('HMSG a.b 12 ');
    for (let i = 0; i < HEAD_CELLS - 1; i++) cells.place(subscription(), head);
    expect(first.headAddress).toBe(address);
    const late = subscription();
    expect(cells.place(late, head)).toBe(address);
    expect([first.headAddress, late.headAddress]).toEqual([-1, address]);
  });

  it('do not hold a long head', () => {
    const cells = new HeadCells(makeArena());
    expect(cells.place(subscription(), encodeHead('a'.repeat(60), '1'))).toBe(-1);
  });
});

describe('a subscription', () => {
  it('keeps a head for a subject that comes again, and lets it go with another one', () => {
    const one = subscription();
    expect(one.repeatedHead('x')).toBe(null);
    const head = one.repeatedHead('x');
    expect(head?.toString()).toBe('HMSG x 1 ');
    expect(one.repeatedHead('x')).toBe(head);
    one.headAddress = 77;
    expect(one.repeatedHead('y')).toBe(null);
    expect(one.headAddress).toBe(-1);
    expect(one.repeatedHead('y')?.toString()).toBe('HMSG y 1 ');
  });
});
