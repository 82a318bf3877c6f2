import { type DestinationProblem, destinationError } from './transform-error.ts';

/** Functions that cut one token at byte offsets. */
export type CutFunction = 'splitFromLeft' | 'splitFromRight' | 'sliceFromLeft' | 'sliceFromRight' | 'left' | 'right';

/**
 * What a destination token turns into. In a parsed step the numbers of wildcards count from 1; in a step ready to run
 * they are positions of source tokens, from 0.
 */
export type TransformStep =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'wildcard'; readonly wildcards: readonly number[] }
  | { readonly kind: 'partition'; readonly wildcards: readonly number[]; readonly buckets: number }
  | { readonly kind: 'random'; readonly ceiling: number }
  | { readonly kind: 'split'; readonly wildcards: readonly number[]; readonly delimiter: string }
  | { readonly kind: 'cut'; readonly cut: CutFunction; readonly wildcards: readonly number[]; readonly size: number };

const INT32_MAX = 0x7fff_ffffn;
const INT64_MAX = 0x7fff_ffff_ffff_ffffn;

/** An integer as Go's strconv.ParseInt takes it; null = not one, or one that does not fit. */
function parseInteger(text: string, max: bigint): bigint | null {
  if (!/^[+-]?[0-9]+$/.test(text)) return null;
  const value = BigInt(text.replace(/^\+/, ''));
  return value > max || value < -max - 1n ? null : value;
}

/** Parses the arguments of one function; errors name the token they stand in. */
class Arguments {
  readonly #token: string;
  readonly #args: readonly string[];

  constructor(token: string, args: readonly string[]) {
    this.#token = token;
    this.#args = args;
  }

  fail(problem: DestinationProblem): never {
    throw destinationError(problem, this.#token);
  }

  exactly(count: number): this {
    if (this.#args.length < count) this.fail('not enough arguments passed to the function');
    if (this.#args.length > count) this.fail('too many arguments passed to the function');
    return this;
  }

  get isNone(): boolean {
    return this.#args.length === 1 && this.#args[0] === '';
  }

  get count(): number {
    return this.#args.length;
  }

  text(index: number): string {
    return this.#args[index]!;
  }

  /** An integer, blanks around it allowed. */
  integer(index: number, max: bigint): bigint {
    const value = parseInteger(this.text(index).replace(/^ +| +$/g, ''), max);
    return value ?? this.fail('function argument is invalid or in the wrong format');
  }

  /** A wildcard number. Zero and less mean the first token of the subject, as in nats-server. */
  wildcard(index: number): number {
    return Number(this.integer(index, INT64_MAX));
  }

  wildcards(from: number): number[] {
    return this.#args.slice(from).map((_, index) => this.wildcard(from + index));
  }

  size(index: number): number {
    return Number(this.integer(index, INT32_MAX));
  }

  /** Number of partitions: at most 2^31-1; nats-server lets a lower number wrap around. */
  modulus(index: number): number {
    const value = this.integer(index, INT64_MAX);
    if (value > INT32_MAX) this.fail('function argument is invalid or in the wrong format');
    return Number(BigInt.asIntN(32, value));
  }
}

function cutStep(cut: CutFunction): (args: Arguments) => TransformStep {
  return (args) => ({ kind: 'cut', cut, wildcards: [args.exactly(2).wildcard(0)], size: args.size(1) });
}

function wildcardStep(args: Arguments): TransformStep {
  if (args.isNone) args.fail('not enough arguments passed to the function');
  return { kind: 'wildcard', wildcards: [args.exactly(1).wildcard(0)] };
}

function partitionStep(args: Arguments): TransformStep {
  return { kind: 'partition', buckets: args.modulus(0), wildcards: args.wildcards(1) };
}

function splitStep(args: Arguments): TransformStep {
  const wildcard = args.exactly(2).wildcard(0);
  const delimiter = args.text(1);
  if (delimiter.includes(' ')) args.fail('function argument is invalid or in the wrong format');
  return { kind: 'split', wildcards: [wildcard], delimiter };
}

function randomStep(args: Arguments): TransformStep {
  if (args.count !== 1) args.fail('not enough arguments passed to the function');
  return { kind: 'random', ceiling: args.modulus(0) };
}

/** `words` with either case of each first letter, as nats-server spells its patterns; found anywhere in the token. */
function call(...words: string[]): RegExp {
  const name = words.map((word) => `[${word[0]!}${word[0]!.toUpperCase()}]${word.slice(1)}`).join('');
  return new RegExp(`\\{\\{[\\t\\n\\f\\r ]*${name}[\\t\\n\\f\\r ]*\\(([^\\n]*)\\)[\\t\\n\\f\\r ]*\\}\\}`);
}

/** In the order nats-server tries them. */
const FUNCTIONS: readonly (readonly [RegExp, (args: Arguments) => TransformStep])[] = [
  [call('wildcard'), wildcardStep],
  [call('partition'), partitionStep],
  [call('split', 'from', 'left'), cutStep('splitFromLeft')],
  [call('split', 'from', 'right'), cutStep('splitFromRight')],
  [call('slice', 'from', 'left'), cutStep('sliceFromLeft')],
  [call('slice', 'from', 'right'), cutStep('sliceFromRight')],
  [call('right'), cutStep('right')],
  [call('left'), cutStep('left')],
  [call('split'), splitStep],
  [call('random'), randomStep],
];

/** Parses one destination token: `$n`, `{{function(…)}}`, or text that stands for itself. Throws TransformError. */
export function parseStep(token: string): TransformStep {
  if (token.length > 1 && token.startsWith('$')) {
    const wildcard = parseInteger(token.slice(1), INT64_MAX);
    if (wildcard !== null) return { kind: 'wildcard', wildcards: [Number(wildcard)] };
  } else if (token.length > 4 && token.startsWith('{{') && token.endsWith('}}')) {
    for (const [pattern, build] of FUNCTIONS) {
      const found = pattern.exec(token);
      if (found !== null) return build(new Arguments(token, found[1]!.split(/,[\t\n\f\r ]*/)));
    }
    throw destinationError('unknown function', token);
  }
  return { kind: 'literal', text: token };
}
