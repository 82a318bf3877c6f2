import type { Account } from '../account.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { ServerCounters } from '../counters.ts';
import type { Router } from '../delivery/router.ts';
import type { Settings } from '../options.ts';
import type { Clock, Ids, Logger } from '../ports.ts';
import type { RateLimitedLog } from '../rate-limited-log.ts';
import type { SlowConsumers } from '../slow-consumers.ts';
import type { TimerWheel } from '../timer-wheel.ts';
import type { Connection } from './connection.ts';
import type { FlushQueue } from './flush-queue.ts';
import type { FramePool } from './frame-pool.ts';
import type { SlabPool } from './slabs.ts';

/** What a connection needs of the server it belongs to. */
export interface ConnectionContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly rateLimited: RateLimitedLog;
  readonly wheel: TimerWheel;
  readonly slabs: SlabPool;
  readonly frames: FramePool;
  readonly flushQueue: FlushQueue;
  readonly router: Router;
  readonly authenticator: Authenticator;
  readonly counters: ServerCounters;
  readonly slowConsumers: SlowConsumers;
  readonly globalAccount: Account;
  readonly serverName: string;
  /** INFO for this connection; `isSecond` = the one behind the first PING. */
  encodeInfo(connection: Connection, isSecond: boolean): Buffer;
  /** The connection is gone: its account, counters and the list of closed ones follow. */
  onClosed(connection: Connection): void;
}
