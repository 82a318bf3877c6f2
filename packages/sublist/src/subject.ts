/**
 * Rules about single subjects (spec/core.md 1.3): tokens are separated by dots and never empty; `*` alone stands for
 * one token; `>` alone, as the last token, for one or more. `a*`, `*x` and `foo>` are ordinary tokens.
 */
import { DOT } from './token.ts';

/** No token, or an empty one: at the start, at the end, or between two dots. */
export function hasEmptyToken(subject: string): boolean {
  const last = subject.length - 1;
  return last < 0 || subject.charCodeAt(0) === DOT || subject.charCodeAt(last) === DOT || subject.includes('..');
}

/** True if the character at `index` is a token of its own. */
function standsAlone(subject: string, index: number): boolean {
  return (
    (index === 0 || subject.charCodeAt(index - 1) === DOT) &&
    (index === subject.length - 1 || subject.charCodeAt(index + 1) === DOT)
  );
}

function findWildcardToken(subject: string, wildcard: '*' | '>'): number {
  let index = subject.indexOf(wildcard);
  while (index !== -1 && !standsAlone(subject, index)) index = subject.indexOf(wildcard, index + 1);
  return index;
}

/** True if a token is `*` or `>`, wherever it stands. Does not look at the validity of the rest. */
export function hasWildcards(subject: string): boolean {
  return findWildcardToken(subject, '*') !== -1 || findWildcardToken(subject, '>') !== -1;
}

/**
 * True if SUB accepts it: no empty tokens, and `>` only as the last token. Any character but the dot may be part of a
 * token. Equivalent to what Insert of nats-server's sublist checks.
 */
export function isSubscribable(subject: string): boolean {
  if (hasEmptyToken(subject)) return false;
  const tail = findWildcardToken(subject, '>');
  return tail === -1 || tail === subject.length - 1;
}

/**
 * True if a pedantic connection may publish to it: no empty tokens, no wildcard tokens. Any character but the dot may
 * be part of a token. Equivalent to IsValidLiteralSubject in nats-server.
 */
export function isLiteralSubject(subject: string): boolean {
  return !hasEmptyToken(subject) && !hasWildcards(subject);
}

const WHITESPACE = /[\t\n\f\r ]/;

/**
 * True for a subject that may stand in a configuration or a JetStream request, wildcards allowed: as `isSubscribable`,
 * and without blank, tab, CR, LF or FF. Equivalent to IsValidSubject in nats-server.
 */
export function isValidSubject(subject: string): boolean {
  return isSubscribable(subject) && !WHITESPACE.test(subject);
}

/** As `isValidSubject`, without wildcards. Equivalent to IsValidPublishSubject in nats-server. */
export function isValidPublishSubject(subject: string): boolean {
  return isLiteralSubject(subject) && !WHITESPACE.test(subject);
}

/** The tokens of a subject; empty ones included. */
export function tokens(subject: string): string[] {
  return subject.split('.');
}

/** Number of tokens; empty ones included. 0 for the empty string. */
export function tokenCount(subject: string): number {
  if (subject === '') return 0;
  let count = 1;
  for (let index = subject.indexOf('.'); index !== -1; index = subject.indexOf('.', index + 1)) count++;
  return count;
}
