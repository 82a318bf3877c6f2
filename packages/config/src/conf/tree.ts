import { goFloatText } from '../go/number.ts';

/**
 * A value of the configuration text. Integers are bigint (nats-server's int64), floats are number, dates are Date;
 * a map keeps the order of the last definitions of its keys.
 */
export type ConfValue = string | bigint | number | boolean | Date | ConfNode[] | ConfMap;

/** A map of the configuration text. Keys as written. */
export type ConfMap = Map<string, ConfNode>;

/** Where something stands: the line from 1; the column in bytes, from 0 on line 1 and from 1 on other lines. */
export interface ConfPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A value and the place of its key (of the value itself for the elements of an array). */
export interface ConfNode {
  readonly value: ConfValue;
  readonly place: ConfPlace;
  /** A `$NAME` was resolved to it; such a key may be one that nats-server does not know. */
  usedAsVariable: boolean;
}

/** `file:line:column`, as nats-server's messages begin. */
export function placeText(place: ConfPlace): string {
  return `${place.file}:${place.line}:${place.column}`;
}

/** The name of a value's type in Go, which is what nats-server's messages name. */
export function goTypeName(value: ConfValue): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof Date) return 'time.Time';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/**
 * A value as Go prints it with %v. Of maps and arrays only the keys and the length: nats-server prints addresses there,
 * and what stands in them may be secret.
 */
export function goValueText(value: ConfValue): string {
  if (value instanceof Date) return `${value.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
  if (Array.isArray(value)) return `[${value.map(() => '…').join(' ')}]`;
  if (value instanceof Map)
    return `map[${[...value.keys()]
      .sort()
      .map((key) => `${key}:…`)
      .join(' ')}]`;
  return typeof value === 'number' ? goFloatText(value) : String(value);
}
