import { goTime } from '../go-format.ts';
import { MONITOR_PAGE } from '../limits.ts';
import { type ConnectionRecord, type RenderOptions, recordOf, render } from './connection-record.ts';
import { BadRequest, type Params, page } from './params.ts';
import type { ServerView } from './view.ts';

type Order = (a: ConnectionRecord, b: ConnectionRecord) => number;
type State = 'open' | 'closed' | 'all';

const byCid: Order = (a, b) => a.cid - b.cid;

/** Sort options; the largest first where nats-server does so. */
const ORDERS: Readonly<Record<string, Order>> = {
  '': byCid,
  cid: byCid,
  start: byCid,
  subs: (a, b) => b.subscriptionCount - a.subscriptionCount,
  pending: (a, b) => b.pendingBytes - a.pendingBytes,
  msgs_to: (a, b) => b.outMsgs - a.outMsgs,
  msgs_from: (a, b) => b.inMsgs - a.inMsgs,
  bytes_to: (a, b) => b.outBytes - a.outBytes,
  bytes_from: (a, b) => b.inBytes - a.inBytes,
  last: (a, b) => b.lastActivityMs - a.lastActivityMs,
  idle: (a, b) => a.lastActivityMs - b.lastActivityMs,
  uptime: (a, b) => b.startMs - a.startMs,
  rtt: (a, b) => b.rttMs - a.rttMs,
  stop: (a, b) => (b.stopMs ?? 0) - (a.stopMs ?? 0),
  reason: (a, b) => compareText(a.reason ?? '', b.reason ?? ''),
};

/** /connz (spec/core.md 8.2). */
export function connz(server: ServerView, params: Params): object {
  const options: RenderOptions = { auth: params.bool('auth'), subs: subsOption(params) };
  const offset = Math.max(0, params.int('offset'));
  let limit = params.int('limit');
  if (limit <= 0) limit = MONITOR_PAGE;
  const cid = Number(params.uint64('cid'));
  const state = stateOption(params.text('state'));
  const order = orderOption(params.text('sort'), state);
  const account = params.text('acc');
  const nowMs = server.clock.now();
  if (cid > 0) limit = 1;
  if (account !== '' && !server.accounts.has(account)) {
    return { server_id: '', now: goTime(nowMs), num_connections: 0, total: 0, offset, limit, connections: null };
  }
  let records = [...openRecords(server, state), ...closedRecords(server, state)];
  if (account !== '') records = records.filter((record) => record.account === account);
  const total = records.length;
  const user = params.text('user');
  if (cid > 0) records = records.filter((record) => record.cid === cid);
  else if (user !== '') records = records.filter((record) => record.user === user);
  if (params.text('mqtt_client') !== '') records = [];
  const shown = page(records.sort(order), offset, limit, MONITOR_PAGE);
  return {
    server_id: server.info.server_id,
    now: goTime(nowMs),
    num_connections: shown.length,
    total,
    offset,
    limit,
    connections: shown.map((record) => render(record, options, nowMs)),
  };
}

function openRecords(server: ServerView, state: State): ConnectionRecord[] {
  return state === 'closed' ? [] : [...server.registry.open.values()].map(recordOf);
}

function closedRecords(server: ServerView, state: State): ConnectionRecord[] {
  return state === 'open' ? [] : server.registry.closed.list();
}

function subsOption(params: Params): RenderOptions['subs'] {
  if (params.text('subs').toLowerCase() === 'detail') return 'detail';
  return params.bool('subs') ? 'list' : 'no';
}

function stateOption(text: string): State {
  switch (text.toLowerCase()) {
    case '':
    case 'open':
      return 'open';
    case 'closed':
      return 'closed';
    case 'any':
    case 'all':
      return 'all';
    default:
      throw new BadRequest(`Error decoding state for ${text}`);
  }
}

function orderOption(sort: string, state: State): Order {
  const order = Object.hasOwn(ORDERS, sort) ? ORDERS[sort] : undefined;
  if (order === undefined) throw new BadRequest(`invalid sorting option: ${sort}`);
  if ((sort === 'stop' || sort === 'reason') && state !== 'closed') {
    throw new BadRequest(`sort by ${sort} only valid on closed connections`);
  }
  return order;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
