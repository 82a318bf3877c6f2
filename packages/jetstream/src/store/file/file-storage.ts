import { dirname } from 'node:path';
import { MemoryStreamStore } from '../memory/memory-storage.ts';
import { checkAssetName, isAssetName } from '../shared/names.ts';
import { emptyStats } from '../shared/stats.ts';
import type { AssetMeta, OfflineStream, Storage, StorageStats, StreamStore, StreamStoreOptions } from '../store.ts';
import type { StorageDependencies, StoreDependencies, StreamDependencies } from './dependencies.ts';
import { makeDurableDirectory } from './directories.ts';
import { FileStreamStore } from './file-stream-store.ts';
import { allDone } from './file-system.ts';
import { Gate, mapGated } from './gate.ts';
import { BlockCache } from './messages/block-cache.ts';
import { DAMAGE_TEXTS, keepCopy, readCopy, readMeta, restoreMeta } from './meta-file.ts';
import { type OpenMessages, openFileMessages } from './open-messages.ts';
import { StoreLock } from './store-lock.ts';
import { StreamDirectories } from './stream-directories.ts';
import { streamRecovery } from './stream-recovery.ts';
import { SyncWatch } from './sync-watch.ts';
import { isTemporary } from './temporary.ts';

/** Streams recovered or closed at once. */
export const STREAMS_AT_ONCE_MAX = 4;

/** Streams that export consumer state at once. */
export const EXPORTS_AT_ONCE_MAX = 2;

type Choose = (meta: AssetMeta) => StreamStoreOptions | { offline: string };
type Found = { readonly stream: FileStreamStore } | { readonly offline: OfflineStream } | null;

/**
 * Streams in `<store directory>/jetstream/<account>/streams/<stream>`, in nats-server's format (spec/jetstream.md 7).
 * Streams of kind memory live beside them without a directory. Files are 0600, directories 0700.
 */
export class FileStorage implements Storage {
  readonly stats: StorageStats;
  readonly #deps: StoreDependencies;
  readonly #root: string;
  readonly #directories: StreamDirectories;
  readonly #lock: StoreLock;
  readonly #openMessages: OpenMessages;
  readonly #exports = new Gate(EXPORTS_AT_ONCE_MAX);
  readonly #open = new Map<string, StreamStore>();
  /** Streams being created: the directory is not given up before. */
  readonly #creations = new Set<Promise<StreamStore>>();
  #closed = false;
  readonly #lost: { error: Error | null };

  private constructor(
    deps: StoreDependencies,
    root: string,
    lock: StoreLock,
    lost: { error: Error | null },
    openMessages: OpenMessages,
  ) {
    this.#deps = deps;
    this.stats = deps.stats;
    this.#root = root;
    this.#directories = new StreamDirectories(deps, root);
    this.#lock = lock;
    this.#lost = lost;
    this.#openMessages = openMessages;
  }

  /**
   * Takes the store directory, creating it where needed. Streams are read by `recoverAccount`.
   *
   * @param openMessages how the messages of a stream are opened; only tests have another way.
   * @throws StoreLockedError when another process has it open; Error naming the directory when it cannot be used.
   */
  static async open(
    directory: string,
    dependencies: StorageDependencies,
    openMessages: OpenMessages = openFileMessages,
  ): Promise<FileStorage> {
    const cache = new BlockCache(dependencies.blockCacheBytesMax);
    const deps: StoreDependencies = { ...dependencies, stats: emptyStats(), cache };
    const lost: { error: Error | null } = { error: null };
    const root = `${directory}/jetstream`;
    await usable(directory, () => makeDurableDirectory(deps.fs, directory));
    const lock = await usable(directory, () =>
      StoreLock.acquire(deps, directory, (error) => {
        lost.error = error;
        deps.stats.failing = error.message;
        deps.log.error(`Store directory "${directory}" is lost to another process: ${error.message}`);
      }),
    );
    try {
      await usable(directory, () => makeDurableDirectory(deps.fs, root));
      // They may be there because a killed process had just made them.
      await usable(directory, () => allDone([deps.fs.fsyncDir(directory), deps.fs.fsyncDir(root)]));
      await deps.fs.fsyncDir(dirname(directory)).catch(() => {});
    } catch (error) {
      await lock.release();
      throw error;
    }
    return new FileStorage(deps, root, lock, lost, openMessages);
  }

