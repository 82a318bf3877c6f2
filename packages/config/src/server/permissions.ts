import { type ConfNode, type ConfPlace, goTypeName, goValueText } from '../conf/tree.ts';
import { durationMs, parseGoDuration } from '../go/duration.ts';
import { goQuote } from '../go/quote.ts';
import { asInteger, FieldError, type Findings } from './fields.ts';
import type { Permissions, ResponsePermission, SubjectPermission } from './server-config.ts';
import { subjectProblem } from './subject.ts';

const DEFAULT_RESPONSES: ResponsePermission = { maxMsgs: 1, expiresMs: 120_000 };

/**
 * Reads a permissions block: `publish`, `subscribe` and their aliases, `allow_responses` (spec/core.md 4.2).
 *
 * @throws FieldError when it is no map
 */
export function readPermissions(node: ConfNode, findings: Findings): Permissions {
  if (!(node.value instanceof Map)) {
    throw new FieldError(node.place, `Expected permissions to be a map/struct, got ${goValueText(node.value)}`);
  }
  let publish: SubjectPermission | null = null;
  let subscribe: SubjectPermission | null = null;
  let responses: ResponsePermission | null = null;
  for (const [key, child] of node.value) {
    switch (key.toLowerCase()) {
      case 'pub':
      case 'publish':
      case 'import':
        publish = findings.block(() => readSubjectPermission(child, findings, false)) ?? null;
        break;
      case 'sub':
      case 'subscribe':
      case 'export':
        subscribe = findings.block(() => readSubjectPermission(child, findings, true)) ?? null;
        break;
      case 'publish_allow_responses':
      case 'allow_responses':
        responses = findings.block(() => readResponses(child, findings)) ?? null;
        break;
      default:
        unknown(child, `Unknown field ${goQuote(key)} parsing permissions`, findings);
    }
  }
  // Leave to reply takes the leave to publish anywhere, unless a list of subjects gives it.
  if (responses !== null) publish = { allow: publish?.allow ?? [], deny: publish?.deny ?? null };
  return { publish, subscribe, responses };
}

function unknown(node: ConfNode, text: string, findings: Findings): void {
  if (!node.usedAsVariable) findings.problem(node.place, text);
}

/** A subject, a list of subjects, or a map of `allow` and `deny`; null for an empty map. */
function readSubjectPermission(node: ConfNode, findings: Findings, mayNameQueue: boolean): SubjectPermission | null {
  // nats-server names no place for what is wrong with the short forms.
  if (!(node.value instanceof Map)) return { allow: readSubjects(node, null, mayNameQueue), deny: null };
  if (node.value.size === 0) return null;
  let allow: string[] | null = null;
  let deny: string[] | null = null;
  for (const [key, child] of node.value) {
    const name = key.toLowerCase();
    if (name === 'allow') {
      allow = findings.block(() => readSubjects(child, child.place, mayNameQueue)) ?? null;
    } else if (name === 'deny') {
      deny = findings.block(() => readSubjects(child, child.place, mayNameQueue)) ?? null;
    } else {
      const text = `Unknown field name ${goQuote(key)} parsing subject permissions, only 'allow' or 'deny' are permitted`;
      unknown(child, text, findings);
    }
  }
  return { allow, deny };
}

function readSubjects(node: ConfNode, place: ConfPlace | null, mayNameQueue: boolean): string[] {
  const { value } = node;
  let subjects: string[];
  if (typeof value === 'string') {
    subjects = [value];
  } else if (Array.isArray(value)) {
    subjects = value.map(subjectOf);
  } else {
    const expected = 'Expected subject permissions to be a subject, or array of subjects';
    throw new FieldError(place, `${expected}, got ${goTypeName(value)}`);
  }
  for (const subject of subjects) {
    const problem = subjectProblem(subject, mayNameQueue);
    if (problem !== null) throw new FieldError(place, problem);
  }
  return subjects;
}

function subjectOf(node: ConfNode): string {
  if (typeof node.value === 'string') return node.value;
  throw new FieldError(node.place, 'Subject in permissions array cannot be cast to string');
}

/** `true`, or a map of how many and how long; 0 stands for the default. */
function readResponses(node: ConfNode, findings: Findings): ResponsePermission | null {
  const { value } = node;
  if (typeof value === 'boolean') return value ? DEFAULT_RESPONSES : null;
  if (!(value instanceof Map)) {
    throw new FieldError(node.place, 'error parsing response permissions, expected a boolean or a map');
  }
  let { maxMsgs, expiresMs } = DEFAULT_RESPONSES;
  for (const [key, child] of value) {
    switch (key.toLowerCase()) {
      case 'max':
      case 'max_msgs':
      case 'max_messages':
      case 'max_responses':
        maxMsgs = asInteger(child) || maxMsgs;
        break;
      case 'expires':
      case 'expiration':
      case 'ttl':
        expiresMs = readExpires(child) || expiresMs;
        break;
      default:
        unknown(child, `Unknown field ${goQuote(key)} parsing permissions`, findings);
    }
  }
  return { maxMsgs, expiresMs };
}

function readExpires(node: ConfNode): number {
  if (typeof node.value !== 'string') {
    throw new FieldError(node.place, 'error parsing expires, not a duration string');
  }
  const parsed = parseGoDuration(node.value);
  if (!parsed.ok) throw new FieldError(node.place, `error parsing expires: ${parsed.error}`);
  return durationMs(parsed.ns);
}
