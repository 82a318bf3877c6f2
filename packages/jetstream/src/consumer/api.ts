import type { ApiRequest } from '../api/request.ts';
import { apiError } from '../errors/api-error.ts';
import { ZERO_TIME } from '../json/go-time.ts';
import type { Integer } from '../json/integer.ts';
import type { ConsumerAccount, ConsumerRoute, ConsumerStream, StreamConsumer } from '../stream/consumer-port.ts';
import {
  CREATE_REQUEST_SCHEMA,
  PAGE_REQUEST_SCHEMA,
  PAUSE_REQUEST_SCHEMA,
  RESET_REQUEST_SCHEMA,
  UNPIN_REQUEST_SCHEMA,
} from './config-schema.ts';
import { Consumer } from './consumer.ts';
import { readCreateRequest } from './create-request.ts';
import { deleteStore, finishDeletion } from './deletions.ts';
import { replyInfo } from './info.ts';
import { createOrUpdate, remove, synced, update } from './lifecycle.ts';
import { stampMetadata } from './metadata.ts';
import { OfflineConsumer } from './offline-consumer.ts';
import { resetPosition } from './reset.ts';
import { toUtc } from './utc.ts';

/** Names on a page of CONSUMER.NAMES. */
export const NAMES_PAGE = 1024;

/** Entries on a page of CONSUMER.LIST. */
export const LIST_PAGE = 256;

const createRoute: ConsumerRoute = {
  type: 'consumer_create_response',
  queue: 'main',
  levelCheck: 'later',
  // Where the subject has no name, all such requests to the stream share a lane.
  lane: (tokens) => (tokens[1] === 'DURABLE' ? laneOf(tokens[3], tokens[4]) : laneOf(tokens[2], tokens[3])),
  async handle(request, account) {
    const body = request.decode(CREATE_REQUEST_SCHEMA);
    request.requireLevel();
    const asked = readCreateRequest(request.tokens, body);
    const { consumer, isNew } = await createOrUpdate(account.stream(asked.stream), asked);
    // The answer shows the consumer as it begins; only then messages go out.
    request.respond(replyInfo(consumer));
    if (!isNew) return;
    consumer.start();
    consumer.events.created();
    if (consumer.pause.isPaused) consumer.pause.announce();
  },
};

const infoRoute: ConsumerRoute = {
  type: 'consumer_info_response',
  queue: 'info',
  levelCheck: 'later',
  handle(request, account) {
    request.requireEmptyBody();
    request.requireLevel();
    request.respond(replyInfo(find(account, request.tokens)));
  },
};

const deleteRoute: ConsumerRoute = {
  type: 'consumer_delete_response',
  queue: 'main',
  lane: (tokens) => laneOf(tokens[2], tokens[3]),
  async handle(request, account) {
    request.requireEmptyBody();
    const stream = account.stream(request.tokens[2]!);
    const name = request.tokens[3]!;
    // What a disk refused may be asked for again.
    const wasLeft = !stream.consumers.has(name) && (await finishDeletion(stream, name));
    if (!wasLeft) await removeAny(stream, stream.consumers.get(name));
    request.respond({ success: true });
  },
};

const namesRoute: ConsumerRoute = {
  type: 'consumer_names_response',
  queue: 'info',
  errorFields: { total: 0, offset: 0, limit: 0, consumers: [] },
  handle(request, account) {
    const { place, page } = readPage(request, account, NAMES_PAGE);
    request.respond({ ...place, consumers: page.map(({ name }) => name) });
  },
};

const listRoute: ConsumerRoute = {
  type: 'consumer_list_response',
  queue: 'info',
  errorFields: { total: 0, offset: 0, limit: 0, consumers: [] },
  handle(request, account) {
    const { place, page } = readPage(request, account, LIST_PAGE);
    const offline = page.filter((consumer) => consumer instanceof OfflineConsumer);
    request.respond({
      ...place,
      consumers: page.filter((consumer) => consumer instanceof Consumer).map((consumer) => consumer.info()),
      missing: offline.length === 0 ? undefined : offline.map(({ name }) => name),
      offline: offline.length === 0 ? undefined : Object.fromEntries(offline.map(({ name, reason }) => [name, reason])),
    });
  },
};

const pauseRoute: ConsumerRoute = {
  type: 'consumer_pause_response',
  queue: 'main',
  levelCheck: 'later',
  errorFields: { paused: false, pause_until: ZERO_TIME },
  async handle(request, account) {
    const body = request.decodeOptional(PAUSE_REQUEST_SCHEMA) ?? {};
    request.requireLevel();
    const until = toUtc((body['pause_until'] as string | undefined) ?? '');
    const consumer = find(account, request.tokens);
    await update(consumer, stampMetadata({ ...consumer.config, pause_until: until }));
    const isPaused = consumer.pause.isPaused;
    request.respond({
      paused: isPaused,
      pause_until: until === '' ? ZERO_TIME : until,
      pause_remaining: isPaused ? consumer.pause.remainingNs : undefined,
    });
  },
};

