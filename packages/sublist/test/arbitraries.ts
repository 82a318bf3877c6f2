import fc from 'fast-check';
import { naiveSubscribable } from './naive.ts';

/** Few tokens, so that subjects meet; empty ones, wildcards and look-alikes of wildcards among them. */
const anyToken = fc.constantFrom('a', 'b', 'c', '*', '>', '', 'a*', '>b', 'ö', 'long-token-0123456789');

/** Anything a client may send. */
export const anySubject: fc.Arbitrary<string> = fc
  .array(anyToken, { minLength: 1, maxLength: 4 })
  .map((tokens) => tokens.join('.'));

const token = fc.constantFrom('a', 'b', 'c', '*', 'a', 'b', 'a*', 'long-token-0123456789');

/** Subjects that may be subscribed to. */
export const pattern: fc.Arbitrary<string> = fc
  .tuple(fc.array(token, { minLength: 0, maxLength: 4 }), fc.boolean())
  .map(([tokens, tail]) => (tail || tokens.length === 0 ? [...tokens, '>'] : tokens).join('.'))
  .filter(naiveSubscribable);

/** Subjects that may be published to, wildcard tokens among them. */
export const published: fc.Arbitrary<string> = fc
  .array(fc.constantFrom('a', 'b', 'c', 'a*', '*', 'long-token-0123456789'), { minLength: 1, maxLength: 4 })
  .map((tokens) => tokens.join('.'));

/** Without wildcard tokens. */
export const literal: fc.Arbitrary<string> = fc
  .array(fc.constantFrom('a', 'b', 'c', 'a*', 'long-token-0123456789'), { minLength: 1, maxLength: 4 })
  .map((tokens) => tokens.join('.'));
