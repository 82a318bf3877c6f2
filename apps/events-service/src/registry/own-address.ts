import { hostname, networkInterfaces } from 'node:os';

const NATS_PORT = 4222;
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;
const EVERY_ADDRESS: readonly string[] = ['', '0.0.0.0', '::'];

/** Where this service listens. */
export interface Listener {
  readonly host: string;
  readonly port: number;
}

/** Whether an address of MICRO_REGISTRY_ADDRESS (`host`, `host:port` or a URL) is where this service listens itself. */
export function isOwnAddress(address: string, own: Listener): boolean {
  const { host, port } = partsOf(address);
  if (port !== own.port) return false;
  if (!EVERY_ADDRESS.includes(own.host)) return host === own.host || (LOOPBACK.test(host) && LOOPBACK.test(own.host));
  return (
    LOOPBACK.test(host) || EVERY_ADDRESS.includes(host) || host === hostname() || machineAddresses().includes(host)
  );
}

/** The address under which other machines reach a listener: its own, or the first of this machine's if it has none. */
export function advertisedAddress(own: Listener): string {
  const host = EVERY_ADDRESS.includes(own.host) ? (machineAddresses()[0] ?? '127.0.0.1') : own.host;
  return `${host.includes(':') ? `[${host}]` : host}:${own.port}`;
}

function partsOf(address: string): Listener {
  const bare = address.replace(/^[a-z]+:\/\//i, '').replace(/^[^@]*@/, '');
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?\/?$/.exec(bare);
  return { host: (match?.[1] ?? match?.[2] ?? bare).toLowerCase(), port: Number(match?.[3] ?? NATS_PORT) };
}

/** Addresses that others may use, IPv4 first. */
function machineAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80'));
  return outside.toSorted((a, b) => a.family.localeCompare(b.family)).map(({ address }) => address);
}