  async accounts(): Promise<string[]> {
    const { fs } = this.#deps;
    const names = (await fs.readdir(this.#root)).filter(isAssetName).sort();
    const hasStreams = await mapGated(
      names,
      STREAMS_AT_ONCE_MAX,
      async (name) =>
        (await fs.isDirectory(`${this.#root}/${name}`)) && (await fs.isDirectory(this.#directories.streams(name))),
    );
    return names.filter((_, at) => hasStreams[at]);
  }

  async recoverAccount(
    account: string,
    options: Choose,
  ): Promise<{ streams: StreamStore[]; offline: OfflineStream[] }> {
    checkAssetName('account', account);
    const { fs } = this.#deps;
    const directory = this.#directories.streams(account);
    const streams: StreamStore[] = [];
    const offline: OfflineStream[] = [];
    if (!(await fs.isDirectory(directory))) return { streams, offline };
    // Streams that a killed process had just created or deleted: what is seen of them now must not change with a power cut.
    await this.#directories.sync(account, true);
    const names = (await fs.readdir(directory)).sort();
    for (const name of names.filter(isTemporary)) this.#directories.removeLater(`${directory}/${name}`);
    const present = names.filter((name) => isAssetName(name) && !this.#open.has(`${account}/${name}`));
    const progress = this.#deps.observer?.progress;
    progress?.streamsFound(account, present.length);
    const found = await mapGated(present, STREAMS_AT_ONCE_MAX, async (name) => {
      const one = await this.#recover(account, name, options);
      progress?.streamRead(account, name, one !== null && 'stream' in one ? one.stream.messages.messages : 0);
      return one;
    });
    for (const one of found) {
      if (one === null) continue;
      if ('stream' in one) streams.push(one.stream);
      else offline.push(one.offline);
    }
    return { streams, offline };
  }

  async createStream(
    account: string,
    name: string,
    meta: AssetMeta,
    options: StreamStoreOptions,
  ): Promise<StreamStore> {
    checkAssetName('account', account);
    checkAssetName('stream', name);
    this.#checkOpen();
    const key = `${account}/${name}`;
    if (this.#open.has(key)) throw new Error(`stream "${name}" of account "${account}" exists already`);
    if (options.kind === 'memory') {
      const stream = new MemoryStreamStore(name, meta, options, () => this.#open.delete(key));
      this.#open.set(key, stream);
      return stream;
    }
    const creation = this.#create(account, name, meta, options);
    this.#creations.add(creation);
    try {
      return await creation;
    } finally {
      this.#creations.delete(creation);
    }
  }

  async deleteOffline(account: string, name: string): Promise<void> {
    this.#checkOpen();
    await this.#directories.takeAway(account, name);
  }

  async #create(account: string, name: string, meta: AssetMeta, options: StreamStoreOptions): Promise<StreamStore> {
    await this.#directories.create(account, name, meta);
    // There is little to read in it, but the disk takes its time for the name.
    const opening = this.#openStream(account, name, meta, options, true);
    try {
      await allDone([opening, this.#directories.sync(account)]);
      return await opening;
    } catch (error) {
      // Nobody was told that it exists.
      await opening.then((stream) => stream.abandon()).catch(() => {});
      this.#open.delete(`${account}/${name}`);
      await this.#directories.takeAway(account, name).catch(() => {});
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#creations);
    const errors: unknown[] = [];
    await mapGated([...this.#open.values()], STREAMS_AT_ONCE_MAX, async (stream) => {
      // In a directory that is somebody else's nothing may be written.
      const isLost = this.#lost.error !== null && stream instanceof FileStreamStore;
      await (isLost ? stream.abandon() : stream.close()).catch((error: unknown) => errors.push(error));
    });
    await this.#directories.settled();
    await this.#lock.release();
    if (errors.length > 0) throw errors[0];
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error('the store is closed');
    if (this.#lost.error !== null) throw this.#lost.error;
  }

  /** Recovers a stream and tells whoever watches. */
  async #recover(account: string, name: string, choose: Choose): Promise<Found> {
    const observer = this.#deps.observer?.recovery;
    if (observer === undefined) return this.#recoverStream(account, name, choose);
    const began = observer.recoveryBegan(account, name);
    const start = performance.now();
    const found = await this.#recoverStream(account, name, choose);
    const durationMs = performance.now() - start;
    const offline = found !== null && 'offline' in found ? found.offline.reason : null;
    const messages = found !== null && 'stream' in found ? found.stream.messages : null;
    observer.recoveryEnded(began, account, name, streamRecovery(messages, offline, durationMs));
    return found;
  }

  async #recoverStream(account: string, name: string, choose: Choose): Promise<Found> {
    const { fs, log } = this.#deps;
    const directory = this.#directories.stream(account, name);
    if (!(await fs.isDirectory(directory))) return null;
    let meta: AssetMeta | null = null;
    try {
      const owner = { stream: name, consumer: null };
      const copy = await readCopy(fs, directory, owner);
      const reading = await readMeta(fs, directory, owner, copy);
      if (reading.kind === 'missing') return await this.#withoutMeta(account, name, directory);
      if (reading.kind === 'unreadable') return this.#offline(account, name, reading.reason, null);
      meta = reading.meta;
      if (meta.config['name'] !== name) {
        return this.#offline(
          account,
          name,
          `meta.inf is of a stream named ${JSON.stringify(meta.config['name'])}`,
          meta,
        );
      }
      const options = choose(meta);
      if ('offline' in options) return this.#offline(account, name, options.offline, meta);
      if (options.kind !== 'file') return this.#offline(account, name, 'meta.inf says it is a memory stream', meta);
      const { bytes, damage } = reading;
      if (damage !== null) {
        log.warn(`Stream '${account} > ${name}': ${DAMAGE_TEXTS[damage]}`);
        await restoreMeta(fs, directory, owner, bytes).catch((error: Error) => log.warn(`meta.inf: ${error.message}`));
      }
      if (copy?.equals(bytes) !== true) await keepCopy(fs, directory, owner, bytes);
      const stream = await this.#openStream(account, name, meta, options, false);
      this.stats.recoveredStreams++;
      return { stream };
    } catch (error) {
      return this.#offline(account, name, (error as Error).message, meta);
    }
  }

  /** A directory without meta.inf: with messages in it, it is a stream that cannot be run; empty, it is nothing. */
  async #withoutMeta(account: string, name: string, directory: string): Promise<Found> {
    const { fs, log } = this.#deps;
    const blocks = (await fs.isDirectory(`${directory}/msgs`)) ? await fs.readdir(`${directory}/msgs`) : [];
    if (blocks.some((block) => block.endsWith('.blk')))
      return this.#offline(account, name, 'meta.inf is missing', null);
    log.warn(`Stream '${account} > ${name}' has neither meta.inf nor messages, ignored`);
    return null;
  }

  #offline(account: string, name: string, reason: string, meta: AssetMeta | null): Found {
    this.#deps.log.debug(`Stream '${account} > ${name}' cannot be run, its files stay as they are: ${reason}`);
    return { offline: { name, reason, meta } };
  }

  async #openStream(
    account: string,
    name: string,
    meta: AssetMeta,
    options: StreamStoreOptions,
    isNew: boolean,
  ): Promise<FileStreamStore> {
    const key = `${account}/${name}`;
    const directory = this.#directories.stream(account, name);
    const { syncs, progress } = this.#deps.observer ?? {};
    const onBlocksRead =
      progress === undefined
        ? null
        : (blocks: number, total: number): void => progress.blocksRead(account, name, blocks, total);
    const watch = syncs === undefined ? null : new SyncWatch(syncs, account, name);
    const deps: StreamDependencies = { ...this.#deps, watch, onBlocksRead };
    const messages = await this.#openMessages(directory, name, options, deps, isNew);
    try {
      const stream = await FileStreamStore.open(
        deps,
        directory,
        name,
        meta,
        messages,
        this.#exports,
        async (deleted) => {
          if (deleted) await this.#directories.takeAway(account, name);
          this.#open.delete(key);
        },
        isNew,
      );
      this.#open.set(key, stream);
      return stream;
    } catch (error) {
      await messages.abandon();
      throw error;
    }
  }
}

async function usable<T>(directory: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new Error(`store directory "${directory}" cannot be used: ${error.message}`, { cause: error });
  }
}
