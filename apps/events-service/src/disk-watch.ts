import { statfs } from 'node:fs/promises';
import { bytesText } from './bytes-text.ts';
import type { Clock } from './clock.ts';
import type { ServiceLogger } from './logger.ts';

/** Milliseconds between two looks at the disk. */
export const DISK_POLL_INTERVAL_MS = 30_000;
/** Percent below a threshold at which it counts as crossed back: a disk that hovers there is warned about once. */
export const DISK_HYSTERESIS_PERCENT = 1;

/** Room on the disk of the store, as this process may use it. */
export interface DiskSpace {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** 0 to 100, as df rounds and root's reserve aside. */
  readonly usedPercent: number;
}

/** How full the disk is by the thresholds. */
export type DiskLevel = 'ok' | 'warning' | 'critical';

/** Reads the room on the file system that a directory is on. */
export type ReadSpace = (directory: string) => Promise<DiskSpace>;

/** What a DiskWatch works with. */
export interface DiskWatchOptions {
  readonly directory: string;
  /** 0: never. */
  readonly warnPercent: number;
  /** 0: never. */
  readonly criticalPercent: number;
  readonly clock: Clock;
  readonly log: ServiceLogger;
  readonly readSpace: ReadSpace;
  /** Said in a warning: what the streams hold, and what can be done. */
  readonly advice: () => string;
}

/** Warns long before the disk of the store is full: once when a threshold is crossed, at any log level. */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  #space: DiskSpace | null = null;
  #level: DiskLevel = 'ok';
  #timer: { cancel(): void } | null = null;
  #isStopped = false;
  #hasFailed = false;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /** As last read; null before the first time. For metrics. */
  get space(): DiskSpace | null {
    return this.#space;
  }

  get level(): DiskLevel {
    return this.#level;
  }

  /** Looks now and from then on. */
  start(): void {
    void this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { directory, readSpace, log, clock } = this.#options;
    try {
      const space = await readSpace(directory);
      if (this.#isStopped) return;
      this.#space = space;
      this.#hasFailed = false;
      this.#judge(space);
    } catch (error) {
      if (!this.#hasFailed) log.warn(`cannot tell how full the disk of ${directory} is: ${(error as Error).message}`);
      this.#hasFailed = true;
    }
    if (!this.#isStopped) this.#timer = clock.setTimer(() => void this.#look(), DISK_POLL_INTERVAL_MS);
  }

  #judge(space: DiskSpace): void {
    const { warnPercent, criticalPercent } = this.#options;
    const before = this.#level;
    const reaches = (percent: number, isCrossed: boolean): boolean =>
      percent > 0 && space.usedPercent >= percent - (isCrossed ? DISK_HYSTERESIS_PERCENT : 0);
    if (reaches(criticalPercent, before === 'critical')) this.#level = 'critical';
    else this.#level = reaches(warnPercent, before !== 'ok') ? 'warning' : 'ok';
    if (this.#level !== before) this.#tell(space, before);
  }

  #tell(space: DiskSpace, before: DiskLevel): void {
    const { directory, log, advice, warnPercent, criticalPercent } = this.#options;
    const { totalBytes, freeBytes, usedPercent } = space;
    const numbers = `${usedPercent.toFixed(0)} % full: ${bytesText(freeBytes)} of ${bytesText(totalBytes)} free`;
    const fields = { directory, used_percent: Math.round(usedPercent), free_bytes: freeBytes, total_bytes: totalBytes };
    const text = `the disk of ${directory} is ${numbers}`;
    if (this.#level === 'critical') {
      log.always(
        `${text}; publishers are refused when it is full (NATS_DISK_CRITICAL_PERCENT=${criticalPercent}). ${advice()}`,
        fields,
        'error',
      );
    } else if (before === 'ok') {
      log.always(`${text} (NATS_DISK_WARN_PERCENT=${warnPercent}). ${advice()}`, fields, 'warn');
    } else {
      log.always(`${text}, which is better than before`, fields);
    }
  }
}

/** Asks the machine. */
export const readSpace: ReadSpace = async (directory) => {
  const { bsize, blocks, bfree, bavail } = await statfs(directory);
  const used = blocks - bfree;
  const usable = used + bavail;
  return {
    totalBytes: usable * bsize,
    freeBytes: bavail * bsize,
    usedPercent: usable === 0 ? 0 : (100 * used) / usable,
  };
};
