/**
 * What JetStream needs from the server it runs in. `@nats-ts/server` satisfies these ports structurally;
 * neither package imports the other.
 */

/** A running timer. */
export interface Timer {
  /** Stops it; a second call does nothing. */
  cancel(): void;
}

/** Time, injected so that tests can move it by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch, an integer. */
  now(): number;
  /** Calls back once after `delayMs` milliseconds (0 = next turn). The timer does not keep the process alive. */
  setTimer(callback: () => void, delayMs: number): Timer;
}

/** Randomness, injected for the same reason. */
export interface Ids {
  /** A 22-character NUID. */
  nuid(): string;
  /** `length` characters of `0-9A-Za-z`. */
  token(length: number): string;
  /** A number in [0, 1). */
  random(): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** Lines for the server's log. Texts follow nats-server where it has the same event. */
export interface Log {
  error(text: string): void;
  warn(text: string): void;
  info(text: string): void;
  debug(text: string): void;
}

/** Who sent a request, as the API audit advisory names them (spec/jetstream.md 1.5). */
export interface ClientInfo {
  readonly start: string;
  readonly host: string;
  readonly id: number;
  readonly acc: string;
  readonly user?: string;
  readonly name?: string;
  readonly lang?: string;
  readonly ver?: string;
  readonly rtt?: number;
  readonly server: string;
  readonly kind: string;
  readonly client_type: string;
}

/**
 * A published message as an internal subscriber sees it. The object and its buffer are reused:
 * both are valid only during the callback, and whoever keeps bytes copies them.
 */
export interface HostMessage {
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
  /**
   * Nothing more is read from the client that published it until the hold is released: it sends faster than what it sends
   * can be worked off. Messages of it that are in memory already wait too. Null when the server itself sent it.
   */
  holdPublisher(): HostHold | null;
}

/** A client that is not read from. Several holds on one client add up. */
export interface HostHold {
  /** The client goes on, in a later turn, when its last hold is released; a second call does nothing. */
  release(): void;
}

/** An internal subscription or interest watch. */
export interface HostSubscription {
  /** Ends it; a second call does nothing. */
  close(): void;
}

/** One account of the server. */
export interface HostAccount {
  /** Account name; `$G` is the global account. */
  readonly name: string;
  /** JetStream limits of the account; null = JetStream is not enabled for it. -1 = unlimited. */
  readonly jetstreamLimits: AccountLimits | null;
  /**
   * Subscribes inside the process. The callback runs synchronously in the publisher's turn. It returns false when
   * nobody was there for the message after all: then it counts as not delivered and the publisher of a request
   * gets "no responders".
   */
  subscribe(subject: string, queue: string | null, callback: (message: HostMessage) => boolean): HostSubscription;
  /** True if somebody is subscribed to exactly the literal `subject`, plainly or in `queue`; patterns do not count, streams do. */
  hasInterest(subject: string, queue: string | null): boolean;
  /** True if a message on `subject` would reach anybody at all: by a pattern, in a queue group, or a stream that captures it. */
  hasListeners(subject: string): boolean;
  /** Calls back whenever `hasInterest` of the literal `subject` changes. */
  onInterest(subject: string, queue: string | null, callback: (interested: boolean) => void): HostSubscription;
  /**
   * Sends a message: matches by `to`, writes `subject` on the wire. The bytes are copied (or sent) before it
   * returns. Returns how many subscribers got it; 0 means nobody.
   */
  deliver(
    to: string,
    subject: string,
    reply: string | null,
    header: Uint8Array | null,
    payload: Uint8Array | null,
  ): number;
  /** The same for a message that stands in buffers: no view is made of them, no string of the reply. */
  deliverStored(to: string, message: StandingMessage): number;
}

/** A message whose bytes stand in buffers. The object and its buffers are reused by who sends it. */
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

/** JetStream limits of an account; -1 = unlimited (spec/jetstream.md 2.7). */
export interface AccountLimits {
  readonly maxMemory: number;
  readonly maxStorage: number;
  readonly maxStreams: number;
  readonly maxConsumers: number;
  readonly maxAckPending: number;
  readonly memoryMaxStreamBytes: number;
  readonly storageMaxStreamBytes: number;
  readonly maxBytesRequired: boolean;
}

/** The server JetStream runs in. */
export interface Host {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Server id (`N…`) and name as in INFO; cluster name, or null. */
  readonly serverId: string;
  readonly serverName: string;
  readonly clusterName: string | null;
  /** Largest payload a client may publish, bytes. */
  readonly maxPayload: number;
  accounts(): Iterable<HostAccount>;
  /** Calls back for every account that appears later. */
  onAccounts(callback: (account: HostAccount) => void): void;
}
