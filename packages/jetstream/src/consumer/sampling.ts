import { apiError } from '../errors/api-error.ts';

const INT64_MAX = 2n ** 63n - 1n;

/** Refuses a sample_freq that is not a percentage (10095), in the words of Go's strconv.Atoi. */
export function checkSampling(frequency: string): void {
  if (frequency === '') return;
  const digits = withoutPercent(frequency);
  const fail = (why: string): never => {
    throw apiError('ConsumerInvalidSampling', { err: `strconv.Atoi: parsing ${JSON.stringify(digits)}: ${why}` });
  };
  if (!/^[+-]?[0-9]+$/.test(digits)) fail('invalid syntax');
  const value = BigInt(digits.replace('+', ''));
  if (value > INT64_MAX || value < -INT64_MAX - 1n) fail('value out of range');
  // A number below zero parses, so nats-server prints the error that did not happen.
  if (value < 0n) throw apiError('ConsumerInvalidSampling', { err: '<nil>' });
}

/** Percentage of acks that a checked sample_freq asks to be reported, 0 … 100. */
export function samplePercent(frequency: string): number {
  return frequency === '' ? 0 : Math.min(100, Number(withoutPercent(frequency)));
}

function withoutPercent(frequency: string): string {
  return frequency.endsWith('%') ? frequency.slice(0, -1) : frequency;
}
