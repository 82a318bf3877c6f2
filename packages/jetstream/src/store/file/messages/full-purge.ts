import { type FileSystem, writeNewFile } from '../file-system.ts';
import type { Block } from './block.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { LogWriter } from './log-writer.ts';
import type { StreamLog } from './stream-log.ts';

/** Where nats-server puts a purge's new block and the old ones. */
export const NEW_MESSAGES = '__new_msgs__';
export const OLD_MESSAGES = '__msgs__';
export const MESSAGES = 'msgs';

/**
 * Removes all messages at once, however many: a new directory with one block that remembers the last sequence takes
 * the place of the old one. A start that finds the new directory complete finishes what was begun.
 */
export class FullPurge {
  readonly #state: StreamLog;
  readonly #writer: LogWriter;
  readonly #queue: CommitQueue;
  readonly #fs: FileSystem;
  /** `<stream>` */
  readonly #directory: string;
  /** Removal of old directories, in the background. */
  #removing: Promise<void> = Promise.resolve();

  constructor(state: StreamLog, writer: LogWriter, queue: CommitQueue, fs: FileSystem, directory: string) {
    this.#state = state;
    this.#writer = writer;
    this.#queue = queue;
    this.#fs = fs;
    this.#directory = directory;
  }

  /** Empties the stream; the next sequence is above `lastSeq`. */
  begin(lastSeq: number): void {
    const old = [...this.#state.blocks];
    const block = this.#state.startOver(lastSeq);
    const step = new PurgeStep(this.#fs, this.#directory, this.#queue, old, block);
    this.#queue.enqueue(async () => {
      await this.#removing;
      await step.run();
      this.#removing = this.#fs.removeTree(`${this.#directory}/${OLD_MESSAGES}`).catch(() => {});
    });
    if (lastSeq > 0) this.#writer.appendTombstone(lastSeq, this.#state.lastTimeMs, this.#state.lastTimeNs);
    step.bytes = block.fileBytes;
  }

  /** Resolves when nothing is under way in the background. */
  idle(): Promise<void> {
    return this.#removing;
  }
}

/** One purge on its way; after a failure it goes on where it was. */
class PurgeStep {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #queue: CommitQueue;
  readonly #old: readonly Block[];
  readonly #block: Block;
  /** How much of the new block belongs to the purge. */
  bytes = 0;
  readonly lastSeq: number;
  #stage: 'write' | 'move-old' | 'move-new' = 'write';

  constructor(fs: FileSystem, directory: string, queue: CommitQueue, old: readonly Block[], block: Block) {
    this.#fs = fs;
    this.#directory = directory;
    this.#queue = queue;
    this.#old = old;
    this.#block = block;
    this.lastSeq = block.lastSeq;
  }

  async run(): Promise<void> {
    if (this.#stage === 'write') {
      await this.#write();
      this.#stage = 'move-old';
    }
    if (this.#stage === 'move-old') {
      await this.#fs.rename(this.#path(MESSAGES), this.#path(OLD_MESSAGES));
      this.#stage = 'move-new';
    }
    await this.#fs.rename(this.#path(NEW_MESSAGES), this.#path(MESSAGES));
    await this.#fs.fsyncDir(this.#directory);
  }

  async #write(): Promise<void> {
    await this.#closeOld();
    await this.#fs.removeTree(this.#path(NEW_MESSAGES));
    await this.#fs.removeTree(this.#path(OLD_MESSAGES));
    await this.#fs.mkdir(this.#path(NEW_MESSAGES));
    const block = this.#block;
    // By its own name only when it is complete: a start that sees it finishes the purge.
    const temporary = `${this.#path(NEW_MESSAGES)}/${block.index}.new`;
    await writeNewFile(this.#fs, temporary, block.written?.buffer.subarray(0, this.bytes) ?? new Uint8Array());
    await this.#fs.rename(temporary, `${this.#path(NEW_MESSAGES)}/${block.fileName}`);
    await this.#fs.fsyncDir(this.#path(NEW_MESSAGES));
    await this.#fs.fsyncDir(this.#directory);
    block.created = true;
    block.writtenBytes = this.bytes;
    block.writtenSeq = this.lastSeq;
    block.durableBytes = this.bytes;
    block.durableSeq = this.lastSeq;
    this.#queue.backlogBytes -= this.bytes;
  }

  async #closeOld(): Promise<void> {
    for (const block of this.#old) {
      this.#queue.files.forget(block);
      if (block.fd < 0) continue;
      const { fd } = block;
      block.fd = -1;
      await this.#fs.close(fd);
    }
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}
