import { durationMs, parseGoDuration } from '../go/duration.ts';
import { parseGoBool, parseGoInt } from '../go/number.ts';
import { parseBytes } from './bytes.ts';
import type { Setting, SettingKind } from './settings.ts';

/** A value that was read. Durations are milliseconds. */
export type SettingValue = string | number | boolean | readonly string[];

/** What is expected of a value of a kind, where the setting itself does not say. */
const EXPECTED: Readonly<Record<SettingKind, string>> = {
  text: 'a text',
  integer: 'an integer',
  flag: 'true or false (or 1, t, T, TRUE, True, 0, f, F, FALSE, False)',
  list: 'texts with commas between',
  duration: 'a duration such as 1m30s',
  bytes: 'a number of bytes such as 1073741824 or 10GiB',
};

const TYPES: Readonly<Record<SettingKind, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  integer: (value) => Number.isSafeInteger(value),
  flag: (value) => typeof value === 'boolean',
  list: Array.isArray,
  duration: (value) => typeof value === 'number',
  bytes: (value) => Number.isSafeInteger(value),
};

/** Reads a text by its kind, as Go would; a text that cannot be read stays one. */
export function coerceSetting(kind: SettingKind, text: string): SettingValue {
  switch (kind) {
    case 'text':
      return text;
    case 'integer': {
      const parsed = parseGoInt(text, 0);
      return parsed.ok ? Number(parsed.value) : text;
    }
    case 'flag':
      return parseGoBool(text) ?? text;
    case 'list':
      return text.split(',').map((part) => part.trim());
    case 'bytes':
      return parseBytes(text) ?? text;
    case 'duration': {
      const parsed = parseGoDuration(text);
      return parsed.ok ? durationMs(parsed.ns) : text;
    }
  }
}

/** What was expected instead of a value; null if it may stand. */
export function expectedInstead(setting: Setting, value: unknown): string | null {
  const fits = TYPES[setting.kind](value) && (setting.accepts?.(value as SettingValue) ?? true);
  return fits ? null : (setting.expected ?? EXPECTED[setting.kind]);
}
