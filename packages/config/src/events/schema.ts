import convict from 'convict';
import type { GivenText } from './environment.ts';
import { coerceSetting, expectedInstead, type SettingValue } from './setting-value.ts';
import { SETTINGS, type Setting, type SettingKind } from './settings.ts';

const KINDS: readonly SettingKind[] = ['text', 'integer', 'flag', 'list', 'duration', 'bytes'];

/** Formats are global in convict: these names are ours. */
const formatName = (kind: SettingKind): string => `nats-ts-${kind}`;

for (const kind of KINDS) {
  convict.addFormat({
    name: formatName(kind),
    coerce: (text: string) => coerceSetting(kind, text),
    validate: (value: unknown, schema: convict.SchemaObj) => {
      const expected = expectedInstead((schema as SettingSchema).setting, value);
      if (expected !== null) throw new Error(`expected ${expected}`);
    },
  });
}

/** The values of all settings, by key. One that cannot be read stays the text it was. */
export type SettingValues = ReadonlyMap<string, SettingValue>;

/** A property of convict's schema, which hands the setting to the format. */
interface SettingSchema extends convict.SchemaObj {
  readonly setting: Setting;
}

type Tree = { [key: string]: Tree | SettingValue | object };

/**
 * Gives every setting its value: the environment's over the file's over the default.
 *
 * @param fromEnv what the environment gives, its alias names resolved: convict takes one variable a key
 * @param defaults for the settings whose default is worked out
 */
export function resolveSettings(
  fromEnv: ReadonlyMap<string, GivenText>,
  fromYaml: ReadonlyMap<string, GivenText>,
  defaults: ReadonlyMap<string, string>,
): SettingValues {
  const schema: Tree = {};
  const env: Record<string, string> = {};
  const file: Tree = {};
  for (const setting of SETTINGS) {
    const variable = setting.env.at(-1)!;
    put(schema, setting.key, {
      doc: setting.description,
      format: formatName(setting.kind),
      default: setting.default ?? defaults.get(setting.key) ?? '',
      env: variable,
      sensitive: setting.secret === true,
      setting,
    });
    const inEnv = fromEnv.get(setting.key);
    if (inEnv !== undefined) env[variable] = inEnv.text;
    const inFile = fromYaml.get(setting.key);
    if (inFile !== undefined) put(file, setting.key, inFile.text);
  }
  const config = convict(schema as convict.Schema<Tree>, { env, args: [] });
  config.load(file as Parameters<typeof config.load>[0]);
  return new Map(SETTINGS.map(({ key }) => [key, config.get(key) as SettingValue]));
}

function put(tree: Tree, key: string, value: Tree[string]): void {
  const [section, name] = key.split('.') as [string, string];
  const branch = (tree[section] ??= {}) as Tree;
  branch[name] = value;
}
