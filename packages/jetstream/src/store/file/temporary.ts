import type { Ids } from '../../host.ts';

/** What directories being built or removed are called: nats-server and we both clear away names that start with a dot. */
const PREFIX = '.nats-ts-';

/** A new name for something that is not there yet, or not any more. */
export function temporaryName(ids: Ids): string {
  return `${PREFIX}${ids.nuid()}`;
}

/** True for names that a crash left behind. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.');
}
