import type { ServerFlags } from '../cli/server-flags.ts';
import { configDigest } from '../conf/digest.ts';
import { type ConfInputs, parseNatsConfigFile } from '../conf/parse.ts';
import { ConfigError } from '../config-error.ts';
import { completeConfig } from './complete.ts';
import { readServerFile } from './read-file.ts';
import type { ServerConfig } from './server-config.ts';
import type { ServerSettings } from './settings.ts';
import { loadTlsOfFlags, NO_TLS_FIELDS } from './tls-load.ts';
import { TlsMaterialError } from './tls-material.ts';
import { validateServerConfig } from './validate.ts';

/** A configuration to run with, and what the operator should be told on stderr, a line each. */
export interface LoadedServerConfig {
  readonly config: ServerConfig;
  readonly warnings: readonly string[];
}

/**
 * Loads what natsd runs on: the flags over the configuration file over the defaults.
 *
 * @param flags as parseCommandLine returns them; a start without a command line passes `NO_FLAGS`
 * @throws ConfigError with nats-server's sentences; all of them for a file that can be parsed
 */
export function loadServerOptions(flags: ServerFlags, inputs: ConfInputs): LoadedServerConfig {
  const file = readConfigFile(flags, inputs);
  try {
    const config = mergeOptions(flags, file, inputs);
    validateServerConfig(config);
    return { config, warnings: file.warnings };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.problems, file.warnings, error.stage);
  }
}

/**
 * Checks a configuration file as -t does: the options are not checked against each other, and a warning fails too.
 *
 * @returns the digest, `sha256:…`
 * @throws ConfigError
 */
export function checkServerFile(flags: ServerFlags, inputs: ConfInputs): string {
  const file = readConfigFile(flags, inputs);
  if (file.warnings.length > 0) throw new ConfigError([], file.warnings);
  return file.digest;
}

/** What a configuration file says. */
export interface ServerFile {
  readonly path: string;
  readonly digest: string;
  readonly settings: ServerSettings;
  readonly warnings: readonly string[];
}

const NO_FILE: ServerFile = { path: '', digest: '', settings: {}, warnings: [] };

/** No flag at all. */
export const NO_FLAGS: ServerFlags = { configFile: '', settings: {}, tls: null };

/** Reads the file that -c names. @throws ConfigError listing every problem in it */
export function readConfigFile(flags: ServerFlags, inputs: ConfInputs): ServerFile {
  const path = flags.configFile;
  if (path === '') return NO_FILE;
  const root = parseNatsConfigFile(path, inputs);
  // As nats-server: -sd and a store directory in the file are two store directories.
  const { storeDir } = flags.settings;
  const preset = storeDir === undefined ? {} : { storeDir };
  const { settings, findings } = readServerFile(root, path, inputs.readFile, preset);
  if (findings.problems.length > 0) throw new ConfigError(findings.problems, findings.warnings);
  return { path, digest: configDigest(root), settings, warnings: findings.warnings };
}

/** Flags over file over defaults. A flag counts even if it is empty or 0. @throws ConfigError for the --tls… flags */
export function mergeOptions(flags: ServerFlags, file: ServerFile, inputs: ConfInputs): ServerConfig {
  const settings: ServerSettings = { ...file.settings, ...flags.settings };
  if (flags.tls !== null) settings.tls = overrideTls(flags.tls, inputs);
  return completeConfig(settings, { file: file.path, digest: file.digest });
}

function overrideTls(tls: NonNullable<ServerFlags['tls']>, inputs: ConfInputs): ServerConfig['tls'] {
  const { enabled, ...files } = tls;
  if (!enabled) return null;
  try {
    return loadTlsOfFlags({ ...NO_TLS_FIELDS, ...files }, inputs.readFile);
  } catch (error) {
    if (error instanceof TlsMaterialError) throw ConfigError.of(error.message);
    throw error;
  }
}
