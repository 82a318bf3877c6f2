import type { JetStreamAccount } from './account.ts';
import { type Engine, reservedBytes } from './engine.ts';
import { formatTime } from './json/go-time.ts';
import { clusterInfo } from './stream/cluster-info.ts';
import { shownConfig, streamState } from './stream/info.ts';
import { API_LEVEL } from './stream/metadata.ts';
import type { Stream } from './stream/stream.ts';

/** Accounts on a page of /jsz when it sets no limit. */
const ACCOUNTS_PAGE = 1024;

/** What /jsz may be asked for. As JSzOptions in nats-server. */
export interface JszOptions {
  readonly account?: string;
  readonly accounts?: boolean;
  readonly streams?: boolean;
  readonly consumers?: boolean;
  readonly config?: boolean;
  /** Say what this server leads: on one server, everything. */
  readonly raft?: boolean;
  readonly offset?: number;
  readonly limit?: number;
}

/** What /healthz may be asked about. As HealthzOptions in nats-server. */
export interface HealthzOptions {
  readonly account?: string;
  readonly stream?: string;
  readonly consumer?: string;
  /** Errors as a list that names what they are about. */
  readonly details?: boolean;
}

export interface HealthzResult {
  readonly status: 'ok' | 'unavailable' | 'error';
  /** HTTP status. */
  readonly code: number;
  readonly error?: string;
  /** Instead of `error`, with `details`. */
  readonly errors?: readonly HealthzError[];
}

export interface HealthzError {
  readonly type: 'BAD_REQUEST' | 'ACCOUNT' | 'STREAM' | 'CONSUMER';
  readonly account?: string;
  readonly stream?: string;
  readonly consumer?: string;
  readonly error: string;
}

/** What is not well, with its HTTP status. */
interface Finding extends HealthzError {
  readonly status: 'unavailable' | 'error';
  readonly code: number;
}

const HEALTHY: HealthzResult = { status: 'ok', code: 200 };

/** The figures that monitoring shows about JetStream. Reads; changes nothing. */
export class Monitor {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  varz(): Record<string, unknown> {
    return { config: this.#config(), stats: this.#stats(), limits: this.#limits() };
  }

  jsz(options: JszOptions): Record<string, unknown> {
    const { host } = this.#engine;
    const all = [...this.#engine.accounts.values()];
    const totals = { streams: 0, consumers: 0, messages: 0, bytes: 0 };
    for (const account of all) {
      totals.streams += account.streams.size + account.offline.size;
      for (const stream of account.streams.values()) {
        totals.consumers += stream.registry.visibleCount;
        totals.messages += stream.messages.messages;
        totals.bytes += stream.messages.bytes;
      }
    }
    const details = this.#selected(all, options).map((account) => this.#accountDetail(account, options));
    return {
      ...this.#stats(),
      server_id: host.serverId,
      now: formatTime(host.clock.now(), 0),
      config: this.#config(),
      limits: this.#limits(),
      streams: totals.streams,
      streams_leader: (options.raft && totals.streams) || undefined,
      consumers: totals.consumers,
      consumers_leader: (options.raft && totals.consumers) || undefined,
      messages: totals.messages,
      bytes: totals.bytes,
      account_details: details.length === 0 ? undefined : details,
      total: all.length,
    };
  }

  healthz(options: HealthzOptions): HealthzResult {
    const finding = options.account ? this.#healthOf(options.account, options) : this.#storageHealth(options);
    if (finding === null) return HEALTHY;
    const { status, code, ...failure } = finding;
    return options.details ? { status: 'error', code, errors: [failure] } : { status, code, error: failure.error };
  }

  #healthOf(account: string, { stream = '', consumer = '' }: HealthzOptions): Finding | null {
    const found = this.#engine.accounts.get(account);
    if (found === undefined) return missing(`JetStream account ${quoted(account)} not found`, 'ACCOUNT', { account });
    if (stream === '') return consumer === '' ? null : bad('stream is required to check a consumer');
    const offline = found.offline.get(stream);
    if (offline !== undefined) return unavailable(account, stream, `: ${offline.reason}`);
    const open = found.streams.get(stream);
    if (open === undefined) {
      return missing(`JetStream stream '${account} > ${stream}' not found`, 'STREAM', { account, stream });
    }
    if (open.failure !== null) return notCurrent(account, open);
    if (consumer === '' || open.registry.byName.has(consumer)) return null;
    const text = `JetStream consumer '${account} > ${stream} > ${consumer}' not found`;
    return missing(text, 'CONSUMER', { account, stream, consumer });
  }

