import type { PublishArgs } from './publish-args.ts';
import type { ProtocolViolation } from './violation.ts';

/**
 * What a client asked for, called synchronously from `ServerParser.parse` in wire order. Any of these may call
 * `ServerParser.stop`, and may change the parser's limits.
 */
export interface ClientOperations {
  /** CONNECT with its JSON text (decoded like a subject), not yet looked at: see `parseConnect`. */
  onConnect(json: string): void;
  /** INFO from a client: its JSON must be valid (`checkClientInfo`), then it is ignored. */
  onInfo(json: string): void;
  onPing(): void;
  onPong(): void;
  /** PUB or HPUB, complete. `args` and its buffer are valid only during the call. */
  onPublish(args: PublishArgs): void;
  /** SUB. `sid` holds the raw bytes as latin1 and is echoed verbatim. */
  onSubscribe(subject: string, queue: string | null, sid: string): void;
  /** UNSUB. `max` 0 = now (also when the client gave 0 or no number). */
  onUnsubscribe(sid: string, max: number): void;
  /** `-ERR` from the client: to be logged as `Client Error <text>`, closes with reason Parse Error. */
  onClientError(text: string): void;
  /** `+OK` from the client, ignored by nats-server. */
  onOk(): void;
  /** The client broke the protocol; the parser is dead from here on. */
  onViolation(violation: ProtocolViolation): void;
}

/**
 * Limits of one connection. Plain fields: the owner may change them at any time (reload, CONNECT, login) and the next
 * operation obeys them, also in the middle of a chunk.
 */
export interface ParserLimits {
  /** Bytes of a control line behind its verb. Equivalent to max_control_line in nats-server, default 4096. */
  maxControlLine: number;
  /** Bytes of a message, headers included; -1 = unlimited. Equivalent to max_payload in nats-server, default 1 MiB. */
  maxPayload: number;
  /** HPUB is allowed: the server supports headers and the client asked for them in CONNECT. */
  headers: boolean;
  /** Authentication is required and CONNECT has not succeeded: the first byte of anything but CONNECT is a violation. */
  connectRequired: boolean;
}
