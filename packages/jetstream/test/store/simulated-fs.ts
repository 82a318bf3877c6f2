import type { DoneCallback, FileSystem, OpenMode, WriteCallback } from '../../src/store/file/file-system.ts';

class SimulatedFile {
  data: Buffer = Buffer.alloc(0);
  /** What a power cut leaves of the content. */
  durable: Buffer = Buffer.alloc(0);
}

class SimulatedDirectory {
  entries = new Map<string, SimulatedNode>();
  /** What a power cut leaves of the names. */
  durable = new Map<string, SimulatedNode>();
}

type SimulatedNode = SimulatedFile | SimulatedDirectory;

interface OpenFile {
  readonly file: SimulatedNode;
  readonly synced: boolean;
}

/** An operation that is about to happen; a test may let it fail. */
export interface Operation {
  readonly name: 'open' | 'write' | 'sync' | 'rename' | 'link' | 'unlink' | 'mkdir' | 'syncDir' | 'read' | 'readdir';
  readonly path: string;
}

/**
 * A disk in memory that can lose power: what was written but not synced, and names that were not synced, are gone
 * afterwards. `fault` lets any operation fail.
 */
export class SimulatedFileSystem implements FileSystem {
  /** Returns the error code an operation fails with, or null. */
  fault: (operation: Operation) => string | null = () => null;
  /** An operation waits for what this returns before it happens: a disk that stands still. */
  stall: (operation: Operation) => Promise<void> | null = () => null;
  /** Operations so far, for tests that cut the power at each of them in turn. */
  operations = 0;
  /** When `operations` reaches this, nothing happens any more: the machine is off. */
  offAt = Number.POSITIVE_INFINITY;
  /** What arrives of a write that the end interrupts: as many bytes as this returns, from its start. */
  torn: (bytes: number) => number = () => 0;
  /** The file that was being written to at the end. */
  #tornFile: SimulatedFile | null = null;
  #root = new SimulatedDirectory();
  #open = new Map<number, OpenFile & { path: string }>();
  #nextFd = 3;

