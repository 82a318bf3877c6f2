import type { EffectiveSetting } from './effective.ts';
import type { LoadedEventsConfig } from './load-events-config.ts';
import { MASK } from './mask.ts';
import { eventsConfigReference } from './reference.ts';

/** Column at which sources are printed, where values leave room for them. */
const SOURCE_COLUMN = 44;

/**
 * The configuration in effect as text: a `nats.yaml` that says the same, each value with its source behind it, and the
 * settings that only the environment gives as comments. Secrets are masked.
 */
export function printEventsConfig(loaded: LoadedEventsConfig): string {
  const lines = [`# nats.yaml: ${loaded.yamlFile ?? 'there is none'}`];
  let section = '';
  for (const setting of loaded.settings.filter(({ inYaml }) => inYaml)) {
    const [name, key] = setting.key.split('.') as [string, string];
    if (name !== section) lines.push(`${name}:`);
    section = name;
    // A mask must not become the secret when the text is used as a file; what is not set stays so.
    const isComment =
      String(setting.value).includes(MASK) || (setting.value === '' && setting.source.kind === 'default');
    const comment = isComment ? '# ' : '';
    lines.push(withSource(`  ${comment}${key}: ${yamlText(setting)}`, setting));
  }
  const rest = loaded.settings.filter(({ inYaml }) => !inYaml);
  lines.push('# from the environment only:');
  for (const setting of rest) lines.push(withSource(`# ${setting.env.at(-1)}=${envText(setting)}`, setting));
  return `${lines.join('\n')}\n`;
}

function withSource(text: string, { source }: EffectiveSetting): string {
  return `${text.padEnd(SOURCE_COLUMN - 1)} # ${source.place}`;
}

function yamlText({ value }: EffectiveSetting): string {
  if (
    typeof value === 'string' &&
    /^[A-Za-z/][\w./-]*$/.test(value) &&
    !/^(?:true|false|null|yes|no|on|off)$/i.test(value)
  )
    return value;
  return JSON.stringify(value);
}

function envText({ value }: EffectiveSetting): string {
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** The reference of all settings as a table in Markdown: what the documentation and `config --reference` show. */
export function printEventsReference(): string {
  const code = (text: string): string => `\`${text}\``;
  const rows = eventsConfigReference().map((row) => [
    row.yamlKey === null ? '' : code(row.yamlKey),
    row.env.map(code).join(' '),
    row.type,
    row.default,
    row.description,
  ]);
  const lines = [['nats.yaml', 'environment', 'type', 'default', ''], ['---', '---', '---', '---', '---'], ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`).join('');
}
