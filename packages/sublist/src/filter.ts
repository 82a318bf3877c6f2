import { PatternTrie } from './pattern-trie.ts';
import { hasEmptyToken, hasWildcards } from './subject.ts';
import { subjectMatches } from './subject-relations.ts';

/** Patterns a filter tries one by one; more of them go into a trie. */
const FILTER_SCAN_MAX = 4;

/** A set of subjects and patterns, prepared for many tests. */
export interface CompiledFilter {
  /** As given. */
  readonly subjects: readonly string[];
  /** True if the literal subject matches one of them. */
  readonly matches: (subject: string) => boolean;
}

function compilePattern(pattern: string): (subject: string) => boolean {
  if (pattern === '>') return (subject) => !hasEmptyToken(subject);
  if (!hasWildcards(pattern)) return (subject) => subject === pattern;
  const prefix = pattern.slice(0, -1);
  if (pattern.endsWith('.>') && !hasWildcards(prefix.slice(0, -1))) {
    return (subject) => subject.startsWith(prefix) && !hasEmptyToken(subject);
  }
  return (subject) => subjectMatches(subject, pattern);
}

function compilePatterns(patterns: readonly string[]): (subject: string) => boolean {
  if (patterns.length > FILTER_SCAN_MAX) {
    const trie = new PatternTrie<true>();
    for (const pattern of patterns) trie.set(pattern, true);
    return (subject) => !hasEmptyToken(subject) && trie.matches(subject);
  }
  const tests = patterns.map(compilePattern);
  return (subject) => {
    for (const test of tests) {
      if (test(subject)) return true;
    }
    return false;
  };
}

/**
 * Prepares subjects (wildcards allowed) for testing many literal subjects against them. An empty list matches nothing.
 * The subjects are expected to be valid.
 */
export function compileFilter(subjects: readonly string[]): CompiledFilter {
  if (subjects.length === 1) return { subjects, matches: compilePattern(subjects[0]!) };
  const literals = new Set(subjects.filter((subject) => !hasWildcards(subject)));
  const matchesPattern = compilePatterns(subjects.filter(hasWildcards));
  if (literals.size === 0) return { subjects, matches: matchesPattern };
  return { subjects, matches: (subject) => literals.has(subject) || matchesPattern(subject) };
}
