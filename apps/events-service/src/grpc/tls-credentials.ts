import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import type { TlsMaterial } from '../tls-files.ts';

/**
 * TLS whose certificate, key and client authority can be replaced while the server listens: connections made from then on get the
 * new ones, the others go on as they are. Whether clients must show a certificate stays as it was at the start.
 */
export class TlsCredentials extends ServerCredentials {
  constructor(material: TlsMaterial) {
    const { constructorOptions, contextOptions } = optionsOf(material);
    super(constructorOptions, contextOptions);
  }

  /** Throws when the material cannot be used; the old one stays then. */
  replace(material: TlsMaterial): void {
    const { contextOptions } = optionsOf(material);
    // A listener that cannot use what it is told closes every connection from then on.
    createSecureContext(contextOptions);
    this.updateSecureContextOptions(contextOptions);
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

interface Options {
  readonly constructorOptions: ReturnType<ServerCredentials['_getConstructorOptions']>;
  readonly contextOptions: SecureContextOptions;
}

/** As grpc-js makes them of a pair that stays. */
function optionsOf({ cert, key, ca }: TlsMaterial): Options {
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const lasting = ServerCredentials.createSsl(ca === undefined ? null : Buffer.from(ca), [pair], ca !== undefined);
  const constructorOptions = lasting._getConstructorOptions();
  // Replacing a listener's context also replaces its ciphers.
  const ciphers = constructorOptions?.ciphers;
  return {
    constructorOptions,
    contextOptions: { ...lasting._getSecureContextOptions(), ...(ciphers === undefined ? {} : { ciphers }) },
  };
}
