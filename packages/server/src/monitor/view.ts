import type { ServerInfo } from '@nats-ts/protocol';
import type { Account } from '../account.ts';
import type { ConnectionRegistry } from '../connection-registry.ts';
import type { ServerCounters } from '../counters.ts';
import type { Settings } from '../options.ts';
import type { Clock, Logger } from '../ports.ts';
import type { JetStreamView } from './jetstream-view.ts';

/** The server as monitoring looks at it. */
export interface ServerView {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly info: ServerInfo;
  readonly registry: ConnectionRegistry;
  readonly counters: ServerCounters;
  readonly accounts: ReadonlyMap<string, Account>;
  /** When the server was made: epoch, and on the clock for intervals. */
  readonly startMs: number;
  readonly startedMs: number;
  readonly authTimeoutMs: number;
  /** Where monitoring listens; port 0 = not. */
  readonly monitorHost: string;
  readonly monitorPort: number;
  /** Clients are served. */
  readonly isReady: boolean;
  readonly jetstream: JetStreamView | null;
}