const resetRoute: ConsumerRoute = {
  type: 'consumer_reset_response',
  queue: 'main',
  errorFields: { reset_seq: 0 },
  async handle(request, account) {
    // Nobody answers for a consumer that is not there.
    const consumer = findOrNull(account, request.tokens);
    if (!(consumer instanceof Consumer) || request.reply === null) return;
    const body = request.body.length === 0 ? {} : request.unmarshal(RESET_REQUEST_SCHEMA);
    const { seq } = body as { seq?: number };
    const nextSeq = resetPosition(consumer, seq ?? 0);
    consumer.reset(nextSeq);
    const info = replyInfo(consumer);
    await synced(consumer.store);
    request.respond({ ...info, reset_seq: nextSeq });
  },
};

/** No consumer has priority groups yet: whatever group is named, there is none of that name. */
const unpinRoute: ConsumerRoute = {
  type: 'consumer_unpin_response',
  queue: 'main',
  handle(request, account) {
    const { group = '' } = request.unmarshal(UNPIN_REQUEST_SCHEMA) as { group?: string };
    if (group === '') throw apiError('InvalidJSON', { err: 'consumer group not specified' });
    if (!/^[a-zA-Z0-9/_=-]{1,16}$/.test(group)) throw apiError('ConsumerInvalidGroupName');
    find(account, request.tokens);
    throw apiError('ConsumerInvalidPriorityGroup');
  },
};

/** The consumer part of the API by subject below `$JS.API.` (spec/jetstream.md 1.2). */
export const CONSUMER_ROUTES: Readonly<Record<string, ConsumerRoute>> = {
  'CONSUMER.CREATE.*': createRoute,
  'CONSUMER.CREATE.*.*': createRoute,
  'CONSUMER.CREATE.*.*.>': createRoute,
  'CONSUMER.DURABLE.CREATE.*.*': createRoute,
  'CONSUMER.INFO.*.*': infoRoute,
  'CONSUMER.DELETE.*.*': deleteRoute,
  'CONSUMER.NAMES.*': namesRoute,
  'CONSUMER.LIST.*': listRoute,
  'CONSUMER.PAUSE.*.*': pauseRoute,
  'CONSUMER.RESET.*.*': resetRoute,
  'CONSUMER.UNPIN.*.*': unpinRoute,
};

function laneOf(stream = '', consumer = ''): string {
  return `${stream}/${consumer}`;
}

/** The consumer named by tokens 2 and 3 of the subject. Throws 10059, 10014 or 10195. */
function find(account: ConsumerAccount, tokens: readonly string[]): Consumer {
  const consumer = account.stream(tokens[2]!).consumers.get(tokens[3]!);
  if (consumer instanceof OfflineConsumer) throw apiError('ConsumerOfflineReason', { err: consumer.reason });
  if (!(consumer instanceof Consumer)) throw apiError('ConsumerNotFound');
  return consumer;
}

/** One that cannot run can still be given up. */
async function removeAny(stream: ConsumerStream, consumer: StreamConsumer | undefined): Promise<void> {
  if (consumer instanceof Consumer) return remove(consumer);
  if (!(consumer instanceof OfflineConsumer)) throw apiError('ConsumerNotFound');
  stream.removeConsumer(consumer);
  await deleteStore(stream, consumer.store);
}

function findOrNull(account: ConsumerAccount, tokens: readonly string[]): StreamConsumer | null {
  try {
    return find(account, tokens);
  } catch {
    return null;
  }
}

interface Page {
  readonly place: { readonly total: number; readonly offset: number; readonly limit: number };
  readonly page: readonly StreamConsumer[];
}

/** The consumers by name that a request asks for, `limit` at the most, and where they stand among all. */
function readPage(request: ApiRequest, account: ConsumerAccount, limit: number): Page {
  const { offset: asked = 0 } = (request.decodeOptional(PAGE_REQUEST_SCHEMA) ?? {}) as { offset?: Integer };
  const all = sortedConsumers(account.stream(request.tokens[2]!));
  const offset = Math.min(Math.max(0, Number(asked)), all.length);
  return { place: { total: all.length, offset, limit }, page: all.slice(offset, offset + limit) };
}

function sortedConsumers(stream: ConsumerStream): StreamConsumer[] {
  const shown = [...stream.consumers.values()].filter((consumer) => !consumer.isHidden);
  return shown.sort((a, b) => (a.name < b.name ? -1 : 1));
}
