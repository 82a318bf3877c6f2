import { goQuote } from '../go/quote.ts';
import { FlagError, type ParsedFlags, parseFlags } from './flag-set.ts';
import { FLAG_KINDS, isSwitchedOn, type ServerFlags, serverFlags, unsupportedFlag } from './server-flags.ts';
import { tlsUsageText, usageText } from './usage.ts';

/** What a command line asks for. */
export type CommandLine =
  /** Start the server. */
  | { readonly kind: 'run'; readonly flags: ServerFlags }
  /** -t: check the configuration file. */
  | { readonly kind: 'check'; readonly flags: ServerFlags }
  /** Print the version of nats-server that is followed, exit 0. */
  | { readonly kind: 'version' }
  /** Print this program's own version, exit 0. */
  | { readonly kind: 'about' }
  /** Print the text on stdout, exit 0. */
  | { readonly kind: 'help'; readonly text: string }
  /** Print the message on stderr and the usage, if any, on stdout; exit with the code. */
  | {
      readonly kind: 'error';
      readonly message: string;
      readonly usage: string | null;
      /** 0 for a flag that is unknown or has a bad value, as in nats-server; else 1. */
      readonly exitCode: 0 | 1;
    };

/**
 * Reads natsd's command line (spec/core.md 5.5). Touches nothing outside.
 *
 * @param args without the program's own name
 * @param program the name that messages begin with
 */
export function parseCommandLine(args: readonly string[], program = 'nats-server'): CommandLine {
  let parsed: ParsedFlags;
  try {
    parsed = parseFlags(args, FLAG_KINDS);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    return { kind: 'error', message: error.message, usage: usageText(program), exitCode: 0 };
  }
  const { given, words } = parsed;
  const word = words[0]?.toLowerCase();
  const fail = (text: string): CommandLine => ({
    kind: 'error',
    message: `${program}: ${text}`,
    usage: null,
    exitCode: 1,
  });
  if (isSwitchedOn(given, 'version')) return { kind: 'version' };
  if (isSwitchedOn(given, 'help')) return { kind: 'help', text: usageText(program) };
  if (isSwitchedOn(given, 'help-tls')) return { kind: 'help', text: tlsUsageText() };
  if (isSwitchedOn(given, 'about')) return { kind: 'about' };
  if (word === 'version') return { kind: 'version' };
  if (word === 'help') return { kind: 'help', text: usageText(program) };
  if (word !== undefined) return fail(`unrecognized command: ${goQuote(words[0]!)}`);
  const refused = unsupportedFlag(given);
  if (refused !== null) return fail(`flag -${refused} is not supported yet by nats-ts`);
  const flags = serverFlags(given);
  if (!isSwitchedOn(given, 'check')) return { kind: 'run', flags };
  if (flags.configFile === '') return fail('must specify [-c, --config] option to check configuration file syntax');
  return { kind: 'check', flags };
}
