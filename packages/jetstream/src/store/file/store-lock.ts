import type { Timer } from '../../host.ts';
import type { StorageDependencies } from './dependencies.ts';
import { readIfThere, removeIfThere, writeNewFile } from './file-system.ts';
import { ownIdentity, type ProcessIdentity, stateOf } from './process-identity.ts';

/** Name of the lock in the store directory, beside `jetstream/`. */
export const LOCK_FILE = '.nats-ts.lock';

/** The holder shows that it lives this often. */
export const HEARTBEAT_MS = 1000;

/** A holder that cannot be looked at and shows nothing for this long is taken for dead. */
export const HEARTBEAT_DEAD_MS = 5000;

/** A heartbeat this old needs no watching. Far more than clocks of machines that share a directory differ. */
export const HEARTBEAT_OLD_MS = 60_000;

const WATCH_INTERVAL_MS = 100;
const CONTENT_BYTES = 512;
/** Times the lock is tried for while others take it and go; then opening the store fails. */
export const ATTEMPTS_MAX = 50;

/** The store directory belongs to another process. */
export class StoreLockedError extends Error {
  /** The process that holds it. */
  readonly pid: number;

  constructor(directory: string, pid: number, where: string) {
    super(`store directory "${directory}" is in use by process ${pid}${where}: only one process may have it open`);
    this.name = 'StoreLockedError';
    this.pid = pid;
  }
}

interface LockContent extends ProcessIdentity {
  /** Differs for each lock ever taken. */
  readonly token: string;
  /** Time of the last heartbeat, ms since the epoch. */
  readonly beatMs: number;
}

/**
 * Keeps other processes out of a store directory. A holder of the same pid namespace that has died is replaced at once;
 * one that cannot be looked at, when its heartbeat stands still. nats-server takes no lock and does not see this one.
 */
export class StoreLock {
  readonly #deps: StorageDependencies;
  readonly #path: string;
  readonly #own: ProcessIdentity;
  readonly #token: string;
  readonly #onLost: (error: Error) => void;
  #timer: Timer | null = null;
  #beating: Promise<void> | null = null;
  #released = false;

  private constructor(
    deps: StorageDependencies,
    path: string,
    own: ProcessIdentity,
    token: string,
    onLost: (error: Error) => void,
  ) {
    this.#deps = deps;
    this.#path = path;
    this.#own = own;
    this.#token = token;
    this.#onLost = onLost;
  }

