import { connect, type Socket } from 'node:net';

/** A message as a Go service's subscription gets it. */
export interface GoMessage {
  subject: string;
  reply: string | null;
  header: string | null;
  payload: string;
}

interface Subscription {
  subject: string;
  queue: string | null;
  callback: (message: GoMessage) => void;
}

const RECONNECT_MS = 20;

/**
 * Sends what nats.go sends for the calls that oCIS services make, byte for byte, and reconnects for ever as they are
 * meant to: subscriptions are made again, requests that were under way fail.
 */
export class GoClient implements Disposable {
  readonly name: string;
  readonly #port: number;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #requests = new Map<string, { resolve: (message: GoMessage) => void; reject: (error: Error) => void }>();
  readonly #inbox: string;
  #socket: Socket | null = null;
  #ready = false;
  #rest: Buffer = Buffer.alloc(0);
  #nextSid = 1;
  #nextToken = 1;
  #closed = false;
  #waiting: (() => void)[] = [];

  constructor(port: number, name: string) {
    this.#port = port;
    this.name = name;
    this.#inbox = `_INBOX.${name.replaceAll('.', '-')}${Math.random().toString(36).slice(2, 12)}`;
    this.subscribe(`${this.#inbox}.*`, null, (message) => {
      const request = this.#requests.get(message.subject);
      this.#requests.delete(message.subject);
      request?.resolve(message);
    });
    this.#connect();
  }

  /** Resolves once connected. */
  async connected(): Promise<void> {
    while (!this.#ready) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  subscribe(subject: string, queue: string | null, callback: (message: GoMessage) => void): void {
    const sid = `${this.#nextSid++}`;
    this.#subscriptions.set(sid, { subject, queue, callback });
    if (this.#ready) this.#write(subscribeLine(sid, subject, queue));
  }

  publish(subject: string, reply: string | null, payload: string, header: string | null = null): boolean {
    const to = reply === null ? subject : `${subject} ${reply}`;
    const total = Buffer.byteLength(payload) + (header?.length ?? 0);
    return header === null
      ? this.#write(`PUB ${to} ${total}\r\n${payload}\r\n`)
      : this.#write(`HPUB ${to} ${header.length} ${total}\r\n${header}${payload}\r\n`);
  }

  /** One request on the shared inbox; rejects when the connection is lost or after `withinMs`. */
  request(subject: string, payload: string, withinMs = 5_000, header: string | null = null): Promise<GoMessage> {
    const reply = `${this.#inbox}.${this.#nextToken++}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#requests.delete(reply);
        reject(new Error(`no answer on ${subject} within ${withinMs} ms`));
      }, withinMs);
      this.#requests.set(reply, {
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      if (!this.publish(subject, reply, payload, header)) {
        this.#requests.get(reply)?.reject(new Error('not connected'));
        this.#requests.delete(reply);
      }
    });
  }

  /** A `$JS.API` request with a JSON answer. */
  async api(subject: string, body: string): Promise<Record<string, unknown>> {
    const message = await this.request(`$JS.API.${subject}`, body);
    if (message.header !== null) throw new Error(`${subject}: ${message.header.trim()}`);
    return JSON.parse(message.payload) as Record<string, unknown>;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    if (this.#closed) return;
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    this.#rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => {
      // 'close' follows and reconnects.
    });
    socket.on('close', () => {
      this.#ready = false;
      for (const request of this.#requests.values()) request.reject(new Error('connection lost'));
      this.#requests.clear();
      if (!this.#closed) setTimeout(() => this.#connect(), RECONNECT_MS);
    });
  }

  #write(text: string): boolean {
    if (!this.#ready) return false;
    this.#socket?.write(text);
    return true;
  }

  #onInfo(): void {
    if (this.#ready) return;
    // Field order of nats.go's connectInfo.
    const options = `{"verbose":false,"pedantic":false,"tls_required":false,"name":"${this.name}","lang":"go","version":"1.39.1","protocol":1,"echo":true,"headers":true,"no_responders":true}`;
    this.#socket?.write(`CONNECT ${options}\r\nPING\r\n`);
  }

  #onPong(): void {
    if (this.#ready) return;
    this.#ready = true;
    for (const [sid, { subject, queue }] of this.#subscriptions) this.#write(subscribeLine(sid, subject, queue));
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (at < bytes.length) {
      const lineEnd = bytes.indexOf('\r\n', at);
      if (lineEnd < 0) break;
      const line = bytes.toString('utf8', at, lineEnd);
      let next = lineEnd + 2;
      if (line.startsWith('MSG ') || line.startsWith('HMSG ')) {
        const args = line.split(' ').slice(1);
        const headed = line.startsWith('H');
        const total = Number(args.at(-1));
        if (next + total + 2 > bytes.length) break;
        const headerBytes = headed ? Number(args.at(-2)) : 0;
        const reply = args.length === (headed ? 5 : 4) ? (args[2] ?? null) : null;
        this.#subscriptions.get(args[1] ?? '')?.callback({
          subject: args[0] ?? '',
          reply,
          header: headed ? bytes.toString('utf8', next, next + headerBytes) : null,
          payload: bytes.toString('utf8', next + headerBytes, next + total),
        });
        next += total + 2;
      } else if (line.startsWith('INFO ')) this.#onInfo();
      else if (line === 'PING') this.#socket?.write('PONG\r\n');
      else if (line === 'PONG') this.#onPong();
      at = next;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }
}

function subscribeLine(sid: string, subject: string, queue: string | null): string {
  return queue === null ? `SUB ${subject}  ${sid}\r\n` : `SUB ${subject} ${queue} ${sid}\r\n`;
}
