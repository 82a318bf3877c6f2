import type { ConnectionContext } from './context.ts';

/** Lines of one connection: `ip:port - cid:N - "v1.2:go:name" - text` (spec/core.md 6.2). */
export class ConnectionLog {
  readonly #context: ConnectionContext;
  #prefix: string;

  constructor(context: ConnectionContext, ip: string, port: number, cid: number) {
    this.#context = context;
    this.#prefix = `${ip.includes(':') ? `[${ip}]` : ip}:${port} - cid:${cid}`;
  }

  /** Who it is, known after CONNECT: goes behind the address. */
  addLabel(label: string): void {
    this.#prefix += label;
  }

  error(text: string): void {
    this.#context.logger.error(`${this.#prefix} - ${text}`);
  }

  /** An error line that is left out when the same was written within the last second. */
  errorRateLimited(text: string, account: string): void {
    const line = `${text} - Account:${account}`;
    if (this.#context.rateLimited.isDue(line)) this.error(line);
  }

  /** As `errorRateLimited`, a warning; `key` tells which lines are the same. */
  warnRateLimited(key: string, text: string, account: string): void {
    if (this.#context.rateLimited.isDue(`${key} - Account:${account}`)) {
      this.#context.logger.warn(`${this.#prefix} - ${text} - Account:${account}`);
    }
  }

  warn(text: string): void {
    this.#context.logger.warn(`${this.#prefix} - ${text}`);
  }

  info(text: string): void {
    this.#context.logger.info(`${this.#prefix} - ${text}`);
  }

  /** A line of level info that a log with levels of its own shows at each of them, with fields where it has such. */
  always(text: string, fields: Readonly<Record<string, unknown>>): void {
    const { logger } = this.#context;
    const line = `${this.#prefix} - ${text}`;
    if (logger.always === undefined) logger.info(line);
    else logger.always(line, fields);
  }

  debug(text: string): void {
    if (this.#context.settings.debug) this.#context.logger.debug(`${this.#prefix} - ${text}`);
  }

  /** Only to be called when tracing is on. */
  trace(text: string): void {
    this.#context.logger.trace(`${this.#prefix} - ${text}`);
  }
}
