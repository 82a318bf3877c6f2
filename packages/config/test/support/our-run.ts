import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CommandLine,
  type ConfInputs,
  ConfigError,
  checkServerFile,
  configDigest,
  loadServerOptions,
  parseCommandLine,
  parseNatsConfig,
} from '../../src/server.ts';
import { ENV, type FileCase } from '../corpus/cases.ts';
import { CASE_FILE, type Outcome } from './oracle-run.ts';

/** Reads a case's file from memory and all others from a directory. */
export function inputsFor(directory: string, conf: string): ConfInputs {
  const readFile = (path: string): Uint8Array =>
    path === CASE_FILE ? Buffer.from(conf) : readFileSync(join(directory, path));
  return { env: ENV, readFile };
}

/** Judges a case as natsd does. */
export function judgeFileCase(directory: string, { mode, conf, args = [] }: FileCase): Outcome {
  if (mode === 'parse') return attempt(() => digestLine(CASE_FILE, parse(directory, conf)));
  const flags = mode === 'check' ? ['-t', '-c', CASE_FILE] : ['-a', '127.0.0.1', '-p', '-1', '-c', CASE_FILE, ...args];
  const { lines, exitCode } = judge(parseCommandLine(flags), inputsFor(directory, conf));
  return { lines, exitCode };
}

/** Judges a command line as natsd does. */
export function judgeCommandLine(directory: string, args: readonly string[]): Outcome & { readonly stdout: string } {
  return judge(parseCommandLine(args), inputsFor(directory, ''));
}

function judge(command: CommandLine, inputs: ConfInputs): Outcome & { readonly stdout: string } {
  switch (command.kind) {
    case 'version':
      return { lines: [], exitCode: 0, stdout: 'nats-server: v2.15.1' };
    case 'about':
      return { lines: [], exitCode: 0, stdout: 'about' };
    case 'help':
      return { lines: [], exitCode: 0, stdout: 'usage' };
    case 'error':
      return {
        lines: [command.message.replace(/^nats-server: /, '')],
        exitCode: command.exitCode,
        stdout: command.usage === null ? '' : 'usage',
      };
    default:
      return { ...load(command, inputs), stdout: '' };
  }
}

function load(command: Extract<CommandLine, { kind: 'run' | 'check' }>, inputs: ConfInputs): Outcome {
  const { kind, flags } = command;
  if (kind === 'check') return attempt(() => digestLine(flags.configFile, checkServerFile(flags, inputs)));
  return attempt(() => ({ lines: [...loadServerOptions(flags, inputs).warnings].sort(), exitCode: null }));
}

function parse(directory: string, conf: string): string {
  return configDigest(parseNatsConfig(conf, CASE_FILE, inputsFor(directory, conf)));
}

function digestLine(file: string, digest: string): Outcome {
  return { lines: [`configuration file ${file} is valid (${digest})`], exitCode: 0 };
}

function attempt(read: () => Outcome): Outcome {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { lines: error.message.split('\n').sort(), exitCode: 1 };
  }
}
