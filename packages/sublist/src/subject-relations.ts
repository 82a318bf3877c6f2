/** How subjects relate to each other (spec/core.md 1.3). Patterns are expected to be valid. */
import { hasEmptyToken, hasWildcards } from './subject.ts';
import { DOT, GREATER, STAR, tokenEnd, tokenIs } from './token.ts';

function sameToken(a: string, aStart: number, aEnd: number, b: string, bStart: number, bEnd: number): boolean {
  const length = aEnd - aStart;
  if (length !== bEnd - bStart) return false;
  for (let index = 0; index < length; index++) {
    if (a.charCodeAt(aStart + index) !== b.charCodeAt(bStart + index)) return false;
  }
  return true;
}

/**
 * True if a message published on `literal` reaches a subscription to `pattern`. Wildcard tokens in `literal` are taken
 * literally; a `literal` with an empty token matches nothing.
 */
export function subjectMatches(literal: string, pattern: string): boolean {
  const literalLength = literal.length;
  const patternLength = pattern.length;
  let at = 0;
  let index = 0;
  // Character by character: no token is cut out, and most pairs differ within a few characters.
  while (index < patternLength) {
    const code = pattern.charCodeAt(index);
    const startsToken = index === 0 || pattern.charCodeAt(index - 1) === DOT;
    if (startsToken && code === GREATER && index === patternLength - 1) break;
    if (at >= literalLength) return false;
    if (startsToken && code === STAR && (index === patternLength - 1 || pattern.charCodeAt(index + 1) === DOT)) {
      at = tokenEnd(literal, at);
      index++;
      continue;
    }
    if (literal.charCodeAt(at) !== code) return false;
    at++;
    index++;
  }
  if (index === patternLength ? at !== literalLength : at >= literalLength) return false;
  return !hasEmptyToken(literal);
}

/**
 * True if every literal subject that `subject` matches is matched by `of` too. Either may have wildcards.
 * Equivalent to SubjectMatchesFilter in nats-server.
 */
export function isSubset(subject: string, of: string): boolean {
  if (!hasWildcards(subject)) return subjectMatches(subject, of);
  let start = 0;
  let ofStart = 0;
  while (ofStart <= of.length) {
    const ofEnd = tokenEnd(of, ofStart);
    if (start > subject.length) return false;
    if (tokenIs(of, ofStart, ofEnd, GREATER)) return true;
    const end = tokenEnd(subject, start);
    if (tokenIs(subject, start, end, GREATER)) return false;
    if (!tokenIs(of, ofStart, ofEnd, STAR) && !sameToken(subject, start, end, of, ofStart, ofEnd)) return false;
    start = end + 1;
    ofStart = ofEnd + 1;
  }
  return start > subject.length;
}

/**
 * True if some literal subject is matched by both. Either may have wildcards.
 * Equivalent to SubjectsCollide in nats-server.
 */
export function overlaps(a: string, b: string): boolean {
  if (a === b) return true;
  let aStart = 0;
  let bStart = 0;
  while (aStart <= a.length && bStart <= b.length) {
    const aEnd = tokenEnd(a, aStart);
    const bEnd = tokenEnd(b, bStart);
    if (tokenIs(a, aStart, aEnd, GREATER) || tokenIs(b, bStart, bEnd, GREATER)) return true;
    const free = tokenIs(a, aStart, aEnd, STAR) || tokenIs(b, bStart, bEnd, STAR);
    if (!free && !sameToken(a, aStart, aEnd, b, bStart, bEnd)) return false;
    aStart = aEnd + 1;
    bStart = bEnd + 1;
  }
  return aStart > a.length && bStart > b.length;
}
