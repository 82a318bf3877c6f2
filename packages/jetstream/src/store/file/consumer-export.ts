import type { Timer } from '../../host.ts';
import type { ConsumerLog, LoggedConsumer } from './consumer-log.ts';
import { encodeConsumerState } from './consumer-state-codec.ts';
import type { StreamDependencies } from './dependencies.ts';
import { exportHash } from './export-hash.ts';
import { allDone, type FileSystem, writeFully, writeNewFile, writeNewFiles } from './file-system.ts';
import { type Gate, mapGated } from './gate.ts';
import { Serial } from './serial.ts';

/** A changed consumer's o.dat is written at most this often, as nats-server does. */
export const EXPORT_INTERVAL_MS = 100;

/** How long after a failure exports are tried again. */
export const EXPORT_RETRY_MS = 1000;

/** At a clean stop, an o.dat put in place within this time is synced: the system may not have done it yet. */
export const EXPORT_SETTLED_MS = 60_000;

/** Files written at once at a clean stop. */
const FINISH_AT_ONCE_MAX = 8;

const STATE_FILE = 'o.dat';
const STATE_TEMPORARY = 'o.dat.tmp';

/** A consumer as the exporter sees it. */
export interface ExportedConsumer extends LoggedConsumer {
  readonly directory: string;
  readonly isDeleted: boolean;
  /** It changed since its last export. */
  exportDue: boolean;
  /** Time of the last export; -Infinity = none in this run. */
  exportedMs: number;
}

interface Export {
  readonly consumer: ExportedConsumer;
  readonly bytes: Buffer;
}

/**
 * Keeps the o.dat of a stream's consumers up to date for nats-server. Each is announced in the log, by hash, before it
 * takes its place: at the next start one that the log does not know was written by nats-server.
 */
export class ConsumerExporter {
  readonly #deps: StreamDependencies;
  readonly #log: ConsumerLog;
  /** Shared by all streams of a storage: exports must not crowd out the writes that publishers wait for. */
  readonly #gate: Gate;
  #queue: ExportedConsumer[] = [];
  #timer: Timer | null = null;
  /** Exports run one after the other: they share names of temporary files. */
  readonly #runs = new Serial();
  /** First exports under way: of different consumers, so they need not wait for each other. */
  readonly #firsts = new Set<Promise<void>>();
  #running = false;
  #notBeforeMs = 0;
  #failing = false;
  #finished = false;

  constructor(deps: StreamDependencies, log: ConsumerLog, gate: Gate) {
    this.#deps = deps;
    this.#log = log;
    this.#gate = gate;
  }

  /** The consumer's state changed. Hot path. */
  changed(consumer: ExportedConsumer): void {
    if (consumer.exportDue) return;
    consumer.exportDue = true;
    this.#queue.push(consumer);
    this.#arm();
  }

