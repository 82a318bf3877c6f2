import type { CloseReason } from './errors.ts';

/** What a client did wrong so that its connection ends. Source: spec/core.md 1.1, 1.6, 8.2. */
export interface ProtocolViolation {
  /**
   * `parse`: bytes that are no operation. `argument`: an operation with unusable arguments. `control-line` and
   * `max-payload`: a limit. `headers-not-supported`: HPUB without `headers:true` in CONNECT. `authorization`: the first
   * operation is not CONNECT although one is required.
   */
  readonly kind: 'parse' | 'argument' | 'control-line' | 'max-payload' | 'headers-not-supported' | 'authorization';
  /** What to send in `-ERR '…'` before closing; null = close without a word. */
  readonly wireText: string | null;
  /** The reason to record for the connection. */
  readonly closeReason: CloseReason;
  /** The line for the log (without connection prefix), in nats-server's words. */
  readonly logText: string;
}
