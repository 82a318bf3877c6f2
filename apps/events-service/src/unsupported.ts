import type { EventsConfig } from '@nats-ts/config';

/** Settings that ask for what this service cannot do yet, one sentence each: refused, never silently ignored. */
export function unsupportedSettings(config: EventsConfig): string[] {
  const refused: [asked: boolean, what: string][] = [
    [config.debug.pprof, 'profiles on the debug server (NATS_DEBUG_PPROF)'],
  ];
  return refused
    .filter(([asked]) => asked)
    .map(([, what]) => `${what}: not supported yet by nats-ts; unset it to start`);
}
