/** Tokens by index: nothing is cut out of the subject. */

export const DOT = 46;
export const STAR = 42;
export const GREATER = 62;

/** Index of the dot that ends the token at `start`, or the length of the subject. */
export function tokenEnd(subject: string, start: number): number {
  const dot = subject.indexOf('.', start);
  return dot === -1 ? subject.length : dot;
}

/** True if the token from `start` to `end` is the single character `code`. */
export function tokenIs(subject: string, start: number, end: number, code: number): boolean {
  return end === start + 1 && subject.charCodeAt(start) === code;
}
