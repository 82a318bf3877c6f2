import type { CloseReason } from '@nats-ts/protocol';
import type { Connection } from '../connection/connection.ts';
import { authUser } from '../connection/identity.ts';
import type { Subscription } from '../delivery/subscription.ts';
import { goDurationOfMs, goTime, uptime } from '../go-format.ts';

/** A subscription as connz and subsz show it. */
export interface SubscriptionDetail {
  readonly account?: string;
  readonly account_tag?: string;
  readonly subject: string;
  readonly qgroup?: string;
  readonly sid: string;
  readonly msgs: number;
  readonly max?: number;
  readonly cid: number;
}

/** A connection as connz shows it, open or closed: values only, so that a closed one holds on to nothing. */
export interface ConnectionRecord {
  readonly cid: number;
  readonly ip: string;
  readonly port: number;
  readonly startMs: number;
  readonly lastActivityMs: number;
  /** null = open. */
  readonly stopMs: number | null;
  readonly reason: CloseReason | null;
  readonly rttMs: number;
  readonly pendingBytes: number;
  readonly inMsgs: number;
  readonly outMsgs: number;
  readonly inBytes: number;
  readonly outBytes: number;
  readonly stalls: number;
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  readonly tls: Connection['tls'];
  readonly user: string;
  readonly account: string;
  readonly subscriptionCount: number;
  readonly subscriptions: () => readonly SubscriptionDetail[];
}

/** Most subscriptions of a closed connection that are remembered. */
export const CLOSED_SUBSCRIPTIONS_MAX = 1024;

export function detailOf(subscription: Subscription, cid: number): SubscriptionDetail {
  return {
    // Bytes that are no UTF-8 are shown as U+FFFD, as Go's JSON does.
    subject: subscription.subject.toWellFormed(),
    ...(subscription.queue === null ? {} : { qgroup: subscription.queue.toWellFormed() }),
    sid: subscription.sid,
    msgs: subscription.delivered,
    ...(subscription.max === 0 ? {} : { max: subscription.max }),
    cid,
  };
}

/** The connection as it stands now. */
export function recordOf(connection: Connection): ConnectionRecord {
  const { options, cid } = connection;
  return {
    cid,
    ip: connection.ip,
    port: connection.port,
    startMs: connection.startMs,
    lastActivityMs: connection.lastActivityMs,
    stopMs: null,
    reason: null,
    rttMs: connection.pinger.rttMs,
    pendingBytes: connection.outbound.pending,
    inMsgs: connection.inMsgs,
    outMsgs: connection.outMsgs,
    inBytes: connection.inBytes,
    outBytes: connection.outBytes,
    stalls: connection.backpressure.stalls,
    name: options.name,
    lang: options.lang,
    version: options.version,
    tls: connection.tls,
    user: authUser(options),
    account: connection.account.name,
    subscriptionCount: connection.subscriptions.size,
    subscriptions: () => [...connection.subscriptions.values()].map((subscription) => detailOf(subscription, cid)),
  };
}

/** The connection as it was when it closed. Its subscriptions name their account, and no maximum, as in nats-server. */
export function closedRecordOf(connection: Connection, reason: CloseReason, stopMs: number): ConnectionRecord {
  const details: SubscriptionDetail[] = [];
  for (const subscription of connection.subscriptions.values()) {
    if (details.length === CLOSED_SUBSCRIPTIONS_MAX) break;
    const { max: _max, ...detail } = detailOf(subscription, connection.cid);
    details.push({ account: connection.account.name, account_tag: connection.account.name, ...detail });
  }
  return { ...recordOf(connection), stopMs, reason, subscriptions: () => details };
}

/** How much to show. */
export interface RenderOptions {
  readonly auth: boolean;
  readonly subs: 'no' | 'list' | 'detail';
}

/** The JSON object of connz, fields in nats-server's order (spec/core.md 8.2). */
export function render(record: ConnectionRecord, options: RenderOptions, nowMs: number): object {
  const showsSubs = record.subscriptionCount > 0;
  return {
    cid: record.cid,
    kind: 'Client',
    type: 'nats',
    ip: record.ip,
    port: record.port,
    start: goTime(record.startMs),
    last_activity: goTime(record.lastActivityMs),
    stop: record.stopMs === null ? undefined : goTime(record.stopMs),
    reason: record.reason ?? undefined,
    rtt: goDurationOfMs(record.rttMs),
    uptime: uptime((record.stopMs ?? nowMs) - record.startMs),
    idle: uptime((record.stopMs ?? nowMs) - record.lastActivityMs),
    pending_bytes: record.pendingBytes,
    in_msgs: record.inMsgs,
    out_msgs: record.outMsgs,
    in_bytes: record.inBytes,
    out_bytes: record.outBytes,
    stalls: record.stalls || undefined,
    subscriptions: record.subscriptionCount,
    name: record.name || undefined,
    lang: record.lang || undefined,
    version: record.version || undefined,
    tls_version: record.tls?.version,
    tls_cipher_suite: record.tls?.cipherSuite,
    tls_first: record.tls?.isFirst || undefined,
    authorized_user: (options.auth && record.user) || undefined,
    account: options.auth && record.account !== '$G' ? record.account : undefined,
    subscriptions_list:
      options.subs === 'list' && showsSubs ? record.subscriptions().map(({ subject }) => subject) : undefined,
    subscriptions_list_detail: options.subs === 'detail' && showsSubs ? record.subscriptions() : undefined,
    name_tag: options.auth && (record.stopMs === null || record.account !== '$G') ? record.account : undefined,
  };
}
