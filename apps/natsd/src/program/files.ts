import { rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedServer } from '../start-server.ts';

const FILE_MODE = 0o640;

/** The process id, digits only; it stays after the end, as nats-server's does. */
export function writePidFile(path: string): void {
  writeFileSync(path, `${process.pid}`, { mode: FILE_MODE });
}

/** `<folder>/<program>_<pid>.ports`: what launchers read to learn the ports (spec/core.md 5.5). Goes away with the server. */
export class PortsFile {
  readonly #path: string;

  constructor(folder: string, program: string) {
    this.#path = join(folder, `${program}_${process.pid}.ports`);
  }

  write(embedded: EmbeddedServer): void {
    const { server } = embedded;
    const { host, monitor, tls } = server.settings;
    const ports: Record<string, string[]> = { nats: urls(tls === null ? 'nats' : 'tls', host, server.port) };
    const monitorPort = server.monitorPort;
    if (monitor !== null && monitorPort !== 0) {
      ports['monitoring'] = urls(monitor.secure ? 'https' : 'http', monitor.host ?? host, monitorPort);
    }
    writeFileSync(this.#path, JSON.stringify(ports), { mode: FILE_MODE });
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }
}

function urls(scheme: string, host: string, port: number): string[] {
  const hosts = host === '0.0.0.0' || host === '::' || host === '' ? everyAddress() : [host];
  return hosts.map((address) => `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`);
}

function everyAddress(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter((address) => !address.scopeid).map((address) => address.address),
  );
}
