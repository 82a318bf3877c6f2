import { parseGoInt } from './number.ts';
import { goQuote } from './quote.ts';

/** A host (may be empty: every address) and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Splits `host:port`, `[v6]:port`, `:port` by the rules of Go's net.SplitHostPort; null when it is not of that form. */
export function splitHostPort(text: string): { host: string; port: string } | null {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return null;
  const port = text.slice(colon + 1);
  let host = text.slice(0, colon);
  if (host.startsWith('[')) {
    if (!host.endsWith(']')) return null;
    host = host.slice(1, -1);
  } else if (host.includes(':')) {
    return null;
  }
  return /[[\]]/.test(host + port) ? null : { host, port };
}

/** Reads a `listen` text; a sentence as nats-server's instead when it cannot be read. */
export function parseHostPort(text: string): HostPort | string {
  const parts = splitHostPort(text);
  if (parts === null) return `could not parse address string ${goQuote(text)}`;
  const port = parseGoInt(parts.port, 10);
  if (!port.ok || !Number.isSafeInteger(Number(port.value))) return `could not parse port ${goQuote(parts.port)}`;
  return { host: parts.host, port: Number(port.value) };
}
