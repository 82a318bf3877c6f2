import type { Account } from '../account.ts';
import type { FlushQueue } from '../connection/flush-queue.ts';
import type { ServerCounters } from '../counters.ts';
import type { Router } from '../delivery/router.ts';
import type { AccountJetStreamLimits } from '../options.ts';
import type { Clock, Ids, Logger } from '../ports.ts';
import { HostAccount } from './host-account.ts';

/** What the host is made of. */
export interface HostParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly serverId: string;
  readonly serverName: string;
  readonly clusterName: string | null;
  readonly maxPayload: number;
  readonly router: Router;
  readonly flushQueue: FlushQueue;
  readonly counters: ServerCounters;
}

/** The server as JetStream sees it; satisfies the port that `@nats-ts/jetstream` declares. */
export class JetStreamHost {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly serverId: string;
  readonly serverName: string;
  readonly clusterName: string | null;
  readonly maxPayload: number;
  readonly #parts: HostParts;
  readonly #accounts: HostAccount[] = [];
  readonly #watchers: ((account: HostAccount) => void)[] = [];

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.clock = parts.clock;
    this.ids = parts.ids;
    this.log = parts.logger;
    this.serverId = parts.serverId;
    this.serverName = parts.serverName;
    this.clusterName = parts.clusterName;
    this.maxPayload = parts.maxPayload;
  }

  /** @internal */
  add(account: Account, limits: AccountJetStreamLimits | null): void {
    const added = new HostAccount(account, limits, this.#parts);
    this.#accounts.push(added);
    for (const watcher of this.#watchers) watcher(added);
  }

  /** The account of that name, or null. */
  account(name: string): HostAccount | null {
    return this.#accounts.find((account) => account.name === name) ?? null;
  }

  accounts(): Iterable<HostAccount> {
    return this.#accounts;
  }

  /** Calls back for every account that appears later. */
  onAccounts(callback: (account: HostAccount) => void): void {
    this.#watchers.push(callback);
  }
}
