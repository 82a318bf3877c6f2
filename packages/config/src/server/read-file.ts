import type { ConfMap } from '../conf/tree.ts';
import { FieldError, Findings } from './fields.ts';
import type { ServerSettings } from './settings.ts';
import type { ReadFile } from './tls-material.ts';
import { TOP_LEVEL_FIELDS, UNSUPPORTED_TOP_LEVEL } from './top-level.ts';

/** What a configuration file says, and all that is wrong with it. */
export interface FileSettings {
  readonly settings: ServerSettings;
  readonly findings: Findings;
}

/**
 * Reads the settings out of a parsed file, in the order of the file. Problems are collected, not thrown.
 *
 * @param file its name, for the warning that it is empty.
 * @param preset settings that were made before the file is read: nats-server refuses a second store directory.
 */
export function readServerFile(
  root: ConfMap,
  file: string,
  readFile: ReadFile,
  preset: ServerSettings = {},
): FileSettings {
  const findings = new Findings();
  const settings: ServerSettings = { ...preset };
  if (root.size === 0) findings.warnings.push(`${file}: config has no values or is empty`);
  findings.block(() => readSystemAccount(root, settings));
  for (const [name, node] of root) {
    const key = name.toLowerCase();
    const read = TOP_LEVEL_FIELDS.get(key);
    if (read !== undefined) findings.block(() => read(node, { settings, findings, readFile, key }));
    else if (UNSUPPORTED_TOP_LEVEL.has(key)) findings.unsupported(key, node);
    else if (key !== 'system_account' && key !== 'system') findings.unknown(name, node);
  }
  return { settings, findings };
}

/** As in nats-server the two names of this key count in lower case only. */
function readSystemAccount(root: ConfMap, settings: ServerSettings): void {
  const node = root.get('system_account') ?? root.get('system');
  if (node === undefined) return;
  if (typeof node.value !== 'string') throw new FieldError(node.place, 'system account name must be a string');
  settings.systemAccount = node.value;
}
