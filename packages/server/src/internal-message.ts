/** Who sent a request, as advisories name it. Order and names as nats-server's ClientInfo. */
export interface ClientInfo {
  readonly start: string;
  readonly host: string;
  readonly id: number;
  readonly acc: string;
  readonly user?: string;
  readonly name?: string;
  readonly lang?: string;
  readonly ver?: string;
  /** Round trip in nanoseconds. */
  readonly rtt?: number;
  readonly server: string;
  readonly kind: string;
  readonly client_type: string;
}

/**
 * A message as a subscriber inside the process sees it. The object and its buffer are reused: both are valid only
 * during the callback, and whoever keeps bytes copies them.
 */
export interface InternalMessage {
  readonly subject: string;
  /** Where the publisher wants an answer, or null. */
  readonly reply: string | null;
  readonly buffer: Buffer;
  /** Start of the header block (`NATS/1.0\r\n…\r\n\r\n`); equal to `payloadStart` when there is none. */
  readonly headerStart: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** The sender, built on demand; null when the server itself sent it. */
  clientInfo(): ClientInfo | null;
  /** Nothing more is read from the client that published it until the hold is released; null when the server itself sent it. */
  holdPublisher(): PublisherHold | null;
}

/** A client that is not read from. Several holds on one client add up. */
export interface PublisherHold {
  /** The client goes on, in a later turn, when its last hold is released; a second call does nothing. */
  release(): void;
}

/** A message from inside the process whose bytes stand in buffers; object and buffers are its sender's. */
export interface StandingMessage {
  readonly subject: string;
  /** The reply subject, as on the wire, is `reply[0, replyEnd)`; 0 = none. */
  readonly reply: Buffer;
  readonly replyEnd: number;
  /** Header block (none if `headerStart` is `payloadStart`), and the payload directly behind it. */
  readonly buffer: Buffer;
  readonly headerStart: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** Called in the publisher's turn; false = nobody was there for the message after all. */
export type InternalCallback = (message: InternalMessage) => boolean;
