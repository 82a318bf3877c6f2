import type { LoadedEventsConfig } from '@nats-ts/config';
import { ListenError } from '@nats-ts/natsd';
import { EventsService } from './events-service.ts';
import { openLogger, type ServiceLogger } from './logger.ts';
import { SystemdNotifier } from './systemd-notify.ts';
import { ownVersion } from './version.ts';

/** Runs the service. Resolves with null when it serves, with an exit code when it cannot; signals end the process. */
export async function serve(loaded: LoadedEventsConfig): Promise<number | null> {
  let log: ServiceLogger;
  try {
    log = await openLogger(loaded.config.log);
  } catch (error) {
    process.stderr.write(`NATS_LOG_FILE: cannot open ${loaded.config.log.file}: ${(error as Error).message}\n`);
    return 1;
  }
  // At any level: by default only errors are logged, and nobody would know.
  for (const warning of loaded.warnings) log.always(warning, {}, 'warn');
  const service = new EventsService(loaded.config, log, ownVersion(), { shownSettings: loaded.settings });
  const systemd = SystemdNotifier.fromEnvironment(process.env, log);
  handleSignals(service, log, systemd);
  systemd?.starting(() => service.status);
  try {
    await service.start();
    systemd?.ready(`serving clients on port ${service.port}`);
  } catch (error) {
    log.fatal(startError(error as Error));
    return 1;
  }
  return null;
}

/** Why it cannot start; a taken port in the original's words. */
function startError(error: Error): string {
  return error instanceof ListenError
    ? `Error listening on port: ${error.address}, "${error.message}"`
    : `cannot start: ${error.message}`;
}

/** All four stop gracefully, SIGHUP too, as in the original (spec/ocis.md 1). */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const;

function handleSignals(service: EventsService, log: ServiceLogger, systemd: SystemdNotifier | null): void {
  let isStopping = false;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      log.info('Shutting down server', { signal });
      Promise.all([service.stop(), systemd?.stopping()]).then(
        () => process.exit(0),
        (error: unknown) => {
          log.error(`shutting down: ${(error as Error).message}`);
          process.exit(1);
        },
      );
    });
  }
}
