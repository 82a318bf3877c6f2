import type { Clock, Ids, Log, Timer } from '../../src/host.ts';
import type { StorageDependencies } from '../../src/store/file/dependencies.ts';
import { FileStorage } from '../../src/store/file/file-storage.ts';
import { type FileSystem, NodeFileSystem } from '../../src/store/file/file-system.ts';
import type { ClosableMessages, OpenMessages } from '../../src/store/file/open-messages.ts';
import { MemoryMessages } from '../../src/store/memory/memory-messages.ts';
import type { AssetMeta, StreamStoreOptions } from '../../src/store/store.ts';
import { storeOptions } from './support.ts';

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = setTimeout(callback, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Ids that count up: never the same within a process, and told apart by `prefix` between processes. */
export function countingIds(prefix = 'T'): Ids {
  let next = 0;
  const token = (length: number): string => `${prefix}${(next++).toString(36)}`.padStart(length, '0').slice(-length);
  return {
    nuid: () => token(22),
    token,
    random: () => 0.5,
    bytes: (length) => new Uint8Array(length).fill(next++),
  };
}

/** Keeps the lines. */
export class LinesLog implements Log {
  readonly lines: string[] = [];

  error(text: string): void {
    this.lines.push(`ERR ${text}`);
  }
  warn(text: string): void {
    this.lines.push(`WRN ${text}`);
  }
  info(text: string): void {
    this.lines.push(`INF ${text}`);
  }
  debug(text: string): void {
    this.lines.push(`DBG ${text}`);
  }
  /** The lines of a level. */
  of(level: 'ERR' | 'WRN' | 'INF'): string[] {
    return this.lines.filter((line) => line.startsWith(level));
  }
}

export interface TestDependencies extends StorageDependencies {
  readonly log: LinesLog;
}

export function testDependencies(
  overrides: Partial<StorageDependencies> = {},
  fs: FileSystem = new NodeFileSystem(),
): TestDependencies {
  return {
    clock: systemClock,
    ids: countingIds(),
    fs,
    syncIntervalMs: 0,
    blockCacheBytesMax: 16 * 1024 * 1024,
    ...overrides,
    log: new LinesLog(),
  };
}

class UnstoredMessages extends MemoryMessages implements ClosableMessages {
  override async close(): Promise<void> {
    super.close();
  }

  async abandon(): Promise<void> {
    super.close();
  }
}

/** Messages that are not kept, for tests of everything around them. */
export const openUnstored: OpenMessages = async (_directory, _stream, options) =>
  new UnstoredMessages(options.firstSeq) as unknown as ClosableMessages;

/** Configuration of a stream as meta.inf keeps it. */
export function streamMeta(name: string, config: Record<string, unknown> = {}): AssetMeta {
  return {
    created: '2026-01-02T03:04:05.678901234Z',
    config: { name, subjects: [`${name}.>`], retention: 'limits', storage: 'file', num_replicas: 1, ...config },
  };
}

/** Configuration of a consumer as meta.inf keeps it. */
export function consumerMeta(name: string, config: Record<string, unknown> = {}): AssetMeta {
  return {
    created: '2026-01-02T03:04:06.5Z',
    config: { durable_name: name, name, deliver_policy: 'all', ack_policy: 'explicit', ...config },
  };
}

/** Options for every stream that is found. */
export function anyOptions(): StreamStoreOptions {
  return storeOptions();
}

/** Opens a storage whose messages are not kept. */
export function openStorage(directory: string, deps: StorageDependencies): Promise<FileStorage> {
  return FileStorage.open(directory, deps, openUnstored);
}
