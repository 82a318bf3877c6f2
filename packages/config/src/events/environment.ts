import type { Setting } from './settings.ts';

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A text given for a setting, and by whom. */
export interface GivenText {
  readonly text: string;
  /** `/etc/ocis/nats.yaml:3`, `env NATS_NATS_PORT`. */
  readonly place: string;
}

/** The last of some variables that is set and not empty. */
export function lastSet(env: Environment, names: readonly string[]): { name: string; text: string } | null {
  const name = names.findLast((candidate) => (env[candidate] ?? '') !== '');
  return name === undefined ? null : { name, text: env[name]! };
}

/**
 * What the environment gives for a setting: the last of its variables that is set. Set but empty is a value for texts;
 * for the others it counts as not set, with a warning.
 */
export function fromEnvironment(setting: Setting, env: Environment, warnings: string[]): GivenText | null {
  for (const name of setting.env.toReversed()) {
    const text = env[name];
    if (text === undefined) continue;
    if (text !== '' || mayBeEmpty(setting)) return { text, place: `env ${name}` };
    warnings.push(`env ${name}: ${setting.key} is set but empty, which counts as not set`);
  }
  return null;
}

/** Whether the empty text is a value of the setting. */
export function mayBeEmpty(setting: Setting): boolean {
  return setting.kind === 'text' && setting.emptyIsUnset !== true;
}
