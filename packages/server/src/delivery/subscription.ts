import { subjectToBytes } from '@nats-ts/protocol';
import type { ClientKind } from '../client-kind.ts';
import type { Connection } from '../connection/connection.ts';
import type { InternalCallback } from '../internal-message.ts';
import { API_WORK, INTERNAL_WORK } from '../limits.ts';

/** A subscription of a connection, or of somebody inside the process. */
export class Subscription {
  readonly subject: string;
  readonly queue: string | null;
  /** As the client wrote it, bytes as latin1. */
  readonly sid: string;
  readonly kind: ClientKind;
  /** Where messages go, or null when `callback` takes them. */
  readonly connection: Connection | null;
  readonly callback: InternalCallback | null;
  /** Messages delivered since SUB. */
  delivered = 0;
  /** Messages after which it ends by itself; 0 = never. */
  max = 0;
  isClosed = false;
  /** What a message costs when `callback` takes it, in units of work. */
  readonly work: number;
  /** Where the head stands in the arena, -1 = nowhere. For `HeadCells`. */
  headAddress = -1;
  /** Subject of the last message. */
  #subject = '';
  /** The head made of it, once it came twice in a row. */
  #head: Buffer | null = null;

  constructor(
    subject: string,
    queue: string | null,
    sid: string,
    kind: ClientKind,
    connection: Connection | null,
    callback: InternalCallback | null,
  ) {
    this.subject = subject;
    this.queue = queue;
    this.sid = sid;
    this.kind = kind;
    this.connection = connection;
    this.callback = callback;
    this.work = subject.startsWith('$JS.API.') ? API_WORK : INTERNAL_WORK;
  }

  /** Subject of the last message; empty before the first. */
  get lastSubject(): string {
    return this.#subject;
  }

  /**
   * `HMSG <subject> <sid> ` (skip the first byte for MSG) when `subject` is that of the message before, else null: on
   * most subscriptions one subject follows the other, and only for those a head is worth keeping.
   */
  repeatedHead(subject: string): Buffer | null {
    if (this.#subject === subject) {
      this.#head ??= encodeHead(subject, this.sid);
      return this.#head;
    }
    this.#subject = subject;
    this.#head = null;
    this.headAddress = -1;
    return null;
  }
}

/** `HMSG <subject> <sid> ` */
export function encodeHead(subject: string, sid: string): Buffer {
  const bytes = subjectToBytes(subject);
  const head = Buffer.allocUnsafe(bytes.length + sid.length + 7);
  head.write('HMSG ', 0, 'latin1');
  bytes.copy(head, 5);
  head.write(` ${sid} `, 5 + bytes.length, 'latin1');
  return head;
}