  /**
   * The machine loses power and starts again: what was synced is there, open files are gone. Of the rest, the content
   * of files and the names in directories that `kept` accepts happen to have reached the disk all the same.
   */
  powerCut(kept: (path: string) => boolean = () => false): void {
    if (this.#tornFile !== null) this.#tornFile.durable = this.#tornFile.data;
    restore(this.#root, '', kept);
    this.#reboot();
  }

  /** The process ends without warning: what was written is there. Open files are gone. */
  kill(): void {
    this.#reboot();
  }

  /** Every file with its content, by path. */
  files(): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    const walk = (directory: SimulatedDirectory, path: string): void => {
      for (const [name, node] of directory.entries) {
        if (node instanceof SimulatedFile) found.set(`${path}/${name}`, node.data);
        else walk(node, `${path}/${name}`);
      }
    };
    walk(this.#root, '');
    return found;
  }

  /** Puts a file there, durably. */
  put(path: string, data: Buffer): void {
    const { directory, name } = this.#parent(path, true);
    const file = new SimulatedFile();
    file.data = Buffer.from(data);
    file.durable = file.data;
    directory.entries.set(name, file);
    directory.durable.set(name, file);
  }

  async open(path: string, mode: OpenMode): Promise<number> {
    await this.#begin('open', path);
    const { directory, name } = this.#parent(path);
    let node = directory.entries.get(name);
    if (node === undefined) {
      if (mode === 'read' || mode === 'update') throw failure('ENOENT', path);
      node = new SimulatedFile();
      directory.entries.set(name, node);
    } else if (mode === 'replace') {
      if (!(node instanceof SimulatedFile)) throw failure('EISDIR', path);
      node.data = Buffer.alloc(0);
    }
    const fd = this.#nextFd++;
    this.#open.set(fd, { file: node, synced: mode === 'create-synced', path });
    return fd;
  }

  async close(fd: number): Promise<void> {
    await turn();
    if (!this.#open.delete(fd)) throw failure('EBADF', `${fd}`);
  }

  write(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    callback: WriteCallback,
  ): void {
    const opened = this.#open.get(fd);
    if (this.operations >= this.offAt) this.#tear(opened, buffer.subarray(offset, offset + length), position);
    this.#begin('write', opened?.path ?? `${fd}`).then(
      () => {
        if (!(opened?.file instanceof SimulatedFile)) {
          callback(failure('EBADF', `${fd}`), 0);
          return;
        }
        put(opened.file, buffer.subarray(offset, offset + length), position, opened.synced);
        callback(null, length);
      },
      (error: unknown) => callback(error as Error, 0),
    );
  }

  fdatasync(fd: number, callback: DoneCallback): void {
    this.fsync(fd).then(
      () => callback(null),
      (error: unknown) => callback(error as Error),
    );
  }

  async fsync(fd: number): Promise<void> {
    const opened = this.#open.get(fd);
    await this.#begin('sync', opened?.path ?? `${fd}`);
    if (opened?.file instanceof SimulatedFile) opened.file.durable = opened.file.data;
  }

  async read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const opened = this.#open.get(fd);
    await this.#begin('read', opened?.path ?? `${fd}`);
    if (!(opened?.file instanceof SimulatedFile)) throw failure('EBADF', `${fd}`);
    const part = opened.file.data.subarray(position, position + length);
    buffer.set(part, offset);
    return part.length;
  }

  async truncate(fd: number, length: number): Promise<void> {
    const opened = this.#open.get(fd);
    await this.#begin('write', opened?.path ?? `${fd}`);
    if (!(opened?.file instanceof SimulatedFile)) throw failure('EBADF', `${fd}`);
    const data = Buffer.alloc(length);
    opened.file.data.copy(data);
    opened.file.data = data;
  }

  async size(path: string): Promise<number | null> {
    await turn();
    const node = this.#node(path);
    return node instanceof SimulatedFile ? node.data.length : null;
  }

  async isDirectory(path: string): Promise<boolean> {
    await turn();
    return this.#node(path) instanceof SimulatedDirectory;
  }

  async readFile(path: string): Promise<Buffer> {
    await this.#begin('read', path);
    return this.readFileSync(path);
  }

  async readdir(path: string): Promise<string[]> {
    await this.#begin('readdir', path);
    const node = this.#node(path);
    if (node === undefined) throw failure('ENOENT', path);
    if (node instanceof SimulatedFile) throw failure('ENOTDIR', path);
    return [...node.entries.keys()];
  }

  async mkdir(path: string): Promise<void> {
    await this.#begin('mkdir', path);
    this.#directory(path, true);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#begin('rename', from);
    const source = this.#parent(from);
    const node = source.directory.entries.get(source.name);
    if (node === undefined) throw failure('ENOENT', from);
    const target = this.#parent(to);
    const there = target.directory.entries.get(target.name);
    if (there instanceof SimulatedDirectory && there.entries.size > 0) throw failure('ENOTEMPTY', to);
    source.directory.entries.delete(source.name);
    target.directory.entries.set(target.name, node);
  }

  async link(from: string, to: string): Promise<void> {
    await this.#begin('link', from);
    const source = this.#parent(from);
    const node = source.directory.entries.get(source.name);
    if (node === undefined) throw failure('ENOENT', from);
    const target = this.#parent(to);
    if (target.directory.entries.has(target.name)) throw failure('EEXIST', to);
    target.directory.entries.set(target.name, node);
  }

  async unlink(path: string): Promise<void> {
    await this.#begin('unlink', path);
    const { directory, name } = this.#parent(path);
    if (!directory.entries.delete(name)) throw failure('ENOENT', path);
  }

  async removeTree(path: string): Promise<void> {
    await this.#begin('unlink', path);
    if (this.#node(path) === undefined) return;
    const { directory, name } = this.#parent(path);
    directory.entries.delete(name);
  }

  async fsyncDir(path: string): Promise<void> {
    await this.#begin('syncDir', path);
    const node = this.#node(path);
    if (!(node instanceof SimulatedDirectory)) throw failure('ENOENT', path);
    node.durable = new Map(node.entries);
  }

  readFileSync(path: string): Buffer {
    const node = this.#node(path);
    if (node === undefined) throw failure('ENOENT', path);
    if (!(node instanceof SimulatedFile)) throw failure('EISDIR', path);
    return Buffer.from(node.data);
  }

  /** The first write that finds the machine off was under way when that happened. */
  #tear(opened: OpenFile | undefined, bytes: Uint8Array, position: number): void {
    if (this.#tornFile !== null || !(opened?.file instanceof SimulatedFile)) return;
    this.#tornFile = opened.file;
    const arrived = this.torn(bytes.length);
    if (arrived > 0) put(opened.file, bytes.subarray(0, arrived), position, false);
  }

  async #begin(name: Operation['name'], path: string): Promise<void> {
    await turn();
    if (this.operations >= this.offAt) await new Promise<never>(() => {});
    this.operations++;
    await this.stall({ name, path });
    const code = this.fault({ name, path });
    if (code !== null) throw failure(code, path);
  }

  #reboot(): void {
    this.#open = new Map();
    this.operations = 0;
    this.offAt = Number.POSITIVE_INFINITY;
    this.#tornFile = null;
    this.fault = () => null;
    this.stall = () => null;
  }

  #node(path: string): SimulatedNode | undefined {
    let node: SimulatedNode | undefined = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (!(node instanceof SimulatedDirectory)) return undefined;
      node = node.entries.get(name);
    }
    return node;
  }

  #directory(path: string, create: boolean): SimulatedDirectory {
    let node = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      let next = node.entries.get(name);
      if (next === undefined && create) {
        next = new SimulatedDirectory();
        node.entries.set(name, next);
      }
      if (next === undefined) throw failure('ENOENT', path);
      if (!(next instanceof SimulatedDirectory)) throw failure('ENOTDIR', path);
      node = next;
    }
    return node;
  }

  #parent(path: string, create = false): { directory: SimulatedDirectory; name: string } {
    const at = path.lastIndexOf('/');
    return { directory: this.#directory(path.slice(0, at), create), name: path.slice(at + 1) };
  }
}

function put(file: SimulatedFile, bytes: Uint8Array, position: number, durable: boolean): void {
  const data = Buffer.alloc(Math.max(file.data.length, position + bytes.length));
  file.data.copy(data);
  data.set(bytes, position);
  file.data = data;
  if (durable) file.durable = data;
}

function restore(directory: SimulatedDirectory, path: string, kept: (path: string) => boolean): void {
  if (!kept(path)) directory.entries = new Map(directory.durable);
  directory.durable = new Map(directory.entries);
  for (const [name, node] of directory.entries) {
    const own = `${path}/${name}`;
    if (node instanceof SimulatedDirectory) restore(node, own, kept);
    else if (kept(own)) node.durable = node.data;
    else node.data = node.durable;
  }
}

function failure(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: '${path}'`), { code });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
