import type { Integer } from '../json/integer.ts';

/** Go's time.Duration as text. Nanoseconds are bigint here: none of this is on the hot path. */

const UNIT_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, micro sign
  μs: 1_000n, // U+03BC, Greek letter mu
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const INT64_MAX = 2n ** 63n - 1n;

/**
 * Parses `1h2m3.5s`, `-5ms`, `0` … as Go's time.ParseDuration does.
 * @returns nanoseconds, or null when Go would refuse the text.
 */
export function parseGoDuration(text: string): bigint | null {
  const isNegative = text.startsWith('-');
  let rest = isNegative || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '') return null;
  let total = 0n;
  while (rest !== '') {
    const part = /^([0-9]*)(?:(\.)([0-9]*))?(ns|us|µs|μs|ms|s|m|h)(?=[0-9.]|$)/.exec(rest);
    if (part === null) return null;
    const [all, whole = '', , fraction = '', unit = ''] = part;
    if (whole === '' && fraction === '') return null;
    const unitNs = UNIT_NS[unit]!;
    total += BigInt(whole === '' ? '0' : whole) * unitNs;
    if (fraction !== '') total += (BigInt(fraction) * unitNs) / 10n ** BigInt(fraction.length);
    if (total > INT64_MAX) return null;
    rest = rest.slice(all.length);
  }
  return isNegative ? -total : total;
}

/** Prints nanoseconds as Go's Duration.String does: `1s`, `1m30s`, `1.5ms`, `0s`. */
export function formatGoDuration(durationNs: Integer): string {
  const ns = BigInt(durationNs);
  if (ns === 0n) return '0s';
  const sign = ns < 0n ? '-' : '';
  const value = ns < 0n ? -ns : ns;
  if (value < 1_000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${withFraction(value, 1_000n)}µs`;
  if (value < 1_000_000_000n) return `${sign}${withFraction(value, 1_000_000n)}ms`;
  const hours = value / 3_600_000_000_000n;
  const minutes = (value / 60_000_000_000n) % 60n;
  const seconds = `${withFraction(value % 60_000_000_000n, 1_000_000_000n)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function withFraction(value: bigint, unit: bigint): string {
  const fraction = value % unit;
  if (fraction === 0n) return String(value / unit);
  const digits = String(fraction)
    .padStart(String(unit).length - 1, '0')
    .replace(/0+$/, '');
  return `${value / unit}.${digits}`;
}

/** Whole milliseconds that are not shorter than the duration. */
export function ceilMs(durationNs: Integer): number {
  return Math.ceil(Number(durationNs) / 1_000_000);
}
