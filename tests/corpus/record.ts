/**
 * Records what a genuine nats-server answers to the scripts of the corpus, into the files themselves.
 *
 *   node --conditions=@nats-ts/source tests/corpus/record.ts            record all files again
 *   node --conditions=@nats-ts/source tests/corpus/record.ts framing    only core/framing.txt
 *   node --conditions=@nats-ts/source tests/corpus/record.ts --check    write nothing, exit 1 if anything differs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerProcess, TempDir, until } from '@nats-ts/tests';
import {
  type CorpusFile,
  type CorpusResult,
  type CorpusScript,
  formatResult,
  isRecordedLine,
  loadCorpus,
} from './load.ts';
import { playScript } from './play.ts';

/** Files recorded at the same time, each with a server of its own; the scripts of a file share one, so they take turns. */
const AT_ONCE = 4;

/** Logged at most every two seconds for an account: whether a script sees it depends on the one before. */
const RATE_LIMITED = new Set(['maximum subscriptions exceeded']);

/** [ERR] lines and the reason of the close, from the server's log, for one connection. */
function readLog(output: string, cid: number): { log: string[]; reason: string | null } {
  const log: string[] = [];
  let reason: string | null = null;
  const line = new RegExp(`\\[(ERR|DBG)\\] \\S+ - cid:${cid}(?: - "[^"]*")* - (.*)`, 'g');
  for (const [, level, text] of output.matchAll(line)) {
    if (level === 'ERR' && !RATE_LIMITED.has(text!)) log.push(text!);
    if (level === 'ERR') continue;
    if (text!.startsWith('Client connection closed: ')) reason = text!.slice('Client connection closed: '.length);
  }
  return { log, reason };
}

async function record(server: ServerProcess, script: CorpusScript): Promise<CorpusResult> {
  const played = await playScript(server.port, script, null);
  if (!played.closed) return { received: played.received, log: readLog(server.output, played.cid).log, closed: null };
  const reason = await until('the reason of the close in the log', () => readLog(server.output, played.cid).reason);
  return { received: played.received, log: readLog(server.output, played.cid).log, closed: reason };
}

/** The text of the file with every script's recorded lines replaced. */
async function recordFile(file: CorpusFile): Promise<string> {
  using folder = new TempDir('corpus');
  const configPath = join(folder.path, 'nats.conf');
  writeFileSync(configPath, file.config);
  await using server = await ServerProcess.oracle({ args: ['-a', '127.0.0.1', '-p', '-1', '-D', '-c', configPath] });
  const results = new Map<number, CorpusResult>();
  for (const script of file.scripts) results.set(script.line, await record(server, script));
  return withResults(readFileSync(file.path, 'utf8'), results);
}

function withResults(text: string, results: ReadonlyMap<number, CorpusResult>): string {
  const out: string[] = [];
  let pending: CorpusResult | undefined;
  const flush = (): void => {
    while (pending !== undefined && out.at(-1) === '') out.pop();
    if (pending !== undefined) out.push(...formatResult(pending), '');
    pending = undefined;
  };
  text.split('\n').forEach((line, index) => {
    if (isRecordedLine(line)) return;
    if (line.startsWith('#') || line.startsWith('== ')) flush();
    if (line.startsWith('== ')) pending = results.get(index + 1);
    out.push(line);
  });
  flush();
  return `${out
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

const names = process.argv.slice(2).filter((name) => !name.startsWith('--'));
const isCheck = process.argv.includes('--check');
const queue = loadCorpus().filter((file) => names.length === 0 || names.includes(file.name));

async function work(): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const text = await recordFile(file);
    const changed = text !== readFileSync(file.path, 'utf8');
    if (changed && isCheck) process.exitCode = 1;
    if (changed && !isCheck) writeFileSync(file.path, text);
    console.log(
      `${file.name}: ${file.scripts.length} scripts${changed ? (isCheck ? ', DIFFERENT' : ', recorded') : ''}`,
    );
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, work));
