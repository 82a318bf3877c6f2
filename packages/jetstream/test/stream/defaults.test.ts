import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { consumerModule } from '../../src/consumer/module.ts';
import type { JetStreamOptions } from '../../src/options.ts';
import { FileStorage } from '../../src/store/file/file-storage.ts';
import { FakeHost } from '../fake-host.ts';
import { Harness } from '../jetstream-harness.ts';
import { testDependencies } from '../store/dependencies.ts';

const HOUR_NS = 3_600_000_000_000;
const SPARSE = { name: 'S', max_bytes: 0, max_age: 0, max_msgs: 0 };
const DEFAULTS = { streamDefaults: { S: { maxAgeNs: HOUR_NS, maxBytes: 1000 } } };

const limitsOf = async (harness: Harness): Promise<unknown> => {
  const { config } = await harness.json('STREAM.INFO.S');
  return { age: config.max_age, bytes: config.max_bytes, window: config.duplicate_window };
};

describe('defaults for a stream', () => {
  it('stand in for limits that a client leaves open, whenever it says the same again', async () => {
    const harness = await Harness.open(DEFAULTS);
    const created = await harness.json('STREAM.CREATE.S', SPARSE);
    expect(created).toMatchObject({ did_create: true, config: { max_age: HOUR_NS, max_bytes: 1000, max_msgs: -1 } });
    for (const again of [SPARSE, { name: 'S' }, { ...SPARSE, max_bytes: -1 }]) {
      expect(await harness.json('STREAM.CREATE.S', again)).toMatchObject({ did_create: true });
    }
    // What is shown may be given back.
    expect(await harness.outcome('STREAM.CREATE.S', created.config)).toBe('ok');
    await harness.create({ name: 'T' });
    expect((await harness.json('STREAM.INFO.T')).config).toMatchObject({ max_age: 0, max_bytes: -1 });
  });

  it('hold like limits of the client', async () => {
    const harness = await Harness.open(DEFAULTS);
    await harness.create({ name: 'S', storage: 'memory' });
    for (let i = 0; i < 20; i++) await harness.ask('S', 'x'.repeat(83));
    // 1 + 83 + 16 bytes each.
    expect(await harness.state('S')).toMatchObject({ messages: 10, bytes: 1000, first_seq: 11 });
  });

  it('give way to limits of the client, on creation and on update', async () => {
    const harness = await Harness.open(DEFAULTS);
    await harness.create({ ...SPARSE, max_bytes: 5 });
    expect(await limitsOf(harness)).toMatchObject({ bytes: 5, age: HOUR_NS });
    expect(await harness.outcome('STREAM.CREATE.S', SPARSE)).toContain('10058');
    expect(await harness.outcome('STREAM.UPDATE.S', { ...SPARSE, max_age: 2 * HOUR_NS })).toBe('ok');
    expect(await limitsOf(harness)).toMatchObject({ bytes: 1000, age: 2 * HOUR_NS });
    expect(await harness.outcome('STREAM.UPDATE.S', SPARSE)).toBe('ok');
    expect(await limitsOf(harness)).toMatchObject({ bytes: 1000, age: HOUR_NS });
  });

  it('shorten a duplicate window that is longer than the age', async () => {
    const harness = await Harness.open({ streamDefaults: { S: { maxAgeNs: 1e9 } } });
    await harness.create({ name: 'S', duplicate_window: 60e9 });
    expect(await limitsOf(harness)).toMatchObject({ age: 1e9, window: 1e9 });
  });

  it('satisfy a pedantic client as well', async () => {
    const harness = await Harness.open(DEFAULTS);
    expect(await harness.outcome('STREAM.CREATE.S', { ...SPARSE, pedantic: true })).toBe('ok');
  });

  it('leave a stream alone that is sealed', async () => {
    const harness = await Harness.open(DEFAULTS);
    await harness.create({ name: 'S' });
    const { config } = await harness.json('STREAM.INFO.S');
    expect(await harness.outcome('STREAM.UPDATE.S', { ...config, max_age: 0, sealed: true })).toBe('ok');
    expect(await limitsOf(harness)).toMatchObject({ age: 0 });
  });

  it.each([
    [{ maxAgeNs: 99_999_999 }, 'stream defaults of "S": maxAgeNs is 99999999, expected 0 or at least 100000000'],
    [{ maxAgeNs: -1 }, 'maxAgeNs is -1'],
    [{ maxBytes: -1 }, 'stream defaults of "S": maxBytes is -1, expected 0 or a number of bytes'],
    [{ maxBytes: 1.5 }, 'maxBytes is 1.5'],
  ])('are refused when no stream could have them: %j', async (defaults, text) => {
    await expect(Harness.open({ streamDefaults: { S: defaults } })).rejects.toThrow(text);
  });
});

describe('defaults and a stream on disk', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(`${tmpdir()}/nats-ts-defaults-`);
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function open(options: JetStreamOptions): Promise<Harness> {
    const host = new FakeHost();
    host.clock.set(Date.now());
    host.account().patienceMs = 5_000;
    return Harness.open(options, await FileStorage.open(directory, testDependencies()), consumerModule, host);
  }

  const meta = async (): Promise<unknown> =>
    JSON.parse(await readFile(`${directory}/jetstream/$G/streams/S/meta.inf`, 'utf8'));

  it('reach it at the next start, and leave it with the option', async () => {
    const before = await open({});
    await before.create({ name: 'S' });
    for (let i = 0; i < 20; i++) await before.ask('S', 'x'.repeat(200));
    await before.jetstream.shutdown();

    const limited = await open(DEFAULTS);
    expect(await limitsOf(limited)).toEqual({ age: HOUR_NS, bytes: 1000, window: 120e9 });
    const { bytes, messages } = await limited.state('S');
    expect(bytes).toBeLessThanOrEqual(1000);
    expect(messages).toBeGreaterThan(0);
    expect(await limited.outcome('STREAM.CREATE.S', SPARSE)).toBe('ok');
    await limited.jetstream.shutdown();
    // Nothing of it is stored, for the server that opens the directory next.
    expect(await meta()).toMatchObject({ max_bytes: -1, max_age: 0, duplicate_window: 120e9 });

    const narrower = await open({ streamDefaults: { S: { maxAgeNs: 60e9 } } });
    expect(await limitsOf(narrower)).toEqual({ age: 60e9, bytes: -1, window: 60e9 });
    expect(await narrower.outcome('STREAM.CREATE.S', SPARSE)).toBe('ok');
    expect((await narrower.state('S')).messages).toBe(messages);
    await narrower.jetstream.shutdown();

    const after = await open({});
    expect(await limitsOf(after)).toEqual({ age: 0, bytes: -1, window: 120e9 });
    await after.jetstream.shutdown();
  });

  it('do not replace limits that a client has stored', async () => {
    const first = await open(DEFAULTS);
    await first.create({ name: 'S' });
    expect(await first.outcome('STREAM.UPDATE.S', { name: 'S', max_bytes: 7 })).toBe('ok');
    await first.jetstream.shutdown();
    const second = await open({ streamDefaults: { S: { maxBytes: 9 } } });
    expect(await limitsOf(second)).toMatchObject({ bytes: 7, age: 0 });
    await second.jetstream.shutdown();
  });
});
