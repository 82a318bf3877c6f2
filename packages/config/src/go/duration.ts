const MAX_INT64 = (1n << 63n) - 1n;

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  '\u00b5s': 1_000n, // micro sign
  '\u03bcs': 1_000n, // Greek letter mu
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** A duration in whole nanoseconds, or the sentence Go's time.ParseDuration fails with. */
export type DurationResult =
  | { readonly ok: true; readonly ns: bigint }
  | { readonly ok: false; readonly error: string };

/** Reads `1h30m`, `250ms`, `1.5s`, `-2s`, `0` as Go's time.ParseDuration does; there is no unit for days. */
export function parseGoDuration(text: string): DurationResult {
  const invalid: DurationResult = { ok: false, error: `time: invalid duration ${quoted(text)}` };
  const negative = text.startsWith('-');
  let rest = negative || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return { ok: true, ns: 0n };
  if (rest === '') return invalid;
  let total = 0n;
  while (rest !== '') {
    const number = /^([0-9]*)(?:\.([0-9]*))?/.exec(rest)!;
    const whole = number[1]!;
    const fraction = number[2] ?? '';
    if (whole === '' && fraction === '') return invalid;
    rest = rest.slice(number[0].length);
    const unitName = /^[^.0-9]*/.exec(rest)![0];
    if (unitName === '') return { ok: false, error: `time: missing unit in duration ${quoted(text)}` };
    const unit = UNITS[unitName];
    if (unit === undefined) {
      return { ok: false, error: `time: unknown unit ${quoted(unitName)} in duration ${quoted(text)}` };
    }
    total += BigInt(whole || '0') * unit + fractionOf(fraction, unit);
    if (total > MAX_INT64 + (negative ? 1n : 0n)) return invalid;
    rest = rest.slice(unitName.length);
  }
  return { ok: true, ns: negative ? -total : total };
}

/** Go's time package quotes byte by byte, unlike %q. */
function quoted(text: string): string {
  let out = '"';
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte);
    if (char === '"' || char === '\\') out += `\\${char}`;
    else out += byte >= 0x20 && byte < 0x80 ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${out}"`;
}

function fractionOf(digits: string, unit: bigint): bigint {
  return digits === '' ? 0n : (BigInt(digits) * unit) / 10n ** BigInt(digits.length);
}

/** Writes a duration as Go prints it: `2m0s`, `1.5s`, `100ms`, `0s`. */
export function formatGoDuration(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const size = ns < 0n ? -ns : ns;
  if (size === 0n) return '0s';
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 1_000n)}\u00b5s`;
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 1_000_000n)}ms`;
  const hours = size / UNITS['h']!;
  const minutes = (size % UNITS['h']!) / UNITS['m']!;
  const seconds = `${decimal(size % UNITS['m']!, UNITS['s']!)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : sign + seconds;
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit)
    .toString()
    .padStart(unit.toString().length - 1, '0')
    .replace(/0+$/, '');
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`;
}

/** Milliseconds of a duration; a fraction of a millisecond stays a fraction. */
export function durationMs(ns: bigint): number {
  return Number(ns) / 1e6;
}
