import { goQuote, WIRE_ERRORS } from '@nats-ts/protocol';
import { tokenCount } from '@nats-ts/sublist';
import { Subscription } from '../delivery/subscription.ts';
import type { Connection } from './connection.ts';

/** Queue group of the server itself. */
const SYSTEM_QUEUE = '_sys_';
/** "maximum subscriptions exceeded" is logged at most this often per account. */
const LIMIT_LOG_MS = 2000;

/** SUB. Checks in nats-server's order (spec/core.md 1.3); a refused one leaves the connection open. */
export function subscribe(connection: Connection, subject: string, queue: string | null, sid: string): void {
  const { settings } = connection.context;
  if (queue === SYSTEM_QUEUE || !connection.maySubscribe(subject, queue)) {
    refuse(connection, subject, queue, sid);
    return;
  }
  if (settings.maxSubTokens > 0 && tokenCount(subject) > settings.maxSubTokens) {
    const text = `Permissions Violation for Subscription to ${goQuote(subject)}, too many tokens`;
    connection.sendError(text);
    connection.log.error(`Subscription Violation Too Many Tokens - Subject ${goQuote(subject)}, SID ${sid}`);
    return;
  }
  if (settings.maxSubscriptions > 0 && connection.subscriptions.size >= settings.maxSubscriptions) {
    limitReached(connection);
    return;
  }
  // A sid that is in use keeps its subscription.
  if (!connection.subscriptions.has(sid)) {
    const subscription = new Subscription(subject, queue, sid, 'client', connection, null);
    if (!connection.account.subscribe(subscription)) {
      connection.sendError(WIRE_ERRORS.invalidSubject);
      return;
    }
    connection.subscriptions.set(sid, subscription);
  }
  if (connection.options.verbose) connection.sendOk();
}

/** UNSUB; `max` 0 = now. An unknown sid is ignored. */
export function unsubscribe(connection: Connection, sid: string, max: number): void {
  const subscription = connection.subscriptions.get(sid);
  if (connection.options.verbose) connection.sendOk();
  if (subscription === undefined) return;
  if (max > subscription.delivered) {
    subscription.max = max;
    return;
  }
  subscription.max = 0;
  connection.removeSubscription(subscription);
}

function refuse(connection: Connection, subject: string, queue: string | null, sid: string): void {
  connection.context.counters.permissionViolations++;
  const to = `Permissions Violation for Subscription to ${goQuote(subject)}`;
  if (queue === null) {
    connection.sendError(to);
    connection.log.error(`Subscription Violation - Subject ${goQuote(subject)}, SID ${sid}`);
  } else {
    connection.sendError(`${to} using queue ${goQuote(queue)}`);
    connection.log.error(`Subscription Violation - Subject ${goQuote(subject)}, Queue: ${goQuote(queue)}, SID ${sid}`);
  }
}

function limitReached(connection: Connection): void {
  const { account, context } = connection;
  const nowMs = context.clock.monotonicMs();
  if (nowMs - account.subscriptionsLoggedMs >= LIMIT_LOG_MS) {
    account.subscriptionsLoggedMs = nowMs;
    connection.log.error(WIRE_ERRORS.maxSubscriptions);
  }
  connection.sendError(WIRE_ERRORS.maxSubscriptions);
}
