import { overlaps } from '@nats-ts/sublist';
import type { JetStreamAccount } from '../account.ts';
import type { Integer } from '../json/integer.ts';
import { objectSchema } from '../json/schema.ts';
import { clusterInfo } from '../stream/cluster-info.ts';
import { nowText, type StateDetails, streamInfo } from '../stream/info.ts';
import type { Stream } from '../stream/stream.ts';
import { SUBJECTS_PAGE, SubjectsPage } from '../stream/subjects-page.ts';
import type { ApiRoute, ApiRoutes } from './routes.ts';

/** Names on a page of STREAM.NAMES. */
export const NAMES_PAGE = 1024;
/** Entries on a page of STREAM.LIST. */
export const LIST_PAGE = 256;

const INFO_REQUEST = objectSchema('JSApiStreamInfoRequest', {
  offset: 'int',
  deleted_details: 'bool',
  subjects_filter: 'string',
});
const NAMES_REQUEST = objectSchema('JSApiStreamNamesRequest', { offset: 'int', subject: 'string' });
const LIST_REQUEST = objectSchema('JSApiStreamListRequest', { offset: 'int', subject: 'string' });

interface InfoRequest {
  offset?: Integer;
  deleted_details?: boolean;
  subjects_filter?: string;
}

interface PageRequest {
  offset?: Integer;
  subject?: string;
}

const info: ApiRoute = {
  type: 'stream_info_response',
  queue: 'info',
  errorFields: { total: 0, offset: 0, limit: 0 },
  handle(call, account): void | Promise<void> {
    const request = (call.decodeOptional(INFO_REQUEST) ?? {}) as InfoRequest;
    const stream = account.stream(call.tokens[2]!);
    // The state counts what is on its way to the disk: it is told when that is there. A store that fails meanwhile is looked at again.
    const taken = takeInfo(stream, request);
    const respond = (): void =>
      stream.commits.after((error) => {
        if (error === null || stream.isClosed) call.respond(taken.response);
        else respondAgain(call, stream, request);
      });
    if (taken.page === null) respond();
    else return taken.page.encode(stream.host.clock).then(respond);
  },
};

/** What STREAM.INFO tells of this moment; complete when the page, if there is one, is encoded. */
interface TakenInfo {
  readonly response: Readonly<Record<string, unknown>>;
  readonly page: SubjectsPage | null;
}

function takeInfo(stream: Stream, request: InfoRequest): TakenInfo {
  const filter = request.subjects_filter ?? '';
  const offset = atLeastZero(request.offset ?? 0);
  const page = filter === '' ? null : new SubjectsPage(stream, filter, Number(offset));
  const hasPage = page !== null && page.total > 0;
  const subjects = page === null || page.isEmpty ? undefined : page.json;
  const details: StateDetails = { deleted: request.deleted_details === true, subjects };
  const response = {
    total: hasPage ? page.total : 0,
    offset: hasPage ? offset : 0,
    limit: hasPage ? SUBJECTS_PAGE : 0,
    ...streamInfo(stream, { dynamic: true, details }),
    cluster: clusterInfo(stream.host),
    ts: nowText(stream),
  };
  return { response, page: subjects === undefined ? null : page };
}

function respondAgain(call: Parameters<ApiRoute['handle']>[0], stream: Stream, request: InfoRequest): void {
  const { response, page } = takeInfo(stream, request);
  if (page === null) call.respond(response);
  else void page.encode(stream.host.clock).then(() => call.respond(response));
}

const names: ApiRoute = {
  type: 'stream_names_response',
  queue: 'info',
  errorFields: { total: 0, offset: 0, limit: 0, streams: null },
  handle(call, account) {
    const request = (call.decodeOptional(NAMES_REQUEST) ?? {}) as PageRequest;
    const all = namesOf(account, request.subject ?? '');
    const offset = Math.min(Math.max(0, Number(request.offset ?? 0)), all.length);
    const page = all.slice(offset, offset + NAMES_PAGE);
    call.respond({ total: all.length, offset, limit: NAMES_PAGE, streams: page.length === 0 ? null : page });
  },
};

const list: ApiRoute = {
  type: 'stream_list_response',
  queue: 'info',
  errorFields: { total: 0, offset: 0, limit: 0, streams: [] },
  handle(call, account) {
    const request = (call.decodeOptional(LIST_REQUEST) ?? {}) as PageRequest;
    const all = namesOf(account, request.subject ?? '');
    const offset = Math.min(Math.max(0, Number(request.offset ?? 0)), all.length);
    const streams: Stream[] = [];
    const offline: Record<string, string> = {};
    for (const name of all.slice(offset)) {
      const stream = account.streams.get(name);
      if (stream === undefined) offline[name] = account.offline.get(name)?.reason ?? '';
      else streams.push(stream);
      if (streams.length === LIST_PAGE) break;
    }
    const missing = Object.keys(offline);
    const infos = streams.map(listed);
    const respond = (): void =>
      call.respond({
        total: all.length,
        offset,
        limit: LIST_PAGE,
        streams: infos,
        missing: missing.length === 0 ? undefined : missing,
        offline: missing.length === 0 ? undefined : offline,
      });
    whenCommitted(streams, respond, (index) => {
      infos[index] = listed(streams[index]!);
    });
  },
};

function atLeastZero(offset: Integer): Integer {
  return offset > 0 ? offset : 0;
}

function listed(stream: Stream): Record<string, unknown> {
  return { ...streamInfo(stream, { dynamic: false }), ts: nowText(stream) };
}

/** Calls back when every stream has committed what its state counts, or failed to: then `lookAgain` comes first. */
function whenCommitted(streams: readonly Stream[], callback: () => void, lookAgain: (index: number) => void): void {
  let waiting = streams.length + 1;
  const arrived = (): void => {
    waiting--;
    if (waiting === 0) callback();
  };
  streams.forEach((stream, index) => {
    stream.commits.after((error) => {
      if (error !== null && !stream.isClosed) lookAgain(index);
      arrived();
    });
  });
  arrived();
}

/** Names of the streams with a subject that overlaps the filter ('' = all), sorted. Offline ones are among them. */
function namesOf(account: JetStreamAccount, filter: string): string[] {
  const all = [
    ...[...account.streams.values()].map(({ name, config }) => ({ name, subjects: config.subjects ?? [] })),
    ...account.offline.values(),
  ];
  const matching =
    filter === '' ? all : all.filter(({ subjects }) => subjects.some((subject) => overlaps(filter, subject)));
  return matching.map(({ name }) => name).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

export const STREAM_INFO_ROUTES: ApiRoutes = {
  'STREAM.INFO.*': info,
  'STREAM.NAMES': names,
  'STREAM.LIST': list,
};
