import { goQuote } from '@nats-ts/protocol';
import { parseTime } from './go-time.ts';
import { type Integer, parseInteger } from './integer.ts';
import { JsonReader } from './parse.ts';
import type { EnumSchema, FieldSchema, ObjectSchema } from './schema.ts';
import { JsonError, type JsonValue } from './value.ts';

/** How a body is read: `strict` refuses unknown fields (Go's DisallowUnknownFields). */
export interface DecodeOptions {
  readonly strict: boolean;
}

type IntegerType = 'int' | 'int32' | 'int64' | 'uint64' | 'sequence' | 'duration';

const INTEGERS: Readonly<Record<IntegerType, { goType: string; low: bigint; high: bigint }>> = {
  int: { goType: 'int', low: -(2n ** 63n), high: 2n ** 63n - 1n },
  int32: { goType: 'int32', low: -(2n ** 31n), high: 2n ** 31n - 1n },
  int64: { goType: 'int64', low: -(2n ** 63n), high: 2n ** 63n - 1n },
  uint64: { goType: 'uint64', low: 0n, high: 2n ** 64n - 1n },
  sequence: { goType: 'uint64', low: 0n, high: 2n ** 64n - 1n },
  duration: { goType: 'time.Duration', low: -(2n ** 63n), high: 2n ** 63n - 1n },
};

/**
 * Fills an object from JSON as nats-server's unmarshalRequest fills a struct: the body may hold several values, later ones win; keys in
 * any case; null leaves a field as it is; the first wrong type is reported after the whole value proved to be JSON. Throws JsonError with Go's text.
 *
 * Lenient reading ignores unknown fields and takes one value only.
 */
export function decodeJson(body: Buffer, schema: ObjectSchema, options: DecodeOptions): Record<string, unknown> {
  const reader = new JsonReader(body);
  const into: Record<string, unknown> = {};
  if (!options.strict) {
    decodeInto(readAll(reader), schema, options, into);
    return into;
  }
  while (!reader.isAtEnd) decodeInto(readNext(reader), schema, options, into);
  return into;
}

/** One value from a stream, as json.Decoder reports what is wrong with it. */
function readNext(reader: JsonReader): JsonValue {
  try {
    return reader.read();
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    if (error.offset < 0) throw new JsonError('unexpected EOF', -1);
    throw new JsonError(`${error.message} at offset ${error.offset}`, error.offset);
  }
}

/** The one value of a text, as json.Unmarshal reports what is wrong with it. */
function readAll(reader: JsonReader): JsonValue {
  if (reader.isAtEnd) throw new JsonError('unexpected end of JSON input', -1);
  const value = reader.read();
  reader.expectEnd();
  return value;
}

function decodeInto(
  value: JsonValue,
  schema: ObjectSchema,
  options: DecodeOptions,
  into: Record<string, unknown>,
): void {
  if (value.kind === 'null') return;
  if (value.kind !== 'object') {
    throw new JsonError(`json: cannot unmarshal ${value.kind} into Go value of type server.${schema.goType}`, -1);
  }
  const decoder = new ObjectDecoder(options.strict);
  decoder.readMembers(value.members, schema, schema.goType, into);
  if (decoder.firstError !== null) throw decoder.firstError;
}

class ObjectDecoder {
  readonly #strict: boolean;
  /** Nothing stops the decoder: the first error is reported in the end. */
  firstError: JsonError | null = null;

  constructor(strict: boolean) {
    this.#strict = strict;
  }

  readMembers(
    members: readonly { key: string; value: JsonValue }[],
    schema: ObjectSchema,
    path: string,
    into: Record<string, unknown>,
  ): void {
    for (const { key, value } of members) {
      const name = fieldOf(schema, key);
      if (name === null) {
        if (this.#strict) this.#save(`json: unknown field ${goQuote(key)}`);
        continue;
      }
      const field = schema.fields[name]!;
      // null leaves a field as it is, but an enumeration's own decoder sees it and refuses.
      if (value.kind === 'null' && !isEnum(field)) continue;
      const decoded = this.#read(value, field, `${path}.${name}`, false, into[name]);
      if (decoded !== undefined) into[name] = decoded;
    }
  }

  /** The decoded value, or undefined when it was of the wrong type. */
  #read(value: JsonValue, field: FieldSchema, path: string, isElement: boolean, previous: unknown): unknown {
    if (typeof field === 'object') {
      if (field.kind === 'enum') return this.#readEnum(value, field);
      if (field.kind === 'list') return this.#readList(value, field.item, path, isElement);
      if (value.kind !== 'object') return this.#wrongType(value.kind, path, `server.${field.goType}`, isElement);
      const into = { ...(previous as Record<string, unknown> | undefined) };
      this.readMembers(value.members, field, path, into);
      return into;
    }
    switch (field) {
      case 'string':
        return value.kind === 'string' ? value.text : this.#wrongType(value.kind, path, 'string', isElement);
      case 'bool':
        return value.kind === 'bool' ? value.raw === 'true' : this.#wrongType(value.kind, path, 'bool', isElement);
      case 'strings':
        return this.#readList(value, 'string', path, isElement);
      case 'metadata':
        return this.#readMap(value, path, previous);
      case 'time':
        return this.#readTime(value, path, isElement);
      default:
        return this.#readInteger(value, field, path, isElement);
    }
  }

