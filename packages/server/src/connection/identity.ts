import { type ConnectOptions, goQuote } from '@nats-ts/protocol';

/** Who a connection says it is, without secrets; '' = it gave no credentials. */
export function authUser(options: ConnectOptions): string {
  if (options.nkey !== '') return options.nkey;
  if (options.user !== '') return options.user;
  return options.auth_token === '' ? '' : '[REDACTED]';
}

/** The credentials as they stand behind a refused log-in in the log. */
export function authUserText(options: ConnectOptions): string {
  if (options.nkey !== '') return ` - Nkey ${goQuote(options.nkey)}`;
  if (options.user !== '') return ` - User ${goQuote(options.user)}`;
  return options.auth_token === '' ? '' : ' - Token "[REDACTED]"';
}

function authUserLabel(options: ConnectOptions): string {
  if (options.nkey !== '') return `nkey:${options.nkey}`;
  if (options.user !== '') return `user:${options.user}`;
  return options.auth_token === '' ? '' : 'token';
}

/**
 * What follows `ip:port - cid:N` in log lines once CONNECT has been seen: ` - "v1.2:go:name"`, and the account and
 * user if credentials were given (spec/core.md 4.1, 6.2).
 */
export function logLabel(options: ConnectOptions, account: string): string {
  const version = options.version === '' ? '' : `v${options.version}`;
  const software = [version, options.lang, options.name].filter((part) => part !== '').join(':');
  const label = authUserLabel(options);
  const parts = [software, label === '' ? '' : `${account}/${label}`];
  return parts.map((part) => (part === '' ? '' : ` - ${goQuote(part)}`)).join('');
}

/** Sockets of a listener for both families show IPv4 peers as `::ffff:a.b.c.d`. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
