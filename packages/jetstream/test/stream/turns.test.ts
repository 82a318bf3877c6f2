import { describe, expect, it } from 'vitest';
import { PURGE_CHUNK, purgeInTurns } from '../../src/stream/purge-in-turns.ts';
import { SUBJECTS_PER_TURN, SubjectsPage } from '../../src/stream/subjects-page.ts';
import { Harness } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';
import { type Bench, openStream } from './stream-bench.ts';

/** A stream of so many messages on `s.0`, `s.1`, `s.2` in turn. */
async function filled(messages: number): Promise<Bench> {
  const bench = await openStream({ storage: 'memory' });
  for (let at = 0; at < messages; at++) bench.publish(`s.${at % 3}`);
  return bench;
}

/** What happens while it waits for its next turn, and how many of them it takes. */
async function turnsOf(over: Promise<unknown>, meanwhile: () => void): Promise<number> {
  meanwhile();
  let isOver = false;
  const ended = (): void => {
    isOver = true;
  };
  over.then(ended, ended);
  for (let turn = 0; turn < 1000; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (isOver) return turn;
  }
  throw new Error('it takes for ever');
}

describe('a purge of many messages', () => {
  it('leaves turns to the others, and what they publish meanwhile', async () => {
    const bench = await filled(PURGE_CHUNK * 3);
    const { stream } = bench;
    const purging = purgeInTurns(stream, ['s.0', 's.1'], 0, 100);
    expect(stream.messages.messages).toBe(PURGE_CHUNK * 2);
    await turnsOf(purging, () => {
      for (let at = 0; at < 50; at++) bench.publish('s.0');
    });
    // The newest hundred that pass: those published meanwhile, and fifty from before.
    expect(await purging).toBe(PURGE_CHUNK * 2 - 50);
    expect(stream.messages.messages).toBe(PURGE_CHUNK + 100);
  });

  it('touches nothing that was not there when it began', async () => {
    const bench = await filled(PURGE_CHUNK * 3);
    const { stream } = bench;
    const purging = purgeInTurns(stream, ['s.>'], 0, 0);
    await turnsOf(purging, () => {
      for (let at = 0; at < 50; at++) bench.publish('s.0');
    });
    expect([await purging, stream.messages.messages]).toEqual([PURGE_CHUNK * 3, 50]);
  });

  it('takes all of a stream, and all below a sequence, as one purge does', async () => {
    const bench = await filled(30);
    const { stream } = bench;
    expect(await purgeInTurns(stream, null, 11, 0)).toBe(10);
    expect(await purgeInTurns(stream, null, 1, 0)).toBe(0);
    expect(await purgeInTurns(stream, ['s.1'], 20, 0)).toBe(3);
    expect(await purgeInTurns(stream, null, 0, 5)).toBe(12);
    expect(await purgeInTurns(stream, null, 0, 0)).toBe(5);
    expect(await purgeInTurns(stream, null, 0, 0)).toBe(0);
    expect([stream.messages.firstSeq, stream.messages.lastSeq]).toEqual([31, 30]);
    expect(await purgeInTurns(stream, null, 100, 0)).toBe(0);
  });

  it('ends with the stream, or with its store', async () => {
    for (const end of ['stream', 'store'] as const) {
      const bench = await filled(PURGE_CHUNK * 3);
      const purging = purgeInTurns(bench.stream, ['s.>'], 0, 0);
      await turnsOf(purging, () => {
        if (end === 'stream') bench.stream.stop('stream-deleted');
        else bench.store.fail('no space left on device');
      });
      await expect(purging).rejects.toMatchObject({ errCode: end === 'stream' ? 10059 : 10077 });
    }
  });
});

describe('a page of many subjects', () => {
  it('is what they were when it was asked for, and leaves turns to the others', async () => {
    const bench = await openStream({ storage: 'memory' });
    const subjects = SUBJECTS_PER_TURN * 3;
    for (let at = subjects; at > 0; at--) bench.publish(`s.${String(at).padStart(6, '0')}`);
    bench.publish('s.000007');
    const page = new SubjectsPage(bench.stream, '>', 5);
    const taken = await turnsOf(page.encode(bench.host.clock), () => {
      bench.stream.purge(null, 0, 0);
    });
    expect(taken).toBeGreaterThan(1);
    expect([page.total, page.isEmpty]).toEqual([subjects, false]);
    const shown = JSON.parse(page.json.text) as Record<string, number>;
    expect(Object.keys(shown)).toHaveLength(subjects - 5);
    expect(Object.entries(shown).slice(0, 3)).toEqual([
      ['s.000006', 1],
      ['s.000007', 2],
      ['s.000008', 1],
    ]);
  });
});

describe('streams in memory that republish into each other', () => {
  it('go round once in a turn, and leave the others theirs', async () => {
    const harness = await Harness.open();
    const create = (name: string, to: string): Promise<void> =>
      harness.create({
        name,
        subjects: [name.toLowerCase()],
        storage: 'memory',
        republish: { src: name.toLowerCase(), dest: to },
      });
    await create('A', 'b');
    await create('B', 'a');
    harness.account.publish('a', 'x');
    const seen: number[] = [];
    for (let turn = 0; turn < 20; turn++) {
      await turns(1);
      seen.push(harness.account.sent.filter(({ subject }) => subject === 'a').length);
    }
    expect(seen.at(-1)).toBeGreaterThan(5);
    expect(seen.every((count, turn) => count <= turn + 1)).toBe(true);
  });

  it('acknowledge what came before a stop', async () => {
    const bench = await openStream({ storage: 'memory', republish: { src: 's.>', dest: 'copy.>' } });
    const replies = bench.host.account().inbox('R');
    bench.host.account().publish('s.a', 'x', { reply: 'R' });
    bench.stream.commits.close(new Error('server is shutting down'));
    expect(replies.map(({ payload }) => payload)).toEqual(['{"stream":"S","seq":1}']);
  });
});
