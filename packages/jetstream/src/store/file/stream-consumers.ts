import { emptyConsumerState } from '../shared/empty.ts';
import { checkAssetName } from '../shared/names.ts';
import type { AssetMeta } from '../store.ts';
import { ConsumerExporter } from './consumer-export.ts';
import { ConsumerLog } from './consumer-log.ts';
import { type Candidates, recoverConsumers } from './consumer-recovery.ts';
import type { StreamDependencies } from './dependencies.ts';
import { makeDurableDirectory } from './directories.ts';
import { type ConsumerSurroundings, FileConsumerStore } from './file-consumer-store.ts';
import { allDone } from './file-system.ts';
import type { Gate } from './gate.ts';
import { writeNewMeta } from './meta-file.ts';
import { encodeMeta } from './meta-json.ts';
import { isTemporary, temporaryName } from './temporary.ts';

/** What was opened. */
export interface OpenedConsumers {
  readonly consumers: StreamConsumers;
  readonly recovered: readonly { name: string; meta: AssetMeta; store: FileConsumerStore }[];
  /** Highest sequence that they say was delivered; 0 = none. */
  readonly deliveredSeq: number;
}

/** The consumers of one stream on disk: `obs/` and `consumers.log`. */
export class StreamConsumers {
  readonly #deps: StreamDependencies;
  readonly #directory: string;
  readonly #stream: string;
  readonly #log: ConsumerLog;
  readonly #exporter: ConsumerExporter;
  readonly #consumers = new Map<string, FileConsumerStore>();
  readonly #around: ConsumerSurroundings;
  readonly #creations = new Set<Promise<void>>();
  #ended = false;
  readonly #removals = new Set<Promise<void>>();

  private constructor(deps: StreamDependencies, directory: string, stream: string, log: ConsumerLog, gate: Gate) {
    this.#deps = deps;
    this.#directory = directory;
    this.#stream = stream;
    this.#log = log;
    this.#exporter = new ConsumerExporter(deps, log, gate);
    this.#around = {
      deps,
      stream,
      log,
      exporter: this.#exporter,
      place: () => deps.fs.fsyncDir(`${directory}/obs`),
      discard: (consumer) => this.#discard(consumer),
    };
  }

  /** Of a stream whose directory was just made. */
  static begin(deps: StreamDependencies, directory: string, stream: string, gate: Gate): OpenedConsumers {
    const log = new ConsumerLog(deps, directory, 0, false);
    return { consumers: new StreamConsumers(deps, directory, stream, log, gate), recovered: [], deliveredSeq: 0 };
  }

  /** Opens what the last run left in the stream's directory. */
  static async open(
    deps: StreamDependencies,
    directory: string,
    stream: string,
    gate: Gate,
    candidates: Candidates,
  ): Promise<OpenedConsumers> {
    for (const name of await deps.fs.readdir(directory)) {
      if (isTemporary(name)) await deps.fs.removeTree(`${directory}/${name}`);
    }
    await makeDurableDirectory(deps.fs, `${directory}/obs`);
    // Consumers that a killed process had just created or deleted.
    await allDone([deps.fs.fsyncDir(`${directory}/obs`), deps.fs.fsyncDir(directory)]);
    const found = await recoverConsumers(deps, directory, stream, candidates);
    const log = new ConsumerLog(deps, directory, found.log.bytes, found.log.needsRewrite);
    const consumers = new StreamConsumers(deps, directory, stream, log, gate);
    const recovered = found.consumers.map(({ name, meta, directory: own, start }) => {
      const store = new FileConsumerStore(consumers.#around, own, name, meta, start);
      consumers.#consumers.set(name, store);
      return { name, meta, store };
    });
    return { consumers, recovered, deliveredSeq: found.log.deliveredSeq };
  }

  /**
   * Adds a consumer; it is durable after its first `sync`. It is prepared under a temporary name in the stream's directory, where
   * nats-server does not look, so that a crash leaves all of it or nothing.
   */
  async create(name: string, meta: AssetMeta): Promise<FileConsumerStore> {
    checkAssetName('consumer', name);
    if (this.#consumers.has(name)) throw new Error(`consumer "${name}" of stream "${this.#stream}" exists already`);
    const target = `${this.#directory}/obs/${name}`;
    const staged = `${this.#directory}/${temporaryName(this.#deps.ids)}`;
    const store = new FileConsumerStore(this.#around, target, name, meta, {
      state: emptyConsumerState(),
      hasState: false,
      isExported: false,
      serial: 0,
      exported: [],
      needsState: false,
      exportDue: false,
      meta: encodeMeta(meta, name),
      needsMeta: true,
    });
    // Taken at once: a second call with this name must not get through while the disk works.
    this.#consumers.set(name, store);
    const creation = this.#place(store, staged, meta);
    this.#creations.add(creation);
    try {
      await creation;
    } finally {
      this.#creations.delete(creation);
    }
    return store;
  }

  async #place(store: FileConsumerStore, staged: string, meta: AssetMeta): Promise<void> {
    const { fs } = this.#deps;
    const { name, directory: target } = store;
    try {
      if (this.#ended) throw new Error(`stream "${this.#stream}" is closed`);
      const isTaken = fs.isDirectory(target);
      await allDone([isTaken, fs.mkdir(staged)]);
      await writeNewMeta(fs, staged, { stream: this.#stream, consumer: name }, meta);
      if (await isTaken) await this.#setAside(name, target);
      await fs.rename(staged, target);
    } catch (error) {
      this.#consumers.delete(name);
      store.isDeleted = true;
      this.#log.remove(store);
      await fs.removeTree(staged).catch(() => {});
      throw error;
    }
  }

  /** Exports every changed consumer exactly, writes what is outstanding and closes the log. */
  async close(): Promise<void> {
    await this.#endCreations();
    await this.#exporter.finish(this.#consumers.values());
    await this.#log.close();
    await Promise.all(this.#removals);
  }

  /** Ends without writing anything more: the stream is being deleted. */
  async abandon(): Promise<void> {
    await this.#endCreations();
    for (const consumer of this.#consumers.values()) consumer.isDeleted = true;
    await this.#exporter.stop();
    await this.#log.abandon();
    await Promise.all(this.#removals);
  }

  /** What is being created is finished first: its directory must not come back after the stream's is gone. */
  async #endCreations(): Promise<void> {
    this.#ended = true;
    await Promise.allSettled(this.#creations);
  }

  /** A directory by that name whose meta.inf could not be read: kept where nobody takes it for a consumer. */
  async #setAside(name: string, target: string): Promise<void> {
    const aside = `damaged-consumer-${this.#deps.ids.token(8)}`;
    this.#deps.log.warn(
      `Consumer '${this.#stream} > ${name}' is created anew, its unreadable files are kept as ${aside}`,
    );
    await this.#deps.fs.rename(target, `${this.#directory}/${aside}`);
  }

  async #discard(consumer: FileConsumerStore): Promise<void> {
    const { fs, ids, log } = this.#deps;
    const trash = `${this.#directory}/${temporaryName(ids)}`;
    // Asked for again after a failure, the directory may have moved already.
    if (await fs.isDirectory(consumer.directory)) await fs.rename(consumer.directory, trash);
    await fs.fsyncDir(`${this.#directory}/obs`);
    if (this.#consumers.get(consumer.name) === consumer) this.#consumers.delete(consumer.name);
    const removal = fs.removeTree(trash).catch((error: unknown) => {
      log.warn(`Files of deleted consumer '${this.#stream} > ${consumer.name}': ${(error as Error).message}`);
    });
    this.#removals.add(removal);
    void removal.then(() => this.#removals.delete(removal));
  }
}
