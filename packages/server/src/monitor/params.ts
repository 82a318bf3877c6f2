const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);
const UINT64_MAX = (1n << 64n) - 1n;
const INT64_MAX = (1n << 63n) - 1n;

/** A request that cannot be answered: status 400 and this text. Texts are Go's (spec/core.md 8.1). */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/** Query parameters, read with Go's rules and errors. Absent and empty ones count as zero. */
export class Params {
  readonly #query: URLSearchParams;

  constructor(query: URLSearchParams) {
    this.#query = query;
  }

  text(name: string): string {
    return this.#query.get(name) ?? '';
  }

  bool(name: string): boolean {
    const text = this.text(name);
    if (text === '' || FALSE.has(text)) return false;
    if (TRUE.has(text)) return true;
    throw new BadRequest(`Error decoding boolean for '${name}': strconv.ParseBool: parsing "${text}": invalid syntax`);
  }

  int(name: string): number {
    const text = this.text(name);
    if (text === '') return 0;
    const failure = `Error decoding int for '${name}': strconv.Atoi: parsing "${text}"`;
    if (!/^[+-]?\d+$/.test(text)) throw new BadRequest(`${failure}: invalid syntax`);
    const value = BigInt(text.replace(/^\+/, ''));
    if (value > INT64_MAX || value < -INT64_MAX - 1n) throw new BadRequest(`${failure}: value out of range`);
    return Number(value);
  }

  uint64(name: string): bigint {
    const text = this.text(name);
    if (text === '') return 0n;
    const failure = `Error decoding uint64 for '${name}': strconv.ParseUint: parsing "${text}"`;
    if (!/^\d+$/.test(text)) throw new BadRequest(`${failure}: invalid syntax`);
    const value = BigInt(text);
    if (value > UINT64_MAX) throw new BadRequest(`${failure}: value out of range`);
    return value;
  }
}

/** The part of `items` that `offset` and `limit` ask for; a limit of 0 or less is `limitDefault`. */
export function page<T>(items: readonly T[], offset: number, limit: number, limitDefault: number): readonly T[] {
  const start = Math.max(0, offset);
  return items.slice(start, start + (limit <= 0 ? limitDefault : limit));
}
