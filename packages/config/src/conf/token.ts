/** The kinds of things a configuration text is made of. Comments are skipped. */
export type TokenKind =
  | 'error'
  | 'end'
  | 'key'
  | 'string'
  | 'bool'
  | 'integer'
  | 'float'
  | 'datetime'
  | 'array-start'
  | 'array-end'
  | 'map-start'
  | 'map-end'
  | 'variable'
  | 'include';

/** One token, its text, and where it stands (nats-server's counting, see Cursor). */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly line: number;
  readonly column: number;
}
