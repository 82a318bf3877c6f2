import type { AssetMeta, ConsumerState, ConsumerStore } from '../store.ts';
import type { ConsumerExporter, ExportedConsumer } from './consumer-export.ts';
import type { ConsumerLog } from './consumer-log.ts';
import { consumerKey } from './consumer-log-codec.ts';
import type { StreamDependencies } from './dependencies.ts';
import { allDone } from './file-system.ts';
import { replaceMeta } from './meta-file.ts';
import { encodeMeta } from './meta-json.ts';
import { Serial } from './serial.ts';

/** Where a consumer stands when its store is opened. */
export interface ConsumerStart {
  readonly state: ConsumerState;
  /** False when nothing was ever kept of it: it has not begun. */
  readonly hasState: boolean;
  /** There is an o.dat in its directory. */
  readonly isExported: boolean;
  /** Serial of its last record in the log, and the hashes of the o.dat it exported. */
  readonly serial: number;
  readonly exported: string[];
  /** The log does not hold this state yet. */
  readonly needsState: boolean;
  /** Neither does the o.dat. */
  readonly exportDue: boolean;
  /** Content of its meta.inf. */
  readonly meta: Buffer;
  /** The log does not hold that either. */
  readonly needsMeta: boolean;
}

/** What a consumer store shares with the others of its stream. */
export interface ConsumerSurroundings {
  readonly deps: StreamDependencies;
  readonly stream: string;
  readonly log: ConsumerLog;
  readonly exporter: ConsumerExporter;
  /** Makes the names of the stream's consumers durable. */
  place(): Promise<void>;
  /** Takes the consumer's directory away, durably. */
  discard(consumer: FileConsumerStore): Promise<void>;
}

/** One consumer on disk: its configuration in `obs/<name>/meta.inf`, its state in the stream's `consumers.log` and in `o.dat`. */
export class FileConsumerStore implements ConsumerStore, ExportedConsumer {
  readonly name: string;
  readonly directory: string;
  readonly recovered: ConsumerState;
  readonly hasState: boolean;
  readonly key: Buffer;
  serial: number;
  readonly exported: string[];
  deliveredConsumerSeq: number;
  deliveredStreamSeq: number;
  needsState = false;
  meta: Buffer;
  needsMeta: boolean;
  exportDue = false;
  exportedMs: number = Number.NEGATIVE_INFINITY;
  isDeleted = false;
  readonly #around: ConsumerSurroundings;
  readonly #changes = new Serial();
  readonly #ackNone: boolean;
  #isExported: boolean;
  #isDiscarded = false;
  #beginning: Promise<void> | null = null;
  #exporter: (() => ConsumerState) | null = null;

  constructor(around: ConsumerSurroundings, directory: string, name: string, meta: AssetMeta, start: ConsumerStart) {
    this.#around = around;
    this.name = name;
    this.directory = directory;
    this.key = consumerKey(name, meta.created);
    this.recovered = start.state;
    this.hasState = start.hasState;
    this.serial = start.serial;
    this.exported = start.exported;
    this.deliveredConsumerSeq = start.state.delivered.consumerSeq;
    this.deliveredStreamSeq = start.state.delivered.streamSeq;
    this.#isExported = start.isExported;
    this.meta = start.meta;
    this.needsMeta = start.needsMeta;
    const ackPolicy = meta.config['ack_policy'];
    this.#ackNone = ackPolicy === undefined || ackPolicy === 'none';
    around.log.add(this);
    if (start.needsState) around.log.replaced(this);
    if (start.needsMeta && start.serial > 0) around.log.metaChanged(this);
    if (start.exportDue) around.exporter.changed(this);
  }

  currentState(): ConsumerState {
    return this.#exporter === null ? this.recovered : this.#exporter();
  }

  setExporter(exportState: () => ConsumerState): void {
    this.#exporter = exportState;
  }

  delivered(consumerSeq: number, streamSeq: number, deliveries: number, timeMs: number): void {
    if (this.isDeleted) return;
    this.#around.log.delivered(this, consumerSeq, streamSeq, deliveries, timeMs, this.#ackNone);
    this.#around.exporter.changed(this);
  }

  acked(consumerSeq: number, streamSeq: number, floorConsumerSeq: number, floorStreamSeq: number): void {
    if (this.isDeleted) return;
    this.#around.log.acked(this, consumerSeq, streamSeq, floorConsumerSeq, floorStreamSeq);
    this.#around.exporter.changed(this);
  }

  replaced(): void {
    if (this.isDeleted) return;
    this.#around.log.replaced(this);
    this.#around.exporter.changed(this);
  }

  /**
   * The first sync of a new consumer also waits for its directory's name, and for its first o.dat: without one nats-server would
   * start it anew.
   */
  sync(callback: (error: Error | null) => void): void {
    if (this.isDeleted) {
      queueMicrotask(() => callback(new Error(`consumer "${this.name}" is deleted`)));
      return;
    }
    if (this.#isExported) {
      this.#around.log.sync(callback);
      return;
    }
    this.#beginning ??= this.#begin();
    this.#beginning.then(
      () => {
        this.#isExported = true;
        // What was reported meanwhile; if nothing was, this costs nothing.
        this.#around.log.sync(callback);
      },
      (error: unknown) => {
        this.#beginning = null;
        callback(error as Error);
      },
    );
  }

  /** All that a new consumer needs on disk, side by side. */
  #begin(): Promise<void> {
    const { exporter, log, place } = this.#around;
    const logged = new Promise<void>((resolve, reject) => {
      log.sync((error) => (error === null ? resolve() : reject(error)));
    });
    return allDone([place(), exporter.exportFirst(this), logged]);
  }

  updateMeta(meta: AssetMeta): Promise<void> {
    return this.#changes.run(async () => {
      if (this.isDeleted) throw new Error(`consumer "${this.name}" is deleted`);
      const { deps, stream, log } = this.#around;
      const bytes = encodeMeta(meta, this.name);
      await replaceMeta(deps.fs, this.directory, { stream, consumer: this.name }, bytes, this.meta);
      this.meta = bytes;
      log.metaChanged(this);
    });
  }

  /** After a failure it may be tried again. */
  async delete(): Promise<void> {
    this.isDeleted = true;
    this.#around.log.remove(this);
    await this.#around.exporter.forget(this);
    await this.#changes.run(async () => {
      if (this.#isDiscarded) return;
      await this.#around.discard(this);
      this.#isDiscarded = true;
    });
  }
}
