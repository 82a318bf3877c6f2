import type { SubjectFilter } from '../store.ts';

/** True for a filter that takes every subject. */
export function takesAll(filter: SubjectFilter | null): boolean {
  return filter === null || filter.subjects.includes('>');
}

/** True if no filter subject has a wildcard token, so that each can be looked up. */
export function isLiteralFilter(filter: SubjectFilter): boolean {
  for (const subject of filter.subjects) {
    for (let at = 0; at < subject.length; ) {
      const dot = subject.indexOf('.', at);
      const end = dot < 0 ? subject.length : dot;
      if (end - at === 1 && (subject[at] === '*' || subject[at] === '>')) return false;
      at = end + 1;
    }
  }
  return true;
}
