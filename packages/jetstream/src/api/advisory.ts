import type { Host, HostAccount } from '../host.ts';
import { encodeJson } from '../json/encode.ts';
import { formatTime } from '../json/go-time.ts';

/** True if somebody listens to the event subject: a client, or a stream that captures it. */
export function hasAdvisoryInterest(account: HostAccount, subject: string): boolean {
  return account.hasListeners(subject);
}

/**
 * Publishes an event (`type`, `id`, `timestamp`, then the fields) in the account if somebody listens.
 * @param subject full subject, e.g. `$JS.EVENT.ADVISORY.STREAM.CREATED.orders`
 * @param type full type, e.g. `io.nats.jetstream.advisory.v1.stream_action`
 */
export function publishAdvisory(
  host: Host,
  account: HostAccount,
  subject: string,
  type: string,
  fields: Readonly<Record<string, unknown>>,
): void {
  if (!hasAdvisoryInterest(account, subject)) return;
  const event = { type, id: host.ids.nuid(), timestamp: formatTime(host.clock.now(), 0), ...fields };
  account.deliver(subject, subject, null, null, Buffer.from(encodeJson(event)));
}
