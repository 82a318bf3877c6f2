import { apiError } from '../errors/api-error.ts';
import { objectSchema } from '../json/schema.ts';
import { invalidConfig } from '../stream/config-check.ts';
import { type RawStreamConfig, STREAM_CONFIG_REQUEST } from '../stream/config-schema.ts';
import { nowText, streamInfo } from '../stream/info.ts';
import { purgeInTurns } from '../stream/purge-in-turns.ts';
import type { ApiRoute, ApiRoutes } from './routes.ts';
import { whenDurable } from './when-durable.ts';

const PURGE_REQUEST = objectSchema('JSApiStreamPurgeRequest', { seq: 'sequence', filter: 'string', keep: 'sequence' });

interface PurgeRequest {
  seq?: number;
  filter?: string;
  keep?: number;
}

const create: ApiRoute = {
  type: 'stream_create_response',
  queue: 'main',
  lane: (tokens) => tokens[2]!,
  async handle(call, account) {
    const raw = call.decode(STREAM_CONFIG_REQUEST) as RawStreamConfig;
    const name = call.tokens[2]!;
    if (raw.name !== name) throw apiError('StreamMismatch');
    if (/[\\/]/.test(name)) throw apiError('StreamNameContainsPathSeparators');
    if (raw.sealed === true) throw invalidConfig('stream configuration for create can not be sealed');
    if (raw.mirror_direct === true && raw.mirror === undefined) {
      throw invalidConfig('stream has no mirror but does have mirror direct');
    }
    account.checkCount(name);
    const { stream, isNew } = await account.create(account.checkConfig(raw));
    // Before the announcement: a stream that captures advisories captures its own, but its answer does not count it.
    const info = streamInfo(stream, { dynamic: true });
    if (isNew) stream.announce('CREATED');
    call.respond({ ...info, ts: nowText(stream), did_create: true });
  },
};

const update: ApiRoute = {
  type: 'stream_update_response',
  queue: 'main',
  async handle(call, account) {
    const raw = call.decode(STREAM_CONFIG_REQUEST) as RawStreamConfig;
    const config = account.checkConfig(raw);
    const name = call.tokens[2]!;
    if (config.own.name !== name) throw apiError('StreamMismatch');
    const stream = account.stream(name);
    await account.update(stream, config);
    const info = streamInfo(stream, { dynamic: true });
    stream.commits.after(() => call.respond({ ...info, ts: nowText(stream) }));
  },
};

const remove: ApiRoute = {
  type: 'stream_delete_response',
  queue: 'main',
  async handle(call, account) {
    call.requireEmptyBody();
    await account.delete(call.tokens[2]!);
    call.respond({ success: true });
  },
};

const purge: ApiRoute = {
  type: 'stream_purge_response',
  queue: 'main',
  errorFields: { purged: 0 },
  async handle(call, account) {
    const request = (call.decodeOptional(PURGE_REQUEST) ?? {}) as PurgeRequest;
    const { seq = 0, filter = '', keep = 0 } = request;
    if (seq > 0 && keep > 0) throw apiError('BadRequest');
    const stream = account.stream(call.tokens[2]!);
    if (stream.config.sealed) throw apiError('StreamSealed');
    if (stream.config.deny_purge) throw apiError('StreamPurgeFailed', { err: 'stream purge not permitted' });
    const purged = await purgeInTurns(stream, filter === '' || filter === '>' ? null : [filter], seq, keep);
    whenDurable(call, stream, () => call.respond({ success: true, purged }));
  },
};

export const STREAM_ROUTES: ApiRoutes = {
  'STREAM.CREATE.*': create,
  'STREAM.UPDATE.*': update,
  'STREAM.DELETE.*': remove,
  'STREAM.PURGE.*': purge,
};
