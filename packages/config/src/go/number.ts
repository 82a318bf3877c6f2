/** Why Go refuses a number. */
type NumberError = 'invalid syntax' | 'value out of range';

/** The integer in a text, or why it is none. */
export type IntegerResult =
  | { readonly ok: true; readonly value: bigint }
  | { readonly ok: false; readonly error: NumberError };

const PREFIXED: readonly (readonly [RegExp, string])[] = [
  [/^0[xX](?:_?[0-9a-fA-F])+$/, '0x'],
  [/^0[bB](?:_?[01])+$/, '0b'],
  [/^0[oO](?:_?[0-7])+$/, '0o'],
];

/**
 * Reads an integer of 64 bits as Go's strconv.ParseInt does.
 *
 * @param base 10 takes decimal digits only; 0 also takes 0x, 0b, 0o, a leading 0 for octal, and `_` between digits.
 */
export function parseGoInt(text: string, base: 0 | 10): IntegerResult {
  const negative = text.startsWith('-');
  const digits = negative || text.startsWith('+') ? text.slice(1) : text;
  const size = base === 10 ? decimalDigits(digits) : digitsOfAnyBase(digits);
  if (size === null) return { ok: false, error: 'invalid syntax' };
  const value = negative ? -size : size;
  if (BigInt.asIntN(64, value) !== value) return { ok: false, error: 'value out of range' };
  return { ok: true, value };
}

function decimalDigits(digits: string): bigint | null {
  return /^[0-9]+$/.test(digits) ? BigInt(digits) : null;
}

function digitsOfAnyBase(digits: string): bigint | null {
  for (const [pattern, prefix] of PREFIXED) {
    if (pattern.test(digits)) return BigInt(prefix + digits.slice(2).replaceAll('_', ''));
  }
  if (/^0(?:_?[0-7])+$/.test(digits)) return BigInt(`0o${digits.slice(1).replaceAll('_', '')}`);
  if (digits === '0' || /^[1-9](?:_?[0-9])*$/.test(digits)) return BigInt(digits.replaceAll('_', ''));
  return null;
}

const TRUE_WORDS = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE_WORDS = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Reads the words Go's strconv.ParseBool takes; null for anything else. */
export function parseGoBool(text: string): boolean | null {
  if (TRUE_WORDS.has(text)) return true;
  return FALSE_WORDS.has(text) ? false : null;
}

/** Writes a float as Go's %v does: the fewest digits, an exponent below 1e-4 and from 1e6 on. */
export function goFloatText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const [digits, exponentText] = value.toExponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  if (Object.is(value, -0)) return '-0';
  if (value === 0 || (exponent >= -4 && exponent < 6)) return String(value);
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
