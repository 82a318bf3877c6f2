import { isLiteralSubject, subjectMatches } from '@nats-ts/sublist';
import type { Account } from '../account.ts';
import { goTime } from '../go-format.ts';
import { MONITOR_PAGE } from '../limits.ts';
import { Traffic } from '../traffic.ts';
import { detailOf } from './connection-record.ts';
import { BadRequest, type Params, page } from './params.ts';
import { addStats, statsJson } from './sublist-stats.ts';
import type { ServerView } from './view.ts';

const NOTHING = { msgs: 0, bytes: 0 };

/** /accountz: names, or one account in detail (spec/core.md 8.2). */
export function accountz(server: ServerView, params: Params): object {
  const name = params.text('acc');
  const head = {
    server_id: server.info.server_id,
    now: goTime(server.clock.now()),
    system_account: server.settings.noSystemAccount ? undefined : '$SYS',
  };
  if (name === '') return { ...head, accounts: [...server.accounts.keys()] };
  const account = server.accounts.get(name);
  if (account === undefined) throw new BadRequest(`Account ${name} does not exist`);
  return { ...head, account_detail: detail(server, account) };
}

function detail(server: ServerView, account: Account): object {
  return {
    account_name: account.name,
    update_time: goTime(account.createdMs),
    is_system: account.isSystem || undefined,
    expired: false,
    complete: true,
    jetstream_enabled: server.jetstream?.accountEnabled(account.name) ?? false,
    leafnode_connections: 0,
    client_connections: account.connections.size,
    subscriptions: account.sublist.count,
    name_tag: account.name,
    sublist_stats: statsJson(account.sublist.stats()),
  };
}

/** /accstatz: accounts with connections, or all with `unused`. */
export function accstatz(server: ServerView, params: Params): object {
  const showsUnused = params.bool('unused');
  const accounts = [...server.accounts.values()].filter((account) => showsUnused || account.connections.size > 0);
  return {
    server_id: server.info.server_id,
    now: goTime(server.clock.now()),
    account_statz: accounts.map(statz),
  };
}

function statz(account: Account): object {
  const traffic = new Traffic();
  traffic.add(account.past);
  for (const connection of account.connections) traffic.add(connection);
  const links = { gateways: NOTHING, routes: NOTHING, leafs: NOTHING };
  return {
    acc: account.name,
    name: account.name,
    conns: account.connections.size,
    leafnodes: 0,
    total_conns: account.connections.size,
    num_subscriptions: account.sublist.count,
    sent: { msgs: traffic.outMsgs, bytes: traffic.outBytes, ...links },
    received: { msgs: traffic.inMsgs, bytes: traffic.inBytes, ...links },
    slow_consumers: account.slowConsumers,
  };
}

/** /subsz: figures of the subscription lists, with `subs` the subscriptions too. */
export function subsz(server: ServerView, params: Params): object {
  const showsSubscriptions = params.bool('subs');
  const offset = Math.max(0, params.int('offset'));
  let limit = params.int('limit');
  if (limit <= 0) limit = MONITOR_PAGE;
  const test = params.text('test');
  if (test !== '' && !isLiteralSubject(test)) {
    throw new BadRequest(`invalid test subject, must be valid publish subject: ${test}`);
  }
  const only = params.text('acc');
  const accounts = [...server.accounts.values()].filter((account) => only === '' || account.name === only);
  const list = showsSubscriptions ? accounts.flatMap((account) => subscriptionsOf(account, test)) : null;
  return {
    server_id: server.info.server_id,
    now: goTime(server.clock.now()),
    ...statsJson(addStats(accounts.map((account) => account.sublist.stats()))),
    total: list?.length ?? 0,
    offset,
    limit,
    subscriptions_list: list === null || list.length === 0 ? undefined : page(list, offset, limit, MONITOR_PAGE),
  };
}

function subscriptionsOf(account: Account, test: string): object[] {
  const list: object[] = [];
  account.sublist.each((subscription) => {
    if (test !== '' && !subjectMatches(test, subscription.subject)) return;
    const cid = subscription.connection?.cid ?? 0;
    list.push({ account: account.name, account_tag: account.name, ...detailOf(subscription, cid) });
  });
  return list;
}