  #readList(value: JsonValue, item: FieldSchema, path: string, isElement: boolean): unknown {
    if (value.kind !== 'array') return this.#wrongType(value.kind, path, `[]${goTypeOf(item, true)}`, isElement);
    return value.items.map((element, index) => {
      if (element.kind === 'null' && !isEnum(item)) return zeroOf(item);
      return this.#read(element, item, `${path}.${index}`, true, undefined) ?? zeroOf(item);
    });
  }

  #readMap(value: JsonValue, path: string, previous: unknown): unknown {
    if (value.kind !== 'object') return this.#wrongType(value.kind, path, 'map[string]string', false);
    const map: Record<string, string> = { ...(previous as Record<string, string> | undefined) };
    for (const { key, value: member } of value.members) {
      if (member.kind === 'string') define(map, key, member.text);
      else if (member.kind === 'null') define(map, key, '');
      else this.#wrongType(member.kind, `${path}.${key}`, 'string', false);
    }
    return map;
  }

  #readTime(value: JsonValue, path: string, isElement: boolean): unknown {
    if (value.kind !== 'string') return this.#wrongType(value.kind, path, 'time.Time', isElement);
    try {
      return parseTime(value.text).text;
    } catch (error) {
      return this.#save((error as Error).message);
    }
  }

  #readInteger(value: JsonValue, field: IntegerType, path: string, isElement: boolean): Integer | undefined {
    const { goType, low, high } = INTEGERS[field];
    if (value.kind !== 'number') return this.#wrongType(value.kind, path, goType, isElement);
    const exact = /^-?\d+$/.test(value.raw) ? BigInt(value.raw) : null;
    if (exact === null || exact < low || exact > high) {
      return this.#wrongType(`number ${value.raw}`, path, goType, isElement);
    }
    if (field === 'sequence' && exact > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
    return parseInteger(value.raw);
  }

  #wrongType(found: string, path: string, goType: string, isElement: boolean): undefined {
    const place = isElement ? path : `Go struct field ${path}`;
    return this.#save(`json: cannot unmarshal ${found} into ${place} of type ${goType}`);
  }

  #readEnum(value: JsonValue, schema: EnumSchema): string | undefined {
    if (value.kind === 'string' && schema.values.includes(value.text)) return value.text;
    return this.#save(schema.refusal?.(value.raw) ?? `can not unmarshal ${goQuote(value.raw)}`);
  }

  #save(message: string): undefined {
    this.firstError ??= new JsonError(message, -1);
    return undefined;
  }
}

/** The field a key names: exactly, or else in any case as Go folds it. */
function fieldOf(schema: ObjectSchema, key: string): string | null {
  if (Object.hasOwn(schema.fields, key)) return key;
  const folded = key.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase();
  return Object.hasOwn(schema.fields, folded) ? folded : null;
}

function isEnum(field: FieldSchema): boolean {
  return typeof field === 'object' && field.kind === 'enum';
}

function goTypeOf(field: FieldSchema, inList: boolean): string {
  if (typeof field === 'object') {
    if (field.kind === 'object') return `${inList && field.goType === 'StreamSource' ? '*' : ''}server.${field.goType}`;
    return field.kind === 'list' ? `[]${goTypeOf(field.item, true)}` : 'string';
  }
  if (field in INTEGERS) return INTEGERS[field as IntegerType].goType;
  return field;
}

function zeroOf(field: FieldSchema): unknown {
  if (typeof field === 'object') return field.kind === 'list' ? [] : field.kind === 'object' ? {} : '';
  if (field in INTEGERS) return 0;
  return field === 'bool' ? false : '';
}

/** Sets a key of any name, `__proto__` included. */
function define(map: Record<string, string>, key: string, value: string): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}
