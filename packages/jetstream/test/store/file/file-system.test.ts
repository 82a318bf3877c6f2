import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CONCURRENT_SYNCS_MAX,
  type FileSystem,
  NodeFileSystem,
  readIfThere,
  removeIfThere,
  replaceFile,
  synchronise,
  writeAll,
  writeFully,
  writeNewFile,
} from '../../../src/store/file/file-system.ts';

describe('the file system of the machine', () => {
  let dir: string;
  let fs: NodeFileSystem;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'nats-ts-fs-'));
    fs = new NodeFileSystem();
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it.each(['create', 'create-synced'] as const)('writes at a position and reads back (%s)', async (mode) => {
    const path = join(dir, 'file');
    const fd = await fs.open(path, mode);
    await writeFully(fs, fd, Buffer.from('hello world'), 0);
    await writeFully(fs, fd, Buffer.from('WORLD'), 6);
    await synchronise(fs, fd);
    const into = Buffer.alloc(20);
    expect(await fs.read(fd, into, 0, 20, 6)).toBe(5);
    expect(into.toString('latin1', 0, 5)).toBe('WORLD');
    await fs.truncate(fd, 5);
    await fs.close(fd);
    expect(fs.readFileSync(path).toString()).toBe('hello');
    expect(await fs.size(path)).toBe(5);
  });

  it('creates files and directories for their owner alone', async () => {
    await fs.mkdir(join(dir, 'a/b'));
    await fs.mkdir(join(dir, 'a/b'));
    await writeNewFile(fs, join(dir, 'a/b/file'), Buffer.from('x'));
    expect((await stat(join(dir, 'a/b'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir, 'a/b/file'))).mode & 0o777).toBe(0o600);
    expect(await fs.isDirectory(join(dir, 'a/b'))).toBe(true);
    expect(await fs.size(join(dir, 'a/b'))).toBeNull();
  });

  it('knows what is not there', async () => {
    expect(await fs.size(join(dir, 'none'))).toBeNull();
    expect(await fs.isDirectory(join(dir, 'none'))).toBe(false);
    expect(await readIfThere(fs, join(dir, 'none'))).toBeNull();
    expect(await removeIfThere(fs, join(dir, 'none'))).toBe(false);
    await fs.removeTree(join(dir, 'none'));
    await expect(fs.open(join(dir, 'none'), 'update')).rejects.toThrow('ENOENT');
  });

  it('replaces a file, links it and removes it', async () => {
    await writeNewFile(fs, join(dir, 'file'), Buffer.from('old'));
    await fs.link(join(dir, 'file'), join(dir, 'kept'));
    await replaceFile(fs, dir, 'file.tmp', 'file', Buffer.from('new'));
    expect((await fs.readdir(dir)).sort()).toEqual(['file', 'kept']);
    expect(String(await readIfThere(fs, join(dir, 'file')))).toBe('new');
    expect(String(await fs.readFile(join(dir, 'kept')))).toBe('old');
    expect(await removeIfThere(fs, join(dir, 'file'))).toBe(true);
    await fs.removeTree(dir);
    expect(await fs.isDirectory(dir)).toBe(false);
  });

  it('makes more syncs than it runs at once wait, and runs all of them', async () => {
    const narrow = new NodeFileSystem(1);
    const fd = await narrow.open(join(dir, 'file'), 'create-synced');
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: CONCURRENT_SYNCS_MAX * 4 }, async (_, at) => {
        if (at % 3 === 0) await synchronise(narrow, fd);
        else await writeFully(narrow, fd, Buffer.from([at]), at);
        order.push(at);
      }),
    );
    expect(order).toEqual(Array.from({ length: CONCURRENT_SYNCS_MAX * 4 }, (_, at) => at));
    await narrow.close(fd);
    expect(() => new NodeFileSystem(0)).toThrow(RangeError);
  });
});

describe('writeAll', () => {
  /** A disk that takes `portions[n]` bytes by the nth write and then fails. */
  function stubborn(portions: number[]): FileSystem {
    return {
      write: (_fd, _buffer, _offset, length, _position, callback) => {
        const portion = portions.shift();
        setImmediate(() => {
          if (portion === undefined) callback(new Error('ENOSPC'), 0);
          else callback(null, Math.min(portion, length));
        });
      },
    } as FileSystem;
  }

  function outcome(portions: number[]): Promise<[string | null, number]> {
    return new Promise((resolve) => {
      writeAll(stubborn(portions), 1, Buffer.alloc(10), 0, 10, 0, (error, written) => {
        resolve([error?.message ?? null, written]);
      });
    });
  }

  it('goes on after short writes', async () => {
    expect(await outcome([3, 1, 6])).toEqual([null, 10]);
  });

  it('tells how far it came when a write fails', async () => {
    expect(await outcome([3, 4])).toEqual(['ENOSPC', 7]);
  });

  it('does not go round for ever when nothing is written any more', async () => {
    expect(await outcome([3, 0])).toEqual(['wrote 3 of 10 bytes, then nothing more', 3]);
  });
});
