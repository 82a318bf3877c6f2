/** Describes the JSON objects of the API so that bodies decode with Go's rules and error texts (json/decode.ts). */

/** An enumeration; anything else is refused with `can not unmarshal "…"`, or the text of `refusal`. */
export interface EnumSchema {
  readonly kind: 'enum';
  readonly values: readonly string[];
  /** Text for a value that is none of them, given its raw JSON. */
  readonly refusal: ((raw: string) => string) | null;
}

export interface ListSchema {
  readonly kind: 'list';
  readonly item: FieldSchema;
}

/** A JSON object; `goType` is the name Go's error texts carry. Keys match in any case, exact ones first. */
export interface ObjectSchema {
  readonly kind: 'object';
  readonly goType: string;
  readonly fields: Readonly<Record<string, FieldSchema>>;
}

/**
 * What a field holds. Integers: `int` and `int64` signed 64 bit, `int32`, `uint64`, `duration` (nanoseconds, signed 64 bit). They
 * decode to an Integer (json/integer.ts). `sequence` is a uint64 of which everything above 2^53-1
 * becomes 2^53-1: no stream has such a sequence. `time` is RFC 3339 and decodes to Go's normal form of it. `strings` is a list of
 * strings, `metadata` a map of strings.
 */
export type FieldSchema =
  | 'string'
  | 'bool'
  | 'int'
  | 'int32'
  | 'int64'
  | 'uint64'
  | 'sequence'
  | 'duration'
  | 'time'
  | 'strings'
  | 'metadata'
  | EnumSchema
  | ListSchema
  | ObjectSchema;

export function objectSchema(goType: string, fields: Readonly<Record<string, FieldSchema>>): ObjectSchema {
  return { kind: 'object', goType, fields };
}

export function enumSchema(values: readonly string[], refusal: ((raw: string) => string) | null = null): EnumSchema {
  return { kind: 'enum', values, refusal };
}

export function listSchema(item: FieldSchema): ListSchema {
  return { kind: 'list', item };
}
