/** The rules of spec/core.md 1.3 written down as plainly as possible, to compare with. */

export function naiveMatches(literal: string, pattern: string): boolean {
  const subject = literal.split('.');
  const expected = pattern.split('.');
  if (subject.includes('')) return false;
  for (const [index, token] of expected.entries()) {
    if (token === '>' && index === expected.length - 1) return subject.length > index;
    if (index >= subject.length || (token !== '*' && token !== subject[index])) return false;
  }
  return subject.length === expected.length;
}

export function naiveSubscribable(subject: string): boolean {
  const tokens = subject.split('.');
  return !tokens.includes('') && !tokens.slice(0, -1).includes('>');
}