  #storageHealth({ stream = '' }: HealthzOptions): Finding | null {
    if (stream !== '') return bad('account is required to check a stream');
    for (const account of this.#engine.accounts.values()) {
      for (const open of account.streams.values()) {
        if (open.failure !== null) return notCurrent(account.name, open);
      }
    }
    return null;
  }

  #config(): Record<string, unknown> {
    const { strict, limits, shown } = this.#engine.settings;
    return {
      max_memory: limits.maxMemory,
      max_storage: limits.maxStorage,
      store_dir: shown.storeDir,
      sync_interval: shown.syncIntervalNs || undefined,
      sync_always: shown.syncAlways || undefined,
      strict: strict || undefined,
    };
  }

  #limits(): Record<string, unknown> {
    const { maxRequestBatch, maxAckPending, duplicateWindowNs, defaultMaxConsumers } = this.#engine.settings.limits;
    return {
      max_request_batch: maxRequestBatch || undefined,
      max_ack_pending: maxAckPending > 0 ? maxAckPending : undefined,
      max_duplicate_window: duplicateWindowNs || undefined,
      default_max_consumers: defaultMaxConsumers,
    };
  }

  #stats(): Record<string, unknown> {
    const { usage, accounts } = this.#engine;
    let total = 0;
    let errors = 0;
    for (const account of accounts.values()) {
      total += account.apiTotal;
      errors += account.apiErrors;
    }
    return {
      memory: usage.memory,
      storage: usage.file,
      reserved_memory: reservedBytes(this.#engine, 'memory'),
      reserved_storage: reservedBytes(this.#engine, 'file'),
      accounts: accounts.size,
      ha_assets: 0,
      api: { level: API_LEVEL, total, errors },
    };
  }

  #selected(all: readonly JetStreamAccount[], options: JszOptions): readonly JetStreamAccount[] {
    if (options.account) return all.filter(({ name }) => name === options.account);
    if (!options.accounts && !options.streams && !options.consumers) return [];
    const sorted = [...all].sort((a, b) => (a.name < b.name ? -1 : 1));
    const offset = Math.max(0, options.offset ?? 0);
    return sorted.slice(offset, offset + (options.limit || ACCOUNTS_PAGE));
  }

  #accountDetail(account: JetStreamAccount, options: JszOptions): Record<string, unknown> {
    const withStreams = options.streams === true || options.consumers === true;
    const streams = withStreams ? [...account.streams.values()].map((stream) => streamDetail(stream, options)) : [];
    return {
      name: account.name,
      id: account.name,
      memory: account.usage.memory,
      storage: account.usage.file,
      reserved_memory: reservedLimit(account.account.jetstreamLimits?.maxMemory),
      reserved_storage: reservedLimit(account.account.jetstreamLimits?.maxStorage),
      accounts: 0,
      ha_assets: 0,
      api: { level: 0, total: account.apiTotal, errors: account.apiErrors },
      stream_detail: streams.length === 0 ? undefined : streams,
    };
  }
}

function streamDetail(stream: Stream, options: JszOptions): Record<string, unknown> {
  const consumers = [...stream.registry.byName.values()].filter(({ isHidden }) => !isHidden);
  const shown = options.consumers === true ? consumers.map((consumer) => consumer.info()) : [];
  return {
    name: stream.name,
    created: stream.created,
    cluster: clusterInfo(stream.host),
    config: options.config === true ? shownConfig(stream, false) : undefined,
    state: streamState(stream),
    consumer_detail: shown.length === 0 ? undefined : shown,
  };
}

/** Account limits count as reserved; "unlimited" is the largest uint64 in nats-server. */
function reservedLimit(limit: number | undefined): number | bigint {
  return limit === undefined || limit < 0 ? 2n ** 64n - 1n : limit;
}

function notCurrent(account: string, stream: Stream): Finding {
  return unavailable(account, stream.name, ` is not current: ${stream.failure?.message}`);
}

function unavailable(account: string, stream: string, why: string): Finding {
  const error = `JetStream stream '${account} > ${stream}'${why}`;
  return { status: 'unavailable', code: 503, type: 'STREAM', account, stream, error };
}

function missing(error: string, type: HealthzError['type'], about: Omit<HealthzError, 'type' | 'error'>): Finding {
  return { status: 'unavailable', code: 404, type, ...about, error };
}

function bad(error: string): Finding {
  return { status: 'error', code: 400, type: 'BAD_REQUEST', error };
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
