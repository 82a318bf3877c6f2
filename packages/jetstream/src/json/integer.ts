/**
 * An integer of the API: a number, or a BigInt where a double could not hold every digit. An integer is never both, so that `===` compares.
 * Clients write "for ever" and "no limit" as 9223372036854775807; it is kept, stored and shown to the last digit.
 */
export type Integer = number | bigint;

/** The integer a text of digits stands for. */
export function parseInteger(digits: string): Integer {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}
