import { quoteGoChar } from './go-quote.ts';

/** JSON that Go's encoding/json would refuse; the message is what it would say. */
export class GoJsonError extends Error {}

/** One member of an object: its decoded key and where its value stands in the text. */
export interface JsonMember {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

/** Nesting that Go's encoding/json accepts. */
const DEPTH_MAX = 10_000;

const VALUE = 0;
const FIRST_KEY = 1;
const KEY = 2;
const FIRST_ELEMENT = 3;
const AFTER = 4;

const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };
const ESCAPABLE = '"\\/bfnrtu';

/**
 * Checks that `text` is one JSON value and lists its members if it is an object. Works without recursion, so that
 * nesting cannot exhaust the stack, and fails with the words of Go's encoding/json because those go to the log
 * (spec/core.md 1.1, 2.2). The text comes from `subjectFromBytes`: an invalid byte is a lone surrogate.
 */
export function scanJson(text: string): JsonMember[] {
  const members: JsonMember[] = [];
  const open: string[] = [];
  let state = VALUE;
  let key = '';
  let valueStart = 0;
  let at = 0;
  for (;;) {
    at = skipBlanks(text, at);
    if (at >= text.length) {
      if (state === AFTER && open.length === 0) return members;
      throw new GoJsonError('unexpected end of JSON input');
    }
    const char = text[at]!;
    const inObject = open[open.length - 1] === '{';
    let valueEnded = false;
    if (state === AFTER) {
      if (open.length === 0) throw unexpected(char, 'after top-level value');
      if (char === ',') state = inObject ? KEY : VALUE;
      else if (char === (inObject ? '}' : ']')) valueEnded = true;
      else throw unexpected(char, inObject ? 'after object key:value pair' : 'after array element');
      at++;
      if (valueEnded) open.pop();
    } else if ((state === FIRST_KEY && char === '}') || (state === FIRST_ELEMENT && char === ']')) {
      open.pop();
      at++;
      valueEnded = true;
    } else if (state === FIRST_KEY || state === KEY) {
      if (char !== '"') throw unexpected(char, 'looking for beginning of object key string');
      const end = scanString(text, at);
      if (open.length === 1) key = decodeString(text, at, end);
      at = expectColon(text, end);
      state = VALUE;
    } else {
      if (open.length === 1) valueStart = at;
      if (char === '{' || char === '[') {
        if (open.length === DEPTH_MAX) throw new GoJsonError('exceeded max depth');
        open.push(char);
        at++;
        state = char === '{' ? FIRST_KEY : FIRST_ELEMENT;
      } else {
        at = scanScalar(text, at, char);
        valueEnded = true;
      }
    }
    if (valueEnded) {
      state = AFTER;
      if (open.length === 1 && open[0] === '{') members.push({ key, start: valueStart, end: at });
    }
  }
}

/** The string literal in `text[start, end)`, quotes included, with what is not valid Unicode replaced as Go does. */
export function decodeString(text: string, start: number, end: number): string {
  return (JSON.parse(text.slice(start, end)) as string).toWellFormed();
}

function skipBlanks(text: string, at: number): number {
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++;
  return at;
}

function expectColon(text: string, at: number): number {
  at = skipBlanks(text, at);
  if (at >= text.length) throw new GoJsonError('unexpected end of JSON input');
  if (text[at] !== ':') throw unexpected(text[at]!, 'after object key');
  return at + 1;
}

function scanScalar(text: string, at: number, char: string): number {
  if (char === '"') return scanString(text, at);
  if (char === '-' || isDigit(char)) return scanNumber(text, at);
  const literal = LITERALS[char];
  if (literal === undefined) throw unexpected(text.slice(at), 'looking for beginning of value');
  for (let i = 1; i < literal.length; i++) {
    const next = charAt(text, at + i);
    if (next !== literal[i]) throw unexpected(next, `in literal ${literal} (expecting '${literal[i]}')`);
  }
  return at + literal.length;
}

function scanString(text: string, at: number): number {
  for (let i = at + 1; ; i++) {
    const char = charAt(text, i);
    if (char === '"') return i + 1;
    if (char < ' ') throw unexpected(char, 'in string');
    if (char !== '\\') continue;
    const letter = charAt(text, i + 1);
    if (!ESCAPABLE.includes(letter)) throw badEscape(text, i, 2);
    i += 1;
    if (letter !== 'u') continue;
    const digits = text.slice(i + 1, i + 5);
    if (!/^[0-9a-fA-F]*$/.test(digits)) throw badEscape(text, i - 1, 6);
    if (digits.length < 4) throw new GoJsonError('unexpected end of JSON input');
    i += 4;
  }
}

function badEscape(text: string, at: number, length: number): GoJsonError {
  return new GoJsonError(`invalid escape sequence \`${text.slice(at, at + length)}\` in string`);
}

function scanNumber(text: string, at: number): number {
  if (text[at] === '-') at++;
  if (charAt(text, at) === '0') at++;
  else at = scanDigits(text, at);
  if (text[at] === '.') at = scanDigits(text, at + 1);
  if (text[at] === 'e' || text[at] === 'E') {
    at++;
    if (text[at] === '+' || text[at] === '-') at++;
    at = scanDigits(text, at);
  }
  return at;
}

/** One digit at least. */
function scanDigits(text: string, at: number): number {
  const first = charAt(text, at);
  if (!isDigit(first)) throw unexpected(first, 'in numeric literal');
  while (at < text.length && isDigit(text[at]!)) at++;
  return at;
}

function charAt(text: string, at: number): string {
  if (at >= text.length) throw new GoJsonError('unexpected end of JSON input');
  return text[at]!;
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}

function unexpected(text: string, where: string): GoJsonError {
  return new GoJsonError(`invalid character ${quoteGoChar(text)} ${where}`);
}
