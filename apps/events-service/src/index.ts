export { type EventsDependencies, EventsService } from './events-service.ts';
export { type LogSettings, openLogger, ServiceLogger } from './logger.ts';
