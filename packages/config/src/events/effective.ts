import { formatGoDuration } from '../go/duration.ts';
import type { ValueSource } from './events-config.ts';
import { MASK, maskAddress } from './mask.ts';
import type { SettingValues } from './schema.ts';
import type { SettingValue } from './setting-value.ts';
import { SETTINGS, type Setting } from './settings.ts';

/** A setting as it is in effect, fit to be shown to anybody. */
export interface EffectiveSetting {
  /** `nats.port`; settings that only the environment gives are named in the same way. */
  readonly key: string;
  /** Whether nats.yaml may give it. */
  readonly inYaml: boolean;
  /** Variables that give it; the last one that is set counts. */
  readonly env: readonly string[];
  /** Secrets, and logins and keys in addresses, are masked; durations are texts such as `25s`. */
  readonly value: string | number | boolean | readonly string[];
  readonly source: ValueSource;
}

/** Every setting with its value and where that came from. */
export function effectiveSettings(
  values: SettingValues,
  sources: ReadonlyMap<string, ValueSource>,
): readonly EffectiveSetting[] {
  return SETTINGS.map((setting) => ({
    key: setting.key,
    inYaml: setting.inYaml,
    env: setting.env,
    value: shownValue(setting, values.get(setting.key)!),
    source: sources.get(setting.key)!,
  }));
}

const NS_PER_MS = 1e6;

function shownValue(setting: Setting, value: SettingValue): SettingValue {
  if (setting.secret) return value === '' ? '' : MASK;
  if (setting.kind === 'duration') return formatGoDuration(BigInt(Math.round(Number(value) * NS_PER_MS)));
  if (setting.address !== true) return value;
  return Array.isArray(value) ? value.map(maskAddress) : maskAddress(String(value));
}
