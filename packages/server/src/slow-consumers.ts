import type { Connection } from './connection/connection.ts';
import { authUser } from './connection/identity.ts';
import { SLOW_CONSUMERS_MAX, SLOW_SUBSCRIPTIONS_MAX } from './limits.ts';

/** Why a consumer was closed: more than max_pending bytes behind, or a write that took longer than write_deadline. */
export type SlowConsumerReason = 'max_pending' | 'write_deadline';

/** One of the busiest subscriptions of a slow consumer. */
export interface SlowSubscription {
  readonly subject: string;
  /** null = none. */
  readonly queue: string | null;
  /** Messages delivered to it. */
  readonly msgs: number;
  /**
   * Subject of the last message. Push and pull consumers of JetStream deliver to an inbox: this is the subject the
   * message was stored under, and tells the stream. Empty before the first message.
   */
  readonly lastSubject: string;
}

/** A client that was closed because it did not take its messages, and how often that happened. */
export interface SlowConsumer {
  /** Client id of the connection that was closed last. */
  readonly cid: number;
  /** Name from CONNECT; empty = none. */
  readonly name: string;
  /** User, nkey, or `[REDACTED]` for a token; empty = it gave no credentials. */
  readonly user: string;
  readonly account: string;
  /** Client library and its version, from CONNECT. */
  readonly lang: string;
  readonly version: string;
  readonly ip: string;
  /** Port of the connection that was closed last. */
  readonly port: number;
  /** Of the last time. */
  readonly reason: SlowConsumerReason;
  /** Times it was closed for it, its earlier connections included. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Bytes that waited for it when it was closed last. */
  readonly pendingBytes: number;
  /** Subscriptions it had then, and those that got most messages, at most SLOW_SUBSCRIPTIONS_MAX. */
  readonly subscriptionCount: number;
  readonly subscriptions: readonly SlowSubscription[];
}

/**
 * Who was too slow lately. Connections of the same client (account, user, name, software and address) are one entry,
 * because one that is too slow comes back and is too slow again. At most SLOW_CONSUMERS_MAX are remembered: the one
 * that was not seen for longest is forgotten.
 */
export class SlowConsumers {
  /** Least recent first. */
  readonly #byClient = new Map<string, SlowConsumer>();
  /** Times it happened, by reason. */
  maxPending = 0;
  writeDeadline = 0;

  /** To be called before the connection is closed. */
  add(connection: Connection, reason: SlowConsumerReason, nowMs: number): SlowConsumer {
    if (reason === 'max_pending') this.maxPending++;
    else this.writeDeadline++;
    const { options, account, ip } = connection;
    const user = authUser(options);
    const key = JSON.stringify([account.name, user, options.name, options.lang, options.version, ip]);
    const known = this.#byClient.get(key);
    const slow: SlowConsumer = {
      cid: connection.cid,
      name: options.name,
      user,
      account: account.name,
      lang: options.lang,
      version: options.version,
      ip,
      port: connection.port,
      reason,
      count: (known?.count ?? 0) + 1,
      firstMs: known?.firstMs ?? nowMs,
      lastMs: nowMs,
      pendingBytes: connection.outbound.pending,
      subscriptionCount: connection.subscriptions.size,
      subscriptions: busiest(connection),
    };
    this.#byClient.delete(key);
    if (this.#byClient.size >= SLOW_CONSUMERS_MAX) this.#forgetOldest();
    this.#byClient.set(key, slow);
    return slow;
  }

  /** The last one first. */
  list(): SlowConsumer[] {
    return [...this.#byClient.values()].reverse();
  }

  #forgetOldest(): void {
    for (const key of this.#byClient.keys()) {
      this.#byClient.delete(key);
      return;
    }
  }
}

/** What a log line about it says beside its text, for logs with fields. */
export function fieldsOf(slow: SlowConsumer): Readonly<Record<string, unknown>> {
  return {
    cid: slow.cid,
    client_name: slow.name,
    account: slow.account,
    user: slow.user,
    lang: slow.lang,
    version: slow.version,
    ip: slow.ip,
    port: slow.port,
    reason: slow.reason,
    count: slow.count,
    pending_bytes: slow.pendingBytes,
    subjects: slow.subscriptions.map((subscription) => subscription.subject),
    last_subjects: [...new Set(slow.subscriptions.map((subscription) => subscription.lastSubject))],
  };
}

function busiest(connection: Connection): SlowSubscription[] {
  const kept: SlowSubscription[] = [];
  for (const { subject, queue, delivered, lastSubject } of connection.subscriptions.values()) {
    let at = kept.length;
    while (at > 0 && kept[at - 1]!.msgs < delivered) at--;
    if (at >= SLOW_SUBSCRIPTIONS_MAX) continue;
    // Bytes that are no UTF-8 are shown as U+FFFD, as connz does.
    const shown = { subject: subject.toWellFormed(), lastSubject: lastSubject.toWellFormed() };
    kept.splice(at, 0, { ...shown, queue: queue?.toWellFormed() ?? null, msgs: delivered });
    if (kept.length > SLOW_SUBSCRIPTIONS_MAX) kept.pop();
  }
  return kept;
}
