import type { Log } from '../../../host.ts';
import type { StorageStats } from '../../store.ts';
import { type FileSystem, removeIfThere } from '../file-system.ts';
import type { Block } from './block.ts';
import type { BlockCache } from './block-cache.ts';
import { BlockFiles, type BlockFilesOptions } from './block-files.ts';

/** Bring what stands in a block's buffer to disk. */
interface WriteStep {
  readonly kind: 'write';
  block: Block;
  applied: number;
  seq: number;
}

/** Something that happens after all before it is on disk. Run again, from where it was, if it fails. */
interface RunStep {
  readonly kind: 'run';
  readonly run: () => Promise<void>;
  applied: number;
  seq: number;
}

type Step = WriteStep | RunStep;

/** What the queue tells its owner. */
export interface CommitEvents {
  onCommit(): void;
  onFailure(error: Error): void;
}

/**
 * The way of a stream's changes to disk: one after the other, in the order they were made, one operation at a time.
 * Whatever is appended while a write runs goes with the next one (group commit).
 *
 * A new block's file is created and its name synced before the first commit in it. index.db is removed, and that
 * synced, before the first change: nats-server would trust it. After an error nothing is committed any more until
 * `resume`.
 */
export class CommitQueue {
  readonly #fs: FileSystem;
  readonly #log: Log;
  readonly #stats: StorageStats;
  readonly #cache: BlockCache;
  readonly #directory: string;
  readonly files: BlockFiles;
  readonly #steps: Step[] = [];
  #events: CommitEvents | null = null;
  #busy = false;
  #scheduled = false;
  #closed = false;
  #waiting: (() => void)[] = [];

  /** Changes accepted. */
  applied = 0;
  /** Highest sequence used by them. */
  appliedSeq = 0;
  committed = 0;
  committedSeq = 0;
  failure: Error | null = null;
  /** Bytes appended and not written yet. */
  backlogBytes = 0;
  /** There is an index.db, which the first change makes untrue. */
  hasIndex = false;

