import type { Clock, Log, Timer } from '../../../src/host.ts';
import type { FileSystem } from '../../../src/store/file/file-system.ts';
import { BlockCache } from '../../../src/store/file/messages/block-cache.ts';
import { FileMessages, type FileMessagesDependencies } from '../../../src/store/file/messages/file-messages.ts';
import type { StorageStats, StreamStoreOptions } from '../../../src/store/store.ts';
import { storeOptions } from '../support.ts';

/** A log that keeps its lines. */
export class LineLog implements Log {
  readonly lines: string[] = [];

  error(text: string): void {
    this.lines.push(`error ${text}`);
  }

  warn(text: string): void {
    this.lines.push(`warn ${text}`);
  }

  info(text: string): void {
    this.lines.push(`info ${text}`);
  }

  debug(text: string): void {
    this.lines.push(`debug ${text}`);
  }
}

/** A clock whose timers fire when told to. */
export class TestClock implements Clock {
  ms = 1_700_000_000_000;
  #timers: (() => void)[] = [];

  now(): number {
    return this.ms;
  }

  setTimer(callback: () => void): Timer {
    this.#timers.push(callback);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== callback);
      },
    };
  }

  /** Fires what is waiting. */
  fire(): void {
    const timers = this.#timers;
    this.#timers = [];
    for (const timer of timers) timer();
  }
}

export function emptyStats(): StorageStats {
  return {
    syncs: 0,
    syncFailures: 0,
    lastSyncMs: 0,
    failing: null,
    syncMicros: 0,
    recoveredStreams: 0,
    recoveredMessages: 0,
    lostMessages: 0,
  };
}

/** Dependencies for a store on `fs`; what is given wins. */
export function dependencies(
  fs: FileSystem,
  overrides: Partial<FileMessagesDependencies> = {},
): FileMessagesDependencies {
  return {
    fs,
    clock: new TestClock(),
    log: new LineLog(),
    random: { bytes: (length) => new Uint8Array(length).fill(0x5a) },
    stats: emptyStats(),
    syncIntervalMs: 0,
    cache: new BlockCache(),
    watch: null,
    ...overrides,
  };
}

/** Opens stream `S` in `directory`. */
export function openStream(
  directory: string,
  deps: FileMessagesDependencies,
  options: Partial<StreamStoreOptions> = {},
): Promise<FileMessages> {
  return FileMessages.open(directory, 'S', storeOptions(options), deps);
}
