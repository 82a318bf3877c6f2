import { hasWildcards, isSubset, isValidSubject, subjectMatches } from '@nats-ts/sublist';
import { OptionsError } from '../options-error.ts';

interface QueueEntry {
  readonly subject: string;
  readonly queue: string;
}

/** The subjects of an allow or deny list. Entries may name a queue group: `"foo workers"` (spec/core.md 4.2). */
export class SubjectList {
  readonly #plain: string[] = [];
  readonly #queued: QueueEntry[] = [];

  /** @throws OptionsError for an entry that is no subject, or no queue group where one is allowed. */
  constructor(entries: readonly string[], allowsQueues: boolean) {
    for (const entry of entries) {
      const [subject = '', queue, ...rest] = allowsQueues ? entry.trim().split(/\s+/) : [entry];
      if (rest.length > 0) throw new OptionsError(`invalid subject-queue "${entry}"`);
      if (!isValidSubject(subject)) throw new OptionsError(`subject "${subject}" is not a valid subject`);
      if (queue === undefined) this.#plain.push(subject);
      else if (isValidSubject(queue)) this.#queued.push({ subject, queue });
      else throw new OptionsError(`queue "${queue}" is not a valid queue`);
    }
  }

  /** A published or delivered subject, wildcards in it taken literally, matches an entry without a queue. */
  matches(subject: string): boolean {
    return this.#plain.some((entry) => subjectMatches(subject, entry));
  }

  /** As `matches`, or matches an entry whose queue covers `queue`. */
  matchesDelivery(subject: string, queue: string | null): boolean {
    if (this.matches(subject)) return true;
    return (
      queue !== null && this.#queued.some((entry) => subjectMatches(subject, entry.subject) && covers(entry, queue))
    );
  }

  /** A subscription is inside of an entry without a queue. */
  includes(subject: string): boolean {
    return this.#plain.some((entry) => isSubset(subject, entry));
  }

  /**
   * What the entries with a queue say about a subscription in `queue`: null when none of them is about its subject.
   */
  includesQueue(subject: string, queue: string): boolean | null {
    const about = this.#queued.filter((entry) => isSubset(subject, entry.subject));
    return about.length === 0 ? null : about.some((entry) => covers(entry, queue));
  }

  /** Subjects of all entries. */
  get subjects(): readonly string[] {
    return [...this.#plain, ...this.#queued.map((entry) => entry.subject)];
  }
}

function covers(entry: QueueEntry, queue: string): boolean {
  return entry.queue === queue || (hasWildcards(entry.queue) && isSubset(queue, entry.queue));
}
