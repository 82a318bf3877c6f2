import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { EventsInputs } from '@nats-ts/config';

/** What the configuration is loaded from on this machine, with these variables for its environment. */
export function machineInputs(env: EventsInputs['env']): EventsInputs {
  return { env, readFile: (path) => readFileSync(path), home: homedir(), canMake };
}

/** Nothing of this machine but its directories: no variable, no file. */
export function isolatedInputs(): EventsInputs {
  const readFile = (path: string): never => {
    throw Object.assign(new Error(`ENOENT: ${path} is not looked at`), { code: 'ENOENT' });
  };
  return { ...machineInputs({}), readFile };
}

/** Whether a directory can be written to, or made below one that can. */
function canMake(directory: string): boolean {
  for (let at = directory; ; at = dirname(at)) {
    try {
      if (!statSync(at).isDirectory()) return false;
    } catch {
      if (dirname(at) === at) return false;
      continue;
    }
    try {
      accessSync(at, constants.W_OK | constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }
}
