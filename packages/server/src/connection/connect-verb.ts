import { CLOSE_REASONS, parseConnect, WIRE_ERRORS } from '@nats-ts/protocol';
import type { Verdict } from '../auth/authenticator.ts';
import type { Connection } from './connection.ts';
import { endFailed, endRefused } from './endings.ts';

/** CONNECT (spec/core.md 1.2, 2.2, 4.1). A second one drops all subscriptions and is judged anew. */
export function connect(connection: Connection, json: string): void {
  const isFirst = !connection.hasConnected;
  connection.connectArrived();
  const { options, error } = parseConnect(json, connection.options);
  if (error !== null) {
    connection.log.error(error);
    connection.close(CLOSE_REASONS.protocolViolation);
    return;
  }
  // Only operator mode, which is not there, knows user JWTs.
  options.jwt = '';
  connection.setOptions(options);
  if (!isFirst) connection.dropSubscriptions();
  const verdict = connection.context.authenticator.judge(options);
  if (!(verdict instanceof Promise)) {
    conclude(connection, verdict, isFirst);
    return;
  }
  connection.intake.hold();
  verdict.then(
    (late) => {
      if (connection.isClosed) return;
      conclude(connection, late, isFirst);
      connection.intake.release();
    },
    (reason: unknown) => endFailed(connection, reason),
  );
}

function conclude(connection: Connection, verdict: Verdict, isFirst: boolean): void {
  const options = connection.options;
  if (!verdict.isAllowed || options.new_account || options.account !== '') {
    endRefused(connection);
    return;
  }
  if (verdict.user !== null) options.user = verdict.user.name;
  connection.loggedIn(verdict.user, isFirst);
  if (options.protocol < 0 || options.protocol > 1) {
    connection.sendError(WIRE_ERRORS.invalidClientProtocol);
    connection.close(CLOSE_REASONS.badClientProtocol);
    connection.log.error(WIRE_ERRORS.invalidClientProtocol);
  } else if (options.no_responders && !connection.headers) {
    connection.sendError(WIRE_ERRORS.noRespondersRequiresHeaders);
    connection.close(CLOSE_REASONS.noRespondersRequiresHeaders);
    connection.log.error(WIRE_ERRORS.noRespondersRequiresHeaders);
  } else if (options.verbose) {
    connection.sendOk();
  }
}
