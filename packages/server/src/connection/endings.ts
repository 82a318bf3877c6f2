import { CLOSE_REASONS, WIRE_ERRORS } from '@nats-ts/protocol';
import type { Connection } from './connection.ts';
import { authUserText } from './identity.ts';

// Why the server ends a connection, and what it tells the client and the log then.

/** Its credentials, or the lack of them, do not let it in. */
export function endRefused(connection: Connection): void {
  connection.log.error(`authentication error${authUserText(connection.options)}`);
  connection.sendError(WIRE_ERRORS.authorization);
  connection.close(CLOSE_REASONS.authenticationFailure);
}

/** It did not log in within the time for it. */
export function endNotLoggedIn(connection: Connection): void {
  connection.sendError(WIRE_ERRORS.authenticationTimeout);
  connection.log.debug(WIRE_ERRORS.authenticationTimeout);
  connection.close(CLOSE_REASONS.authenticationTimeout);
}

/** It sent more than it may while its password was being verified. */
export function endHeldTooMuch(connection: Connection): void {
  connection.log.error('Too much input before authentication was decided');
  connection.close(CLOSE_REASONS.authenticationFailure);
}

/** It did not answer pings. */
export function endStale(connection: Connection): void {
  connection.log.debug('Stale Client Connection - Closing');
  connection.context.counters.staleConnections++;
  connection.sendError(WIRE_ERRORS.staleConnection);
  connection.close(CLOSE_REASONS.staleConnection);
}

/** An exception while handling it: a mistake of ours, which costs this connection only. */
export function endFailed(connection: Connection, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  connection.log.error(`Internal error, closing the connection: ${text}`);
  connection.close(CLOSE_REASONS.protocolViolation);
}
