import type { Log } from '../../../host.ts';
import { type FileSystem, readIfThere, removeIfThere, writeNewFile } from '../file-system.ts';
import type { Block } from './block.ts';
import { keepDamaged } from './compactor.ts';
import { UnsupportedStoreError } from './errors.ts';
import { MESSAGES, NEW_MESSAGES, OLD_MESSAGES } from './full-purge.ts';
import { decodeIndex, type StreamIndex } from './index-db.ts';
import { restoreIndex } from './index-state.ts';
import { isMessage, isTombstone, RECORD_HASH_BYTES, recordSeq } from './record.ts';
import { Recovery, type RecoveryOutcome } from './recovery.ts';
import { scanBlock } from './scan.ts';
import { SeqSet } from './seq-set.ts';
import type { StreamLog } from './stream-log.ts';

/** What opening a stream found and did. */
export interface RecoveryFindings {
  /** The state came from index.db; no block was read. */
  fromIndex: boolean;
  messages: number;
  /** Messages that damage has cost: their sequences and the bytes that could not be read. */
  lostSeqs: number[];
  lostBytes: number;
  /** Subjects of lost messages, where their records still tell. */
  lostSubjects: ReadonlyMap<number, string>;
  /** Bytes at the end of a block that a write left which never finished. */
  tornBytes: number;
  /** Records in which a single wrong byte was put right. */
  repairedRecords: number;
  /** Blocks that were rewritten; the originals are in the stream's directory as `<n>.blk.damaged`. */
  healedBlocks: string[];
  /** An index.db says that sequences up to here were used; the blocks know of fewer. 0 = it does not. */
  missingUpTo: number;
  /** Time of the last message by that index. */
  missingTime: bigint;
}

const BLOCK_NAME = /^(\d+)\.blk$/;
const LEFTOVER = /^\d+\.new$|\.tmp$/;
/** "cmp", then the algorithm: 1 = S2. */
const COMPRESSED = [0x63, 0x6d, 0x70, 0x01];
/** Blocks looked at at once. */
const PROBES_AT_ONCE = 16;

/** Reads a stream's directory into a fresh state. */
export class Opener {
  readonly #fs: FileSystem;
  /** `<stream>` */
  readonly #directory: string;
  readonly #state: StreamLog;
  readonly #log: Log;
  readonly #onBlocksRead: ((blocks: number, total: number) => void) | null;

  /** @param onBlocksRead told after each block that is read; null: nobody is. */
  constructor(
    fs: FileSystem,
    directory: string,
    state: StreamLog,
    log: Log,
    onBlocksRead: ((blocks: number, total: number) => void) | null,
  ) {
    this.#fs = fs;
    this.#directory = directory;
    this.#state = state;
    this.#log = log;
    this.#onBlocksRead = onBlocksRead;
  }

