import { type EventsInputs, type EventsOptions, loadEventsConfig } from '@nats-ts/config';
import { type EventsDependencies, EventsService } from './events-service.ts';
import { openLogger, type ServiceLogger } from './logger.ts';
import { isolatedInputs, machineInputs } from './machine.ts';
import { ownVersion } from './version.ts';

/**
 * What the service runs on: settings by their names in `EventsConfig` (`{ nats: { port: -1, storeDir: './data' } }`), an
 * environment, or both; a setting given here counts over the environment.
 */
export interface EventsServiceOptions extends EventsOptions, Omit<EventsDependencies, 'shownSettings'> {
  /**
   * Variables as the program `events-service` takes them, for instance `process.env`; they name its `nats.yaml` too.
   * Default: no variable and no file counts.
   */
  readonly env?: EventsInputs['env'];
  /** Default: the log that the section `log` describes, on standard error. */
  readonly logger?: ServiceLogger;
}

/**
 * Starts the events service inside this process. Resolves when clients are served; `await using` stops it.
 *
 * Nothing else of the process is touched: no signal is caught, and it never exits. `UV_THREADPOOL_SIZE=16` in the
 * environment of the process lets more streams sync at once.
 *
 * @throws ConfigError listing every setting that is wrong, with its source; Error when the log, a port, the certificate
 *   or the store cannot be opened. Nothing is left running then.
 */
export async function createEventsService(options: EventsServiceOptions = {}): Promise<EventsService> {
  const { env, logger, fileSystem, clock, readSpace, ...settings } = options;
  const inputs = env === undefined ? isolatedInputs() : machineInputs(env);
  const { config, warnings, settings: shownSettings } = loadEventsConfig({ ...inputs, options: settings });
  const log = logger ?? (await openLogger(config.log));
  for (const warning of warnings) log.warn(warning);
  const service = new EventsService(config, log, ownVersion(), {
    shownSettings,
    ...(fileSystem && { fileSystem }),
    ...(clock && { clock }),
    ...(readSpace && { readSpace }),
  });
  await service.start();
  return service;
}
