import type { ConsumerFigures, SlowConsumer, StreamFigures } from '@nats-ts/natsd';
import { expect, it } from 'vitest';
import {
  CONSUMER_SERIES_MAX,
  LABEL_CHARACTERS_MAX,
  SERVICE_SERIES_MAX,
  SLOW_CONSUMER_SERIES_MAX,
  STREAM_SERIES_MAX,
} from '../src/metrics/catalogue.ts';
import { Exporter } from '../src/metrics/exposition.ts';
import { RecoveryFigures } from '../src/metrics/recovery-figures.ts';
import { labelText, Sheet } from '../src/metrics/sheet.ts';
import type { MetricSources } from '../src/metrics/sources.ts';
import { SYNC_BUCKETS_MS, SyncFigures } from '../src/metrics/sync-figures.ts';
import { parseScrape, type Scrape, sampleValue } from './support/metrics.ts';

const FIGURES: ConsumerFigures = {
  pending: 1,
  ackPending: 2,
  redelivered: 3,
  waiting: 4,
  deliveredConsumerSeq: 5,
  deliveredStreamSeq: 6,
  ackFloorConsumerSeq: 7,
  ackFloorStreamSeq: 8,
  lastDeliveryMs: 9,
  lastAckMs: 10,
};

/** A server with so many streams, each with so many consumers. */
function embedded(
  streams: number,
  consumersEach: number,
  slow: readonly SlowConsumer[] = [],
): MetricSources['embedded'] {
  const stream = (at: number): StreamFigures => ({
    account: '$G',
    stream: `s${at}`,
    messages: at,
    bytes: 1,
    messagesMax: -1,
    bytesMax: -1,
    firstSeq: 1,
    lastSeq: 1,
    firstMs: 1,
    lastMs: 1,
    subjects: 1,
    deleted: 0,
    lostMessages: 0,
    consumerCount: consumersEach,
    failure: null,
    *consumers() {
      for (let consumer = 0; consumer < consumersEach; consumer++) yield { name: `c${consumer}`, figures: FIGURES };
    },
  });
  const jetstream = {
    totals: () => ({}),
    *streams() {
      for (let at = 0; at < streams; at++) yield stream(at);
    },
  };
  const server = {
    id: 'NTEST',
    info: { version: '2.15.1' },
    settings: { maxConnections: 10 },
    statistics: () => ({ slowConsumersByReason: {} }),
    slowConsumers: () => slow,
  };
  return () => ({ server, jetstream, storage: null }) as unknown as ReturnType<MetricSources['embedded']>;
}

function sources(overrides: Partial<MetricSources> = {}): MetricSources {
  return {
    version: '1.2.3',
    isReady: () => true,
    embedded: () => null,
    syncs: new SyncFigures(),
    recovery: new RecoveryFigures(),
    disk: () => null,
    logLines: new Map(),
    registryNodes: () => null,
    ...overrides,
  };
}

async function scrape(from: MetricSources): Promise<Scrape> {
  const { body } = await new Exporter(from).scrape();
  return parseScrape(Buffer.concat(body).toString());
}

function countOf(found: Scrape, name: string): number {
  return found.samples.filter((sample) => sample.name === name).length;
}

it('gives series to so many streams and says how many are left out, with their consumers', async () => {
  const found = await scrape(sources({ embedded: embedded(STREAM_SERIES_MAX + 3, 2) }));
  expect(countOf(found, 'jetstream_stream_total_messages')).toBe(STREAM_SERIES_MAX);
  expect(countOf(found, 'jetstream_consumer_num_pending')).toBe(2 * STREAM_SERIES_MAX);
  expect(sampleValue(found, 'nats_metrics_left_out', { kind: 'streams' })).toBe(3);
  expect(sampleValue(found, 'nats_metrics_left_out', { kind: 'consumers' })).toBe(6);
});

it('gives series to so many consumers, and lets clients be served while it works on them', async () => {
  let turns = 0;
  let isDone = false;
  const turn = (): void => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const { body } = await new Exporter(sources({ embedded: embedded(1, CONSUMER_SERIES_MAX + 5) })).scrape();
  isDone = true;
  // In one go there would be one or two.
  expect(turns).toBeGreaterThan(10);
  const found = parseScrape(Buffer.concat(body).toString());
  for (const name of ['num_pending', 'num_ack_pending', 'last_ack_seconds']) {
    expect(countOf(found, `jetstream_consumer_${name}`)).toBe(CONSUMER_SERIES_MAX);
  }
  expect(sampleValue(found, 'nats_metrics_left_out', { kind: 'streams' })).toBe(0);
  expect(sampleValue(found, 'nats_metrics_left_out', { kind: 'consumers' })).toBe(5);
});

