import { ConfigError } from '../config-error.ts';
import { formatGoDuration } from '../go/duration.ts';
import type { ServerConfig } from './server-config.ts';

const MAX_PORT = 65_535;
const GLOBAL_ACCOUNT = '$G';

/**
 * Checks the options against each other, in nats-server's order and words (spec/core.md 5.1, "Post-parse validation").
 * Not done under -t.
 *
 * @throws ConfigError with the first problem, its stage `options` or `start`
 */
export function validateServerConfig(config: ServerConfig): void {
  const option = optionProblem(config);
  if (option !== null) throw ConfigError.of(option, 'options');
  const start = startProblem(config);
  if (start !== null) throw ConfigError.of(start, 'start');
}

function optionProblem(config: ServerConfig): string | null {
  const { lameDuckDurationMs, lameDuckGracePeriodMs, maxPayloadBytes, maxPendingBytes, systemAccount } = config;
  if (lameDuckGracePeriodMs >= lameDuckDurationMs) {
    const grace = durationText(lameDuckGracePeriodMs);
    const duration = durationText(lameDuckDurationMs);
    return `lame duck grace period (${grace}) should be strictly lower than lame duck duration (${duration})`;
  }
  if (maxPayloadBytes > maxPendingBytes) {
    return `max_payload (${maxPayloadBytes}) cannot be higher than max_pending (${maxPendingBytes})`;
  }
  if (config.serverName.includes(' ')) return 'server name cannot contain spaces';
  return noAuthUserProblem(config) ?? systemAccountProblem(systemAccount);
}

function noAuthUserProblem({ noAuthUser, users }: ServerConfig): string | null {
  if (noAuthUser === '') return null;
  if (users === null) return `no_auth_user: "${noAuthUser}" present, but users/nkeys are not defined`;
  if (users.some((user) => user.username === noAuthUser)) return null;
  return `no_auth_user: "${noAuthUser}" not present as user or nkey in authorization block or account configuration`;
}

/** Until there are accounts in the file there is none to name. */
function systemAccountProblem(name: string): string | null {
  if (name === '') return null;
  if (name === GLOBAL_ACCOUNT) return `system_account "${GLOBAL_ACCOUNT}" is not supported yet by nats-ts`;
  return 'error resolving system account: account missing';
}

function startProblem(config: ServerConfig): string | null {
  const { host, port, httpPort, httpsPort, tls } = config;
  const monitoring = "Can't start monitoring: ";
  if (httpPort !== 0 && httpsPort !== 0) {
    return `${monitoring}can't specify both HTTP (${httpPort}) and HTTPs (${httpsPort}) ports`;
  }
  if (httpsPort !== 0 && tls === null) return `${monitoring}TLS cert and key required for HTTPS`;
  for (const monitorPort of [httpPort, httpsPort]) {
    if (isPort(monitorPort) || monitorPort === -1) continue;
    return `${monitoring}can't listen to the monitor port: listen tcp: address ${monitorPort}: invalid port`;
  }
  if (isPort(port)) return null;
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return `Error listening on port: ${address}, "listen tcp: address ${port}: invalid port"`;
}

function isPort(port: number): boolean {
  return port >= 0 && port <= MAX_PORT;
}

function durationText(ms: number): string {
  return formatGoDuration(BigInt(Math.round(ms * 1e6)));
}
