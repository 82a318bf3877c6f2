import type { Environment } from './environment.ts';

/**
 * Puts variables of the environment in the place of `${NAME}`, or of `${NAME|default}` where they are not set or empty.
 * What is put in is not expanded again.
 */
export function expandVariables(text: string, env: Environment): string {
  return text.replace(/\$\{([^}]+)\}/g, (_, body: string) => {
    const bar = body.indexOf('|');
    const name = (bar < 0 ? body : body.slice(0, bar)).trim();
    const fallback = bar < 0 ? '' : body.slice(bar + 1).trim();
    return env[name] || fallback;
  });
}
