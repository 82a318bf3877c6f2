import { execFile } from 'node:child_process';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import type { ServiceLogger } from './logger.ts';

/** Milliseconds between two words that a long start still goes on. */
export const EXTEND_INTERVAL_MS = 10_000;
/** How much longer systemd waits for the start after each of them, microseconds. */
const EXTEND_TIMEOUT_USEC = 30_000_000;
const USEC_PER_MS = 1_000;
/** systemd-notify is given up after this. */
const NOTIFY_TIMEOUT_MS = 10_000;

/** The variables that systemd sets for a service of Type=notify. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Tells systemd how the service is, through the program `systemd-notify`: Node has no datagram sockets of the unix kind. The unit
 * has to allow that with `NotifyAccess=all`. Equivalent to sd_notify(3).
 */
export class SystemdNotifier {
  readonly #log: ServiceLogger;
  readonly #clock: Clock;
  readonly #watchdogMs: number | null;
  #timer: { cancel(): void } | null = null;
  #last: Promise<void> = Promise.resolve();
  #hasFailed = false;

  private constructor(log: ServiceLogger, clock: Clock, watchdogMs: number | null) {
    this.#log = log;
    this.#clock = clock;
    this.#watchdogMs = watchdogMs;
  }

  /** Null where nobody listens (NOTIFY_SOCKET is not set). */
  static fromEnvironment(env: Environment, log: ServiceLogger, clock: Clock = SYSTEM_CLOCK): SystemdNotifier | null {
    if ((env['NOTIFY_SOCKET'] ?? '') === '') return null;
    return new SystemdNotifier(log, clock, watchdogMs(env));
  }

  /** The start has begun and may take long: says so, and how far it is, until `ready`. */
  starting(status: () => string): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#notify(`EXTEND_TIMEOUT_USEC=${EXTEND_TIMEOUT_USEC}`, `STATUS=${status()}`);
      this.starting(status);
    }, EXTEND_INTERVAL_MS);
  }

  /** Clients are served. From now on the watchdog hears from the event loop, twice in its time. */
  ready(status: string): void {
    this.#timer?.cancel();
    this.#notify('READY=1', `STATUS=${status}`);
    if (this.#watchdogMs !== null) this.#feed(this.#watchdogMs / 2);
  }

  /** The stop has begun. Resolves when systemd has been told. */
  stopping(): Promise<void> {
    this.#timer?.cancel();
    this.#notify('STOPPING=1', 'STATUS=stopping');
    return this.#last;
  }

  #feed(intervalMs: number): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#notify('WATCHDOG=1');
      this.#feed(intervalMs);
    }, intervalMs);
  }

  /** One after the other: what is said last must arrive last. */
  #notify(...assignments: string[]): void {
    this.#last = this.#last.then(() => this.#run(assignments));
  }

  #run(assignments: string[]): Promise<void> {
    return new Promise((resolve) => {
      execFile('systemd-notify', assignments, { timeout: NOTIFY_TIMEOUT_MS }, (error, _stdout, stderr) => {
        if (error !== null && !this.#hasFailed) {
          this.#hasFailed = true;
          const why = stderr.trim() || error.message;
          this.#log.always(`systemd is not told that the service is there, systemd-notify failed: ${why}`, {}, 'warn');
        }
        resolve();
      });
    });
  }
}

/** WATCHDOG_USEC in milliseconds; null where there is none, or it is meant for another process. */
function watchdogMs(env: Environment): number | null {
  const pid = env['WATCHDOG_PID'] ?? '';
  const usec = Number(env['WATCHDOG_USEC'] ?? '');
  if (!(usec > 0) || (pid !== '' && Number(pid) !== process.pid)) return null;
  return usec / USEC_PER_MS;
}
