export { createEventsService, type EventsServiceOptions } from './create-events-service.ts';
export { type EventsDependencies, EventsService } from './events-service.ts';
export { type LogSettings, openLogger, ServiceLogger } from './logger.ts';
