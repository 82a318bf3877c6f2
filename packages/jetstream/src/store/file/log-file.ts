import { type StreamDependencies, timedSync } from './dependencies.ts';
import { removeIfThere, synchronise, writeFully } from './file-system.ts';

/** Name of the log in the stream's directory. */
export const LOG_FILE = 'consumers.log';
/** What a rewrite is called before it takes the log's place. */
export const LOG_TEMPORARY = 'consumers.log.tmp';

/**
 * The file of a consumer log: appended to, and now and then replaced as a whole. After a failure its end is not known,
 * so `needsRewrite` stays set until a rewrite succeeded. One operation at a time.
 */
export class LogFile {
  readonly #deps: StreamDependencies;
  readonly #directory: string;
  #fd = -1;
  /** Bytes written; 0 = there is no file. */
  length: number;
  /** Nothing can be appended: the file is missing, damaged or superseded. */
  needsRewrite: boolean;
  /** Something was written that no sync covers. */
  unsynced: boolean;

  constructor(deps: StreamDependencies, directory: string, length: number, needsRewrite: boolean) {
    this.#deps = deps;
    this.#directory = directory;
    this.length = length;
    this.needsRewrite = needsRewrite || length === 0;
    // What the last process wrote may not have reached the disk.
    this.unsynced = length > 0;
  }

  /** Writes at the end. */
  async append(data: Buffer): Promise<void> {
    await this.#guarded(async () => {
      if (this.#fd < 0) this.#fd = await this.#deps.fs.open(`${this.#directory}/${LOG_FILE}`, 'update');
      await writeFully(this.#deps.fs, this.#fd, data, this.length);
    });
    this.length += data.length;
    this.unsynced = true;
  }

  async sync(): Promise<void> {
    await this.#guarded(async () => {
      if (this.#fd < 0) this.#fd = await this.#deps.fs.open(`${this.#directory}/${LOG_FILE}`, 'update');
      await timedSync(this.#deps, () => synchronise(this.#deps.fs, this.#fd));
    });
    this.unsynced = false;
  }

  /** Replaces all of it; durable on return. */
  async rewrite(data: Buffer): Promise<void> {
    const { fs } = this.#deps;
    this.needsRewrite = true;
    const temporary = `${this.#directory}/${LOG_TEMPORARY}`;
    const fd = await fs.open(temporary, 'replace');
    try {
      await writeFully(fs, fd, data, 0);
      await timedSync(this.#deps, () => fs.fsync(fd));
      await fs.rename(temporary, `${this.#directory}/${LOG_FILE}`);
    } catch (error) {
      await fs.close(fd);
      // On a full disk it would be in the way of others; if even that fails, the next rewrite starts it over.
      await removeIfThere(fs, temporary).catch(() => false);
      throw error;
    }
    const old = this.#fd;
    this.#fd = fd;
    this.length = data.length;
    if (old >= 0) await fs.close(old);
    await timedSync(this.#deps, () => fs.fsyncDir(this.#directory));
    this.unsynced = false;
    this.needsRewrite = false;
  }

  /** Removes the file; durable on return. */
  async remove(): Promise<void> {
    await this.close();
    if (await removeIfThere(this.#deps.fs, `${this.#directory}/${LOG_FILE}`)) {
      await this.#deps.fs.fsyncDir(this.#directory);
    }
    this.length = 0;
    this.needsRewrite = true;
  }

  async close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = -1;
    if (fd >= 0) await this.#deps.fs.close(fd);
  }

  async #guarded(operation: () => Promise<void>): Promise<void> {
    try {
      await operation();
    } catch (error) {
      this.needsRewrite = true;
      throw error;
    }
  }
}
