import type { EventsInputs } from '../../src/index.ts';

/** A file system of texts; what is not in it is not there. */
export function filesOf(files: Readonly<Record<string, string>>): EventsInputs['readFile'] {
  return (path) => {
    const text = Object.hasOwn(files, path) ? files[path] : undefined;
    if (text !== undefined) return Buffer.from(text);
    throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
  };
}

/** A machine where nothing is set and the system's directories can be made. */
export function eventsInputs(changes: Partial<EventsInputs> = {}): EventsInputs {
  return { env: {}, home: '/home/anna', canMake: () => true, readFile: filesOf({}), ...changes };
}
