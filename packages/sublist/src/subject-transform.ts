import { hasWildcards, isLiteralSubject, isSubscribable, tokenCount } from './subject.ts';
import { subjectMatches } from './subject-relations.ts';
import { tokenEnd } from './token.ts';
import { destinationError, TransformError } from './transform-error.ts';
import { cutToken, partitionOf, randomBelow, splitToken } from './transform-functions.ts';
import { parseStep, type TransformStep } from './transform-step.ts';

/** Options of a SubjectTransform. */
export interface TransformOptions {
  /** A number in [0, 1), for `{{random(n)}}`. */
  readonly random: () => number;
  /**
   * True for stream and service imports, whose transforms must be reversible: all wildcards of the source are used,
   * and no function but `wildcard`. Default false.
   */
  readonly strict?: boolean;
}

/** Positions of the `*` tokens of a subject. */
function wildcardPositions(sourceTokens: readonly string[]): number[] {
  const positions: number[] = [];
  for (const [position, token] of sourceTokens.entries()) {
    if (token === '*') positions.push(position);
  }
  return positions;
}

/** Turns the wildcard numbers of a step into positions of source tokens. */
function resolveStep(step: TransformStep, token: string, positions: readonly number[]): TransformStep {
  if (step.kind === 'literal' || step.kind === 'random') return step;
  const wildcards = step.wildcards.map((number) => {
    if (number > positions.length) throw destinationError('wildcard index out of range', `${token}: [${number}]`);
    return positions[number - 1] ?? 0;
  });
  return { ...step, wildcards };
}

function compileWildcardSource(
  positions: readonly number[],
  destination: string,
  destinationTokens: readonly string[],
  strict: boolean,
): TransformStep[] {
  let used = 0;
  const steps = destinationTokens.map((token) => {
    const step = parseStep(token);
    if (strict && step.kind !== 'literal' && step.kind !== 'wildcard') {
      throw destinationError('the only mapping function allowed for import transforms is {{Wildcard()}}', token);
    }
    if (step.kind !== 'literal' && step.kind !== 'random') used += step.wildcards.length;
    return resolveStep(step, token, positions);
  });
  if (strict && used < positions.length) throw destinationError('not using all of the token wildcard(s)', destination);
  return steps;
}

function compileLiteralSource(destinationTokens: readonly string[]): TransformStep[] {
  return destinationTokens.map((token) => {
    const step = parseStep(token);
    // There are no wildcards to choose from: the whole subject is hashed.
    if (step.kind === 'partition') return { ...step, wildcards: [] };
    if (step.kind === 'literal' || step.kind === 'random') return step;
    throw destinationError('wildcard index out of range', token);
  });
}

/**
 * Rewrites subjects that match a source into a destination (spec/core.md 11, ADR-30). Equivalent to
 * NewSubjectTransform in nats-server.
 */
export class SubjectTransform {
  readonly source: string;
  readonly destination: string;
  /** True if the same subject may come out differently each time: results must not be cached. */
  readonly isRandom: boolean;
  readonly #steps: readonly TransformStep[];
  readonly #random: () => number;
  /** Position of the last token of the source, which is `>` when the destination ends with it. */
  readonly #tail: number;
  /** Tokens of the subject at hand, reused. */
  readonly #tokens: string[] = [];

  private constructor(source: string, destination: string, steps: readonly TransformStep[], random: () => number) {
    this.source = source;
    this.destination = destination;
    this.isRandom = steps.some((step) => step.kind === 'random');
    this.#steps = steps;
    this.#random = random;
    this.#tail = tokenCount(source) - 1;
  }

  /**
   * @param source a subject, wildcards allowed; empty = `>`.
   * @param destination tokens, `$n` and `{{function(…)}}`; ends with `>` if and only if the source does. Empty = every
   * subject stays as it is.
   * @throws TransformError with the text nats-server has for it.
   */
  static create(source: string, destination: string, options: TransformOptions): SubjectTransform {
    if (destination === '') return new SubjectTransform('>', '>', [], options.random);
    if (source === '') source = '>';
    const sourceTokens = source.split('.');
    const destinationTokens = destination.split('.');
    const sameTail = (sourceTokens.at(-1) === '>') === (destinationTokens.at(-1) === '>');
    if (!isSubscribable(source) || !isSubscribable(destination) || destinationTokens.includes('*') || !sameTail) {
      throw new TransformError('invalid subject');
    }
    const steps = hasWildcards(source)
      ? compileWildcardSource(wildcardPositions(sourceTokens), destination, destinationTokens, options.strict ?? false)
      : compileLiteralSource(destinationTokens);
    return new SubjectTransform(source, destination, steps, options.random);
  }

  /** The subject's destination; null if it does not match the source or is no valid literal subject. */
  apply(subject: string): string | null {
    if (this.source === '>' && this.destination === '>') return subject;
    if (!isLiteralSubject(subject) || !subjectMatches(subject, this.source)) return null;
    this.#tokenize(subject);
    let text = '';
    for (let index = 0; index < this.#steps.length; index++) {
      const step = this.#steps[index]!;
      if (index > 0) text += '.';
      text += step.kind === 'literal' && step.text === '>' ? this.#rest() : this.#run(step, subject);
    }
    return text;
  }

  #tokenize(subject: string): void {
    this.#tokens.length = 0;
    for (let start = 0; start <= subject.length; ) {
      const end = tokenEnd(subject, start);
      this.#tokens.push(subject.slice(start, end));
      start = end + 1;
    }
  }

  #run(step: TransformStep, subject: string): string {
    switch (step.kind) {
      case 'literal':
        return step.text;
      case 'wildcard':
        return this.#tokens[step.wildcards[0]!]!;
      case 'partition':
        return String(partitionOf(this.#partitionKey(step.wildcards, subject), step.buckets));
      case 'random':
        return String(randomBelow(step.ceiling, this.#random));
      case 'split':
        return splitToken(this.#tokens[step.wildcards[0]!]!, step.delimiter);
      case 'cut':
        return cutToken(step.cut, this.#tokens[step.wildcards[0]!]!, step.size);
    }
  }

  #partitionKey(wildcards: readonly number[], subject: string): string {
    if (wildcards.length === 0) return subject;
    let key = '';
    for (const position of wildcards) key += this.#tokens[position]!;
    return key;
  }

  /** The tokens that `>` of the source stands for. */
  #rest(): string {
    let text = this.#tokens[this.#tail]!;
    for (let position = this.#tail + 1; position < this.#tokens.length; position++)
      text += `.${this.#tokens[position]!}`;
    return text;
  }
}