it('gives series to so many slow consumers, one for all entries that have the same labels', async () => {
  const slow = (name: string, user: string): SlowConsumer =>
    ({ account: '$G', name, user, ip: '10.0.0.1', count: 2 }) as SlowConsumer;
  const many = Array.from({ length: SLOW_CONSUMER_SERIES_MAX + 1 }, (_, at) => slow(`n${at}`, ''));
  const found = await scrape(sources({ embedded: embedded(0, 0, [...many, slow('n0', 'somebody')]) }));
  expect(countOf(found, 'nats_slow_consumer_disconnects_total')).toBe(SLOW_CONSUMER_SERIES_MAX);
  const name = 'nats_slow_consumer_disconnects_total';
  expect(sampleValue(found, name, { client_name: 'n0', ip: '10.0.0.1', account: '$G' })).toBe(4);
  expect(sampleValue(found, name, { client_name: 'n1' })).toBe(2);
  expect(sampleValue(found, 'nats_metrics_left_out', { kind: 'slow_consumers' })).toBe(1);
});

it('gives series to so many registered services', async () => {
  const nodes = new Map(Array.from({ length: SERVICE_SERIES_MAX + 2 }, (_, at) => [`com.owncloud.api.n${at}`, at]));
  const found = await scrape(sources({ registryNodes: () => nodes }));
  expect(countOf(found, 'nats_registry_nodes')).toBe(SERVICE_SERIES_MAX);
  expect(sampleValue(found, 'nats_registry_nodes', { service: 'com.owncloud.api.n7' })).toBe(7);
  expect(sampleValue(found, 'nats_registry_services')).toBe(SERVICE_SERIES_MAX + 2);
  expect(sampleValue(found, 'nats_metrics_left_out', { kind: 'services' })).toBe(2);
});

it('shows any name as a label', async () => {
  const name = 'a "quoted" \\ name\nin two lines \ud800';
  const nodes = new Map([
    [name, 1],
    ['x'.repeat(LABEL_CHARACTERS_MAX + 1), 2],
  ]);
  const found = await scrape(sources({ registryNodes: () => nodes }));
  expect(sampleValue(found, 'nats_registry_nodes', { service: name.toWellFormed() })).toBe(1);
  expect(sampleValue(found, 'nats_registry_nodes', { service: `${'x'.repeat(LABEL_CHARACTERS_MAX - 1)}…` })).toBe(2);
  expect(labelText('y'.repeat(LABEL_CHARACTERS_MAX))).toBe('y'.repeat(LABEL_CHARACTERS_MAX));
});

it('gives everybody who asks at the same time one answer', async () => {
  let asked = 0;
  const registryNodes = (): null => {
    asked++;
    return null;
  };
  const exporter = new Exporter(sources({ registryNodes }));
  const [first, second] = await Promise.all([exporter.scrape(), exporter.scrape()]);
  expect(second).toBe(first);
  expect(asked).toBe(1);
});

it('asks again after a failure', async () => {
  let isBroken = true;
  const registryNodes = (): null => {
    if (isBroken) throw new Error('not now');
    return null;
  };
  const exporter = new Exporter(sources({ registryNodes }));
  await expect(exporter.scrape()).rejects.toThrow('not now');
  isBroken = false;
  expect((await exporter.scrape()).body.length).toBeGreaterThan(0);
});

it('counts a sync in the bucket of the time it took', async () => {
  const syncs = new SyncFigures();
  for (const ms of [0, 0.1, 0.11, 1, 9_999, 10_000, 10_001]) syncs.add(ms);
  const found = await scrape(sources({ syncs }));
  const name = 'nats_store_sync_duration_seconds';
  const below = (le: string): number => sampleValue(found, `${name}_bucket`, { le });
  expect(below('0.0001')).toBe(2);
  expect(below('0.00025')).toBe(3);
  expect(below('0.001')).toBe(4);
  expect(below('5')).toBe(4);
  expect(below('10')).toBe(6);
  expect(below('+Inf')).toBe(7);
  expect(sampleValue(found, `${name}_sum`)).toBeCloseTo(30.00121);
  expect(countOf(found, `${name}_bucket`)).toBe(SYNC_BUCKETS_MS.length + 1);
});

it('refuses values of metrics that are not in the catalogue', () => {
  expect(() => new Sheet().set('nats_nothing', 1)).toThrow('no metric is called nats_nothing');
});