  /**
   * Takes the lock of a directory that exists.
   *
   * @param onLost called if another process took the lock although this one lives (it stood still for too long).
   * @throws StoreLockedError naming the holder.
   */
  static async acquire(
    deps: StorageDependencies,
    directory: string,
    onLost: (error: Error) => void,
  ): Promise<StoreLock> {
    const path = `${directory}/${LOCK_FILE}`;
    const own = await ownIdentity();
    const lock = new StoreLock(deps, path, own, deps.ids.nuid(), onLost);
    const prepared = `${path}.${lock.#token}`;
    await writeNewFile(deps.fs, prepared, lock.#content());
    try {
      for (let attempt = 1; !(await lock.#link(prepared, path)); attempt++) {
        // Others come and go faster than we look: somebody is there.
        if (attempt === ATTEMPTS_MAX)
          throw new Error(`store directory "${directory}": lock changes hands all the time`);
        await lock.#clearTheWay(directory, prepared);
      }
    } finally {
      await removeIfThere(deps.fs, prepared);
    }
    await lock.#sweep(directory);
    lock.#arm();
    return lock;
  }

  /** Gives the directory free. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#timer?.cancel();
    await this.#beating;
    if ((await this.#read())?.token === this.#token) await removeIfThere(this.#deps.fs, this.#path);
  }

  /** A link fails when the name is taken, and it brings the content along. */
  async #link(prepared: string, name: string): Promise<boolean> {
    try {
      await this.#deps.fs.link(prepared, name);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  /** Takes away the lock that is there, if whoever holds it is dead. */
  async #clearTheWay(directory: string, prepared: string): Promise<void> {
    const bytes = await readIfThere(this.#deps.fs, this.#path);
    if (bytes === null) return;
    const holder = decode(bytes);
    const state = holder === null ? 'unknown' : await stateOf(holder, this.#own);
    if (state === 'alive') throw new StoreLockedError(directory, holder!.pid, '');
    if (state === 'unknown' && (await this.#isBeating(bytes, holder))) {
      throw new StoreLockedError(directory, holder?.pid ?? 0, ' in another container or on another machine');
    }
    this.#deps.log.info(`Taking over store directory "${directory}" from process ${holder?.pid ?? '?'}, which is gone`);
    await this.#takeAway(bytes, prepared);
  }

  /**
   * Only one process at a time may take a dead one's lock away, and it looks again before: otherwise two that saw the
   * dead one could each remove what the other has just put there.
   */
  async #takeAway(stale: Buffer, prepared: string): Promise<void> {
    const { fs } = this.#deps;
    const guard = `${this.#path}.takeover`;
    if (!(await this.#link(prepared, guard))) {
      await this.#giveWay(guard);
      return;
    }
    try {
      if ((await readIfThere(fs, this.#path))?.equals(stale)) await removeIfThere(fs, this.#path);
    } finally {
      await removeIfThere(fs, guard);
    }
  }

  /** Another process is taking over; one that died over it, within milliseconds, is cleared away too. */
  async #giveWay(guard: string): Promise<void> {
    const { fs, clock } = this.#deps;
    const bytes = await readIfThere(fs, guard);
    const rival = bytes === null ? null : decode(bytes);
    if (rival !== null) {
      const state = await stateOf(rival, this.#own);
      const isOld = clock.now() - rival.beatMs > HEARTBEAT_OLD_MS;
      const isLeft = state === 'dead' || (state === 'unknown' && isOld);
      // Looking it up took a while: by now it may be another's.
      if (isLeft && (await readIfThere(fs, guard))?.equals(bytes!)) await removeIfThere(fs, guard);
    }
    await new Promise<void>((resolve) => clock.setTimer(resolve, WATCH_INTERVAL_MS));
  }

  /** Removes what processes left that died while they tried for the lock. */
  async #sweep(directory: string): Promise<void> {
    const { fs } = this.#deps;
    for (const name of await fs.readdir(directory)) {
      if (!name.startsWith(`${LOCK_FILE}.`)) continue;
      const bytes = await readIfThere(fs, `${directory}/${name}`);
      const owner = bytes === null ? null : decode(bytes);
      if (owner !== null && (await stateOf(owner, this.#own)) === 'dead')
        await removeIfThere(fs, `${directory}/${name}`);
    }
  }

  /** Watches whether the holder changes the file. */
  async #isBeating(seen: Buffer, holder: LockContent | null): Promise<boolean> {
    const { clock } = this.#deps;
    const startMs = clock.now();
    if (holder !== null && startMs - holder.beatMs > HEARTBEAT_OLD_MS) return false;
    while (clock.now() - startMs < HEARTBEAT_DEAD_MS) {
      await new Promise<void>((resolve) => clock.setTimer(resolve, WATCH_INTERVAL_MS));
      const now = await readIfThere(this.#deps.fs, this.#path);
      // Gone: the next attempt may take it.
      if (now === null) return false;
      if (!now.equals(seen)) return true;
    }
    return false;
  }

  #arm(): void {
    if (this.#released) return;
    this.#timer = this.#deps.clock.setTimer(() => {
      this.#beating = this.#beat().then(
        () => this.#arm(),
        (error: unknown) => {
          // A full disk does not matter here: the content keeps its length.
          this.#deps.log.warn(`Store lock ${this.#path} cannot be renewed: ${(error as Error).message}`);
          this.#arm();
        },
      );
    }, HEARTBEAT_MS);
  }

  async #beat(): Promise<void> {
    const holder = await this.#read();
    if (this.#released) return;
    if (holder?.token !== this.#token) {
      this.#released = true;
      const by = holder === null ? 'removed' : `taken by process ${holder.pid}`;
      this.#onLost(new Error(`the lock ${this.#path} was ${by} while this process stood still`));
      return;
    }
    const { fs } = this.#deps;
    const fd = await fs.open(this.#path, 'update');
    try {
      const content = this.#content();
      await new Promise<void>((resolve, reject) => {
        fs.write(fd, content, 0, content.length, 0, (error) => (error === null ? resolve() : reject(error)));
      });
    } finally {
      await fs.close(fd);
    }
  }

  async #read(): Promise<LockContent | null> {
    const bytes = await readIfThere(this.#deps.fs, this.#path);
    return bytes === null ? null : decode(bytes);
  }

  /** Always as long, so that it is renewed in place. */
  #content(): Buffer {
    const beatMs = this.#deps.clock.now();
    const text = JSON.stringify({ ...this.#own, token: this.#token, beatMs });
    return Buffer.from(`${text.padEnd(CONTENT_BYTES - 1)}\n`);
  }
}

function decode(bytes: Buffer): LockContent | null {
  try {
    const content = JSON.parse(bytes.toString('utf8')) as Partial<LockContent> | null;
    const { pid, start, boot, pidNamespace, token, beatMs } = content ?? {};
    if (typeof pid !== 'number' || typeof token !== 'string' || typeof beatMs !== 'number') return null;
    return {
      pid,
      start: `${start ?? ''}`,
      boot: `${boot ?? ''}`,
      pidNamespace: `${pidNamespace ?? ''}`,
      token,
      beatMs,
    };
  } catch {
    return null;
  }
}
