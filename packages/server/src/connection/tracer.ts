import { goQuoteBytes, type PublishArgs } from '@nats-ts/protocol';
import type { MessageFrame } from '../delivery/message-frame.ts';
import type { Subscription } from '../delivery/subscription.ts';
import type { Settings } from '../options.ts';
import type { Connection } from './connection.ts';

const SECRETS = /("(?:pass|auth_token|nkey|sig|proxy_sig)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi;

/** Protocol trace of one connection: `<<-` came in, `->>` went out (spec/core.md 6.2). Only used when tracing is on. */
export class Tracer {
  readonly #connection: Connection;
  readonly #settings: Settings;

  constructor(connection: Connection, settings: Settings) {
    this.#connection = connection;
    this.#settings = settings;
  }

  /** An operation of the client; `args` '' = none. */
  received(verb: string, args: string): void {
    this.#connection.log.trace(args === '' ? `<<- [${verb}]` : `<<- [${verb} ${args}]`);
  }

  /** CONNECT, secrets blacked out. */
  connected(json: string): void {
    this.received('CONNECT', json.replace(SECRETS, '$1"[REDACTED]"'));
  }

  published(args: PublishArgs): void {
    const verb = args.headerSize < 0 ? 'PUB' : 'HPUB';
    this.received(verb, args.buffer.toString('utf8', args.subjectStart, args.sizeEnd));
    this.#payload('<<-', args.buffer, args.payloadStart, Math.max(0, args.headerSize), args.payloadEnd);
  }

  sent(verb: string, args = ''): void {
    this.#connection.log.trace(args === '' ? `->> [${verb}]` : `->> [${verb} ${args}]`);
  }

  delivered(subscription: Subscription, frame: MessageFrame): void {
    const reply = frame.reply === null ? '' : `${frame.reply} `;
    const headerBytes = frame.payloadStart - frame.headerStart;
    const sizes = headerBytes > 0 ? `${headerBytes} ${frame.size}` : `${frame.size}`;
    this.sent(headerBytes > 0 ? 'HMSG' : 'MSG', `${frame.subject} ${subscription.sid} ${reply}${sizes}`);
    this.#payload('->>', frame.buffer, frame.headerStart, headerBytes, frame.payloadEnd);
  }

  #payload(arrow: string, buffer: Buffer, start: number, headerBytes: number, end: number): void {
    if (this.#settings.traceHeaders) end = start + headerBytes;
    if (end <= start) return;
    const max = this.#settings.maxTracedMsgLen;
    if (max > 0 && end - start > max) {
      const cut = goQuoteBytes(buffer, start, start + max).slice(0, -1);
      this.#connection.log.trace(`${arrow} MSG_PAYLOAD: [${cut}..."]`);
    } else {
      this.#connection.log.trace(`${arrow} MSG_PAYLOAD: [${goQuoteBytes(buffer, start, end)}]`);
    }
  }
}
