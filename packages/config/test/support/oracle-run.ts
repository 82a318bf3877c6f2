import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { FileCase } from '../corpus/cases.ts';
import { ENV } from '../corpus/cases.ts';

/** What a program said. */
export interface Outcome {
  /** Sorted, without the program's name, time stamps and what only a crash in Go brings. */
  readonly lines: readonly string[];
  /** null: it ran, until it was stopped. */
  readonly exitCode: number | null;
}

/** The name under which a case's file stands. */
export const CASE_FILE = 'case.conf';
const DEADLINE_MS = 10_000;

/** Runs nats-server on a case. @param directory one with the fixtures in it; the case's file is written there */
export async function runFileCase(
  oracle: string,
  directory: string,
  { mode, conf, args = [] }: FileCase,
): Promise<Outcome> {
  writeFileSync(join(directory, CASE_FILE), conf);
  const loopback = ['-a', '127.0.0.1', '-p', '-1', '-c', CASE_FILE, ...args];
  const { stderr, exitCode } = await run(oracle, directory, mode === 'start' ? loopback : ['-t', '-c', CASE_FILE]);
  return { lines: normalLines(stderr), exitCode };
}

/** How often nats-server is asked at most: it takes the keys of a map in any order, and so may answer differently. */
const MAX_QUESTIONS = 20;

/** Asks nats-server about a case until it answers as expected; else its last answer. */
export async function askFileCase(
  oracle: string,
  directory: string,
  fileCase: FileCase,
  expected: Outcome,
): Promise<Outcome> {
  let answer = await runFileCase(oracle, directory, fileCase);
  for (let asked = 1; asked < MAX_QUESTIONS && !isDeepStrictEqual(answer, expected); asked++) {
    answer = await runFileCase(oracle, directory, fileCase);
  }
  return answer;
}

/** Starts nats-server with a file and monitoring on a free port, and returns what it says of itself. */
export async function varzOf(oracle: string, directory: string, conf: string): Promise<Record<string, unknown>> {
  writeFileSync(join(directory, CASE_FILE), conf);
  let varz: Record<string, unknown> | null = null;
  await run(oracle, directory, ['-a', '127.0.0.1', '-p', '-1', '-m', '-1', '-c', CASE_FILE], async (stderr) => {
    const port = /Starting http monitor on 127\.0\.0\.1:(\d+)/.exec(stderr)![1];
    const response = await fetch(`http://127.0.0.1:${port}/varz`);
    varz = (await response.json()) as Record<string, unknown>;
  });
  if (varz === null) throw new Error('nats-server did not get ready');
  return varz;
}

/** Runs nats-server on a command line; its usage counts as its first line. */
export async function runCommandLine(
  oracle: string,
  directory: string,
  args: readonly string[],
): Promise<Outcome & { readonly stdout: string }> {
  const { stdout, stderr, exitCode } = await run(oracle, directory, args);
  const shown = stdout.trimStart().startsWith('Usage:') ? 'usage' : stdout.trim();
  return { lines: normalLines(stderr), exitCode, stdout: shown };
}

async function run(
  program: string,
  directory: string,
  args: readonly string[],
  whenReady: (stderr: string) => Promise<void> = () => Promise.resolve(),
): Promise<{ stdout: string; stderr: string; exitCode: number | null }> {
  const child = spawn(program, args, { cwd: directory, env: { ...ENV }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let ready = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (ready || !stderr.includes('Server is ready')) return;
    ready = true;
    void whenReady(stderr).finally(() => child.kill('SIGKILL'));
  });
  await ended(child);
  return { stdout, stderr, exitCode: ready ? null : child.exitCode };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${child.spawnargs.join(' ')} neither ended nor was ready within ${DEADLINE_MS} ms`));
    }, DEADLINE_MS);
    child.on('error', reject).on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const LOG_LINE = /^\[\d+\] \d{4}\/\d\d\/\d\d [0-9:.]+ \[(...)\] (.*)$/;
const CRASH = 'runtime error: invalid memory address or nil pointer dereference';

/** Sorted messages: of the log only what is fatal counts. */
function normalLines(stderr: string): string[] {
  const lines: string[] = [];
  for (const line of stderr.replace(/^nats-server: /gm, '').split('\n')) {
    const log = LOG_LINE.exec(line);
    if (log !== null && log[1] !== 'FTL') continue;
    if (line !== '' && !line.includes(CRASH)) lines.push(log?.[2] ?? line);
  }
  return lines.sort();
}
