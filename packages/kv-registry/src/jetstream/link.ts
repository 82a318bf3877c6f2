import type { BucketWatch } from '../bucket.ts';

/** A message as it comes from a server. */
export interface LinkMessage {
  readonly subject: string;
  readonly reply: string | null;
  /** Status of an answer that has no content: 404, 503 (nobody listens); 100: heartbeat or flow control. 0 = none. */
  readonly status: number;
  /** Valid as long as the message is kept. */
  readonly payload: Uint8Array;
  /** Value of a header; empty if there is none. */
  header(name: string): string;
}

/**
 * The way to a server with JetStream: what `JetStreamBucket` stands on. A connection over the network is in
 * `@nats-ts/kv-registry/nats`; whoever runs the server in the same process can do without one.
 */
export interface JetStreamLink {
  /**
   * Sends a request and resolves with its answer; that nobody listens is an answer with status 503.
   * Rejects with a RegistryError `unavailable` when the server cannot be reached or does not answer in time.
   */
  request(subject: string, payload: Uint8Array, headers?: Readonly<Record<string, string>>): Promise<LinkMessage>;
  /** Sends an empty message. */
  publish(subject: string): void;
  /** Calls back for every message on `subject`, after outages too, until it is stopped. */
  subscribe(subject: string, callback: (message: LinkMessage) => void): BucketWatch;
  /** A subject of this link's own, never used before. */
  newInbox(): string;
  /** Calls back every time the server can be reached again, the first time included if it could not be at first. */
  onRestored(callback: () => void): BucketWatch;
  close(): Promise<void>;
}
