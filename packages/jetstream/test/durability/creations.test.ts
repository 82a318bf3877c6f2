import { describe, expect, it } from 'vitest';
import type { Harness } from '../jetstream-harness.ts';
import { turns } from '../manual-clock.ts';
import { Machine } from './machine.ts';

interface Asked {
  readonly subject: string;
  readonly body: object;
}

const stream = (name: string, more: object = {}): Asked => ({
  subject: `STREAM.CREATE.${name}`,
  body: { name, subjects: [`${name}.>`], ...more },
});

const consumer = (of: string, name: string, more: object = {}): Asked => ({
  subject: `CONSUMER.CREATE.${of}.${name}`,
  body: { stream_name: of, config: { durable_name: name, ack_policy: 'explicit', ...more } },
});

/** Asks all at once, and gives the outcomes in the order of the requests. */
function ask(harness: Harness, asked: readonly Asked[]): Promise<string[]> {
  return Promise.all(asked.map(({ subject, body }) => harness.outcome(subject, body)));
}

/** Names of the streams and, with a slash, of their consumers. */
async function assets(harness: Harness): Promise<string[]> {
  const { streams } = await harness.json('STREAM.NAMES');
  const found: string[] = [];
  for (const name of streams ?? []) {
    const { consumers } = await harness.json(`CONSUMER.NAMES.${name}`);
    found.push(name, ...(consumers ?? []).map((one: string) => `${name}/${one}`));
  }
  return found;
}

describe('streams and consumers that are created at the same time', () => {
  it('are all there after a power cut if they were told to be, wherever it comes', async () => {
    const names = ['S/c', 'S/d', 'A', 'B', 'A/c', 'A/d', 'B/c'];
    for (let offAt = 0, told: string[] = []; told.length < names.length; offAt += 3) {
      const machine = new Machine();
      const harness = await machine.start();
      await harness.create({ name: 'S', subjects: ['S.>'] });
      told = [];
      machine.fs.operations = 0;
      machine.fs.offAt = offAt;
      const requests = names.map((name) => {
        const [of = '', own] = name.split('/');
        const { subject, body } = own === undefined ? stream(of) : consumer(of, own);
        // Nobody answers who has no power: after the crash the request is given up.
        return harness.outcome(subject, body).then(
          (outcome) => {
            if (outcome === 'ok') told.push(name);
          },
          () => undefined,
        );
      });
      await Promise.race([Promise.all(requests), turns(300)]);
      const before = [...told];
      const again = await (offAt % 2 === 0 ? machine.powerCut() : machine.kill());
      const found = await assets(again);
      expect(found).toEqual(expect.arrayContaining(['S', ...before]));
      // Whatever is there works.
      for (const name of found.filter((one) => !one.includes('/'))) {
        expect(await again.ask(`${name}.x`, 'x')).toContain('"seq":1');
      }
      await machine.stop();
      if (offAt > 600) throw new Error('the creations never end');
    }
  });

  it('do not get more than the limits allow, nor subjects that overlap', async () => {
    const machine = new Machine();
    const harness = await machine.start();
    const outcomes = await ask(harness, [stream('A'), stream('B', { subjects: ['A.x'] }), stream('C')]);
    expect(outcomes).toEqual(['ok', '400 10065 subjects overlap with an existing stream', 'ok']);
    await harness.create({ name: 'ONE', subjects: ['one'], max_consumers: 1 });
    const one = await ask(harness, [consumer('ONE', 'c'), consumer('ONE', 'd')]);
    expect(one.toSorted()).toEqual(['400 10026 maximum consumers limit reached', 'ok']);
    await harness.create({ name: 'W', subjects: ['w.>'], retention: 'workqueue' });
    const filter_subject = 'w.x';
    const queue = await ask(harness, [consumer('W', 'c', { filter_subject }), consumer('W', 'd', { filter_subject })]);
    expect(queue.toSorted()).toEqual(['400 10100 filtered consumer not unique on workqueue stream', 'ok']);
    expect(await assets(harness)).toHaveLength(6);
    harness.account.jetstreamLimits = { ...harness.account.jetstreamLimits!, maxStreams: 5 };
    const more = await ask(harness, [stream('D'), stream('E')]);
    expect(more).toEqual(['ok', '400 10027 maximum number of streams reached']);
    await machine.stop();
    const again = await machine.start();
    expect(await assets(again)).toHaveLength(7);
    await machine.stop();
  });

  it('are created in the order in which one needs the other', async () => {
    const machine = new Machine();
    const harness = await machine.start();
    const outcomes = await ask(harness, [
      stream('A'),
      consumer('A', 'c'),
      consumer('A', 'c', { max_deliver: 5 }),
      { subject: 'CONSUMER.DELETE.A.c', body: {} },
      { subject: 'STREAM.DELETE.A', body: {} },
      stream('A', { subjects: ['other'] }),
    ]);
    expect(outcomes).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'ok']);
    expect(await assets(harness)).toEqual(['A']);
    await machine.stop();
  });
});
