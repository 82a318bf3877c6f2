import { RecentSubjects, type SubjectEntry } from '@nats-ts/protocol';
import { isLiteralSubject, type QueueMatch, Sublist } from '@nats-ts/sublist';
import type { Connection } from './connection/connection.ts';
import type { Subscription } from './delivery/subscription.ts';
import { InterestWatches } from './interest-watches.ts';
import { Traffic } from './traffic.ts';

/** Name of the account every user is in. */
export const GLOBAL_ACCOUNT = '$G';
/** Name of the account of the server itself. */
export const SYSTEM_ACCOUNT = '$SYS';

/** What is known about a subject that is published to, as long as nobody subscribes or unsubscribes. */
export interface Route {
  readonly plain: readonly Subscription[];
  readonly queues: readonly QueueMatch<Subscription>[];
  /** Clients may not publish to it, whatever their permissions (spec/core.md 1.3). */
  readonly isReserved: boolean;
  /** No empty tokens, no wildcard tokens: pedantic connections insist on it. */
  readonly isLiteral: boolean;
}

function isReserved(subject: string, isSystem: boolean): boolean {
  if (subject.startsWith('_GR_.')) return subject.length > '_GR_.'.length;
  return subject.startsWith('$NRG.') && !isSystem;
}

/** A world of subjects of its own. Messages of different accounts never meet. */
export class Account {
  readonly name: string;
  readonly isSystem: boolean;
  readonly createdMs: number;
  readonly sublist: Sublist<Subscription>;
  readonly connections: Set<Connection> = new Set();
  /** Traffic of connections that are gone. */
  readonly past: Traffic = new Traffic();
  slowConsumers = 0;
  /** Moment of the last "maximum subscriptions exceeded" line, for at most one every two seconds. */
  subscriptionsLoggedMs: number = Number.NEGATIVE_INFINITY;
  readonly #watches = new InterestWatches();
  #recent: RecentSubjects<Route> | null = null;

  constructor(name: string, isSystem: boolean, createdMs: number, noSublistCache: boolean) {
    this.name = name;
    this.isSystem = isSystem;
    this.createdMs = createdMs;
    this.sublist = new Sublist(noSublistCache ? { cacheMax: 0 } : {});
  }

  /** False for a subject that nobody can subscribe to. */
  subscribe(subscription: Subscription): boolean {
    if (!this.sublist.insert(subscription.subject, subscription.queue, subscription)) return false;
    this.#watches.changed(subscription.subject);
    return true;
  }

  /** Ends a subscription; a second call does nothing. */
  unsubscribe(subscription: Subscription): void {
    if (subscription.isClosed) return;
    subscription.isClosed = true;
    this.sublist.remove(subscription.subject, subscription.queue, subscription);
    this.#watches.changed(subscription.subject);
  }

  /** Calls back whenever `isInterested` changes because of a subscription that matches the literal `subject`. */
  watchInterest(
    subject: string,
    isInterested: () => boolean,
    callback: (interested: boolean) => void,
  ): { close(): void } {
    return this.#watches.add(subject, isInterested, callback);
  }

  /** What is remembered about the subject in `source[start, end)`; ask `route` for where it leads. */
  recall(source: Buffer, start: number, end: number): SubjectEntry<Route> {
    this.#recent ??= new RecentSubjects();
    return this.#recent.lookup(source, start, end);
  }

  /** Where the subject of `entry` leads now. */
  route(entry: SubjectEntry<Route>): Route {
    const generation = this.sublist.generation;
    if (entry.value !== null && entry.generation === generation) return entry.value;
    const subject = entry.subject;
    const { plain, queues } = this.sublist.match(subject);
    const route: Route = {
      plain,
      queues,
      isReserved: isReserved(subject, this.isSystem),
      isLiteral: entry.value?.isLiteral ?? isLiteralSubject(subject),
    };
    entry.value = route;
    entry.generation = generation;
    return route;
  }
}
