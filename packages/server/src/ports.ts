/**
 * What the server needs from outside. Nothing in this package reads a clock, draws a random number or writes a line of
 * its own accord: tests move time by hand.
 */

/** A running timer. */
export interface Timer {
  /** Stops it; a second call does nothing. */
  cancel(): void;
}

/** Time. */
export interface Clock {
  /** Milliseconds since the Unix epoch, an integer. */
  now(): number;
  /** Milliseconds since some moment in the past, with a fraction; never goes back. For intervals. */
  monotonicMs(): number;
  /** Calls back once after `delayMs` milliseconds. The timer does not keep the process alive. */
  setTimer(callback: () => void, delayMs: number): Timer;
}

/** Randomness. */
export interface Ids {
  /** A 22-character NUID. */
  nuid(): string;
  /** `length` characters of `0-9A-Za-z`. */
  token(length: number): string;
  /** A number in [0, 1). */
  random(): number;
  /** `length` random bytes, fit for keys. */
  bytes(length: number): Uint8Array;
}

/** Where lines for the operator go. Texts are nats-server's (spec/core.md 6); the shape of the line is the app's. */
export interface Logger {
  info(text: string): void;
  /**
   * A line of level info that is to be seen at any level, because clients lose messages over it, with what it tells as
   * fields too. Without it the line goes to `info`, and its fields are left out, as in nats-server.
   */
  always?(text: string, fields: Readonly<Record<string, unknown>>): void;
  warn(text: string): void;
  error(text: string): void;
  debug(text: string): void;
  trace(text: string): void;
}

/** What a NatsServer is given. */
export interface ServerDependencies {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
}
