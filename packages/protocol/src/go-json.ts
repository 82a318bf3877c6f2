import { decodeString, GoJsonError, type JsonMember, scanJson } from './go-json-scan.ts';

/** Field types of a Go struct as far as CONNECT and INFO need them. */
type GoType = 'bool' | 'string' | 'int' | 'int32' | 'uint8' | 'uint64' | '[]string' | GoStruct;

/** A Go struct: its type name and its JSON keys (lower case). */
export interface GoStruct {
  readonly name: string;
  readonly fields: Readonly<Record<string, GoType>>;
}

const INTEGER_RANGES: Readonly<Record<'int' | 'int32' | 'uint8' | 'uint64', readonly [bigint, bigint]>> = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint8: [0n, 255n],
  uint64: [0n, 2n ** 64n - 1n],
};

/**
 * Reads JSON into a copy of `previous` the way Go's json.Unmarshal fills a struct: key names in any case, later ones win,
 * unknown keys ignored, null and absent keys leave a field as it is, the first wrong type is reported after the whole text
 * proved to be JSON. Integers beyond 2^53 lose digits (no field of CONNECT has a use for them).
 *
 * @throws GoJsonError in the words of Go.
 */
export function parseGoStruct<T extends object>(text: string, struct: GoStruct, previous: Readonly<T>): T {
  const members = scanJson(text);
  const fields: Record<string, unknown> = { ...previous };
  const kind = kindAt(text, skipBlanks(text));
  if (kind === 'null') return fields as T;
  if (kind !== 'object') {
    throw new GoJsonError(`json: cannot unmarshal ${kind} into Go value of type server.${struct.name}`);
  }
  readMembers(text, members, struct, struct.name, fields);
  return fields as T;
}

function readMembers(
  text: string,
  members: readonly JsonMember[],
  struct: GoStruct,
  path: string,
  into: Record<string, unknown>,
): void {
  let first: GoJsonError | null = null;
  for (const member of members) {
    const key = member.key.replaceAll('ſ', 's').toLowerCase();
    if (!Object.hasOwn(struct.fields, key)) continue;
    try {
      const value = readValue(text.slice(member.start, member.end), struct.fields[key]!, `${path}.${key}`);
      if (value !== undefined) into[key] = value;
    } catch (error) {
      if (!(error instanceof GoJsonError)) throw error;
      first ??= error;
    }
  }
  if (first !== null) throw first;
}

/** The value of a field, undefined for null. */
function readValue(text: string, type: GoType, path: string): unknown {
  const kind = kindAt(text, 0);
  if (kind === 'null') return undefined;
  if (typeof type === 'object') {
    if (kind !== 'object') throw wrongType(kind, path, `server.${type.name}`);
    const fields: Record<string, unknown> = {};
    readMembers(text, scanJson(text), type, path, fields);
    return fields;
  }
  switch (type) {
    case 'bool':
      if (kind !== 'bool') throw wrongType(kind, path, type);
      return text === 'true';
    case 'string':
      if (kind !== 'string') throw wrongType(kind, path, type);
      return decodeString(text, 0, text.length);
    case '[]string':
      if (kind !== 'array') throw wrongType(kind, path, type);
      return readStrings(text, path);
    default:
      if (kind !== 'number') throw wrongType(kind, path, type);
      return readInteger(text, type, path);
  }
}

function readInteger(text: string, type: keyof typeof INTEGER_RANGES, path: string): number {
  const [low, high] = INTEGER_RANGES[type];
  if (/^-?\d+$/.test(text) && BigInt(text) >= low && BigInt(text) <= high) return Number(text);
  throw wrongType(`number ${text}`, path, type);
}

function readStrings(text: string, path: string): string[] {
  return (JSON.parse(text) as unknown[]).map((element, index) => {
    if (typeof element === 'string') return element.toWellFormed();
    if (element === null) return '';
    const kind = kindAt(JSON.stringify(element), 0);
    throw new GoJsonError(`json: cannot unmarshal ${kind} into ${path}.${index} of type string`);
  });
}

function wrongType(kind: string, path: string, type: string): GoJsonError {
  return new GoJsonError(`json: cannot unmarshal ${kind} into Go struct field ${path} of type ${type}`);
}

function skipBlanks(text: string): number {
  return text.search(/[^ \t\r\n]/);
}

function kindAt(text: string, at: number): string {
  switch (text[at]) {
    case '{':
      return 'object';
    case '[':
      return 'array';
    case '"':
      return 'string';
    case 't':
    case 'f':
      return 'bool';
    case 'n':
      return 'null';
    default:
      return 'number';
  }
}
