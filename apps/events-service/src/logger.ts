import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

/** Log levels of the original service; anything else, and none at all, means error. */
const LEVELS = new Set(['panic', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']);

/** What the `log` section says (spec/ocis.md 1). */
export interface LogSettings {
  readonly level: string;
  readonly pretty: boolean;
  readonly color: boolean;
  /** Append to this file; used only without `pretty`. */
  readonly file: string;
}

/** The service's log: JSON lines on stderr with the field names of the original. */
export class ServiceLogger {
  readonly level: string;
  /** Lines written so far, by level. */
  readonly lines: ReadonlyMap<string, number>;
  readonly #log: PinoLogger;

  constructor(log: PinoLogger, level: string, lines: ReadonlyMap<string, number> = new Map()) {
    this.#log = log;
    this.level = level;
    this.lines = lines;
  }

  fatal(text: string, fields: object = {}): void {
    this.#log.fatal(fields, text);
  }

  error(text: string, fields: object = {}): void {
    this.#log.error(fields, text);
  }

  warn(text: string, fields: object = {}): void {
    this.#log.warn(fields, text);
  }

  info(text: string, fields: object = {}): void {
    this.#log.info(fields, text);
  }

  debug(text: string, fields: object = {}): void {
    this.#log.debug(fields, text);
  }

  trace(text: string, fields: object = {}): void {
    this.#log.trace(fields, text);
  }

  /** A line that appears at any log level: what an operator must see, such as where the data is or that the disk fills up. */
  always(text: string, fields: object = {}, level: 'info' | 'warn' | 'error' = 'info'): void {
    const before = this.#log.level;
    if (!this.#log.isLevelEnabled(level)) this.#log.level = level;
    this.#log[level](fields, text);
    this.#log.level = before;
  }
}

/** Opens the log. Throws if its file cannot be opened. */
export async function openLogger(settings: LogSettings): Promise<ServiceLogger> {
  const wanted = settings.level.toLowerCase();
  const level = LEVELS.has(wanted) ? wanted : 'error';
  const lines = new Map(['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map((label) => [label, 0]));
  const log = pino(
    {
      // Called for lines that are written.
      mixin: (_fields, level) => {
        const label = pino.levels.labels[level] ?? '';
        lines.set(label, (lines.get(label) ?? 0) + 1);
        // A new one each time: pino puts the fields of the line into it.
        return {};
      },
      level: level === 'panic' ? 'fatal' : level,
      messageKey: 'message',
      base: { service: 'nats' },
      timestamp: () => `,"time":"${localTime(new Date())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    await destination(settings),
  );
  return new ServiceLogger(log, level, lines);
}

async function destination(settings: LogSettings): Promise<DestinationStream> {
  if (settings.pretty) {
    // Loaded only when asked for.
    const { PinoPretty } = await import('pino-pretty');
    return PinoPretty({
      colorize: settings.color,
      destination: 2,
      sync: true,
      messageKey: 'message',
      ignore: 'service',
    });
  }
  if (settings.file !== '')
    return pino.destination({ dest: settings.file, sync: true, append: true, mkdir: false, mode: 0o644 });
  return pino.destination({ dest: 2, sync: true });
}

/** RFC 3339 in local time with second precision, as zerolog writes it. */
function localTime(time: Date): string {
  const two = (value: number): string => `${value}`.padStart(2, '0');
  const offset = -time.getTimezoneOffset();
  const zone =
    offset === 0
      ? 'Z'
      : `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}T${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}${zone}`;
}