  /** @throws UnsupportedStoreError if the directory cannot be read; nothing in it was changed then. */
  async open(): Promise<RecoveryFindings> {
    if ((await this.#fs.size(`${this.#directory}/meta.key`)) !== null) {
      throw new UnsupportedStoreError('encryption', `${this.#directory}/meta.key`);
    }
    const names = (await this.#fs.isDirectory(this.#messages)) ? await this.#fs.readdir(this.#messages) : [];
    const encrypted = names.find((name) => /^\d+\.key$/.test(name));
    if (encrypted !== undefined) throw new UnsupportedStoreError('encryption', `${this.#messages}/${encrypted}`);
    await this.#sizes(names);
    const left = await this.#finishPurge(names);
    for (const name of left) if (LEFTOVER.test(name)) await removeIfThere(this.#fs, `${this.#messages}/${name}`);
    const sizes = await this.#sizes(left);
    for (const index of sizes.keys()) this.#state.reserveIndex(index + 1);
    await this.#settle([...sizes.keys()].at(-1));
    const index = await this.#readIndex();
    if (index !== null && (await this.#isCurrent(index, sizes)) && restoreIndex(this.#state, index, sizes)) {
      if (!index.isOwn) await this.#noteRemains();
      return { ...noFindings(), fromIndex: true, messages: this.#state.messages };
    }
    return this.#scan(sizes, index);
  }

  /**
   * What a killed process wrote last may be in the system's memory alone, names of files too. It is taken for durable
   * from here on, so it has to be: the last block goes on being written to, and whoever asks is told what is in it.
   */
  async #settle(lastIndex: number | undefined): Promise<void> {
    if (lastIndex !== undefined) {
      const fd = await this.#fs.open(`${this.#messages}/${lastIndex}.blk`, 'update');
      try {
        await this.#fs.fsync(fd);
      } finally {
        await this.#fs.close(fd);
      }
    }
    await this.#fs.fsyncDir(this.#messages);
  }

  /**
   * What limits and purges of nats-server removed may be marked so in its index.db alone, which goes with the first
   * change: the records that are left of such messages are noted, to be marked as well.
   */
  async #noteRemains(): Promise<void> {
    const marked = new SeqSet();
    for (const [at, block] of [...this.#state.blocks.entries()].reverse()) {
      if (at > 0 && block.removed.size === 0) continue;
      const bytes = await this.#fs.readFile(`${this.#messages}/${block.fileName}`);
      const { offsets } = scanBlock(block.key, bytes, bytes.length);
      for (const offset of offsets) if (isTombstone(bytes, offset)) marked.add(recordSeq(bytes, offset));
      for (const offset of offsets) {
        const seq = recordSeq(bytes, offset);
        if (!isMessage(bytes, offset) || block.has(seq) || marked.has(seq)) continue;
        this.#state.noteEvicted(block, seq);
      }
    }
  }

  get #messages(): string {
    return `${this.#directory}/${MESSAGES}`;
  }

  /** Finishes a full purge that was under way, or takes back one that had not got that far. Returns the names in msgs. */
  async #finishPurge(names: string[]): Promise<string[]> {
    const path = (name: string): string => `${this.#directory}/${name}`;
    if (await this.#fs.isDirectory(path(NEW_MESSAGES))) {
      const isComplete = (await this.#fs.readdir(path(NEW_MESSAGES))).some((name) => BLOCK_NAME.test(name));
      if (isComplete) {
        await this.#fs.removeTree(path(OLD_MESSAGES));
        if (await this.#fs.isDirectory(this.#messages)) await this.#fs.rename(this.#messages, path(OLD_MESSAGES));
        await this.#fs.rename(path(NEW_MESSAGES), this.#messages);
        await this.#fs.fsyncDir(this.#directory);
        names = await this.#fs.readdir(this.#messages);
        this.#log.info(`Filestore [${this.#state.stream}] finished a purge that was under way`);
      } else {
        await this.#fs.removeTree(path(NEW_MESSAGES));
      }
    }
    if (!(await this.#fs.isDirectory(this.#messages))) {
      await this.#fs.mkdir(this.#messages);
      await this.#fs.fsyncDir(this.#directory);
    }
    await this.#fs.removeTree(path(OLD_MESSAGES)).catch((error: unknown) => {
      this.#log.warn(`Filestore [${this.#state.stream}] could not remove purged messages: ${String(error)}`);
    });
    return names;
  }

  /** Length of each block's file, by index, ascending. Refuses compressed blocks. */
  async #sizes(names: readonly string[]): Promise<Map<number, number>> {
    const indexes = names
      .map((name) => BLOCK_NAME.exec(name))
      .filter((match) => match !== null)
      .map((match) => Number(match[1]))
      .sort((left, right) => left - right);
    const sizes = new Map<number, number>();
    for (let at = 0; at < indexes.length; at += PROBES_AT_ONCE) {
      const some = indexes.slice(at, at + PROBES_AT_ONCE);
      const found = await Promise.all(some.map((index) => this.#probe(index)));
      some.forEach((index, i) => {
        sizes.set(index, found[i]!);
      });
    }
    return sizes;
  }

  async #probe(index: number): Promise<number> {
    const path = `${this.#messages}/${index}.blk`;
    const size = (await this.#fs.size(path)) ?? 0;
    if (size < COMPRESSED.length) return size;
    const head = await this.#readAt(path, 0, Math.min(size, 64));
    if (COMPRESSED.every((byte, at) => head[at] === byte)) throw new UnsupportedStoreError('compression', path);
    return size;
  }

  async #readAt(path: string, position: number, length: number): Promise<Buffer> {
    const fd = await this.#fs.open(path, 'read');
    try {
      const bytes = Buffer.alloc(length);
      const count = await this.#fs.read(fd, bytes, 0, length, position);
      return bytes.subarray(0, count);
    } finally {
      await this.#fs.close(fd);
    }
  }

  async #readIndex(): Promise<StreamIndex | null> {
    const file = await readIfThere(this.#fs, `${this.#messages}/index.db`);
    if (file === null) return null;
    const index = decodeIndex(this.#state.stream, file);
    if (index === null) this.#log.warn(`Filestore [${this.#state.stream}] index.db cannot be read, will rebuild`);
    return index;
  }

  /** True if the last record is still the one the index was written after. */
  async #isCurrent(index: StreamIndex, sizes: ReadonlyMap<number, number>): Promise<boolean> {
    const size = sizes.get(index.lastBlock);
    if (size === undefined) return false;
    const path = `${this.#messages}/${index.lastBlock}.blk`;
    const hash =
      size < RECORD_HASH_BYTES
        ? Buffer.alloc(RECORD_HASH_BYTES)
        : await this.#readAt(path, size - RECORD_HASH_BYTES, RECORD_HASH_BYTES);
    if (hash.equals(index.lastHash)) return true;
    this.#log.warn(`Filestore [${this.#state.stream}] index.db is outdated, will rebuild`);
    return false;
  }

  /** Reads every block, from the last to the first. */
  async #scan(sizes: ReadonlyMap<number, number>, index: StreamIndex | null): Promise<RecoveryFindings> {
    const recovery = new Recovery(this.#state);
    let blocks = 0;
    for (const number of [...sizes.keys()].reverse()) {
      const path = `${this.#messages}/${number}.blk`;
      recovery.add(number, await this.#fs.readFile(path), path);
      this.#onBlocksRead?.(++blocks, sizes.size);
    }
    const outcome = recovery.finish();
    await this.#mend(outcome);
    const missing = index !== null && index.lastSeq > this.#state.lastSeq ? index : null;
    const findings: RecoveryFindings = {
      ...noFindings(),
      messages: this.#state.messages,
      lostSeqs: outcome.lostSeqs,
      lostBytes: outcome.lostBytes,
      lostSubjects: outcome.lostSubjects,
      tornBytes: outcome.tornBytes,
      repairedRecords: outcome.repairedRecords,
      healedBlocks: outcome.healed.map(({ block }) => block.fileName),
      missingUpTo: missing?.lastSeq ?? 0,
      missingTime: missing?.lastTime ?? 0n,
    };
    this.#report(findings);
    return findings;
  }

  /** Brings the files in line with what was read from them. A disk that refuses is not in the way of reading. */
  async #mend({ healed, cut }: RecoveryOutcome): Promise<void> {
    for (const { block, bytes } of healed) {
      try {
        await this.#rewrite(block, bytes);
      } catch (error) {
        block.damaged = true;
        this.#log.error(`Filestore [${block.stream}] could not heal block ${block.fileName}: ${String(error)}`);
      }
    }
    for (const block of cut) {
      if (!healed.some((other) => other.block === block)) await this.#cut(block);
    }
  }

  async #rewrite(block: Block, bytes: Buffer): Promise<void> {
    const temporary = `${this.#messages}/${block.index}.new`;
    await keepDamaged(this.#fs, this.#directory, block);
    await writeNewFile(this.#fs, temporary, bytes);
    await this.#fs.rename(temporary, `${this.#messages}/${block.fileName}`);
    await this.#fs.fsyncDir(this.#messages);
  }

  async #cut(block: Block): Promise<void> {
    const fd = await this.#fs.open(`${this.#messages}/${block.fileName}`, 'update');
    try {
      await this.#fs.truncate(fd, block.fileBytes);
      await this.#fs.fsync(fd);
    } finally {
      await this.#fs.close(fd);
    }
  }

  #report(findings: RecoveryFindings): void {
    const { lostSeqs, lostBytes, tornBytes, repairedRecords, healedBlocks } = findings;
    const prefix = `Filestore [${this.#state.stream}]`;
    if (lostSeqs.length > 0) {
      const shown = lostSeqs.slice(0, 20).join(', ');
      this.#log.error(`${prefix} lost ${lostSeqs.length} messages (${lostBytes} bytes) to damage: ${shown}`);
    }
    if (healedBlocks.length > 0) {
      const kept = `the originals are kept as ${this.#directory}/*.damaged`;
      this.#log.warn(
        `${prefix} healed blocks ${healedBlocks.join(', ')} (${repairedRecords} records repaired); ${kept}`,
      );
    }
    if (tornBytes > 0) this.#log.warn(`${prefix} cut ${tornBytes} bytes of an unfinished write`);
  }
}

/** Of a directory with nothing in it. */
export function noFindings(): RecoveryFindings {
  return {
    fromIndex: false,
    messages: 0,
    lostSeqs: [],
    lostBytes: 0,
    lostSubjects: new Map(),
    tornBytes: 0,
    repairedRecords: 0,
    healedBlocks: [],
    missingUpTo: 0,
    missingTime: 0n,
  };
}
