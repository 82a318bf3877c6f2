import { METRICS } from './catalogue.ts';

/** All metrics as a table in Markdown, for the documentation. */
export function printMetrics(): string {
  const code = (text: string): string => `\`${text}\``;
  const rows = METRICS.map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(' '), help]);
  const lines = [['metric', 'type', 'labels', ''], ['---', '---', '---', '---'], ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`).join('');
}
