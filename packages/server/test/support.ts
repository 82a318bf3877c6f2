import { randomBytes, randomInt } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type Clock, type Ids, type Logger, NatsServer, type ServerOptions } from '../src/index.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const testClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(callback, delayMs) {
    const timeout = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};

/** Time that stands still until it is moved. */
export class ManualClock implements Clock {
  #ms = 1_000_000;
  #next = 1;
  readonly #timers = new Map<number, { dueMs: number; callback: () => void }>();

  now(): number {
    return 1_800_000_000_000 + Math.floor(this.#ms);
  }

  monotonicMs(): number {
    return this.#ms;
  }

  setTimer(callback: () => void, delayMs: number): { cancel(): void } {
    const id = this.#next++;
    this.#timers.set(id, { dueMs: this.#ms + Math.max(0, delayMs), callback });
    return { cancel: () => this.#timers.delete(id) };
  }

  /** Timers that are set. */
  get timerCount(): number {
    return this.#timers.size;
  }

  /** Moves time on, firing what becomes due, in order. */
  advance(ms: number): void {
    const end = this.#ms + ms;
    for (;;) {
      let first: [number, { dueMs: number; callback: () => void }] | null = null;
      for (const entry of this.#timers) {
        if (entry[1].dueMs <= end && (first === null || entry[1].dueMs < first[1].dueMs)) first = entry;
      }
      if (first === null) break;
      this.#timers.delete(first[0]);
      this.#ms = Math.max(this.#ms, first[1].dueMs);
      first[1].callback();
    }
    this.#ms = end;
  }
}

export const testIds: Ids = {
  nuid: () => testIds.token(22),
  token: (length) => Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
  random: Math.random,
  bytes: (length) => randomBytes(length),
};

/** Keeps the lines, each with its level in front. */
export class TestLogger implements Logger {
  readonly lines: string[] = [];
  info(text: string): void {
    this.lines.push(`INF ${text}`);
  }
  warn(text: string): void {
    this.lines.push(`WRN ${text}`);
  }
  error(text: string): void {
    this.lines.push(`ERR ${text}`);
  }
  debug(text: string): void {
    this.lines.push(`DBG ${text}`);
  }
  trace(text: string): void {
    this.lines.push(`TRC ${text}`);
  }
}

/** A server on a free port of the loopback, and its log. */
export async function startServer(
  options: ServerOptions = {},
  clock: Clock = testClock,
  ids: Ids = testIds,
): Promise<{ server: NatsServer; logger: TestLogger; port: number }> {
  const logger = new TestLogger();
  const server = new NatsServer({ host: '127.0.0.1', port: -1, ...options }, { clock, ids, logger });
  await server.start();
  return { server, logger, port: server.port };
}

const DEADLINE_MS = 5000;

/** Polls until `probe` is true; fails with `what` after five seconds. */
export async function until(probe: () => boolean, what: string | (() => string)): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (!probe()) {
    if (Date.now() > end) throw new Error(`timed out: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A client that writes bytes and reads bytes. */
export class RawClient {
  readonly socket: Socket;
  isClosed = false;
  #received = '';
  #taken = 0;

  constructor(port: number, host = '127.0.0.1') {
    this.socket = connect(port, host);
    this.socket.setNoDelay(true);
    this.attach(this.socket);
  }

  attach(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  /** Everything received so far, bytes as latin1. */
  get received(): string {
    return this.#received;
  }

  send(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Waits for `text` behind what was taken before, and returns everything up to its end. */
  async take(text: string): Promise<string> {
    await until(
      () => this.#received.includes(text, this.#taken),
      () => `waiting for ${JSON.stringify(text)}, got ${JSON.stringify(this.#received.slice(this.#taken))}`,
    );
    const end = this.#received.indexOf(text, this.#taken) + text.length;
    const taken = this.#received.slice(this.#taken, end);
    this.#taken = end;
    return taken;
  }

  /** Sends a PING and returns everything up to its PONG, the PONG left out. */
  async flush(): Promise<string> {
    this.send('PING\r\n');
    return (await this.take('PONG\r\n')).slice(0, -'PONG\r\n'.length);
  }

  /** The first INFO. */
  async info(): Promise<Record<string, unknown>> {
    const line = await this.take('\r\n');
    return JSON.parse(line.slice('INFO '.length)) as Record<string, unknown>;
  }

  /** Waits until the server closed the connection; returns what came behind what was taken before. */
  async closed(): Promise<string> {
    await until(
      () => this.isClosed,
      () => `waiting for the close, got ${JSON.stringify(this.#received)}`,
    );
    const rest = this.#received.slice(this.#taken);
    this.#taken = this.#received.length;
    return rest;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Connects, takes INFO, sends CONNECT (not verbose, not pedantic) and waits until it is through. */
export async function login(port: number, options: Record<string, unknown> = {}): Promise<RawClient> {
  const client = new RawClient(port);
  await client.info();
  const connect = { verbose: false, pedantic: false, headers: true, protocol: 0, ...options };
  client.send(`CONNECT ${JSON.stringify(connect)}\r\n`);
  await client.flush();
  return client;
}
