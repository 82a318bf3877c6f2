import { ConfigError } from '../config-error.ts';
import { parseGoInt } from '../go/number.ts';
import type { Token } from './token.ts';

const THOUSAND = 1000n;
const KIBI = 1024n;
const SUFFIX_POWERS = 'kmgtpe';

/**
 * The value of an integer token, with its suffix applied (`k` = 1000, `kb` `ki` `kib` = 1024, …; overflow wraps as in Go);
 * undefined for a suffix nats-server does not know (`1kbb`): it drops such a value silently.
 */
export function integerOf(token: Token): bigint | undefined {
  const digits = /^[\p{Nd}-]*/u.exec(token.text)![0];
  const number = parseGoInt(digits, 10);
  if (!number.ok) {
    if (number.error === 'value out of range') throw ConfigError.of(`integer '${token.text}' is out of the range`);
    throw ConfigError.of(`expected integer, but got '${token.text}'`);
  }
  const suffix = token.text.slice(digits.length).toLowerCase();
  const factor = suffixFactor(suffix);
  return factor === undefined ? undefined : BigInt.asIntN(64, number.value * factor);
}

function suffixFactor(suffix: string): bigint | undefined {
  if (suffix === '') return 1n;
  const power = BigInt(SUFFIX_POWERS.indexOf(suffix[0]!) + 1);
  if (suffix.length === 1) return THOUSAND ** power;
  return ['b', 'i', 'ib'].includes(suffix.slice(1)) ? KIBI ** power : undefined;
}

/** The value of a float token. */
export function floatOf(token: Token): number {
  if (!/^[0-9-][0-9.]*$/.test(token.text)) throw ConfigError.of(`expected float, but got '${token.text}'`);
  const value = Number(token.text);
  if (!Number.isFinite(value)) throw ConfigError.of(`float '${token.text}' is out of the range`);
  return value;
}

/** The value of a boolean token. */
export function booleanOf(token: Token): boolean {
  return ['true', 'yes', 'on'].includes(token.text.toLowerCase());
}

/** The value of a date token, `2006-01-02T15:04:05Z`. */
export function dateOf(token: Token): Date {
  const date = new Date(token.text);
  // The 30th of February is no date in Go; Date would take it for the 2nd of March.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== `${token.text.slice(0, -1)}.000Z`) {
    throw ConfigError.of(`expected Zulu formatted DateTime, but got '${token.text}'`);
  }
  return date;
}
