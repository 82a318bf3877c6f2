import {
  close,
  constants,
  fdatasync,
  fsync,
  ftruncate,
  link,
  mkdir,
  open,
  read,
  readdir,
  readFile,
  readFileSync,
  rename,
  rm,
  stat,
  unlink,
  write,
} from 'node:fs';
import { dirname } from 'node:path';

/**
 * How a file is opened: `read` an existing one, `update` an existing one, `create` it for reading and writing if it
 * is not there, `create-synced` the same with every write durable by the time it returns (O_DSYNC), `replace` it with
 * an empty one.
 */
export type OpenMode = 'read' | 'update' | 'create' | 'create-synced' | 'replace';

/** Called when a write returned. */
export type WriteCallback = (error: Error | null, written: number) => void;

/** Called when something was done. */
export type DoneCallback = (error: Error | null) => void;

/**
 * The few file operations the store needs, so that tests can break the disk on purpose. What stands on the way of
 * every commit takes callbacks; the rest are promises. All of it happens off the event loop except `readFileSync`.
 * Files are created with mode 0600, directories with 0700, as nats-server does.
 */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<number>;
  close(fd: number): Promise<void>;
  /** One write; may write less than asked (see `writeAll`). Durable on return if the file was opened so. */
  write(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    callback: WriteCallback,
  ): void;
  /** Makes the file's content and length durable. */
  fdatasync(fd: number, callback: DoneCallback): void;
  /** One read; resolves how many bytes there were. */
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  fsync(fd: number): Promise<void>;
  truncate(fd: number, length: number): Promise<void>;
  /** Length of a file, null if there is none (or no file) by that name. */
  size(path: string): Promise<number | null>;
  /** True if there is a directory by that name. */
  isDirectory(path: string): Promise<boolean>;
  readFile(path: string): Promise<Buffer>;
  /** Names in a directory, in no particular order. */
  readdir(path: string): Promise<string[]>;
  /** Creates a directory and its parents; one that is there already is fine. */
  mkdir(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file; fails if the name is taken. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Removes a file or a directory with all that is in it; nothing there is fine. */
  removeTree(path: string): Promise<void>;
  /** Makes names created, renamed or removed in the directory durable. */
  fsyncDir(path: string): Promise<void>;
  /** Reads a file on the event loop: for the control plane, where a caller cannot wait. */
  readFileSync(path: string): Buffer;
}

/**
 * Syncs under way at once. The default leaves one of libuv's four threads to reads; raise it together with
 * UV_THREADPOOL_SIZE. Further ones wait in order.
 */
export const CONCURRENT_SYNCS_MAX = 3;

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

// Missing on Windows: there a write is followed by a sync.
const O_DSYNC: number | undefined = constants.O_DSYNC;

const FLAGS: Record<OpenMode, number> = {
  read: constants.O_RDONLY,
  update: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT,
  'create-synced': constants.O_RDWR | constants.O_CREAT | (O_DSYNC ?? 0),
  replace: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
};

type NodeCallback<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

function promised<T>(start: (callback: NodeCallback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value)));
  });
}

function done(start: (callback: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()));
  });
}

/** The file system of the machine. */
export class NodeFileSystem implements FileSystem {
  readonly #syncsMax: number;
  #syncs = 0;
  readonly #waiting: (() => void)[] = [];
  /** Files whose writes are durable on return. */
  readonly #synced = new Set<number>();

  /** @param concurrentSyncsMax syncs under way at once, at least 1; default CONCURRENT_SYNCS_MAX. */
  constructor(concurrentSyncsMax: number = CONCURRENT_SYNCS_MAX) {
    if (!(concurrentSyncsMax >= 1))
      throw new RangeError(`concurrentSyncsMax must be at least 1, got ${concurrentSyncsMax}`);
    this.#syncsMax = concurrentSyncsMax;
  }

  async open(path: string, mode: OpenMode): Promise<number> {
    const fd = await promised<number>((callback) => open(path, FLAGS[mode], FILE_MODE, callback));
    if (mode === 'create-synced') this.#synced.add(fd);
    return fd;
  }

  close(fd: number): Promise<void> {
    this.#synced.delete(fd);
    return done((callback) => close(fd, callback));
  }

  write(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    callback: WriteCallback,
  ): void {
    if (!this.#synced.has(fd)) {
      write(fd, buffer, offset, length, position, callback);
      return;
    }
    if (this.#syncs >= this.#syncsMax) {
      this.#waiting.push(() => this.#writeSynced(fd, buffer, offset, length, position, callback));
      return;
    }
    this.#writeSynced(fd, buffer, offset, length, position, callback);
  }

