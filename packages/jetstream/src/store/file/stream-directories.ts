import type { AssetMeta } from '../store.ts';
import type { StoreDependencies } from './dependencies.ts';
import { makeDurableDirectory } from './directories.ts';
import { allDone } from './file-system.ts';
import { writeNewMeta } from './meta-file.ts';
import { temporaryName } from './temporary.ts';

/** The directories of streams below `jetstream/`: how they come to be and how they go. */
export class StreamDirectories {
  readonly #deps: StoreDependencies;
  readonly #root: string;
  readonly #removals = new Set<Promise<void>>();

  constructor(deps: StoreDependencies, root: string) {
    this.#deps = deps;
    this.#root = root;
  }

  streams(account: string): string {
    return `${this.#root}/${account}/streams`;
  }

  stream(account: string, name: string): string {
    return `${this.streams(account)}/${name}`;
  }

  /**
   * Makes the directory of a new stream with its meta.inf; it is durable after `sync`. It is prepared under a temporary
   * name, so that a crash leaves all of it or nothing.
   */
  async create(account: string, name: string, meta: AssetMeta): Promise<void> {
    const { fs, ids } = this.#deps;
    const streams = this.streams(account);
    const target = `${streams}/${name}`;
    await makeDurableDirectory(fs, streams);
    if (await fs.isDirectory(target)) await this.#clearDebris(target);
    const staged = `${streams}/${temporaryName(ids)}`;
    try {
      await fs.mkdir(staged);
      await allDone([fs.mkdir(`${staged}/msgs`), fs.mkdir(`${staged}/obs`)]);
      await writeNewMeta(fs, staged, { stream: name, consumer: null }, meta);
      await fs.rename(staged, target);
    } catch (error) {
      await fs.removeTree(staged).catch(() => {});
      throw error;
    }
  }

  /** Makes the names of the account's streams durable, and the account's own too if `all`. */
  async sync(account: string, all = false): Promise<void> {
    const { fs } = this.#deps;
    await fs.fsyncDir(this.streams(account));
    if (all) await fs.fsyncDir(`${this.#root}/${account}`);
  }

  /** nats-server would adopt the blocks of a stream it could not load; here they are somebody's messages and stay. */
  async #clearDebris(target: string): Promise<void> {
    const { fs } = this.#deps;
    const names = await fs.readdir(target);
    const blocks = names.includes('msgs') ? await fs.readdir(`${target}/msgs`) : [];
    if (names.includes('meta.inf') || blocks.length > 0) {
      throw new Error(
        `"${target}" holds a stream that could not be loaded; move it away to create another by that name`,
      );
    }
    await fs.removeTree(target);
  }

  /** Deletion, durable when it resolves: under a name with a dot the stream is gone, here and for nats-server. */
  async takeAway(account: string, name: string): Promise<void> {
    const { fs, ids } = this.#deps;
    const streams = this.streams(account);
    // nats-server's own name for it, unless an earlier deletion is still being cleared away.
    const plain = `${streams}/.${name}`;
    const isFree = Buffer.byteLength(name) < 255 && !(await fs.isDirectory(plain));
    const trash = isFree ? plain : `${streams}/${temporaryName(ids)}`;
    // Asked for again after a failure, the directory may have moved already.
    if (await fs.isDirectory(`${streams}/${name}`)) await fs.rename(`${streams}/${name}`, trash);
    await fs.fsyncDir(streams);
    this.removeLater(trash);
  }

  /** Removes what a deletion left, without anybody waiting. */
  removeLater(path: string): void {
    const removal = this.#deps.fs.removeTree(path).catch((error: unknown) => {
      this.#deps.log.warn(`Deleted files in ${path} cannot be removed: ${(error as Error).message}`);
    });
    this.#removals.add(removal);
    void removal.then(() => this.#removals.delete(removal));
  }

  /** Resolves when nothing is being removed any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#removals);
  }
}
