import { goTime } from '../go-format.ts';
import type { ClientInfo } from '../internal-message.ts';
import type { Connection } from './connection.ts';
import { authUser } from './identity.ts';

/** The connection as JetStream's advisories and services see it. Empty parts are left out, as in nats-server. */
export function clientInfoOf(connection: Connection): ClientInfo {
  const { options, pinger } = connection;
  const user = authUser(options);
  const rtt = Math.round(pinger.rttMs * 1_000_000);
  return {
    start: goTime(connection.startMs),
    host: connection.ip,
    id: connection.cid,
    acc: connection.account.name,
    ...(user === '' ? {} : { user }),
    ...(options.name === '' ? {} : { name: options.name }),
    ...(options.lang === '' ? {} : { lang: options.lang }),
    ...(options.version === '' ? {} : { ver: options.version }),
    ...(rtt === 0 ? {} : { rtt }),
    server: connection.context.serverName,
    kind: 'Client',
    client_type: 'nats',
  };
}