  constructor(options: BlockFilesOptions & { cache: BlockCache }) {
    this.#fs = options.fs;
    this.#log = options.log;
    this.#stats = options.stats;
    this.#cache = options.cache;
    this.#directory = options.directory;
    this.files = new BlockFiles(options, (error) => this.#latch(error));
  }

  setEvents(events: CommitEvents): void {
    this.#events = events;
  }

  /** `bytes` more stand in the block's buffer. */
  written(block: Block, bytes: number): void {
    this.backlogBytes += bytes;
    const last = this.#steps.at(-1);
    if (last?.kind !== 'write' || last.block !== block) {
      this.#steps.push({ kind: 'write', block, applied: this.applied, seq: this.appliedSeq });
    }
    this.#schedule();
  }

  /** One change is complete: what was written or enqueued since the last one belongs to it. */
  mutated(seq: number): void {
    this.applied++;
    this.appliedSeq = seq;
    const last = this.#steps.at(-1);
    if (last === undefined) {
      this.#steps.push({ kind: 'run', run: nothing, applied: this.applied, seq });
    } else {
      last.applied = this.applied;
      last.seq = seq;
    }
    this.#schedule();
  }

  /** Runs something after everything so far is on disk. Returns what `isWaitingLast` asks for. */
  enqueue(run: () => Promise<void>): object {
    const step: RunStep = { kind: 'run', run, applied: this.applied, seq: this.appliedSeq };
    this.#steps.push(step);
    this.#schedule();
    return step;
  }

  /** True if what was enqueued is the last of all and has not begun. */
  isWaitingLast(step: object): boolean {
    return this.#steps.at(-1) === step && !(this.#busy && this.#steps.length === 1);
  }

  /** Resolves when everything so far is done, or has failed. */
  async settled(): Promise<void> {
    while (this.#busy || (this.#steps.length > 0 && this.failure === null && !this.#closed)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Goes on after a failure. The owner has seen to it that what is left can be written. */
  resume(): void {
    this.failure = null;
    this.#schedule();
  }

  /** Removes an index.db that is not true any more. Nothing else is under way. */
  async dropIndex(): Promise<void> {
    if (this.hasIndex) await this.#removeIndex();
  }

  /** Stops, without doing what is left, and closes the file. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.settled();
    this.#steps.length = 0;
    await this.files.close();
  }

  /** Blocks that have bytes to be written or synced. */
  pendingBlocks(): Set<Block> {
    const blocks = new Set<Block>();
    if (this.files.unsynced !== null) blocks.add(this.files.unsynced);
    for (const step of this.#steps) if (step.kind === 'write') blocks.add(step.block);
    return blocks;
  }

  /** After a failure: what was to be written to `from`, or was and has to be again, is in `to` now. */
  redirect(from: Block, to: Block): void {
    for (const step of this.#steps) if (step.kind === 'write' && step.block === from) step.block = to;
    const first = this.#steps[0];
    if (first?.kind === 'write' && first.block === to) return;
    // Whatever is waiting may depend on it.
    this.#steps.unshift({ kind: 'write', block: to, applied: this.committed, seq: this.committedSeq });
  }

  /** After a failure: what was to be written to the block need not be. What follows commits what it would have. */
  drop(block: Block): void {
    for (let at = this.#steps.length - 1; at >= 0; at--) {
      const step = this.#steps[at]!;
      if (step.kind === 'write' && step.block === block) this.#steps.splice(at, 1);
    }
  }

  #schedule(): void {
    if (this.#busy || this.#scheduled || this.#closed || this.failure !== null) return;
    this.#scheduled = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#scheduled = false;
    if (this.#busy || this.#closed || this.failure !== null) return;
    const step = this.#steps[0];
    if (step === undefined) {
      this.#wake();
      return;
    }
    this.#busy = true;
    if (this.hasIndex) this.#follow(this.#removeIndex(), null);
    else if (step.kind === 'run') this.#follow(this.#run(step), step);
    else if (step.block.writtenBytes === step.block.fileBytes) this.#finish(step, step.applied, step.seq);
    else if (step.block.fd < 0) this.#follow(this.files.open(step.block), null);
    else this.#write(step);
  };

  /** The commit path proper: nothing here but one write and its callback. */
  #write(step: WriteStep): void {
    const { applied, seq } = step;
    this.files.write(step.block, (error, written) => {
      this.backlogBytes -= written;
      if (error !== null) this.#fail(error);
      else if (this.failure !== null) this.#stop();
      else this.#finish(step, applied, seq);
    });
  }

  /** A step has come as far as `applied`; it stays if more was appended meanwhile. */
  #finish(step: Step, applied: number, seq: number): void {
    if (step.kind === 'run' || step.block.writtenBytes === step.block.fileBytes) {
      this.#steps.shift();
      // Changes that wrote nothing may have joined while it ran.
      applied = step.applied;
      seq = step.seq;
    }
    if (step.kind === 'write') this.#settleWindow(step.block);
    this.#busy = false;
    const advanced = applied > this.committed;
    if (advanced) {
      this.committed = applied;
      this.committedSeq = seq;
    }
    // The disk goes on before the replies of this batch are made.
    if (this.#steps.length > 0) this.#next();
    if (advanced) this.#events?.onCommit();
    if (!this.#busy) this.#wake();
  }

  /** Written bytes may leave memory: those of a block that has left the stream at once. */
  #settleWindow(block: Block): void {
    if (block.written === null) return;
    if (!block.retired) this.#cache.use(block.written);
    else if (block.durableBytes === block.fileBytes) block.written = null;
  }

  #follow(promise: Promise<void>, step: RunStep | null): void {
    promise.then(
      () => {
        this.#busy = false;
        if (this.failure !== null || this.#closed) this.#wake();
        else if (step !== null) this.#finish(step, step.applied, step.seq);
        else this.#next();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#latch(error instanceof Error ? error : new Error(String(error)));
    this.#stop();
  }

  #stop(): void {
    this.#busy = false;
    this.#wake();
  }

  #latch(error: Error): void {
    if (this.failure !== null || this.#closed) return;
    this.failure = error;
    this.#stats.syncFailures++;
    this.#stats.failing = error.message;
    this.#log.error(`Filestore ${this.#directory}: ${error.message}`);
    this.#events?.onFailure(error);
  }

  async #removeIndex(): Promise<void> {
    if (await removeIfThere(this.#fs, `${this.#directory}/index.db`)) await this.#fs.fsyncDir(this.#directory);
    this.hasIndex = false;
  }

  async #run(step: RunStep): Promise<void> {
    // What comes now may depend on everything before it.
    await this.files.sync();
    await step.run();
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
