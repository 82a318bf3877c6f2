import { CLOSE_REASONS, type CloseReason } from '@nats-ts/protocol';
import { Traffic } from './traffic.ts';

/** Figures of the whole server for varz. Traffic of open connections is added up when somebody asks. */
export class ServerCounters {
  /** Traffic of connections that are gone. */
  readonly past: Traffic = new Traffic();
  /** Messages the server itself took and sent. */
  readonly internal: Traffic = new Traffic();
  totalConnections = 0;
  refusedConnections = 0;
  slowConsumers = 0;
  staleConnections = 0;
  stalls = 0;
  authFailures = 0;
  authTimeouts = 0;
  tlsFailures = 0;
  permissionViolations = 0;

  /** A connection was closed for this. */
  closed(reason: CloseReason | null): void {
    if (reason === CLOSE_REASONS.authenticationFailure) this.authFailures++;
    else if (reason === CLOSE_REASONS.authenticationTimeout) this.authTimeouts++;
    else if (reason === CLOSE_REASONS.tlsHandshake) this.tlsFailures++;
    else if (reason === CLOSE_REASONS.maxConnections) this.refusedConnections++;
  }
}
