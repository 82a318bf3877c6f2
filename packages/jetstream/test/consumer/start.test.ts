import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RequestedConfig } from '../../src/consumer/config.ts';
import { gist, numbers, Workbench } from './workbench.ts';

interface Case {
  readonly stream: 'empty' | 'purged' | 'some' | 'one';
  readonly max_msgs_per_subject: number;
  readonly config: RequestedConfig;
  readonly delivered: number;
  readonly floor: number;
  readonly pending: number;
}

/** Where consumers of nats-server 2.15.1 began. */
const CASES = JSON.parse(readFileSync(new URL('./oracle-starts.json', import.meta.url), 'utf8')) as Case[];

const FILL: Readonly<Record<Case['stream'], (bench: Workbench, perSubject: number) => void>> = {
  empty: () => {},
  purged: (bench) => {
    for (let count = 0; count < 3; count++) bench.stream.publish('s.a');
    bench.stream.purge();
  },
  some: (bench, perSubject) => {
    for (const subject of ['a', 'b', 'a', 'c', 'b', 'c', 'c']) bench.stream.publish(`s.${subject}`, subject);
    if (perSubject === 1) for (const seq of [1, 2, 4, 6]) bench.stream.remove(seq, 'limit');
    bench.stream.remove(1);
  },
  one: (bench) => {
    bench.stream.publish('s.z');
  },
};

describe('a new consumer begins where nats-server 2.15.1 begins', () => {
  it.each(CASES.map((one) => [JSON.stringify(one), one] as const))('%s', async (_title, one) => {
    const bench = await Workbench.create({ max_msgs_per_subject: one.max_msgs_per_subject });
    FILL[one.stream](bench, one.max_msgs_per_subject);
    const consumer = await bench.consumer({ durable_name: 'c', ack_policy: 'explicit', ...one.config });
    expect(consumer.info()).toMatchObject({
      delivered: { consumer_seq: 0, stream_seq: one.delivered },
      ack_floor: { consumer_seq: 0, stream_seq: one.floor },
      num_pending: one.pending,
    });
    // The position is on disk before the consumer is announced.
    expect(bench.store().reports).toEqual(['replaced']);
    expect(bench.store().exported().delivered.streamSeq).toBe(one.delivered);
  });
});

describe('deliver policies', () => {
  async function pulled(config: RequestedConfig): Promise<{ bench: Workbench; got: string[] }> {
    const bench = await Workbench.create();
    for (const subject of ['a', 'b', 'a', 'c', 'b']) bench.stream.publish(`s.${subject}`, `${subject}`);
    await bench.consumer({ durable_name: 'c', ...config });
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 10 });
    bench.stream.publish('s.a', 'later');
    return { bench, got: numbers(inbox) };
  }

  it('last gives the last message of the filter and what comes after', async () => {
    expect((await pulled({ deliver_policy: 'last', filter_subject: 's.a' })).got).toEqual(['1/3/1/0', '1/6/2/0']);
  });

  it('new gives only what comes after', async () => {
    expect((await pulled({ deliver_policy: 'new' })).got).toEqual(['1/6/1/0']);
  });

  it('last_per_subject gives the last of each subject in stream order, then everything', async () => {
    expect((await pulled({ deliver_policy: 'last_per_subject', filter_subject: 's.*' })).got).toEqual([
      '1/3/1/2',
      '1/4/2/1',
      '1/5/3/0',
      '1/6/4/0',
    ]);
  });

  it('by_start_sequence above the end waits for that sequence', async () => {
    expect((await pulled({ deliver_policy: 'by_start_sequence', opt_start_seq: 7 })).got).toEqual([]);
  });

  it('by_start_time begins with the first message at or after that moment', async () => {
    const bench = await Workbench.create();
    bench.stream.publish('s.a', 'one');
    bench.advance(1000);
    bench.stream.publish('s.a', 'two');
    await bench.consumer({ deliver_policy: 'by_start_time', opt_start_time: '2026-01-02T03:04:05.5Z' });
    const inbox = bench.inbox('in');
    bench.pull('in', { batch: 10, no_wait: true });
    expect(gist(inbox)).toEqual(['two', '404 No Messages']);
  });

  it('last_per_subject skips what left the stream before it was delivered, and counts exactly', async () => {
    const bench = await Workbench.create();
    for (const subject of ['a', 'b', 'c', 'd']) bench.stream.publish(`s.${subject}`, subject);
    const consumer = await bench.consumer({ deliver_policy: 'last_per_subject', filter_subject: 's.>' });
    bench.stream.remove(2);
    expect(consumer.backlog.count).toBe(3);
    const inbox = bench.inbox('in');
    bench.pull('in', '2');
    expect(numbers(inbox)).toEqual(['1/1/1/2', '1/3/2/1']);
    bench.stream.remove(4);
    expect(consumer.backlog.count).toBe(0);
    bench.stream.publish('s.a', 'again');
    bench.pull('in', '1');
    expect(numbers(inbox).slice(2)).toEqual(['1/5/3/0']);
  });
});
