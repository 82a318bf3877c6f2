import {
  CLOSE_REASONS,
  type ClientOperations,
  checkClientInfo,
  PONG,
  type ProtocolViolation,
  type PublishArgs,
} from '@nats-ts/protocol';
import { SUBSCRIBE_WORK } from '../limits.ts';
import { connect } from './connect-verb.ts';
import type { Connection } from './connection.ts';
import { endRefused } from './endings.ts';
import { subscribe, unsubscribe } from './subscribe-verb.ts';

/** What the parser found in the bytes of one client, brought to where it is done. */
export class Operations implements ClientOperations {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  onPublish(args: PublishArgs): void {
    const connection = this.#connection;
    connection.inMsgs++;
    connection.inBytes += args.payloadEnd - args.payloadStart;
    connection.context.router.publish(connection, args, connection.intake.originOf(args.buffer));
  }

  onConnect(json: string): void {
    if (this.#connection.traces) this.#connection.trace.connected(json);
    connect(this.#connection, json);
  }

  onInfo(json: string): void {
    const error = checkClientInfo(json);
    if (error === null) return;
    this.#connection.log.error(error);
    this.#connection.close(CLOSE_REASONS.protocolViolation);
  }

  onPing(): void {
    const connection = this.#connection;
    if (connection.traces) {
      connection.trace.received('PING', '');
      connection.trace.sent('PONG');
    }
    connection.outbound.append(PONG);
    connection.heard();
    if (!connection.hasConnected || connection.pinger.hasAnsweredFirst) return;
    connection.pinger.hasAnsweredFirst = true;
    if (connection.options.protocol >= 1) connection.outbound.append(connection.context.encodeInfo(connection, true));
  }

  onPong(): void {
    if (this.#connection.traces) this.#connection.trace.received('PONG', '');
    this.#connection.pinger.answered();
  }

  onSubscribe(subject: string, queue: string | null, sid: string): void {
    const connection = this.#connection;
    if (connection.traces) connection.trace.received('SUB', `${subject} ${queue === null ? '' : `${queue} `}${sid}`);
    connection.wasActive();
    subscribe(connection, subject, queue, sid);
    connection.intake.worked(SUBSCRIBE_WORK);
  }

  onUnsubscribe(sid: string, max: number): void {
    const connection = this.#connection;
    if (connection.traces) connection.trace.received('UNSUB', max === 0 ? sid : `${sid} ${max}`);
    connection.wasActive();
    unsubscribe(connection, sid, max);
    connection.intake.worked(SUBSCRIBE_WORK);
  }

  onClientError(text: string): void {
    this.#connection.log.error(`Client Error ${text}`);
    this.#connection.close(CLOSE_REASONS.parseError);
  }

  onOk(): void {
    // nats-server ignores it too.
  }

  onViolation(violation: ProtocolViolation): void {
    const connection = this.#connection;
    if (violation.kind === 'authorization') {
      endRefused(connection);
      return;
    }
    // nats-server's order of log lines.
    const isLoggedLast = violation.kind === 'control-line';
    if (!isLoggedLast) connection.log.error(violation.logText);
    if (violation.wireText !== null) connection.sendError(violation.wireText);
    connection.close(violation.closeReason);
    if (isLoggedLast) connection.log.error(violation.logText);
  }
}
