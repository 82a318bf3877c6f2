/** A parsed JSON value. `raw` is its text; numbers are kept as text so that no digit is lost. */
export type JsonValue =
  | { readonly kind: 'null' | 'bool' | 'number'; readonly raw: string }
  | { readonly kind: 'string'; readonly raw: string; readonly text: string }
  | { readonly kind: 'array'; readonly raw: string; readonly items: JsonValue[] }
  | { readonly kind: 'object'; readonly raw: string; readonly members: { key: string; value: JsonValue }[] };

/** JSON that Go's encoding/json would refuse; the message is what it says. */
export class JsonError extends Error {
  /** Bytes read up to and including the one that was wrong; -1 = the text ended too early or the value is of a wrong type. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'JsonError';
    this.offset = offset;
  }
}
