import { GiveUp, until } from './deadline.ts';
import { RawClient } from './raw-client.ts';

/** One message as it came over the wire. */
export interface WireMessage {
  subject: string;
  sid: string;
  reply: string | null;
  /** Header block as text, or null for MSG. */
  header: string | null;
  payload: string;
}

/** What a request came to. */
export type Answer = { kind: 'message'; message: WireMessage } | { kind: 'silence' };

const NO_ANSWER_WITHIN_MS = 5_000;

/**
 * A client without opinions: sends bytes, reads frames, keeps them in order. For comparing what two servers say,
 * where an official client would hide the difference.
 */
export class WireClient implements AsyncDisposable {
  readonly raw: RawClient;
  readonly messages: WireMessage[] = [];
  /** `-ERR` texts in order. */
  readonly errors: string[] = [];
  #pongs = 0;
  #pings = 0;
  #nextSid = 1;

  private constructor(raw: RawClient) {
    this.raw = raw;
  }

  static async connect(port: number, options: Record<string, unknown> = {}): Promise<WireClient> {
    const raw = await RawClient.connect(port);
    const client = new WireClient(raw);
    const connect = { verbose: false, pedantic: false, protocol: 1, headers: true, no_responders: true, ...options };
    raw.send(Buffer.from(`CONNECT ${JSON.stringify(connect)}\r\n`));
    await client.flush();
    return client;
  }

  /** Everything sent before has been processed when it resolves. */
  async flush(): Promise<void> {
    const expected = ++this.#pings;
    this.raw.send('PING\r\n');
    await until('PONG', () => {
      this.#parse();
      if (this.raw.closed) throw new GiveUp(`closed: ${this.errors.join(' | ')}`);
      return this.#pongs >= expected;
    });
  }

  subscribe(subject: string, queue: string | null = null): string {
    const sid = `${this.#nextSid++}`;
    this.raw.send(Buffer.from(`SUB ${subject} ${queue === null ? '' : `${queue} `}${sid}\r\n`));
    return sid;
  }

  unsubscribe(sid: string, max = ''): void {
    this.raw.send(`UNSUB ${sid} ${max}\r\n`);
  }

  publish(
    subject: string,
    payload: string | Buffer = '',
    reply: string | null = null,
    header: string | null = null,
  ): void {
    const body = Buffer.from(payload);
    const to = reply === null ? subject : `${subject} ${reply}`;
    if (header === null) {
      this.raw.send(Buffer.concat([Buffer.from(`PUB ${to} ${body.length}\r\n`), body, Buffer.from('\r\n')]));
      return;
    }
    const head = Buffer.from(header);
    this.raw.send(
      Buffer.concat([
        Buffer.from(`HPUB ${to} ${head.length} ${head.length + body.length}\r\n`),
        head,
        body,
        Buffer.from('\r\n'),
      ]),
    );
  }

  /** Sends one request; waits a moment before it calls it silence. */
  async request(
    subject: string,
    payload: string | Buffer = '',
    header: string | null = null,
    withinMs = NO_ANSWER_WITHIN_MS,
  ): Promise<Answer> {
    const inbox = `_INBOX.wire.${this.#nextSid}`;
    const sid = this.subscribe(inbox);
    this.publish(subject, payload, inbox, header);
    const message = await this.next(sid, withinMs);
    this.unsubscribe(sid);
    return message === null ? { kind: 'silence' } : { kind: 'message', message };
  }

  /** Takes the next message of a subscription; null if none comes in time. */
  async next(sid: string, withinMs = 5_000): Promise<WireMessage | null> {
    try {
      return await until(
        `a message for sid ${sid}`,
        () => {
          this.#parse();
          const at = this.messages.findIndex((message) => message.sid === sid);
          return at < 0 ? null : this.messages.splice(at, 1)[0];
        },
        withinMs,
      );
    } catch {
      return null;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.raw[Symbol.asyncDispose]();
  }

  #parse(): void {
    for (;;) {
      const text = this.raw.received;
      const lineEnd = text.indexOf('\r\n');
      if (lineEnd < 0) return;
      const line = text.slice(0, lineEnd);
      const [verb = '', ...args] = line.split(' ').filter((part) => part !== '');
      let end = lineEnd + 2;
      if (verb === 'MSG' || verb === 'HMSG') {
        const total = Number(args.at(-1));
        end += total + 2;
        if (text.length < end) return;
        const headerBytes = verb === 'HMSG' ? Number(args.at(-2)) : 0;
        const named = args.length - (verb === 'HMSG' ? 2 : 1);
        const bytes = Buffer.from(text.slice(lineEnd + 2, end - 2), 'latin1');
        this.messages.push({
          subject: Buffer.from(args[0] ?? '', 'latin1').toString(),
          sid: args[1] ?? '',
          reply: named > 2 ? (args[2] ?? null) : null,
          header: verb === 'HMSG' ? bytes.subarray(0, headerBytes).toString() : null,
          payload: bytes.subarray(headerBytes).toString(),
        });
      } else if (verb === 'PONG') this.#pongs++;
      else if (verb === 'PING') this.raw.send('PONG\r\n');
      else if (verb === '-ERR') this.errors.push(line.slice(5));
      this.raw.discard(end);
    }
  }
}
