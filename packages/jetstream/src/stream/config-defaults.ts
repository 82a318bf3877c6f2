import type { StreamDefaults } from '../options.ts';
import type { StreamConfig } from './config.ts';
import { type ConfigRules, checkStreamConfig } from './config-check.ts';
import type { RawStreamConfig } from './config-schema.ts';

/** A checked configuration in its two forms; they are one object where the server has no defaults for the stream. */
export interface CheckedConfig {
  /** What the stream runs on and what is shown and compared: the server's defaults stand in fields that were left open. */
  readonly effective: StreamConfig;
  /** What the client asked for. This is what is stored: defaults of the server come and go with its options. */
  readonly own: StreamConfig;
}

/** Checks a configuration with and without the server's defaults for a stream of its name. Throws ApiError. */
export function checkWithDefaults(
  raw: RawStreamConfig,
  rules: ConfigRules,
  defaults: StreamDefaults | undefined,
): CheckedConfig {
  const filled = defaults === undefined ? raw : fill(raw, defaults);
  const effective = checkStreamConfig(filled, rules);
  if (filled === raw) return { effective, own: effective };
  // The default may be what satisfies this rule.
  return { effective, own: checkStreamConfig(raw, { ...rules, maxBytesRequired: false }) };
}

/**
 * The same configuration with defaults in the limits that are left open. Open is what is absent, zero or below: a stored
 * configuration says -1 for all of them.
 */
function fill(raw: RawStreamConfig, defaults: StreamDefaults): RawStreamConfig {
  // A sealed stream keeps what it has.
  if (raw.sealed === true) return raw;
  const { maxAgeNs = 0, maxBytes = 0 } = defaults;
  const filled: RawStreamConfig = { ...raw };
  if (maxBytes > 0 && (raw.max_bytes ?? 0) <= 0) filled.max_bytes = maxBytes;
  if (maxAgeNs > 0 && (raw.max_age ?? 0) === 0) {
    filled.max_age = maxAgeNs;
    // A window longer than max_age would be refused, and nothing that old is there to be a duplicate of.
    if ((raw.duplicate_window ?? 0) > maxAgeNs) filled.duplicate_window = maxAgeNs;
  }
  return filled;
}
