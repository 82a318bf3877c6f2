import type { EventsConfig } from '@nats-ts/config';
import type { EmbeddedJetStream, StartOptions } from '@nats-ts/natsd';
import { bytesText } from './bytes-text.ts';
import type { ServiceLogger } from './logger.ts';

/** The stream of all oCIS events, which their clients create without any limit. */
const MAIN_QUEUE = 'main-queue';
const NS_PER_MS = 1e6;

/** What the configuration says of the server, its certificate aside. */
export function serverOptions(
  { nats }: EventsConfig,
  log: ServiceLogger,
  version: string,
): Omit<StartOptions, 'jetstream'> & { readonly jetstream: EmbeddedJetStream } {
  return {
    host: nats.host,
    port: nats.port,
    clusterName: nats.clusterId,
    gitCommit: `nats-ts-${version}`,
    runtimeVersion: `node${process.versions.node}`,
    logger: log,
    debug: log.level === 'debug' || log.level === 'trace',
    trace: log.level === 'trace',
    ...(nats.authUsername === '' ? {} : { authorization: { user: nats.authUsername, password: nats.authPassword } }),
    jetstream: {
      storeDir: nats.storeDir,
      // As lenient as the nats-server that the original embeds.
      strict: false,
      streamDefaults: {
        [MAIN_QUEUE]: { maxAgeNs: nats.mainQueueMaxAgeMs * NS_PER_MS, maxBytes: nats.mainQueueMaxBytes },
      },
    },
    onReady: (address) => log.always(`Ready for clients on ${address}`),
  };
}

/** Who is to blame for a full disk, and what helps. */
export function diskAdvice({ nats }: EventsConfig, heldBytes: number): string {
  const holds = `Streams hold ${bytesText(heldBytes)}`;
  if (nats.mainQueueMaxAgeMs > 0 || nats.mainQueueMaxBytes > 0) return `${holds}.`;
  return `${holds}; ${MAIN_QUEUE} has no limit unless a client set one: NATS_MAIN_QUEUE_MAX_AGE, NATS_MAIN_QUEUE_MAX_BYTES.`;
}
