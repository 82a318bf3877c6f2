import { closeSync, fstatSync, openSync, readdirSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Where lines go and which. */
export interface LineLoggerOptions {
  readonly debug: boolean;
  readonly trace: boolean;
  /** Default true. Equivalent to logtime. */
  readonly time: boolean;
  /** Equivalent to logtime_utc. */
  readonly utc: boolean;
  /** Append to this file instead of stderr. Equivalent to logfile. */
  readonly file: string | null;
  /** Start a new file above this many bytes, 0 = never. Equivalent to logfile_size_limit. */
  readonly sizeLimitBytes: number;
  /** Files to keep, the current one included, 0 = all. Equivalent to logfile_max_num. */
  readonly filesMax: number;
}

type Level = 'INF' | 'DBG' | 'WRN' | 'ERR' | 'FTL' | 'TRC';

const COLOURS: Record<Level, number> = { INF: 32, DBG: 36, WRN: 33, ERR: 31, FTL: 31, TRC: 33 };
const STDERR = 2;

/** nats-server's lines: `[pid] 2026/11/21 01:02:03.456789 [INF] text` (spec/core.md 6.2). */
export class LineLogger {
  readonly #options: LineLoggerOptions;
  readonly #coloured: boolean;
  readonly #clock = new FineClock();
  #fd: number = STDERR;
  #sizeLimitBytes: number;
  #written = 0;

  /** Throws if the file cannot be opened. */
  constructor(options: LineLoggerOptions) {
    this.#options = options;
    this.#sizeLimitBytes = options.sizeLimitBytes;
    this.#coloured = options.file === null && process.stderr.isTTY === true;
    if (options.file !== null) this.#open(options.file);
    if (this.#isTooBig()) {
      this.info('Rotating logfile...');
      this.#rotate();
    }
  }

  info(text: string): void {
    this.#line('INF', text);
  }

  warn(text: string): void {
    this.#line('WRN', text);
  }

  error(text: string): void {
    this.#line('ERR', text);
  }

  fatal(text: string): void {
    this.#line('FTL', text);
  }

  debug(text: string): void {
    if (this.#options.debug) this.#line('DBG', text);
  }

  trace(text: string): void {
    if (this.#options.trace) this.#line('TRC', text);
  }

  /** SIGUSR1: whoever rotates log files has moved ours away. */
  reopen(): void {
    const { file } = this.#options;
    if (file === null) {
      this.info('File log re-open ignored, not a file logger');
      return;
    }
    const before = this.#fd;
    try {
      this.#open(file);
    } catch (error) {
      this.error(`Unable to re-open the log file: ${(error as Error).message}`);
      return;
    }
    closeSync(before);
    this.info('File log re-opened');
  }

  #open(file: string): void {
    this.#fd = openSync(file, 'a', 0o640);
    this.#written = fstatSync(this.#fd).size;
  }

  #line(level: Level, text: string): void {
    const tag = this.#coloured ? `[\u001b[${COLOURS[level]}m${level}\u001b[0m]` : `[${level}]`;
    const time = this.#options.time ? ` ${this.#clock.format(this.#options.utc)}` : '';
    this.#write(`[${process.pid}]${time} ${tag} ${text}\n`);
    if (this.#isTooBig()) this.#rotate();
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    let at = 0;
    while (at < bytes.length) {
      try {
        at += writeSync(this.#fd, bytes, at);
      } catch {
        // A full pipe, a closed one, a full disk: losing lines is better than stopping the broker.
        return;
      }
    }
    this.#written += bytes.length;
  }

  #isTooBig(): boolean {
    return this.#options.file !== null && this.#sizeLimitBytes > 0 && this.#written > this.#sizeLimitBytes;
  }

  #rotate(): void {
    const { file } = this.#options;
    if (file === null) return;
    const backup = `${file}.${this.#clock.format(this.#options.utc).replace(/[/ :]/g, '.')}000`;
    const before = this.#fd;
    try {
      renameSync(file, backup);
      this.#open(file);
    } catch (error) {
      // Logging goes on in the file there is; trying again with every line would only make it longer.
      this.#sizeLimitBytes *= 2;
      this.error(
        `Unable to rotate the log file: ${(error as Error).message}, will try again at size ${this.#sizeLimitBytes}`,
      );
      return;
    }
    closeSync(before);
    // nats-server ends this one line with CRLF.
    this.#write(
      `[${process.pid}] ${this.#clock.format(this.#options.utc)} [INF] Rotated log, backup saved as "${backup}"\r\n`,
    );
    if (this.#options.filesMax > 0) this.#purge(file, this.#options.filesMax - 1);
  }

  #purge(file: string, keep: number): void {
    const prefix = `${basename(file)}.`;
    const backups = readdirSync(dirname(file))
      .filter((name) => name.startsWith(prefix))
      .sort();
    for (const name of backups.slice(0, Math.max(0, backups.length - keep))) {
      try {
        unlinkSync(join(dirname(file), name));
      } catch (error) {
        this.#write(`[${process.pid}] ${this.#clock.format(this.#options.utc)} [ERR] ${(error as Error).message}\n`);
        continue;
      }
      this.#write(`[${process.pid}] ${this.#clock.format(this.#options.utc)} [INF] Purged log file "${name}"\n`);
    }
  }
}

/** Apart from the wall clock by more than this, the fine clock is not believed: the wall clock was set. */
const FINE_CLOCK_DRIFT_MAX_MS = 5;

/** A wall clock set back by less does not turn lines around, milliseconds. */
const SET_BACK_MIN_MS = 1_000;

/** The time with microseconds, as nats-server prints it; Node's wall clock tells milliseconds only. */
class FineClock {
  #offsetMs = performance.timeOrigin;
  #lastMs = 0;

  format(utc: boolean): string {
    const wallMs = Date.now();
    let ms = performance.now() + this.#offsetMs;
    if (Math.abs(ms - wallMs) > FINE_CLOCK_DRIFT_MAX_MS) {
      this.#offsetMs += wallMs - ms;
      ms = wallMs;
    }
    if (ms < this.#lastMs && this.#lastMs - ms < SET_BACK_MIN_MS) ms = this.#lastMs;
    this.#lastMs = ms;
    return formatTime(new Date(Math.floor(ms)), Math.floor((ms % 1) * 1000), utc);
  }
}

function formatTime(time: Date, micros: number, utc: boolean): string {
  const two = (value: number): string => `${value}`.padStart(2, '0');
  const fraction = `${`${time.getMilliseconds()}`.padStart(3, '0')}${`${micros}`.padStart(3, '0')}`;
  return utc
    ? `${time.getUTCFullYear()}/${two(time.getUTCMonth() + 1)}/${two(time.getUTCDate())} ${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())}.${fraction}`
    : `${time.getFullYear()}/${two(time.getMonth() + 1)}/${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${fraction}`;
}
