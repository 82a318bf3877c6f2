import { goQuote } from '../go/quote.ts';

/** Whether a text is a subject, wildcards allowed: tokens that are not empty and have no blanks, `>` only at the end. */
function isSubject(text: string): boolean {
  const tokens = text.split('.');
  return tokens.every(
    (token, i) => token !== '' && !/[\t\n\f\r ]/.test(token) && (token !== '>' || i === tokens.length - 1),
  );
}

/** What is wrong with a subject in a permission list, in nats-server's words; null for nothing. */
export function subjectProblem(text: string, mayNameQueue: boolean): string | null {
  if (isSubject(text)) return null;
  const parts = mayNameQueue ? text.split(/\s+/u).filter((part) => part !== '') : [];
  if (parts.length !== 2) return `subject ${goQuote(text)} is not a valid subject`;
  const [subject, queue] = parts as [string, string];
  if (!isSubject(subject)) return `subject ${goQuote(subject)} is not a valid subject`;
  return isSubject(queue) ? null : `queue ${goQuote(queue)} is not a valid queue`;
}
