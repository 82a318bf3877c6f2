/** What /jsz is asked for. */
export interface JszOptions {
  /** Account to show; '' = all. */
  readonly account: string;
  readonly accounts: boolean;
  readonly streams: boolean;
  readonly consumers: boolean;
  readonly directConsumers: boolean;
  readonly config: boolean;
  readonly leaderOnly: boolean;
  readonly streamLeaderOnly: boolean;
  readonly raft: boolean;
  readonly offset: number;
  /** 0 = default. */
  readonly limit: number;
}

/** What /healthz is asked for. '' = not given. */
export interface HealthzOptions {
  readonly account: string;
  readonly stream: string;
  readonly consumer: string;
  /** Errors as a list. */
  readonly details: boolean;
  /** Only whether JetStream is enabled, no streams. */
  readonly enabledOnly: boolean;
}

/** Health of JetStream. */
export interface Health {
  readonly status: 'ok' | 'unavailable' | 'error';
  /** HTTP status. */
  readonly code: number;
  readonly error?: string;
  /** With `details`. */
  readonly errors?: readonly object[];
}

/** JetStream as monitoring sees it; attached when it is running (`NatsServer.attachJetStream`). */
export interface JetStreamView {
  /** `jetstream` of /varz: `{config, stats, limits, …}`. */
  varz(): object;
  /** /jsz without `server_id` and `now`, which are put behind `api`. Throws an Error whose message is a 400. */
  jsz(options: JszOptions): object;
  healthz(options: HealthzOptions): Health;
  /** JetStream is enabled for the account. */
  accountEnabled(name: string): boolean;
}
