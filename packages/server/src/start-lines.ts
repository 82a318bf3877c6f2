import { nodeName } from './identity.ts';
import { PAYLOAD_WARN_BYTES, type Settings } from './options.ts';
import type { Logger } from './ports.ts';

/** The lines a server begins its log with, in nats-server's order (spec/core.md 6.2). */
export function logStart(
  logger: Logger,
  settings: Settings,
  server: { readonly id: string; readonly name: string },
  hasPlainPasswords: boolean,
): void {
  logger.info('Starting nats-server');
  logger.info(`  Version:  ${settings.version}`);
  logger.info(`  Git:      [${settings.gitCommit ?? 'not set'}]`);
  logger.debug(`  Go build: ${settings.runtimeVersion}`);
  if (settings.clusterName !== null) logger.info(`  Cluster:  ${settings.clusterName}`);
  logger.info(`  Name:     ${server.name}`);
  if (settings.jetstream) logger.info(`  Node:     ${nodeName(server.name)}`);
  logger.info(`  ID:       ${server.id}`);
  if (hasPlainPasswords) logger.warn('Plaintext passwords detected, use nkeys or bcrypt');
  if (settings.configFile !== '') {
    logger.info(`Using configuration file: ${settings.configFile} (${settings.configDigest})`);
  }
  if (settings.maxPayload > PAYLOAD_WARN_BYTES) {
    logger.warn('Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance');
  }
  if (!settings.noSystemAccount) logger.debug('Created system account: "$SYS"');
}
