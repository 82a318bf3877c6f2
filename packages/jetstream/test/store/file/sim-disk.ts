import type { DoneCallback, FileSystem, OpenMode, WriteCallback } from '../../../src/store/file/file-system.ts';

const SECTOR = 512;

/** What a file name stands for. */
interface Inode {
  data: Buffer;
  /** What is on the platter. */
  durable: Buffer;
}

/** A change of names, as a journal has it. */
interface NameChange {
  /** Directories it is in. */
  directories: string[];
  apply(names: Map<string, Inode | 'directory'>): void;
}

/** An operation that fails instead of being done. */
export interface Fault {
  operation: 'write' | 'fdatasync' | 'fsync' | 'fsyncDir' | 'open' | 'rename' | 'unlink' | 'truncate' | 'read';
  /** Only for paths that match. */
  path?: RegExp;
  code: 'EIO' | 'ENOSPC';
  /** How often; default 1. */
  times?: number;
}

/** The names of a directory tree by path, as they are after `changes`. */
function named(changes: readonly NameChange[]): Map<string, Inode | 'directory'> {
  const names = new Map<string, Inode | 'directory'>([['/', 'directory']]);
  for (const change of changes) change.apply(names);
  return names;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/**
 * A disk in memory that can be broken on purpose: it runs full, fails single operations, writes less than asked, and
 * can be cut off between any two operations. What then survives is what was synced, names in the order they were
 * changed, and of what was not synced any part.
 */
export class SimDisk implements FileSystem {
  readonly #changes: NameChange[] = [];
  #names: Map<string, Inode | 'directory'> = named([]);
  /** So many of the name changes are durable. */
  #durableChanges = 0;
  readonly #files = new Map<number, { inode: Inode; path: string; synced: boolean }>();
  #nextFd = 3;
  /** Writes that have not returned yet, for the moment of a power cut. */
  readonly #inFlight = new Set<{ inode: Inode; data: Buffer; position: number }>();

  /** Operations that change something and have been done. */
  operations = 0;
  /** Stops after so many of them: nothing answers any more. */
  stopAfter: number = Number.POSITIVE_INFINITY;
  /** Bytes the disk holds. */
  capacity: number = Number.POSITIVE_INFINITY;
  /** Most bytes one write takes. */
  writeMax: number = Number.POSITIVE_INFINITY;
  readonly faults: Fault[] = [];
  /** Every read: the path and how many bytes it brought. */
  readonly reads: { path: string; bytes: number }[] = [];

  get isStopped(): boolean {
    return this.operations >= this.stopAfter;
  }

  /** What a killed process leaves: everything the system was told. A write under way has got some of its bytes down. */
  killed(random: () => number): SimDisk {
    const copy = new SimDisk();
    this.#copyNames(copy, this.#changes, (inode) => {
      let data: Buffer = Buffer.from(inode.data);
      for (const write of this.#inFlight) {
        if (write.inode === inode)
          data = overlay(data, write.data.subarray(0, random() * write.data.length), write.position);
      }
      return data;
    });
    return copy;
  }

  /** What a power cut leaves: what was synced, and any part of the rest. */
  cut(random: () => number): SimDisk {
    const copy = new SimDisk();
    const kept = this.#durableChanges + Math.floor(random() * (this.#changes.length - this.#durableChanges + 1));
    this.#copyNames(copy, this.#changes.slice(0, kept), (inode) => {
      let data = mixed(inode.durable, inode.data, random);
      for (const write of this.#inFlight) {
        if (write.inode !== inode) continue;
        data = mixed(data, overlay(Buffer.from(data), write.data, write.position), random);
      }
      return data;
    });
    return copy;
  }

  /** Names of files below a directory. */
  list(directory: string): string[] {
    return [...this.#names.keys()].filter(
      (path) => path.startsWith(`${directory}/`) && this.#names.get(path) !== 'directory',
    );
  }

  /** A file's content, to look at or to change by hand. */
  content(path: string): Buffer {
    return this.#inode(path).data;
  }

  setContent(path: string, data: Buffer): void {
    const inode = this.#inode(path);
    inode.data = Buffer.from(data);
    inode.durable = Buffer.from(data);
  }

  async open(path: string, mode: OpenMode): Promise<number> {
    await this.#turn('open', path);
    const found = this.#names.get(path);
    if (found === 'directory' && mode !== 'read') throw failure('EISDIR', path);
    if (found === undefined) {
      if (mode === 'read' || mode === 'update') throw failure('ENOENT', path);
      if (this.#names.get(parentOf(path)) !== 'directory') throw failure('ENOENT', path);
      const inode: Inode = { data: Buffer.alloc(0), durable: Buffer.alloc(0) };
      this.#change([parentOf(path)], (names) => names.set(path, inode));
    }
    const node = this.#names.get(path);
    const inode =
      node === 'directory' || node === undefined ? { data: Buffer.alloc(0), durable: Buffer.alloc(0) } : node;
    if (mode === 'replace') inode.data = Buffer.alloc(0);
    const fd = this.#nextFd++;
    this.#files.set(fd, { inode, path, synced: mode === 'create-synced' });
    return fd;
  }

  async close(fd: number): Promise<void> {
    await this.#turn(null, '');
    if (!this.#files.delete(fd)) throw failure('EBADF', `${fd}`);
  }

  write(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    callback: WriteCallback,
  ): void {
    const file = this.#files.get(fd);
    if (file === undefined) throw failure('EBADF', `${fd}`);
    const taken = Math.min(length, this.writeMax, Math.max(0, this.capacity - this.#used()));
    const data = Buffer.from(buffer.subarray(offset, offset + taken));
    const write = { inode: file.inode, data, position };
    this.#inFlight.add(write);
    this.#turn('write', file.path).then(
      () => {
        this.#inFlight.delete(write);
        if (taken === 0 && length > 0) {
          callback(failure('ENOSPC', file.path), 0);
          return;
        }
        file.inode.data = overlay(file.inode.data, data, position);
        if (file.synced) file.inode.durable = overlay(file.inode.durable, data, position);
        callback(null, taken);
      },
      (error: Error) => {
        this.#inFlight.delete(write);
        // Nobody knows what a failed write has done.
        file.inode.data = overlay(file.inode.data, data.subarray(0, data.length / 2), position);
        callback(error, 0);
      },
    );
  }

  fdatasync(fd: number, callback: DoneCallback): void {
    const { inode, path } = this.#files.get(fd)!;
    this.#turn('fdatasync', path).then(
      () => {
        inode.durable = Buffer.from(inode.data);
        callback(null);
      },
      (error: Error) => callback(error),
    );
  }

  async fsync(fd: number): Promise<void> {
    const { inode, path } = this.#files.get(fd)!;
    await this.#turn('fsync', path);
    inode.durable = Buffer.from(inode.data);
  }

  async read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const { inode, path } = this.#files.get(fd)!;
    await this.#turn('read', path);
    const part = inode.data.subarray(position, position + length);
    buffer.set(part, offset);
    this.reads.push({ path, bytes: part.length });
    return part.length;
  }

  async truncate(fd: number, length: number): Promise<void> {
    const { inode, path } = this.#files.get(fd)!;
    await this.#turn('truncate', path);
    inode.data = Buffer.from(inode.data.subarray(0, length));
  }

  async size(path: string): Promise<number | null> {
    const node = this.#names.get(path);
    return node === undefined || node === 'directory' ? null : node.data.length;
  }

  async isDirectory(path: string): Promise<boolean> {
    return this.#names.get(path) === 'directory';
  }

  async readFile(path: string): Promise<Buffer> {
    await this.#turn('read', path);
    return this.readFileSync(path);
  }

  async readdir(path: string): Promise<string[]> {
    return [...this.#names.keys()]
      .filter((name) => name !== '/' && parentOf(name) === path)
      .map((name) => name.slice(path.length + 1));
  }

  async mkdir(path: string): Promise<void> {
    await this.#turn(null, path);
    for (let end = path.indexOf('/', 1); ; end = path.indexOf('/', end + 1)) {
      const part = end < 0 ? path : path.slice(0, end);
      if (!this.#names.has(part)) this.#change([parentOf(part)], (names) => names.set(part, 'directory'));
      if (end < 0) return;
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#turn('rename', from);
    if (!this.#names.has(from)) throw failure('ENOENT', from);
    if (this.#names.get(to) === 'directory') throw failure('ENOTEMPTY', to);
    this.#change([parentOf(from), parentOf(to)], (names) => {
      for (const [path, node] of [...names]) {
        if (path !== from && !path.startsWith(`${from}/`)) continue;
        names.delete(path);
        names.set(to + path.slice(from.length), node);
      }
    });
  }

  async link(from: string, to: string): Promise<void> {
    await this.#turn(null, from);
    const inode = this.#inode(from);
    if (this.#names.has(to)) throw failure('EEXIST', to);
    this.#change([parentOf(to)], (names) => names.set(to, inode));
  }

  async unlink(path: string): Promise<void> {
    await this.#turn('unlink', path);
    this.#inode(path);
    this.#change([parentOf(path)], (names) => names.delete(path));
  }

  async removeTree(path: string): Promise<void> {
    await this.#turn('unlink', path);
    for (const name of [...this.#names.keys()].reverse()) {
      if (name === path || name.startsWith(`${path}/`)) this.#change([parentOf(name)], (names) => names.delete(name));
    }
  }

  async fsyncDir(path: string): Promise<void> {
    await this.#turn('fsyncDir', path);
    if (this.#names.get(path) !== 'directory') throw failure('ENOENT', path);
    const last = this.#changes.findLastIndex(({ directories }) => directories.includes(path));
    this.#durableChanges = Math.max(this.#durableChanges, last + 1);
  }

  readFileSync(path: string): Buffer {
    const { data } = this.#inode(path);
    this.reads.push({ path, bytes: data.length });
    return Buffer.from(data);
  }

  #inode(path: string): Inode {
    const node = this.#names.get(path);
    if (node === undefined || node === 'directory') throw failure('ENOENT', path);
    return node;
  }

  #change(directories: string[], apply: (names: Map<string, Inode | 'directory'>) => void): void {
    this.#changes.push({ directories, apply });
    apply(this.#names);
  }

  #used(): number {
    const inodes = new Set([...this.#names.values()].filter((node) => node !== 'directory'));
    let used = 0;
    for (const inode of inodes) used += inode.data.length;
    return used;
  }

  /** Takes a while, and fails if that was asked for. Never comes back once the disk has stopped. */
  #turn(operation: Fault['operation'] | null, path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        if (this.isStopped) return;
        if (operation !== null && operation !== 'read') this.operations++;
        const at = this.faults.findIndex((fault) => fault.operation === operation && (fault.path?.test(path) ?? true));
        if (at < 0) {
          resolve();
          return;
        }
        const fault = this.faults[at]!;
        fault.times = (fault.times ?? 1) - 1;
        if (fault.times <= 0) this.faults.splice(at, 1);
        reject(failure(fault.code, path));
      });
    });
  }

  #copyNames(copy: SimDisk, changes: readonly NameChange[], survives: (inode: Inode) => Buffer): void {
    const copies = new Map<Inode, Inode>();
    for (const [path, node] of named(changes)) {
      if (node === 'directory') {
        copy.#change([parentOf(path)], (names) => names.set(path, 'directory'));
        continue;
      }
      let twin = copies.get(node);
      if (twin === undefined) {
        const data = survives(node);
        twin = { data, durable: Buffer.from(data) };
        copies.set(node, twin);
      }
      const inode = twin;
      copy.#change([parentOf(path)], (names) => names.set(path, inode));
    }
    copy.#durableChanges = copy.#changes.length;
  }
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function overlay(data: Buffer, part: Buffer, position: number): Buffer {
  if (part.length === 0) return data;
  const result = Buffer.alloc(Math.max(data.length, position + part.length));
  data.copy(result);
  part.copy(result, position);
  return result;
}

/** Sector by sector the old or the new content; the length is either, or between. */
function mixed(old: Buffer, current: Buffer, random: () => number): Buffer {
  if (old.equals(current)) return Buffer.from(old);
  const least = Math.min(old.length, current.length);
  const length = least + Math.floor(random() * (Math.max(old.length, current.length) - least + 1));
  const result = Buffer.alloc(length);
  for (let at = 0; at < length; at += SECTOR) {
    const source = random() < 0.5 ? old : current;
    if (at < source.length) source.copy(result, at, at, Math.min(at + SECTOR, source.length, length));
  }
  return result;
}
