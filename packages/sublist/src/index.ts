export { type CompiledFilter, compileFilter } from './filter.ts';
export type { InterestCallback } from './interest.ts';
export { MATCH_CACHE_CHANGES, MATCH_CACHE_MAX, MATCH_CACHE_OPEN, MATCH_CACHE_VALUES_MAX } from './match-cache.ts';
export type { Matches, QueueMatch } from './matches.ts';
export {
  hasEmptyToken,
  hasWildcards,
  isLiteralSubject,
  isSubscribable,
  isValidPublishSubject,
  isValidSubject,
  tokenCount,
  tokens,
} from './subject.ts';
export { isSubset, overlaps, subjectMatches } from './subject-relations.ts';
export { SUBJECT_SET_STEPS_MAX, SubjectSet, TooManySubjects } from './subject-set.ts';
export { SubjectTransform, type TransformOptions } from './subject-transform.ts';
export { SubjectTree } from './subject-tree.ts';
export type { SubjectTreeCallback } from './subject-walk.ts';
export { Sublist, type SublistOptions, type SublistStats } from './sublist.ts';
export { TransformError } from './transform-error.ts';
