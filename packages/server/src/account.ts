import { RecentSubjects, type SubjectEntry } from '@nats-ts/protocol';
import { type Matches, Sublist } from '@nats-ts/sublist';
import type { Connection } from './connection/connection.ts';
import type { Subscription } from './delivery/subscription.ts';
import { InterestWatches } from './interest-watches.ts';
import { Traffic } from './traffic.ts';

/** Name of the account every user is in. */
export const GLOBAL_ACCOUNT = '$G';
/** Name of the account of the server itself. */
export const SYSTEM_ACCOUNT = '$SYS';

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
  #recent: RecentSubjects<Matches<Subscription>> | null = null;

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
    this.forget(subscription);
  }

  /** Takes out a subscription that is closed already, and gets nothing since then. */
  forget(subscription: Subscription): void {
    this.sublist.remove(subscription.subject, subscription.queue, subscription);
    this.#watches.changed(subscription.subject);
  }

  /** Calls back whenever `isInterested` changes because of a subscription to exactly the literal `subject`. */
  watchInterest(
    subject: string,
    isInterested: () => boolean,
    callback: (interested: boolean) => void,
  ): { close(): void } {
    return this.#watches.add(subject, isInterested, callback);
  }

  /** Clients may not publish to it, whatever their permissions (spec/core.md 1.3). */
  isReserved(subject: string): boolean {
    if (subject.startsWith('_GR_.')) return subject.length > '_GR_.'.length;
    return subject.startsWith('$NRG.') && !this.isSystem;
  }

  /** What is remembered about the subject in `source[start, end)`; ask `route` for where it leads. */
  recall(source: Buffer, start: number, end: number): SubjectEntry<Matches<Subscription>> {
    this.#recent ??= new RecentSubjects();
    return this.#recent.lookup(source, start, end);
  }

  /** Where the subject of `entry` leads now. */
  route(entry: SubjectEntry<Matches<Subscription>>): Matches<Subscription> {
    const { generation } = this.sublist;
    if (entry.value !== null && entry.generation === generation) return entry.value;
    const matches = this.sublist.match(entry.subject);
    entry.value = matches;
    entry.generation = generation;
    return matches;
  }
}
