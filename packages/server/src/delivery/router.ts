import type { PublishArgs } from '@nats-ts/protocol';
import type { Matches, QueueMatch } from '@nats-ts/sublist';
import type { Account } from '../account.ts';
import type { Arena } from '../connection/arena.ts';
import type { Connection } from '../connection/connection.ts';
import { checkPublish, isReservedReply, maySubjectBeReserved } from '../connection/publish-checks.ts';
import type { ClientInfo, StandingMessage } from '../internal-message.ts';
import { DELIVERIES_FREE, LOOKUP_WORK } from '../limits.ts';
import type { Ids, Logger } from '../ports.ts';
import { MessageFrame } from './message-frame.ts';
import type { Subscription } from './subscription.ts';

/**
 * Messages delivered from within the delivery of another one, by subscribers inside the process; deeper ones are
 * dropped with an error in the log, because only a loop gets there.
 */
export const DELIVERY_DEPTH_MAX = 32;

/** Brings messages to their subscribers: every plain one, and one member of each queue group (spec/core.md 1.4). */
export class Router {
  readonly #ids: Ids;
  readonly #logger: Logger;
  readonly #skipsSlow: boolean;
  readonly #arena: Arena | null;
  readonly #frames: MessageFrame[] = [];
  #depth = 0;

  constructor(ids: Ids, logger: Logger, noFastProducerStall: boolean, arena: Arena | null) {
    this.#arena = arena;
    this.#ids = ids;
    this.#logger = logger;
    this.#skipsSlow = noFastProducerStall;
  }

  /** PUB or HPUB of a client. `origin` as in `MessageFrame.setPublished`. */
  publish(client: Connection, args: PublishArgs, origin: number): void {
    const account = client.account;
    const entry = account.recall(args.buffer, args.subjectStart, args.subjectEnd);
    let route = entry.value;
    if (route === null || entry.generation !== account.sublist.generation) {
      route = account.route(entry);
      client.intake.worked(LOOKUP_WORK + (entry.subject.length >> 2));
    }
    if (client.checksPublishes || maySubjectBeReserved(args) || (args.replyStart >= 0 && isReservedReply(args))) {
      if (!checkPublish(client, args, entry.subject)) return;
    }
    let delivered = 0;
    if (route.plain.length > 0 || route.queues.length > 0) {
      const frame = this.#begin(entry.subject);
      if (frame === null) return;
      try {
        frame.setPublished(client, entry.subject, args, origin);
        delivered = this.#deliver(frame, route);
      } finally {
        this.#end(frame);
      }
      if (delivered > DELIVERIES_FREE) client.intake.worked(delivered);
    }
    if (delivered === 0 && args.replyStart >= 0 && client.wantsNoResponders)
      client.sendNoResponders(entry.subject, args);
  }

  /**
   * A message of the server itself: matched by `to`, `subject` on the wire. Returns how many got it. The bytes are
   * copied before it returns.
   */
  deliver(
    account: Account,
    to: string,
    subject: string,
    reply: string | null,
    header: Uint8Array | null,
    payload: Uint8Array | null,
  ): number {
    const matches = account.sublist.match(to);
    if (matches.plain.length === 0 && matches.queues.length === 0) return 0;
    const frame = this.#begin(subject);
    if (frame === null) return 0;
    try {
      frame.setInternal(subject, reply, header, payload);
      return this.#deliver(frame, matches);
    } finally {
      this.#end(frame);
    }
  }

  /** A message of a part of this process that acts as a client; `reply` and the bytes as with `deliver`. */
  deliverAs(
    client: ClientInfo,
    account: Account,
    subject: string,
    reply: string | null,
    header: Uint8Array | null,
    payload: Uint8Array | null,
  ): number {
    const matches = account.sublist.match(subject);
    if (matches.plain.length === 0 && matches.queues.length === 0) return 0;
    const frame = this.#begin(subject);
    if (frame === null) return 0;
    try {
      frame.setInternal(subject, reply, header, payload);
      frame.actor = client;
      return this.#deliver(frame, matches);
    } finally {
      frame.actor = null;
      this.#end(frame);
    }
  }

  /** As `deliver`, for a message that stands in buffers. */
  deliverStored(account: Account, to: string, message: StandingMessage): number {
    const matches = account.sublist.match(to);
    if (matches.plain.length === 0 && matches.queues.length === 0) return 0;
    const frame = this.#begin(message.subject);
    if (frame === null) return 0;
    try {
      frame.setStored(message);
      return this.#deliver(frame, matches);
    } finally {
      this.#end(frame);
    }
  }

  #begin(subject: string): MessageFrame | null {
    const depth = this.#depth;
    if (depth >= DELIVERY_DEPTH_MAX) {
      this.#logger.error(`Message on "${subject}" dropped: it is ${depth} deliveries deep in a loop`);
      return null;
    }
    this.#depth = depth + 1;
    let frame = this.#frames[depth];
    if (frame === undefined) {
      frame = new MessageFrame(this.#arena);
      this.#frames.push(frame);
    }
    return frame;
  }

  #end(frame: MessageFrame): void {
    this.#depth--;
    // Memory of the arena is nobody's; anything else is let go.
    if (frame.bodyAddress < 0) frame.release();
  }

  #deliver(frame: MessageFrame, route: Matches<Subscription>): number {
    const plain = route.plain;
    let delivered = 0;
    for (let i = 0; i < plain.length; i++) {
      if (this.#deliverTo(plain[i]!, frame)) delivered++;
    }
    const queues = route.queues;
    for (let i = 0; i < queues.length; i++) {
      if (this.#deliverToGroup(queues[i]!, frame)) delivered++;
    }
    return delivered;
  }

  /** A random member, or, if that one cannot take it, the next that can. */
  #deliverToGroup(group: QueueMatch<Subscription>, frame: MessageFrame): boolean {
    const members = group.members;
    const count = members.length;
    let index = count === 1 ? 0 : Math.floor(this.#ids.random() * count);
    for (let tried = 0; tried < count; tried++) {
      if (this.#deliverTo(members[index]!, frame)) return true;
      if (++index === count) index = 0;
    }
    return false;
  }

  /** A mistake in a subscriber inside the process must not hit the publisher. */
  #call(subscription: Subscription, frame: MessageFrame): boolean {
    frame.publisher?.intake.worked(subscription.work);
    try {
      subscription.delivered++;
      return subscription.callback!(frame);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#logger.error(`Internal subscription on "${subscription.subject}" failed: ${text}`);
      return false;
    }
  }

  #deliverTo(subscription: Subscription, frame: MessageFrame): boolean {
    if (subscription.isClosed) return false;
    const target = subscription.connection;
    if (target === null) return this.#call(subscription, frame);
    const publisher = frame.publisher;
    if (target === publisher && !target.echo) return false;
    if (target.deniesDeliveries && target.deniesDelivery(frame.subject, subscription.queue)) return false;
    if (target.outbound.pending > target.stallBytes && publisher !== null) {
      if (this.#skipsSlow) return false;
      target.backpressure.stall(publisher);
    }
    const delivered = ++subscription.delivered;
    target.deliver(subscription, frame);
    if (delivered === subscription.max) target.reachedMax(subscription);
    return true;
  }
}
