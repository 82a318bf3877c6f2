import { hasWildcards, overlaps } from '@nats-ts/sublist';
import { OptionsError } from '../options-error.ts';
import type { PermissionsOptions, ResponsePermission, SubjectPermission } from './options.ts';
import { SubjectList } from './subject-list.ts';

/** Messages per reply subject when allow_responses is just `true`. */
const RESPONSES_MAX_MSGS = 1;
/** Milliseconds a reply subject may be answered when allow_responses is just `true`. */
const RESPONSES_EXPIRE_MS: number = 2 * 60_000;

/** Limits of allow_responses, defaults filled in; below 1 = unlimited. */
export interface ResponseLimits {
  readonly maxMsgs: number;
  readonly expiresMs: number;
}

/** What a user may do (spec/core.md 4.2). Immutable: one object serves all connections of the user. */
export class Permissions {
  /** null = allow_responses is off. */
  readonly responses: ResponseLimits | null;
  readonly #publishAllow: SubjectList | null;
  readonly #publishDeny: SubjectList | null;
  readonly #subscribeAllow: SubjectList | null;
  readonly #subscribeDeny: SubjectList | null;

  /** @throws OptionsError for subjects or queue groups that are none. */
  constructor(options: PermissionsOptions) {
    this.responses = responseLimits(options.responses);
    const publishAllow = options.publish?.allow ?? (this.responses === null ? undefined : []);
    this.#publishAllow = publishAllow === undefined ? null : new SubjectList(publishAllow, false);
    this.#publishDeny = list(options.publish, 'deny', false);
    this.#subscribeAllow = list(options.subscribe, 'allow', true);
    this.#subscribeDeny = list(options.subscribe, 'deny', true);
  }

  /** Publishing is restricted at all. */
  get limitsPublish(): boolean {
    return this.#publishAllow !== null || this.#publishDeny !== null;
  }

  /** The lists let it pass; answers are not considered. */
  mayPublish(subject: string): boolean {
    if (this.#publishAllow !== null && !this.#publishAllow.matches(subject)) return false;
    return this.#publishDeny === null || !this.#publishDeny.matches(subject);
  }

  maySubscribe(subject: string, queue: string | null): boolean {
    const allow = this.#subscribeAllow;
    if (allow !== null) {
      const byQueue = queue === null ? null : allow.includesQueue(subject, queue);
      if (!(byQueue ?? allow.includes(subject))) return false;
    }
    const deny = this.#subscribeDeny;
    if (deny === null) return true;
    return !deny.includes(subject) && (queue === null || deny.includesQueue(subject, queue) !== true);
  }

  /** A subscription that is allowed can still get messages that are denied: these are dropped at delivery. */
  needsDeliveryFilter(subject: string, queue: string | null): boolean {
    if (this.#subscribeDeny === null || (queue === null && !hasWildcards(subject))) return false;
    return this.#subscribeDeny.subjects.some((denied) => overlaps(denied, subject));
  }

  deniesDelivery(subject: string, queue: string | null): boolean {
    return this.#subscribeDeny?.matchesDelivery(subject, queue) ?? false;
  }
}

/** An empty list of a subscribe permission or of a deny restricts nothing, as in nats-server. */
function list(permission: SubjectPermission | undefined, key: 'allow' | 'deny', queues: boolean): SubjectList | null {
  const entries = permission?.[key];
  return entries === undefined || entries.length === 0 ? null : new SubjectList(entries, queues);
}

function responseLimits(responses: boolean | ResponsePermission | undefined): ResponseLimits | null {
  if (responses === undefined || responses === false) return null;
  const given: ResponsePermission = responses === true ? {} : responses;
  const maxMsgs = given.maxMsgs ?? RESPONSES_MAX_MSGS;
  const expiresMs = given.expiresMs ?? RESPONSES_EXPIRE_MS;
  if (!Number.isInteger(maxMsgs)) throw new OptionsError(`allow_responses max must be an integer, got ${maxMsgs}`);
  if (!Number.isFinite(expiresMs)) throw new OptionsError(`allow_responses ttl must be a duration, got ${expiresMs}`);
  return {
    maxMsgs: maxMsgs === 0 ? RESPONSES_MAX_MSGS : maxMsgs,
    expiresMs: expiresMs === 0 ? RESPONSES_EXPIRE_MS : expiresMs,
  };
}
