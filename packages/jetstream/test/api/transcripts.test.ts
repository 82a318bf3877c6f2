import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consumerModule } from '../../src/consumer/module.ts';
import { FileStorage } from '../../src/store/file/file-storage.ts';
import { MemoryStorage } from '../../src/store/memory/memory-storage.ts';
import type { Storage } from '../../src/store/store.ts';
import { Harness } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';
import { testDependencies } from '../store/dependencies.ts';
import { normalize, parseRequest, withoutBytes } from './transcript.ts';

const directory = new URL('transcripts/', import.meta.url);
const files = (await readdir(directory)).sort();
let temporary: string;

beforeAll(async () => {
  temporary = await mkdtemp(`${tmpdir()}/nats-ts-transcripts-`);
});

afterAll(() => rm(temporary, { recursive: true }));

/** Answers of nats-server 2.15.1, recorded with scripts/record-transcripts.mjs: ours are the same, byte for byte. */
describe('requests that nats-server 2.15.1 was asked too', () => {
  it.each(files)('get its answers, with streams in memory: %s', async (file) => {
    const recorded = await read(file);
    const ours = await replay(recorded, new MemoryStorage());
    expect(ours.map(withoutBytes)).toEqual(recorded.map(withoutBytes));
  });

  it.each(files)('get its answers, with streams on disk: %s', async (file) => {
    const recorded = await read(file);
    const storage = await FileStorage.open(`${temporary}/${file}`, testDependencies());
    expect(await replay(recorded, storage)).toEqual(recorded);
  });
});

async function read(file: string): Promise<string[]> {
  return (await readFile(new URL(file, directory), 'utf8')).trimEnd().split('\n');
}

async function replay(recorded: readonly string[], storage: Storage): Promise<string[]> {
  const harness = await Harness.open({}, storage, consumerModule);
  const ours: string[] = [];
  let answers: string[] = [];
  harness.account.listen('_INBOX.>', ({ header, payload }) => answers.push(header + payload));
  for (const [index, line] of recorded.entries()) {
    if (line.startsWith('<')) continue;
    ours.push(line);
    if (!line.startsWith('>')) continue;
    const { subject, header, body } = parseRequest(line);
    answers = [];
    harness.host.clock.advance(20);
    const reached = harness.account.publish(subject, body, { reply: `_INBOX.${index}`, headers: header });
    if (reached === 0) answers.push(`NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`);
    const expected = countAnswers(recorded, index);
    if (expected === 0) await turns(8);
    else await until(() => answers.length >= expected);
    // One too many would come at once.
    await turns(2);
    for (const answer of answers) ours.push(`< ${normalize(answer)}`);
  }
  await harness.jetstream.shutdown();
  return ours;
}

/** Waits for the disk; gives up after a while, and the comparison shows what is missing. */
async function until(isDone: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 5_000;
  while (!isDone() && Date.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 1));
}

function countAnswers(recorded: readonly string[], index: number): number {
  let end = index + 1;
  while (recorded[end]?.startsWith('<')) end++;
  return end - index - 1;
}