  /** Exports a new consumer's state durably, without waiting for its turn. */
  async exportFirst(consumer: ExportedConsumer): Promise<void> {
    // It may be among those that are being exported.
    if (this.#running) await this.#runs.run(() => Promise.resolve());
    if (consumer.isDeleted) return;
    this.#queue = this.#queue.filter((queued) => queued !== consumer);
    const [first] = this.#encode([consumer]);
    const file = { name: STATE_FILE, data: first!.bytes };
    // Nothing is there that a torn one could replace: no rename, and one commit of the disk for content and name. Nor need
    // the log know of it first: nothing was delivered that it could take back.
    const put = allDone([this.#log.written(), writeNewFiles(this.#deps.fs, consumer.directory, [file], true)]);
    this.#firsts.add(put);
    try {
      await put;
    } catch (error) {
      this.changed(consumer);
      throw error;
    } finally {
      this.#firsts.delete(put);
      this.#arm();
    }
  }

  /** Resolves when no export is under way. The caller has marked its consumer deleted, so no later one touches it. */
  async forget(consumer: ExportedConsumer): Promise<void> {
    this.#queue = this.#queue.filter((queued) => queued !== consumer);
    await this.#pause();
  }

  /** Exports exactly what each consumer has reached, durably, and ends. Failures are logged: the log has it all. */
  async finish(consumers: Iterable<ExportedConsumer>): Promise<void> {
    await this.stop();
    const settledBeforeMs = this.#deps.clock.now() - EXPORT_SETTLED_MS;
    const due = [...consumers].filter(
      ({ exportDue, exportedMs, isDeleted }) => !isDeleted && (exportDue || exportedMs > settledBeforeMs),
    );
    const exports = this.#encode(due);
    // Without the log these o.dat are unknown at the next start and rule: they are exact, so that is right.
    if (exports.length > 0) await this.#log.written().catch(() => {});
    await mapGated(exports, FINISH_AT_ONCE_MAX, async (one) => {
      try {
        await this.#put(one, true);
      } catch (error) {
        this.#deps.log.warn(`Consumer state ${one.consumer.directory}/${STATE_FILE}: ${(error as Error).message}`);
      }
    });
  }

  /** Ends without exporting what is due. */
  async stop(): Promise<void> {
    this.#finished = true;
    this.#timer?.cancel();
    this.#queue = [];
    await this.#pause();
  }

  /** Resolves when the exports under way are done. */
  #pause(): Promise<void> {
    return this.#runs.run(() => this.#firstsDone());
  }

  async #firstsDone(): Promise<void> {
    await Promise.allSettled(this.#firsts);
  }

  #arm(): void {
    const [next] = this.#queue;
    if (next === undefined || this.#timer !== null || this.#running || this.#finished) return;
    const now = this.#deps.clock.now();
    const dueMs = Math.max(next.exportedMs + EXPORT_INTERVAL_MS, this.#notBeforeMs);
    this.#timer = this.#deps.clock.setTimer(
      () => {
        this.#timer = null;
        this.#run();
      },
      Math.min(Math.max(0, dueMs - now), EXPORT_RETRY_MS),
    );
  }

  #run(): void {
    const now = this.#deps.clock.now();
    // A time of export that lies ahead is from before the clock was set back.
    const isDue = ({ exportedMs }: ExportedConsumer): boolean =>
      exportedMs + EXPORT_INTERVAL_MS <= now || exportedMs > now;
    const due = this.#queue.filter(isDue);
    this.#queue = this.#queue.filter((consumer) => !isDue(consumer));
    if (due.length === 0) {
      this.#arm();
      return;
    }
    this.#running = true;
    void this.#runs
      .run(() => this.#gate.run(() => this.#exportAll(due)))
      .then(() => {
        this.#running = false;
        this.#arm();
      });
  }

  async #exportAll(due: readonly ExportedConsumer[]): Promise<void> {
    await this.#firstsDone();
    const exports = this.#encode(due.filter((consumer) => !consumer.isDeleted));
    try {
      await this.#log.written();
      for (const one of exports) if (!one.consumer.isDeleted) await this.#put(one, false);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        this.#deps.log.warn(`Consumer state cannot be exported for nats-server: ${(error as Error).message}`);
      }
      this.#failing = true;
      this.#notBeforeMs = this.#deps.clock.now() + EXPORT_RETRY_MS;
      for (const { consumer } of exports) if (!consumer.isDeleted) this.changed(consumer);
    }
  }

  /** Takes the states and announces them in the log; what changes after this is due again. */
  #encode(consumers: readonly ExportedConsumer[]): Export[] {
    const now = this.#deps.clock.now();
    return consumers.map((consumer) => {
      const bytes = encodeConsumerState(consumer.currentState(), now);
      consumer.exportDue = false;
      consumer.exportedMs = now;
      this.#log.exported(consumer, exportHash(bytes));
      return { consumer, bytes };
    });
  }

  async #put({ consumer: { directory }, bytes }: Export, durable: boolean): Promise<void> {
    const { fs } = this.#deps;
    const temporary = `${directory}/${STATE_TEMPORARY}`;
    if (durable) await writeNewFile(fs, temporary, bytes);
    else await writeUnsynced(fs, temporary, bytes);
    await fs.rename(temporary, `${directory}/${STATE_FILE}`);
    if (durable) await fs.fsyncDir(directory);
  }
}

async function writeUnsynced(fs: FileSystem, path: string, bytes: Buffer): Promise<void> {
  const fd = await fs.open(path, 'replace');
  try {
    await writeFully(fs, fd, bytes, 0);
  } finally {
    await fs.close(fd);
  }
}
