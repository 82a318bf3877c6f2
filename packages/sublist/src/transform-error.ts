/**
 * A subject transform that cannot be. The message is the text nats-server has for it (spec/core.md 11), without what
 * the place where it stands puts in front.
 */
export class TransformError extends Error {
  override readonly name = 'TransformError';
}

/** What can be wrong with a destination token. */
export type DestinationProblem =
  | 'unknown function'
  | 'wildcard index out of range'
  | 'not enough arguments passed to the function'
  | 'too many arguments passed to the function'
  | 'function argument is invalid or in the wrong format'
  | 'not using all of the token wildcard(s)'
  | 'the only mapping function allowed for import transforms is {{Wildcard()}}';

export function destinationError(problem: DestinationProblem, where: string): TransformError {
  return new TransformError(`invalid mapping destination: ${problem} in ${where}`);
}
