import type { Permissions } from '../auth/permissions.ts';
import { REPLIES_MAX, REPLY_PRUNE_AT, REPLY_PRUNE_MS, VERDICTS_MAX } from '../limits.ts';
import type { Clock } from '../ports.ts';

interface OpenReply {
  sinceMs: number;
  answers: number;
}

/**
 * The permissions of a user as one connection meets them: verdicts are remembered per subject, and subjects of delivered
 * messages that may be answered (allow_responses) are kept track of.
 */
export class Access {
  readonly permissions: Permissions;
  readonly #clock: Clock;
  readonly #publish = new Map<string, boolean>();
  readonly #denied = new Map<string, boolean>();
  readonly #replies = new Map<string, OpenReply>();
  #repliesSincePrune = 0;
  #prunedMs: number;
  #filtersDeliveries = false;

  constructor(permissions: Permissions, clock: Clock) {
    this.permissions = permissions;
    this.#clock = clock;
    this.#prunedMs = clock.monotonicMs();
  }

  /** Some subscription can get messages that are denied. */
  get filtersDeliveries(): boolean {
    return this.#filtersDeliveries;
  }

  get tracksReplies(): boolean {
    return this.permissions.responses !== null;
  }

  /** Reply subjects that may be answered now. */
  get openReplies(): number {
    return this.#replies.size;
  }

  /** Asked once per message: an answer that is allowed counts as given. */
  mayPublish(subject: string): boolean {
    if (!this.permissions.limitsPublish) return true;
    return this.#isListed(subject) || this.#takeAnswer(subject);
  }

  maySubscribe(subject: string, queue: string | null): boolean {
    if (!this.permissions.maySubscribe(subject, queue)) return false;
    if (!this.#filtersDeliveries) this.#filtersDeliveries = this.permissions.needsDeliveryFilter(subject, queue);
    return true;
  }

  deniesDelivery(subject: string, queue: string | null): boolean {
    const key = queue === null ? subject : `${subject} ${queue}`;
    const known = this.#denied.get(key);
    if (known !== undefined) return known;
    const denied = this.permissions.deniesDelivery(subject, queue);
    remember(this.#denied, key, denied);
    return denied;
  }

  /** A message that wants an answer on `reply` was delivered. */
  delivered(reply: string): void {
    const limits = this.permissions.responses;
    if (limits === null || !this.permissions.limitsPublish || this.#isListed(reply)) return;
    const nowMs = this.#clock.monotonicMs();
    this.#replies.delete(reply);
    this.#replies.set(reply, { sinceMs: nowMs, answers: 0 });
    this.#repliesSincePrune++;
    if (this.#repliesSincePrune > REPLY_PRUNE_AT || nowMs - this.#prunedMs > REPLY_PRUNE_MS) this.#prune(nowMs);
    if (this.#replies.size > REPLIES_MAX) {
      for (const oldest of this.#replies.keys()) {
        this.#replies.delete(oldest);
        break;
      }
    }
  }

  #isListed(subject: string): boolean {
    const known = this.#publish.get(subject);
    if (known !== undefined) return known;
    const allowed = this.permissions.mayPublish(subject);
    remember(this.#publish, subject, allowed);
    return allowed;
  }

  #takeAnswer(subject: string): boolean {
    const limits = this.permissions.responses;
    const open = limits === null ? undefined : this.#replies.get(subject);
    if (limits === null || open === undefined) return false;
    open.answers++;
    const isOver =
      (limits.maxMsgs > 0 && open.answers > limits.maxMsgs) ||
      (limits.expiresMs > 0 && this.#clock.monotonicMs() - open.sinceMs > limits.expiresMs);
    if (isOver) this.#replies.delete(subject);
    return !isOver;
  }

  #prune(nowMs: number): void {
    const { maxMsgs, expiresMs } = this.permissions.responses!;
    for (const [subject, open] of this.#replies) {
      const isUsedUp = maxMsgs > 0 && open.answers >= maxMsgs;
      if (isUsedUp || (expiresMs > 0 && nowMs - open.sinceMs > expiresMs)) this.#replies.delete(subject);
    }
    this.#repliesSincePrune = 0;
    this.#prunedMs = nowMs;
  }
}

/** A full map is emptied: verdicts are cheap to work out again. */
function remember(verdicts: Map<string, boolean>, key: string, verdict: boolean): void {
  if (verdicts.size >= VERDICTS_MAX) verdicts.clear();
  verdicts.set(key, verdict);
}
