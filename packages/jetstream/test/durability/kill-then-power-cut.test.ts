import { describe, expect, it } from 'vitest';
import type { Harness } from '../jetstream-harness.ts';
import { Machine, sequences } from './machine.ts';

const CONSUMER = { stream_name: 'S', config: { durable_name: 'c', ack_policy: 'explicit' } };

/** Starts something, ends the process at each of its file operations in turn, and hands over what is there afterwards. */
async function atEachOperation(
  prepare: (harness: Harness) => Promise<unknown>,
  begin: (harness: Harness) => Promise<unknown>,
  check: (machine: Machine, harness: Harness) => Promise<void>,
): Promise<void> {
  for (let cut = 0; ; cut++) {
    const machine = new Machine();
    const harness = await machine.start();
    await prepare(harness);
    // A write that is under way arrives, but was not synced.
    machine.fs.torn = (bytes) => bytes;
    const from = machine.fs.operations;
    machine.fs.offAt = from + cut;
    harness.account.patienceMs = 20;
    await begin(harness);
    const isWhole = machine.fs.operations < from + cut;
    await check(machine, await machine.kill());
    if (isWhole) return;
  }
}

async function confirm(answer: Promise<string>): Promise<void> {
  expect(await answer).not.toMatch(/^silence|^503|"error"/);
}

describe('what is confirmed after a kill', () => {
  it('outlives a power cut when the kill came amid the creation of the stream', async () => {
    await atEachOperation(
      async () => {},
      (harness) => harness.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] }),
      async (machine, harness) => {
        await confirm(harness.api('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'] }));
        await confirm(harness.ask('s.a', 'x'));
        expect(await sequences(await machine.powerCut(), 'S')).toEqual([1]);
      },
    );
  });

  it('outlives a power cut when the kill came amid the first message', async () => {
    await atEachOperation(
      (harness) => harness.create({ name: 'S', subjects: ['s.>'] }),
      (harness) => harness.ask('s.a', 'x', { headers: { 'Nats-Msg-Id': 'one' } }),
      async (machine, harness) => {
        // Sent again, as clients do: an acknowledgement, be it for a new message or a known one.
        await confirm(harness.ask('s.a', 'x', { headers: { 'Nats-Msg-Id': 'one' } }));
        expect(await sequences(await machine.powerCut(), 'S')).toEqual([1]);
      },
    );
  });

  it('holds where a new consumer begins when the kill came amid its creation', async () => {
    const config = { ...CONSUMER.config, deliver_policy: 'new' };
    const create = (harness: Harness): Promise<string> =>
      harness.api('CONSUMER.CREATE.S.c', { stream_name: 'S', config });
    await atEachOperation(
      async (harness) => {
        await harness.create({ name: 'S', subjects: ['s.>'] });
        await confirm(harness.api('CONSUMER.CREATE.S.other', { stream_name: 'S', config: { durable_name: 'other' } }));
      },
      create,
      async (machine, harness) => {
        await confirm(create(harness));
        await confirm(harness.ask('s.a', 'x'));
        const again = await machine.powerCut();
        expect((await again.json('CONSUMER.INFO.S.c')).num_pending).toBe(1);
      },
    );
  });

  it('outlives a power cut when the kill came amid the creation of a consumer', async () => {
    await atEachOperation(
      (harness) => harness.create({ name: 'S', subjects: ['s.>'] }),
      (harness) => harness.api('CONSUMER.CREATE.S.c', CONSUMER),
      async (machine, harness) => {
        await confirm(harness.api('CONSUMER.CREATE.S.c', CONSUMER));
        const again = await machine.powerCut();
        expect((await again.json('CONSUMER.NAMES.S')).consumers).toEqual(['c']);
      },
    );
  });

  it('is gone for good when the kill came amid a deletion', async () => {
    await atEachOperation(
      async (harness) => {
        await harness.create({ name: 'S', subjects: ['s.>'] });
        await confirm(harness.api('CONSUMER.CREATE.S.c', CONSUMER));
      },
      async (harness) => {
        await harness.api('CONSUMER.DELETE.S.c');
        await harness.api('STREAM.DELETE.S');
      },
      async (machine, harness) => {
        // Whoever is told that it is not there does not find it later.
        const streams = (await harness.json('STREAM.NAMES')).streams ?? [];
        const consumers = streams.length === 0 ? [] : (await harness.json('CONSUMER.NAMES.S')).consumers;
        const again = await machine.powerCut();
        expect((await again.json('STREAM.NAMES')).streams ?? []).toEqual(streams);
        if (streams.length > 0) expect((await again.json('CONSUMER.NAMES.S')).consumers).toEqual(consumers);
      },
    );
  });
});