  fdatasync(fd: number, callback: DoneCallback): void {
    this.#synchronise((end) => {
      fdatasync(fd, (error) => {
        end();
        callback(error);
      });
    });
  }

  fsync(fd: number): Promise<void> {
    return done((callback) => {
      this.#synchronise((end) => {
        fsync(fd, (error) => {
          end();
          callback(error);
        });
      });
    });
  }

  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return promised((callback) => read(fd, buffer, offset, length, position, callback));
  }

  truncate(fd: number, length: number): Promise<void> {
    return done((callback) => ftruncate(fd, length, callback));
  }

  async size(path: string): Promise<number | null> {
    const found = await this.#stat(path);
    return found?.isFile() ? found.size : null;
  }

  async isDirectory(path: string): Promise<boolean> {
    return (await this.#stat(path))?.isDirectory() ?? false;
  }

  readFile(path: string): Promise<Buffer> {
    return promised((callback) => readFile(path, callback));
  }

  readdir(path: string): Promise<string[]> {
    return promised((callback) => readdir(path, callback));
  }

  async mkdir(path: string): Promise<void> {
    try {
      await this.#mkdirOrThere(path);
    } catch (error) {
      const parent = dirname(path);
      // Where the parent is there nothing can be done. Node's own recursive mkdir tries for ever then, in /proc for one.
      const isParentMissing = (error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== path;
      if (!isParentMissing || (await this.isDirectory(parent))) throw error;
      await this.mkdir(parent);
      await this.#mkdirOrThere(path);
    }
  }

  async #mkdirOrThere(path: string): Promise<void> {
    try {
      await done((callback) => mkdir(path, DIRECTORY_MODE, callback));
    } catch (error) {
      if (!(await this.isDirectory(path))) throw error;
    }
  }

  rename(from: string, to: string): Promise<void> {
    return done((callback) => rename(from, to, callback));
  }

  link(from: string, to: string): Promise<void> {
    return done((callback) => link(from, to, callback));
  }

  unlink(path: string): Promise<void> {
    return done((callback) => unlink(path, callback));
  }

  removeTree(path: string): Promise<void> {
    return done((callback) => rm(path, { recursive: true, force: true }, callback));
  }

  async fsyncDir(path: string): Promise<void> {
    // Windows has no directories to open; names are durable there by the file system's own journal.
    if (O_DSYNC === undefined) return;
    const fd = await this.open(path, 'read');
    try {
      await this.fsync(fd);
    } finally {
      // Nothing depends on it, and creations wait for this.
      this.close(fd).catch(() => {});
    }
  }

  readFileSync(path: string): Buffer {
    return readFileSync(path);
  }

  async #stat(path: string): Promise<import('node:fs').Stats | null> {
    try {
      return await promised((callback) => stat(path, callback));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  #writeSynced(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    callback: WriteCallback,
  ): void {
    this.#syncs++;
    write(fd, buffer, offset, length, position, (error, written) => {
      if (error !== null || O_DSYNC !== undefined) {
        this.#endSync();
        callback(error, written);
        return;
      }
      fdatasync(fd, (failure) => {
        this.#endSync();
        callback(failure, written);
      });
    });
  }

  #synchronise(start: (end: () => void) => void): void {
    const run = (): void => {
      this.#syncs++;
      start(() => this.#endSync());
    };
    if (this.#syncs < this.#syncsMax) run();
    else this.#waiting.push(run);
  }

  #endSync(): void {
    this.#syncs--;
    this.#waiting.shift()?.();
  }
}

/** True for the error of a name that is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Writes all of it, however many writes that takes. `written` is how far it came. */
export function writeAll(
  fs: FileSystem,
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
  callback: WriteCallback,
): void {
  let total = 0;
  const next = (error: Error | null, written: number): void => {
    total += error === null ? written : 0;
    if (error !== null) callback(error, total);
    else if (total === length) callback(null, total);
    // A write of nothing would go round for ever.
    else if (written === 0) callback(new Error(`wrote ${total} of ${length} bytes, then nothing more`), total);
    else fs.write(fd, buffer, offset + total, length - total, position + total, next);
  };
  fs.write(fd, buffer, offset, length, position, next);
}

/** `fdatasync` as a promise. */
export function synchronise(fs: FileSystem, fd: number): Promise<void> {
  return done((callback) => fs.fdatasync(fd, callback));
}

/** `writeAll` as a promise. */
export async function writeFully(fs: FileSystem, fd: number, data: Uint8Array, position: number): Promise<void> {
  if (data.length === 0) return;
  await promised<number>((callback) => writeAll(fs, fd, data, 0, data.length, position, callback));
}

/** Reads a whole file; null if it is not there. */
export async function readIfThere(fs: FileSystem, path: string): Promise<Buffer | null> {
  try {
    return await fs.readFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Writes a new file with this content and makes the content durable; its name is the caller's to sync. */
export async function writeNewFile(fs: FileSystem, path: string, data: Uint8Array): Promise<void> {
  const fd = await fs.open(path, 'replace');
  try {
    await writeFully(fs, fd, data, 0);
    await fs.fsync(fd);
  } finally {
    await fs.close(fd);
  }
}

/**
 * Waits for all of them to end, however they end, then rejects with the first error there was: nothing is under way any more.
 */
export async function allDone(operations: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(operations);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** A file to be written, with its name in the directory. */
export interface NewFile {
  readonly name: string;
  readonly data: Uint8Array;
}

/**
 * Writes new files into a directory and makes their content durable, and their names too if `named`. The syncs run side by side: a
 * file system with a journal commits all of it at once, and it is the commits that cost time.
 */
export async function writeNewFiles(
  fs: FileSystem,
  directory: string,
  files: readonly NewFile[],
  named: boolean,
): Promise<void> {
  const fds: number[] = [];
  try {
    await allDone(
      files.map(async ({ name, data }) => {
        const fd = await fs.open(`${directory}/${name}`, 'replace');
        fds.push(fd);
        await writeFully(fs, fd, data, 0);
      }),
    );
    await allDone([...fds.map((fd) => fs.fsync(fd)), ...(named ? [fs.fsyncDir(directory)] : [])]);
  } finally {
    await allDone(fds.map((fd) => fs.close(fd)));
  }
}

/**
 * Puts `data` in the place of a file so that either the old or the new content is there after a crash: written to
 * `temporary`, synced, renamed, and the directory (which both names are in) synced.
 */
export async function replaceFile(
  fs: FileSystem,
  directory: string,
  temporary: string,
  name: string,
  data: Uint8Array,
): Promise<void> {
  await writeNewFile(fs, `${directory}/${temporary}`, data);
  await fs.rename(`${directory}/${temporary}`, `${directory}/${name}`);
  await fs.fsyncDir(directory);
}

/** Removes a file; resolves false if it was not there. */
export async function removeIfThere(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.unlink(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
