/** From this length on V8 makes a part of a string a view that keeps the whole of it in memory. */
const VIEW_LENGTH_MIN = 13;

/** Recently stored tokens, so that equal ones share one string. A power of two. */
const SHARED_TOKENS = 256;

/** Cuts tokens out of subjects such that they do not keep the subjects in memory. */
export class TokenCutter {
  readonly #shared: string[] = new Array<string>(SHARED_TOKENS).fill('');

  cut(subject: string, start: number, end: number): string {
    const token = subject.slice(start, end);
    const slot =
      (token.length * 31 + token.charCodeAt(token.length - 1) * 7 + token.charCodeAt(0)) & (SHARED_TOKENS - 1);
    if (this.#shared[slot] === token) return this.#shared[slot];
    const own = token.length < VIEW_LENGTH_MIN || token.length === subject.length ? token : copyOf(token);
    this.#shared[slot] = own;
    return own;
  }
}

function copyOf(token: string): string {
  for (let index = 0; index < token.length; index++) {
    if (token.charCodeAt(index) > 0xff) return Buffer.from(token, 'utf16le').toString('utf16le');
  }
  return Buffer.from(token, 'latin1').toString('latin1');
}
