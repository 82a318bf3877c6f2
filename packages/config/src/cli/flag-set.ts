import { parseGoBool, parseGoInt } from '../go/number.ts';
import { goQuote } from '../go/quote.ts';

/** What a flag takes. A `bool` stands alone or is followed by `=value`; the others also take the next argument. */
export type FlagKind = 'bool' | 'int' | 'string';

/** A flag that was given, its value by its kind. Names are without the dashes. */
export type GivenFlag =
  | { readonly name: string; readonly kind: 'bool'; readonly value: boolean }
  | { readonly name: string; readonly kind: 'int'; readonly value: number }
  | { readonly name: string; readonly kind: 'string'; readonly value: string };

/** The flags of a command line in their order, and the words from the first argument on that is none. */
export interface ParsedFlags {
  readonly given: readonly GivenFlag[];
  readonly words: readonly string[];
}

/** A command line that Go's flag package refuses; the message is Go's. */
export class FlagError extends Error {}

/**
 * Reads a command line by the rules of Go's flag package: `-x` and `--x` alike, `--x=v`, `--x v` for what is no
 * boolean; the first argument that is no flag ends it, as does `--` (spec/core.md 5.5).
 *
 * @throws FlagError at the first flag that is unknown or has a bad value
 */
export function parseFlags(args: readonly string[], kinds: ReadonlyMap<string, FlagKind>): ParsedFlags {
  const given: GivenFlag[] = [];
  let next = 0;
  while (next < args.length) {
    const arg = args[next]!;
    if (arg.length < 2 || !arg.startsWith('-')) break;
    next++;
    if (arg === '--') break;
    const { name, value: inline } = splitFlag(arg);
    const kind = kinds.get(name);
    if (kind === undefined) throw new FlagError(`flag provided but not defined: -${name}`);
    if (kind === 'bool') {
      given.push({ name, kind, value: readBool(name, inline ?? 'true') });
      continue;
    }
    const value = inline ?? args[next++];
    if (value === undefined) throw new FlagError(`flag needs an argument: -${name}`);
    given.push(kind === 'int' ? { name, kind, value: readInt(name, value) } : { name, kind, value });
  }
  return { given, words: args.slice(next) };
}

function splitFlag(arg: string): { name: string; value: string | undefined } {
  const body = arg.slice(arg.startsWith('--') ? 2 : 1);
  if (body === '' || body.startsWith('-') || body.startsWith('=')) throw new FlagError(`bad flag syntax: ${arg}`);
  const equals = body.indexOf('=');
  return equals < 0 ? { name: body, value: undefined } : { name: body.slice(0, equals), value: body.slice(equals + 1) };
}

function readBool(name: string, text: string): boolean {
  const value = parseGoBool(text);
  if (value === null) throw new FlagError(`invalid boolean value ${goQuote(text)} for -${name}: parse error`);
  return value;
}

function readInt(name: string, text: string): number {
  const parsed = parseGoInt(text, 0);
  const value = parsed.ok ? Number(parsed.value) : 0;
  if (parsed.ok && Number.isSafeInteger(value)) return value;
  const reason = parsed.ok || parsed.error === 'value out of range' ? 'value out of range' : 'parse error';
  throw new FlagError(`invalid value ${goQuote(text)} for flag -${name}: ${reason}`);
}
