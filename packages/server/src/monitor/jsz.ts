import { goTime } from '../go-format.ts';
import { BadRequest, type Params } from './params.ts';
import type { ServerView } from './view.ts';

/** What /jsz says of a server without JetStream. */
const DISABLED = {
  memory: 0,
  storage: 0,
  reserved_memory: 0,
  reserved_storage: 0,
  accounts: 0,
  ha_assets: 0,
  api: { level: 0, total: 0, errors: 0 },
  disabled: true,
  config: { max_memory: 0, max_storage: 0 },
  streams: 0,
  consumers: 0,
  messages: 0,
  bytes: 0,
  total: 0,
};

/** /jsz (spec/core.md 8.2). */
export function jsz(server: ServerView, params: Params): object {
  const options = {
    accounts: params.bool('accounts'),
    streams: params.bool('streams'),
    consumers: params.bool('consumers'),
    directConsumers: params.bool('direct-consumers'),
    config: params.bool('config'),
    offset: params.int('offset'),
    limit: params.int('limit'),
    leaderOnly: params.bool('leader-only'),
    raft: params.bool('raft'),
    streamLeaderOnly: params.bool('stream-leader-only'),
    account: params.text('acc'),
  };
  const body = server.jetstream === null ? DISABLED : ask(() => server.jetstream!.jsz(options));
  const ordered: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) {
    ordered[key] = value;
    if (key !== 'api') continue;
    ordered['server_id'] = server.info.server_id;
    ordered['now'] = goTime(server.clock.now());
  }
  return ordered;
}

function ask(view: () => object): object {
  try {
    return view();
  } catch (error) {
    throw new BadRequest(error instanceof Error ? error.message : String(error));
  }
}
