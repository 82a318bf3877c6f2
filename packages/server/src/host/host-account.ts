import { isLiteralSubject } from '@nats-ts/sublist';
import type { Account } from '../account.ts';
import { Subscription } from '../delivery/subscription.ts';
import type { ClientInfo, InternalCallback, StandingMessage } from '../internal-message.ts';
import type { AccountJetStreamLimits } from '../options.ts';
import type { HostParts } from './jetstream-host.ts';

/** Something that can be ended; a second call does nothing. */
export interface Closable {
  close(): void;
}

/** An account as JetStream sees it: subscriptions inside the process, interest, and delivery. */
export class HostAccount {
  readonly name: string;
  /** null = JetStream is not enabled for it. */
  readonly jetstreamLimits: AccountJetStreamLimits | null;
  readonly #account: Account;
  readonly #parts: HostParts;

  constructor(account: Account, limits: AccountJetStreamLimits | null, parts: HostParts) {
    this.name = account.name;
    this.jetstreamLimits = limits;
    this.#account = account;
    this.#parts = parts;
  }

  /** Subscribes inside the process; the callback runs in the publisher's turn. Throws for an invalid subject. */
  subscribe(subject: string, queue: string | null, callback: InternalCallback): Closable {
    const subscription = new Subscription(subject, queue, '', 'jetstream', null, callback);
    const account = this.#account;
    if (!account.subscribe(subscription)) {
      throw new TypeError(`cannot subscribe to "${subject}": it is not a valid subject`);
    }
    return { close: () => account.unsubscribe(subscription) };
  }

  /** True if somebody is subscribed to exactly this subject, plainly or in `queue`: a client, or JetStream itself. */
  hasInterest(subject: string, queue: string | null): boolean {
    const { plain, queues } = this.#account.sublist.match(subject);
    const isExact = (subscription: Subscription): boolean => subscription.subject === subject && isOpen(subscription);
    if (queue === null) return plain.some(isExact);
    return queues.some((group) => group.queue === queue && group.members.some(isExact));
  }

  /** True if a message on `subject` would reach anybody at all, by a pattern, in a queue group, inside of JetStream. */
  hasListeners(subject: string): boolean {
    const { plain, queues } = this.#account.sublist.match(subject);
    return plain.some(isOpen) || queues.some((group) => group.members.some(isOpen));
  }

  /** Calls back whenever `hasInterest` of the literal subject changes. */
  onInterest(subject: string, queue: string | null, callback: (interested: boolean) => void): Closable {
    if (!isLiteralSubject(subject)) {
      throw new TypeError(`interest can be watched for literal subjects only, not for "${subject}"`);
    }
    return this.#account.watchInterest(subject, () => this.hasInterest(subject, queue), callback);
  }

  /** Matches by `to`, writes `subject`; returns how many got it. The bytes are copied before it returns. */
  deliver(
    to: string,
    subject: string,
    reply: string | null,
    header: Uint8Array | null,
    payload: Uint8Array | null,
  ): number {
    const { counters, router } = this.#parts;
    const delivered = router.deliver(this.#account, to, subject, reply, header, payload);
    counters.internal.inMsgs++;
    counters.internal.inBytes += (header?.length ?? 0) + (payload?.length ?? 0);
    return delivered;
  }

  /**
   * Publishes as a client does, for a part of this process that is one in all but its connection: unlike what the server
   * itself sends, requests to JetStream are answered. Returns how many got it; 0 = no responders.
   */
  publishAs(
    client: ClientInfo,
    subject: string,
    reply: string | null,
    header: Uint8Array | null,
    payload: Uint8Array | null,
  ): number {
    const { counters, router } = this.#parts;
    const delivered = router.deliverAs(client, this.#account, subject, reply, header, payload);
    counters.internal.inMsgs++;
    counters.internal.inBytes += (header?.length ?? 0) + (payload?.length ?? 0);
    return delivered;
  }

  /** The same for a message that stands in buffers: no view is made of them, no string of the reply. */
  deliverStored(to: string, message: StandingMessage): number {
    const { counters, router } = this.#parts;
    const delivered = router.deliverStored(this.#account, to, message);
    counters.internal.inMsgs++;
    counters.internal.inBytes += message.payloadEnd - message.headerStart;
    return delivered;
  }
}

/** Closed ones may still be waiting to be taken out. */
function isOpen(subscription: Subscription): boolean {
  return !subscription.isClosed;
}
