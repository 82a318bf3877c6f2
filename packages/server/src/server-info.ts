import { encodeInfo, type ServerInfo } from '@nats-ts/protocol';
import type { Connection } from './connection/connection.ts';
import type { ServerIdentity } from './identity.ts';
import type { Settings } from './options.ts';

/** API level of JetStream that this server speaks, told in INFO also without JetStream. */
const API_LEVEL = 5;

/** The part of INFO that is the same for all clients (spec/core.md 2.1). */
export function serverInfo(
  settings: Settings,
  identity: ServerIdentity,
  serverName: string,
  port: number,
  isAuthRequired: boolean,
): ServerInfo {
  const advertised = splitHostPort(settings.clientAdvertise, settings.host, port);
  const tls = settings.tls;
  return {
    server_id: identity.serverId,
    server_name: serverName,
    version: settings.version,
    proto: 1,
    ...(settings.gitCommit === null ? {} : { git_commit: settings.gitCommit }),
    go: settings.runtimeVersion,
    host: advertised.host,
    port: advertised.port,
    headers: !settings.noHeaderSupport,
    auth_required: isAuthRequired,
    tls_required: tls !== null && !settings.allowNonTls,
    tls_verify: tls?.verify ?? false,
    tls_available: tls !== null && settings.allowNonTls,
    max_payload: settings.maxPayload,
    jetstream: settings.jetstream,
    ...(settings.clusterName === null ? {} : { cluster: settings.clusterName }),
    domain: settings.jetstreamDomain,
    api_lvl: API_LEVEL,
    xkey: identity.xkey,
  };
}

/** INFO for one client: the first one, or the one behind its first PING (spec/core.md 2.3). */
export function clientInfoLine(info: ServerInfo, connection: Connection, isSecond: boolean): Buffer {
  return encodeInfo({
    ...info,
    client_id: connection.cid,
    client_ip: connection.ip,
    ...(isSecond
      ? {
          max_payload: connection.limits.maxPayload,
          connect_info: true,
          remote_account: connection.account.name,
          acc_is_sys: connection.account.isSystem,
        }
      : {}),
  });
}

/** INFO for a client that is told to look for another server. As nats-server sendLDMToClients. */
export function lameDuckInfoLine(info: ServerInfo, connection: Connection): Buffer {
  return encodeInfo({
    ...info,
    client_id: connection.cid,
    client_ip: connection.ip,
    max_payload: connection.limits.maxPayload,
    ldm: true,
  });
}

function splitHostPort(advertise: string | null, host: string, port: number): { host: string; port: number } {
  if (advertise === null || advertise === '') return { host, port };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(advertise);
  if (match === null) return { host: advertise, port };
  return { host: match[1] ?? match[2] ?? host, port: match[3] === undefined ? port : Number(match[3]) };
}
